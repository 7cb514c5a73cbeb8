"""Jobs that may take hours and may crash: what a pool is given, and what it tells about them."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, cast

from ld50.core.errors import ConfigError

#: What a worker runs: it takes a job's payload and a way to tell how far it is, and returns bytes.
Target = Callable[[bytes, Callable[[float, str], None]], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One piece of work."""

    name: str
    payload: bytes
    """JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """How far a running job is."""

    name: str
    done: float
    """0 to 1."""
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of a job; exactly one of `result` and `error` is None."""

    name: str
    result: bytes | None
    error: str | None = None
    """In words, for a person."""
    crashed: bool = False
    """Whether the worker died with the job, rather than raising an error."""


class JobPool(Protocol):
    """Workers that outlive their jobs. A worker that dies is replaced."""

    @property
    def free(self) -> int:
        """Jobs that `submit` would start at once."""

    def submit(self, job: Job) -> None:
        """Starts a job; only where `free` is above 0."""

    def next(self, timeout: float) -> Update | Outcome | None:
        """What happened next, or None if nothing did within so many seconds."""

    def __enter__(self) -> JobPool:
        """Nothing is started before the first job."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the workers, whatever they are doing."""


def find_target(name: str) -> Target:
    """The function behind `package.module:function`.

    Raises:
        ConfigError: No such module or function.
    """
    module_name, _, function = name.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), function)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(
            f"There is no function {name!r} ({error}). Write it as package.module:function."
        ) from error
    return cast(Target, found)
