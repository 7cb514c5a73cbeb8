"""Standard output of the commands, where it may be that nobody reads."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ld50.core.errors import OutputError

if TYPE_CHECKING:
    from rich.console import Console


@contextlib.contextmanager
def to_stdout() -> Iterator[None]:
    """What is printed may find nobody there, and still the exit code says what was found.

    Raises:
        OutputError: Standard output cannot take it: a full disk, say.
    """
    try:
        yield
        if sys.stdout is not None:
            sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more as it ends, and would complain about the same pipe.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise OutputError(
            f"Standard output cannot be written: {error.strerror or error}. Files are written as asked."
        ) from error


def console() -> Console:
    """A console that leaves a closed pipe to `to_stdout`; rich would exit with 1, our code for poison."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain()


def write(text: str) -> None:
    """Prints what another program reads: in UTF-8, whatever the terminal is set to."""
    if sys.stdout is None:
        return
    binary = getattr(sys.stdout, "buffer", None)
    if binary is None:
        sys.stdout.write(text + "\n")
        return
    sys.stdout.flush()
    binary.write(text.encode() + b"\n")
    binary.flush()
