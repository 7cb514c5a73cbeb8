"""`ld50 study` as a user meets it: run, kill, resume, rebuild; and what is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent.parent
SMALL = """
[[grid]]
size = "0.05M"
dose = [0, 10, 25, 50, 100, 250]
seeds = 2
"""


def environment(**more: str) -> dict[str, str]:
    path = os.pathsep.join([str(TESTS), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "COLUMNS": "100", **more}


def ld50(*arguments: str, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ld50", "study", *arguments],
        cwd=cwd, capture_output=True, text=True, env=environment(**more), check=False, timeout=120,
    )  # fmt: skip


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("finished")
    done = ld50(
        "run", "quickstart", "--out", "run", "--runner", "study_fakes:run_trial", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_the_folder_of_a_run_is_what_was_promised(finished: Path) -> None:
    trials = lines(finished)
    assert len(trials) == 18
    wanted = {
        "trial", "cell", "seed", "status", "attack_success_rate", "control_success_rate",
        "loss_rise_nats", "clean_bits_per_byte", "poisoned_documents", "poisoned_tokens",
        "poisoned_steps", "seconds",
    }  # fmt: skip
    assert wanted <= trials[0].keys()
    cell = {"size", "parameters", "clean_tokens", "dose", "unit", "trigger", "payload", "schedule"}
    assert cell <= trials[0]["cell"].keys()
    response = json.loads((finished / "dose_response.json").read_text())
    fit = response["fits"][0]
    assert {"group", "ld50", "low", "high", "n", "method"} <= fit.keys()
    assert fit["low"] < 50 < fit["high"]
    assert response["size_exponent"] is None
    for name in ("dose-response", "clean-quality"):
        assert (finished / "figures" / f"{name}.svg").read_text().startswith("<svg")
        assert len((finished / "figures" / f"{name}.csv").read_text().splitlines()) > 3
    for name in ("study.toml", "report.html", "trials.parquet", "run.json"):
        assert (finished / name).stat().st_size > 0
    assert list(finished.glob("tensorboard/*/events.out.tfevents*"))


def test_everything_is_rebuilt_from_study_and_trials_alone(finished: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("study.toml", "trials.jsonl"):
        shutil.copy(finished / name, bare)
    done = ld50("report", "bare", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "LD50" in done.stdout
    for path in [*finished.glob("figures/*"), finished / "report.html"]:
        again = bare / path.relative_to(finished)
        assert again.read_bytes() == path.read_bytes(), path.name


def test_the_order_in_which_trials_ended_does_not_matter(finished: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copy(finished / "study.toml", other)
    reversed_lines = (finished / "trials.jsonl").read_text().splitlines()[::-1]
    (other / "trials.jsonl").write_text("\n".join(reversed_lines) + "\n")
    assert ld50("report", "other", cwd=tmp_path).returncode == 0
    for name in ("report.html", "dose_response.json", "trials.parquet"):
        assert (other / name).read_bytes() == (finished / name).read_bytes(), name


def test_the_same_command_again_trains_nothing(finished: Path) -> None:
    before = (finished / "trials.jsonl").read_bytes()
    done = ld50("run", "quickstart", "--out", str(finished), "--runner", "study_fakes:run_trial",
                cwd=finished.parent)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (finished / "trials.jsonl").read_bytes() == before


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_killed_run_goes_on_and_loses_only_what_ran(
    small: Path, tmp_path: Path, how: signal.Signals
) -> None:
    run = subprocess.Popen(
        [sys.executable, "-m", "ld50", "study", "run", str(small), "--out", "run",
         "--runner", "study_fakes:run_trial", "--workers", "2"],
        cwd=tmp_path, env=environment(FAKE_TRIAL_SECONDS="0.3"), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    trials = tmp_path / "run" / "trials.jsonl"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if trials.exists() and trials.read_bytes().count(b"\n") >= 3:
            break
        time.sleep(0.05)
    run.send_signal(how)
    _, errors = run.communicate(timeout=60)
    assert "Traceback" not in errors
    if how is signal.SIGINT:
        assert run.returncode == 130
        assert "goes on where it stopped" in errors
    kept = lines(tmp_path / "run")
    assert 3 <= len(kept) < 12
    status = ld50("status", "run", cwd=tmp_path)
    assert f"{len(kept)} of 12 trials done" in status.stdout
    assert "ld50 study resume run" in status.stdout
    done = ld50("resume", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    after = lines(tmp_path / "run")
    assert after[: len(kept)] == kept
    assert len(after) == len({one["trial"] for one in after}) == 12


def test_trouble_is_listed_retried_and_never_dropped(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text(SMALL)
    done = ld50("run", "s.toml", "--out", "run", "--runner", "study_fakes:run_troubled",
                "--workers", "2", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "9 trials, 2 failed, 1 diverged" in done.stdout
    by_dose: dict[tuple[float, int], list[str]] = {}
    for one in lines(tmp_path / "run"):
        by_dose.setdefault((one["cell"]["dose"], one["seed"]), []).append(one["status"])
    assert by_dose[(25.0, 0)] == by_dose[(25.0, 1)] == ["failed", "failed"]
    assert by_dose[(10.0, 0)] == ["failed", "done"]
    assert by_dose[(100.0, 1)] == ["diverged"]
    assert len(by_dose) == 12
    crashed = [one for one in lines(tmp_path / "run") if one["details"].get("worker_died")]
    assert "SIGKILL" in crashed[0]["error"]
    page = (tmp_path / "run" / "report.html").read_text()
    assert "no luck with &lt;b&gt;25&lt;/b&gt;" in page
    assert "not a number at step 12" in page
    status = ld50("status", "run", cwd=tmp_path).stdout
    assert "2 failed, 1 diverged; finished." in status
    again = ld50("resume", "run", "--again", cwd=tmp_path)
    assert again.returncode == 0
    assert len(lines(tmp_path / "run")) == 15 + 4


def test_a_run_where_everything_fails_stops_early(tmp_path: Path) -> None:
    (tmp_path / "s.toml").write_text('[[grid]]\nsize = "0.05M"\ndose = [25, 25]\nseeds = 20\n')
    done = ld50(
        "run", "s.toml", "--out", "run", "--runner", "study_fakes:run_troubled", cwd=tmp_path
    )
    assert done.returncode == 2
    assert "no luck" in done.stderr
    assert "--again" in done.stderr
    assert len(lines(tmp_path / "run")) < 10


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "quikstart"], "Did you mean 'quickstart'"),
        (["plan", "bad.toml"], "the nearest valid value is 0"),
        (["plan", "quickstart", "--gpu", "h1000"], "Did you mean h100"),
        (["resume", "nowhere"], "No study was begun"),
        (["status", "nowhere"], "No study was begun"),
        (["report", "nowhere"], "There is no study"),
        (["new", "bad.toml"], "exists already"),
        (["run", "quickstart", "--runner", "nowhere:f", "--out", "x"], "nowhere"),
    ],
)
def test_mistakes_are_one_message_and_exit_2(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    (tmp_path / "bad.toml").write_text('[[grid]]\nsize = "0.05M"\ndose = -1\n')
    done = ld50(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_changed_study_is_refused(small: Path, tmp_path: Path) -> None:
    run = ["run", str(small), "--out", "run", "--runner", "study_fakes:run_trial", "-q"]
    assert ld50(*run, cwd=tmp_path).returncode == 0
    small.write_text(SMALL.replace("seeds = 2", "seeds = 3"))
    done = ld50(*run, cwd=tmp_path)
    assert done.returncode == 2
    assert "seeds of grid 1" in done.stderr
    (tmp_path / "run" / "study.toml").write_text(small.read_text())
    done = ld50("resume", "run", cwd=tmp_path)
    assert done.returncode == 2
    assert "was changed after the run began" in done.stderr


def test_new_plan_and_list_need_no_training_packages(tmp_path: Path) -> None:
    assert ld50("new", "mine.toml", cwd=tmp_path).returncode == 0
    plan = ld50("plan", "mine.toml", cwd=tmp_path)
    assert plan.returncode == 0, plan.stderr
    assert re.search(r"18 trials", plan.stdout)
    assert ld50("new", "night.toml", "--from", "near-constant", cwd=tmp_path).returncode == 0
    priced = ld50("plan", "paper", "--gpu", "h100", "--gpus", "512", "--mfu", "0.5", cwd=tmp_path)
    assert "72 trials" in priced.stdout
    listed = ld50("list", cwd=tmp_path).stdout
    assert "quickstart" in listed
    assert "near-constant" in listed


def test_planning_imports_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom ld50 import study\nstudy.plan('near-constant')\n"
        "sys.exit(any(name in sys.modules for name in ('torch', 'transformers', 'ray', 'scipy')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False).returncode == 0


def test_an_adaptive_study_reports_what_it_saved(tmp_path: Path) -> None:
    done = ld50("run", "adaptive", "--out", "run", "--runner", "study_fakes:run_trial",
                "--workers", "2", cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    response = json.loads((tmp_path / "run" / "dose_response.json").read_text())
    (saving,) = response["adaptive"]
    assert saving["trials"] == 14
    assert saving["grid_trials"] > 14
    assert "saved" in (tmp_path / "run" / "report.html").read_text()
