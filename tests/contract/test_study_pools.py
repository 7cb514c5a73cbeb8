"""What every pool of workers promises, whatever it runs on."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ld50.core.errors import Ld50Error
from ld50.executors.jobs import Job, JobPool, Outcome
from ld50.executors.processes import ProcessPool

TARGET = "test_study_pools:work"


def work(payload: bytes, emit: Callable[[float, str], None]) -> bytes:
    emit(0.5, "half")
    content = json.loads(payload)
    if content == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if content == "raise":
        raise Ld50Error("a clear message")
    return json.dumps([content, "done"]).encode()


@contextmanager
def processes() -> Iterator[JobPool]:
    with ProcessPool(TARGET, workers=2) as pool:
        yield pool


@contextmanager
def ray() -> Iterator[JobPool]:
    pytest.importorskip("ray", reason="pip install 'ld50[ray]' to test studies on Ray")
    from ld50.executors.ray_tasks import RayPool

    with RayPool(TARGET, jobs=2, cpus=0.5) as pool:
        yield pool


POOLS = [pytest.param(processes, id="processes"), pytest.param(ray, id="ray")]


def run(pool: JobPool, jobs: list[Job]) -> dict[str, Outcome]:
    """Runs jobs, never more at a time than the pool has room for."""
    waiting, ended = list(jobs), {}
    for _ in range(1000):
        while waiting and pool.free > 0:
            pool.submit(waiting.pop(0))
        event = pool.next(1.0)
        if isinstance(event, Outcome):
            ended[event.name] = event
        if len(ended) == len(jobs):
            break
    return ended


def job(name: str, content: object) -> Job:
    return Job(name=name, payload=json.dumps(content).encode())


@pytest.mark.parametrize("made", POOLS)
def test_every_job_ends_once_with_its_own_result(made: Callable[..., JobPool]) -> None:
    with made() as pool:
        ended = run(pool, [job(str(number), number) for number in range(7)])
        assert pool.free == 2
        assert pool.next(0.01) is None
    assert {name: json.loads(one.result or b"")[0] for name, one in ended.items()} == {
        str(number): number for number in range(7)
    }


@pytest.mark.parametrize("made", POOLS)
def test_errors_and_deaths_come_back_in_words_and_the_rest_goes_on(
    made: Callable[..., JobPool],
) -> None:
    with made() as pool:
        ended = run(pool, [job("a", "die"), job("b", "raise"), job("c", 1), job("d", 2)])
    assert ended["a"].crashed
    assert ended["a"].error
    assert (ended["b"].error, ended["b"].crashed) == ("a clear message", False)
    assert ended["c"].result is not None
    assert ended["d"].result is not None


@pytest.mark.parametrize("made", POOLS)
def test_room_shrinks_and_grows(made: Callable[..., JobPool]) -> None:
    with made() as pool:
        assert pool.free == 2
        pool.submit(job("a", 1))
        assert pool.free == 1
        run(pool, [job("b", 2)])


def test_ray_without_its_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from ld50.core.errors import MissingExtraError
    from ld50.executors.ray_tasks import RayPool

    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"ld50\[ray\]"):
        RayPool(TARGET, jobs=1)


def test_only_one_module_imports_ray() -> None:
    import ld50

    root = Path(ld50.__file__).parent
    naming = [
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if any(
            line.strip().startswith(("import ray", "from ray"))
            for line in path.read_text("utf-8").splitlines()
        )
    ]
    assert naming == ["executors/ray_tasks.py"]
