"""Memory that is free goes back to the system between the stages of a scan.

Each stage makes and drops arrays of megabytes. What is dropped stays with the process, for pages that are
asked for anew cost more than what is written on them; but the next stage wants pieces of other sizes, and of
a large set the process would be twice as large as what it holds.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

#: Below that, nobody is short of memory, and to ask for fresh pages takes more time than it saves room.
_LEAST_BYTES = 384 << 20
_OWN_PAGES = Path("/proc/self/statm")
#: Files that are mapped into memory.
_mapped: weakref.WeakSet[mmap.mmap] = weakref.WeakSet()


def mapped(file: BinaryIO) -> mmap.mmap:
    """A whole file in memory, to be read, as far as it is looked at; `unmap_pages` lets go of what was."""
    pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    _mapped.add(pages)
    return pages


def unmap_pages() -> None:
    """Lets go of what was read of mapped files; what is looked at again is read again."""
    if hasattr(mmap, "MADV_DONTNEED"):
        for pages in list(_mapped):
            pages.madvise(mmap.MADV_DONTNEED)


def give_back(least: int = _LEAST_BYTES) -> None:
    """Gives free memory back, if the process takes so many bytes or more; only Linux says how many."""
    if _resident() < least:
        return
    unmap_pages()
    # What Arrow frees may go to the allocator of NumPy, which is that of the C library.
    pa.default_memory_pool().release_unused()
    _trim()(0)


def _resident() -> int:
    try:
        pages = int(_OWN_PAGES.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


@lru_cache(maxsize=1)
def _trim() -> Callable[[int], Any]:
    """`malloc_trim`, which of the C libraries glibc alone has."""
    try:
        found: Callable[[int], Any] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return lambda _: None
    return found
