"""Threads on this machine. The kernels release the interpreter lock, so threads are enough."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def available_cores() -> int:
    """Cores this process may use; containers and `taskset` are respected."""
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


def available_gpus() -> int:
    """NVIDIA GPUs this process may use, found without loading a library; 0 where there are none."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return len([one for one in chosen.split(",") if one.strip() not in ("", "-1")])
    return len([one for one in Path("/dev").glob("nvidia[0-9]*") if one.name[6:].isdigit()])


def map_unordered(
    function: Callable[[Item], Result], items: Sequence[Item], *, workers: int
) -> Iterator[tuple[Item, Result]]:
    """Each item with its result, as they are finished; at most `workers` run or wait at a time.

    Nothing runs ahead of the consumer by more than `workers` items, so memory stays bounded. The
    first error stops the rest and is raised.
    """
    if workers <= 1 or len(items) <= 1:
        for item in items:
            yield item, function(item)
        return
    stop = threading.Event()

    def run(item: Item) -> Result:
        if stop.is_set():
            raise InterruptedError
        return function(item)

    with ThreadPoolExecutor(max_workers=workers, thread_name_prefix="ld50") as pool:
        pending: dict[Future[Result], Item] = {}
        rest = iter(items)
        try:
            for item in rest:
                pending[pool.submit(run, item)] = item
                if len(pending) < workers:
                    continue
                yield from _finished(pending)
            while pending:
                yield from _finished(pending)
        finally:
            stop.set()


def _finished(pending: dict[Future[Result], Item]) -> Iterator[tuple[Item, Result]]:
    done, _ = wait(pending, return_when=FIRST_COMPLETED)
    for future in done:
        yield pending.pop(future), future.result()
