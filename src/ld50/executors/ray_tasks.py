"""Ray: the same jobs spread over a cluster. The one module that imports ray."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

from ld50.core.errors import MissingExtraError
from ld50.executors.jobs import Job, Outcome, Update, find_target


class RayPool:
    """A `JobPool` of Ray tasks. Files must lie where every node sees them."""

    def __init__(
        self,
        target: str,
        *,
        jobs: int,
        cpus: float = 1.0,
        gpus: float = 0.0,
        address: str | None = None,
    ) -> None:
        """Connects to Ray, or starts it on this machine.

        Args:
            target: What to run, as `package.module:function`; see `jobs.Target`.
            jobs: Most jobs that are handed over at a time; Ray queues what has no room yet.
            cpus: Cores each job takes.
            gpus: GPUs each job takes; a fraction shares one.
            address: Of the cluster, e.g. `auto`; None starts Ray here.

        Raises:
            MissingExtraError: Ray is not installed.
        """
        try:
            import ray
        except ImportError as error:
            raise MissingExtraError(
                "Running a study on Ray needs a package: pip install 'ld50[ray]'."
            ) from error
        self._ray: Any = ray
        self._owned = not ray.is_initialized()
        if self._owned:
            threads = {"OMP_NUM_THREADS": str(max(1, int(cpus)))}
            ray.init(
                address=address,
                log_to_driver=False,
                include_dashboard=False if address is None else None,
                runtime_env={"env_vars": threads},
            )
        # A crashed task is reported, not repeated by Ray: the driver decides what runs again.
        self._run: Any = ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(_run_job)
        self._target, self._jobs = target, jobs
        self._running: dict[Any, str] = {}

    @property
    def free(self) -> int:
        """Jobs that `submit` would hand over at once."""
        return self._jobs - len(self._running)

    def submit(self, job: Job) -> None:
        """Hands a job to Ray."""
        reference = self._run.remote(self._target, job.payload, [p for p in sys.path if p])
        self._running[reference] = job.name

    def next(self, timeout: float) -> Update | Outcome | None:
        """What happened next, or None if nothing did within so many seconds."""
        if not self._running:
            time.sleep(0)
            return None
        done, _ = self._ray.wait(list(self._running), num_returns=1, timeout=timeout)
        if not done:
            return None
        name = self._running.pop(done[0])
        try:
            result, error = self._ray.get(done[0])
        except self._ray.exceptions.RayError as problem:
            first = str(problem).strip().splitlines()[0]
            return Outcome(name=name, result=None, error=first, crashed=True)
        return Outcome(name=name, result=result, error=error)

    def __enter__(self) -> RayPool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._running = {}
        if self._owned:
            self._ray.shutdown()


def _run_job(target: str, payload: bytes, path: list[str]) -> tuple[bytes | None, str | None]:
    """Runs in a Ray worker; an error comes back in words."""
    from ld50.core.errors import Ld50Error

    sys.path += [entry for entry in path if entry not in sys.path]
    try:
        return find_target(target)(payload, lambda done, text: None), None
    except Ld50Error as error:
        return None, str(error)
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"
