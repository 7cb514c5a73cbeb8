"""What the `ld50` command and `python -m ld50` start: a process set up for one scan, then `cli`.

Only a process of our own may be set up this way; `import ld50` leaves the caller's alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import sys
from typing import Any, NoReturn

#: Packages that look for others as they are loaded, and must get an honest answer. Beside them, the time
#: that pandas takes is nothing.
_LOOK_AROUND = frozenset({"torch", "transformers", "ray"})


class _NoPandas:
    """Answers that pandas is not installed, as long as nothing is loaded that may ask for it.

    pyarrow imports pandas, where it is installed, for a look at any array that it is given, and that
    takes longer than the scan of a small file. No scan has a use for it.
    """

    @staticmethod
    def find_spec(name: str, path: Any = None, target: Any = None) -> None:
        if name == "pandas" and _LOOK_AROUND.isdisjoint(sys.modules):
            raise ModuleNotFoundError("pandas is of no use to a scan", name=name)


#: For `mallopt` of glibc: what the numbers mean, and bytes. Larger blocks go back to the system at once,
#: and so does what is free at the end of the heap beyond the second; glibc takes no more for the first.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = (-1, 256 << 20), (-3, 32 << 20)
#: One heap for all threads: what one has freed, another fills. Blocks are few and large.
_ARENA_MAX = (-8, 1)


def _reuse_memory() -> None:
    """Lets the process fill freed memory again, instead of asking the system for fresh pages.

    A scan makes and drops arrays of megabytes all the time, and each new page costs more than what is
    written on it. Arrow's own allocator gives them back early, so it takes this one as well.
    """
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    with contextlib.suppress(OSError, AttributeError):
        allocator = ctypes.CDLL(None)
        for setting in (_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX):
            allocator.mallopt(*setting)


def main() -> NoReturn:
    """Sets the process up and runs the command line."""
    sys.meta_path.insert(0, _NoPandas)
    if sys.platform == "linux" and sys.argv[1:2] == ["scan"]:
        _reuse_memory()
    # Units run on threads of ours; more threads inside a matrix product only get in their way, and
    # the sums would depend on their number.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Next to nothing here is cyclic, so looking for cycles as often as usual is wasted.
    gc.set_threshold(100_000, 20, 100)
    try:
        from ld50 import cli
    except KeyboardInterrupt:
        # Too early for any other message: nothing has begun.
        sys.exit(130)
    try:
        cli.main()
    finally:
        # Python looks at every object once more before it ends, for cycles that would be freed anyway:
        # 0.07 seconds, as long as the search for causes takes in a small file.
        gc.freeze()


if __name__ == "__main__":
    main()
