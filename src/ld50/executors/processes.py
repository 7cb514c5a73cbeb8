"""Processes on this machine, one a core, each with one thread.

Two single-threaded processes train small models far faster than one process with two threads, and a
compiled model pays only in a worker that lives for many jobs.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from ld50.core.errors import ConfigError
from ld50.executors.frames import FrameBuffer, Reply, Request, write_frame
from ld50.executors.jobs import Job, Outcome, Update

_ONE_THREAD = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "RAYON_NUM_THREADS",
)
_PATIENCE_SECONDS = 5.0
#: A job that has not been heard of for so long hangs.
SILENCE_SECONDS = 3600.0


class ProcessPool:
    """A `JobPool` of processes on this machine."""

    def __init__(
        self,
        target: str,
        *,
        workers: int,
        logs: Path | None = None,
        threads: int = 1,
        gpus: int = 0,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        """Starts nothing yet.

        Args:
            target: What to run, as `package.module:function`; see `jobs.Target`.
            workers: Most processes at a time.
            logs: Folder for what the workers print; None drops it.
            threads: Threads of each process for arithmetic.
            gpus: GPUs that the workers are dealt to in turn, each seeing one; 0 leaves them alone.
            silence_seconds: After so long without an update a job counts as crashed, and its worker
                is ended.
        """
        if workers < 1:
            raise ConfigError(f"workers must be 1 or more, got {workers}.")
        self._target, self._workers, self._logs, self._threads = target, workers, logs, threads
        self._gpus, self._silence = gpus, silence_seconds
        self._idle: list[_Worker] = []
        self._busy: dict[str, _Worker] = {}
        self._selector = selectors.DefaultSelector()
        self._events: deque[Update | Outcome] = deque()
        self._started = 0

    @property
    def free(self) -> int:
        """Jobs that `submit` would start at once."""
        return self._workers - len(self._busy)

    def submit(self, job: Job) -> None:
        """Starts a job on an idle worker, or on a new one."""
        worker = self._idle.pop() if self._idle else self._start()
        self._busy[job.name] = worker
        worker.job, worker.heard = job.name, time.monotonic()
        try:
            write_frame(worker.stdin, Request(job.name, msgspec.Raw(job.payload)))
        except OSError:
            self._lost(worker)

    def next(self, timeout: float) -> Update | Outcome | None:
        """What happened next, or None if nothing did within so many seconds."""
        deadline = time.monotonic() + timeout
        while not self._events:
            left = deadline - time.monotonic()
            if left <= 0 or not self._busy:
                return None
            for key, _ in self._selector.select(left):
                self._read(key.data)
            self._end_silent()
        return self._events.popleft()

    def _end_silent(self) -> None:
        """Ends workers that have said nothing for too long; a deadlock would hold a study for ever."""
        now = time.monotonic()
        for worker in list(self._busy.values()):
            if now - worker.heard > self._silence:
                worker.kill()
                self._lost(
                    worker, f"nothing was heard of the trial for {self._silence:,.0f} seconds"
                )

    def __enter__(self) -> ProcessPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        workers = [*self._idle, *self._busy.values()]
        for worker in workers:
            worker.stdin.close()
        for worker in workers:
            worker.end()
        self._selector.close()
        self._idle, self._busy = [], {}

    def _start(self) -> _Worker:
        number = self._started
        self._started += 1
        log = None
        if self._logs is not None:
            self._logs.mkdir(parents=True, exist_ok=True)
            log = self._logs / f"worker-{number}.log"
        gpu = number % self._gpus if self._gpus else None
        worker = _Worker(self._target, log, self._threads, gpu)
        self._selector.register(worker.stdout, selectors.EVENT_READ, worker)
        return worker

    def _read(self, worker: _Worker) -> None:
        data = os.read(worker.stdout.fileno(), 1 << 20)
        if not data:
            self._lost(worker)
            return
        worker.heard = time.monotonic()
        for body in worker.buffer.feed(data):
            reply = msgspec.json.decode(body, type=Reply)
            if reply.kind == "update":
                self._events.append(Update(name=reply.name, done=reply.done, text=reply.text))
                continue
            self._busy.pop(reply.name, None)
            worker.job = None
            self._idle.append(worker)
            done = reply.kind == "result"
            self._events.append(
                Outcome(
                    name=reply.name,
                    result=bytes(reply.payload) if done else None,
                    error=None if done else reply.text or "unknown error",
                )
            )

    def _lost(self, worker: _Worker, reason: str | None = None) -> None:
        """A worker died: its job is told so, and the next job gets a fresh one."""
        self._selector.unregister(worker.stdout)
        how = worker.end()
        why = reason or how
        if worker in self._idle:
            self._idle.remove(worker)
        if worker.job is not None:
            self._busy.pop(worker.job, None)
            self._events.append(Outcome(name=worker.job, result=None, error=why, crashed=True))


class _Worker:
    def __init__(self, target: str, log: Path | None, threads: int, gpu: int | None) -> None:
        self.log = log
        self.buffer = FrameBuffer()
        self.job: str | None = None
        self.heard = time.monotonic()
        environment = {**os.environ, **dict.fromkeys(_ONE_THREAD, str(threads))}
        # The worker must find what this process can import, however it came to its path.
        environment["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
        if gpu is not None:
            visible = os.environ.get("CUDA_VISIBLE_DEVICES", "")
            environment["CUDA_VISIBLE_DEVICES"] = visible.split(",")[gpu] if visible else str(gpu)
        environment["TOKENIZERS_PARALLELISM"] = "false"
        errors: Any = log.open("ab") if log is not None else subprocess.DEVNULL
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ld50.executors.worker", target],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=environment,
                # Ctrl-C is the driver's to handle; the workers end when its pipe closes.
                start_new_session=True,
            )
        finally:
            if log is not None:
                errors.close()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self.stdin: Any = self._process.stdin
        self.stdout: Any = self._process.stdout

    def kill(self) -> None:
        """Ends the process at once."""
        self._process.kill()

    def end(self) -> str:
        """Waits for the process, ends it if it does not end by itself, and says how it went."""
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.stdout.close()
        with contextlib.suppress(OSError):
            self.stdin.close()
        return self._how_it_ended()

    def _how_it_ended(self) -> str:
        code = self._process.returncode
        how = f"the worker ended with exit code {code}"
        if code < 0:
            name = signal.Signals(-code).name
            how = f"the worker was ended by {name}"
            if name == "SIGKILL":
                how += ", as happens when memory runs out"
        if self.log is not None:
            lines = self.log.read_text("utf-8", "replace").strip().splitlines()
            if lines:
                how += f"; the last line of its log is: {lines[-1][:300]}"
        return how
