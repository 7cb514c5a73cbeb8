"""A worker process: `python -m ld50.executors.worker package.module:function`.

It runs one job after the other and lives as long as its standard input is open: should the driver
die, however it dies, its end of the pipe closes and the worker ends at once, in the middle of a job
too. What jobs print goes to standard error, which is the worker's log.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from typing import BinaryIO

import msgspec

from ld50.core.errors import Ld50Error
from ld50.executors.frames import Reply, Request, read_frame, write_frame
from ld50.executors.jobs import Target, find_target

#: How often a job may tell how far it is; more would only keep the driver busy. A job that moves in
#: smaller steps is still heard of, or it would pass for one that hangs.
_LEAST_STEP, _MOST_SECONDS = 0.005, 30.0


def main(target_name: str) -> None:
    """Serves jobs until the driver goes away."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    requests: queue.SimpleQueue[Request] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()
    target: Target | None = None
    while True:
        request = requests.get()
        try:
            target = target or find_target(target_name)
            reply = _run(target, request, replies)
        except BaseException as error:
            traceback.print_exc()
            reply = Reply("error", request.name, text=_in_words(error))
        write_frame(replies, reply)


def _listen(requests: queue.SimpleQueue[Request]) -> None:
    stream = os.fdopen(0, "rb")
    while (body := read_frame(stream)) is not None:
        requests.put(msgspec.json.decode(body, type=Request))
    os._exit(3)


def _run(target: Target, request: Request, replies: BinaryIO) -> Reply:
    told, since = 0.0, time.monotonic()

    def emit(done: float, text: str = "") -> None:
        nonlocal told, since
        now = time.monotonic()
        if done - told >= _LEAST_STEP or done >= 1.0 or now - since >= _MOST_SECONDS:
            told, since = done, now
            write_frame(replies, Reply("update", request.name, done=done, text=text))

    result = target(bytes(request.payload), emit)
    return Reply("result", request.name, payload=msgspec.Raw(result))


def _in_words(error: BaseException) -> str:
    if isinstance(error, Ld50Error):
        return str(error)
    return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main(sys.argv[1])
