"""Process pools: crashes, errors and updates come back in words, and no worker outlives its driver."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ld50.core.errors import ConfigError, Ld50Error
from ld50.executors.frames import FrameBuffer
from ld50.executors.jobs import Job, Outcome, Update, find_target
from ld50.executors.processes import ProcessPool


def work(payload: bytes, emit: Callable[[float, str], None]) -> bytes:
    content = json.loads(payload)
    emit(0.5, "half")
    if content == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if content == "raise":
        raise Ld50Error("a clear message")
    if content == "sleep":
        time.sleep(60)
    print("printing must not break the protocol")
    threads = os.environ["OMP_NUM_THREADS"]
    return json.dumps([content, os.getpid(), threads]).encode()


TARGET = "test_study_executors:work"


def job(name: str, content: object) -> Job:
    return Job(name=name, payload=json.dumps(content).encode())


def outcomes(pool: ProcessPool, count: int) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    deadline = time.monotonic() + 30
    while len(found) < count and time.monotonic() < deadline:
        event = pool.next(1.0)
        if isinstance(event, Outcome):
            found[event.name] = event
    return found


def test_workers_live_on_and_use_one_thread() -> None:
    with ProcessPool(TARGET, workers=1) as pool:
        seen = []
        for number in range(3):
            pool.submit(job(str(number), number))
            (done,) = outcomes(pool, 1).values()
            assert done.result is not None
            seen.append(json.loads(done.result))
    assert [one[0] for one in seen] == [0, 1, 2]
    assert len({one[1] for one in seen}) == 1
    assert {one[2] for one in seen} == {"1"}


def test_a_crash_costs_one_job_and_an_error_none(tmp_path: Path) -> None:
    with ProcessPool(TARGET, workers=2, logs=tmp_path) as pool:
        pool.submit(job("a", "die"))
        pool.submit(job("b", "raise"))
        first = outcomes(pool, 2)
        assert first["a"].crashed
        assert "SIGKILL" in (first["a"].error or "")
        assert first["b"].error == "a clear message"
        assert not first["b"].crashed
        assert pool.free == 2
        pool.submit(job("c", 1))
        pool.submit(job("d", 2))
        second = outcomes(pool, 2)
        assert all(one.result is not None for one in second.values())
    assert (tmp_path / "worker-0.log").exists()


def test_updates_arrive_before_the_end() -> None:
    with ProcessPool(TARGET, workers=1) as pool:
        pool.submit(job("a", 1))
        event = pool.next(30)
        assert isinstance(event, Update)
        assert (event.done, event.text) == (0.5, "half")


def is_gone(process: int) -> bool:
    """Whether a process ends within ten seconds; a dead one that nobody waited for counts."""
    state = Path(f"/proc/{process}/stat")
    for _ in range(100):
        try:
            if state.read_text().split()[2] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.1)
    return False


def test_leaving_the_pool_ends_running_jobs() -> None:
    with ProcessPool(TARGET, workers=1) as pool:
        pool.submit(job("a", "sleep"))
        assert isinstance(pool.next(30), Update)
        worker = pool._busy["a"]._process.pid
    assert is_gone(worker)


def test_a_job_that_hangs_is_ended_and_the_next_one_runs() -> None:
    with ProcessPool(TARGET, workers=1, silence_seconds=0.5) as pool:
        pool.submit(job("a", "sleep"))
        (hung,) = outcomes(pool, 1).values()
        assert hung.crashed
        assert "nothing was heard" in str(hung.error)
        pool.submit(job("b", 1))
        (done,) = outcomes(pool, 1).values()
        assert done.result is not None


def test_a_worker_ends_when_its_driver_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(
        "import sys, os\n"
        f"sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from ld50.executors.processes import ProcessPool\n"
        "from ld50.executors.jobs import Job\n"
        f"pool = ProcessPool({TARGET!r}, workers=1)\n"
        "pool.submit(Job(name='a', payload=b'\"sleep\"'))\n"
        "pool.next(30)\n"
        "print(pool._busy['a']._process.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=60, check=False
    )
    worker = int(done.stdout)
    assert is_gone(worker)


def test_frames_survive_any_cut() -> None:
    body = b'{"kind":"result"}'
    raw = (len(body).to_bytes(4, "little") + body) * 3
    buffer = FrameBuffer()
    got = [frame for at in range(len(raw)) for frame in buffer.feed(raw[at : at + 1])]
    assert got == [body] * 3


@pytest.mark.parametrize("name", ["nowhere.at_all:f", "json:nothing", "json", ""])
def test_an_unknown_target_is_a_clear_error(name: str) -> None:
    with pytest.raises(ConfigError, match="module:function"):
        find_target(name)


def test_a_pool_needs_a_worker() -> None:
    with pytest.raises(ConfigError, match="workers"):
        ProcessPool(TARGET, workers=0)


def seen_gpu(payload: bytes, emit: Callable[[float, str], None]) -> bytes:
    return json.dumps(os.environ.get("CUDA_VISIBLE_DEVICES")).encode()


def test_workers_are_dealt_to_gpus_in_turn() -> None:
    with ProcessPool("test_study_executors:seen_gpu", workers=3, gpus=2) as pool:
        for name in "abc":
            pool.submit(job(name, 0))
        seen = [one.result for one in outcomes(pool, 3).values()]
    assert sorted(str(one) for one in seen) == ["b'\"0\"'", "b'\"0\"'", "b'\"1\"'"]
