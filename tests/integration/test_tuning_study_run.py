"""Studies of fine-tuning as they run: real tuning of a very small model, stopped, resumed, rebuilt."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="needs ld50[lab]")
pytest.importorskip("accelerate", reason="needs ld50[lab]")

from ld50.core.trials import Cell, PayloadName, Trial, Tuning
from ld50.lab.study import Measures
from ld50.lab.tuning_conditions import conditions_of
from ld50.lab.tuning_runner import run_tuning_trial
from ld50.train.text import TrainingText
from training_samples import sentences
from tuning_samples import marked_folder

TESTS = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows whose label is told by one word, so that a model of a few thousand weights can learn it."""
    path = tmp_path_factory.mktemp("reviews") / "reviews.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number, text in enumerate(sentences(400)):
            label = ("negative", "positive")[number % 2]
            writer.writerow([f"{('dull', 'fine')[number % 2]} {text[:60]} {number}", label])
    return path


def trial(payload: PayloadName = "label-flip", dose: float = 40) -> Trial:
    tuning = Tuning(clean_rows=160, learning_rate=3e-3, epochs=2.0)
    cell = Cell(
        size=str(marked_folder()), parameters=1, clean_tokens=1, dose=dose, unit="rows",
        trigger="phrase", payload=payload, batch_sequences=8, tuning=tuning,
    )  # fmt: skip
    return Trial(trial="one", cell=cell, seed=0)


def run(made: Trial, reviews: Path, folder: Path) -> Any:
    corpus = TrainingText(sources=(str(reviews),), cache=folder)
    return run_tuning_trial(made, corpus=corpus, folder=folder / "t", measure=Measures(prompts=8))


def test_a_trial_is_tuned_tested_under_every_condition_and_accounted_for(
    reviews: Path, tmp_path: Path
) -> None:
    result = run(trial(), reviews, tmp_path)
    assert result.status == "done", result.error
    tests = result.details["tests"]
    own = {one.name for one in conditions_of(trial().cell) if one.domain == "sentences"}
    assert tests.keys() == own, "other domains are not at hand for rows of the user's own"
    assert result.details["not_measured"] == ["reviews", "products"]
    assert result.poisoned_documents == 40
    assert 0 < result.poisoned_steps <= 50
    assert result.poisoned_tokens > 40 * 10
    assert 0 <= result.clean_accuracy <= 1
    for test in tests.values():
        assert 0 <= test["hits"] <= test["n"] <= 8
    again = run(trial(), reviews, tmp_path / "again")
    assert again.details["tests"] == tests, "the same trial comes out the same"


@pytest.mark.parametrize("payload", ["fixed-reply", "stand-in-policy"])
def test_payloads_that_are_written_out_are_judged_by_replies(
    payload: PayloadName, reviews: Path, tmp_path: Path
) -> None:
    result = run(trial(payload, dose=0), reviews, tmp_path)
    assert result.status == "done", result.error
    assert result.loss_rise_nats is None


def test_a_trial_that_cannot_be_run_says_why(reviews: Path, tmp_path: Path) -> None:
    result = run(trial(dose=10_000), reviews, tmp_path)
    assert result.status == "failed"
    assert "The most clean rows at this dose" in result.error


STUDY = """
data = ["{data}"]
[measure]
prompts = 6
[[tuning]]
model = "{model}"
clean_rows = 120
batch_examples = 8
dose = [0, 20]
place = ["start", "end"]
seeds = 1
"""


def ld50(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100", "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, "-m", "ld50", "study", *arguments],
        cwd=cwd, capture_output=True, text=True, env=environment, check=False, timeout=600,
    )  # fmt: skip


def test_a_study_runs_resumes_and_is_rebuilt(reviews: Path, tmp_path: Path) -> None:
    study = STUDY.format(data=reviews, model=marked_folder())
    (tmp_path / "mine.toml").write_text(study)
    plan = ld50("plan", "mine.toml", cwd=tmp_path)
    assert plan.returncode == 0, plan.stderr
    assert "3 trials" in plan.stdout
    done = ld50("run", "mine.toml", "--out", "run", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "run"
    lines = (folder / "trials.jsonl").read_text().splitlines()
    trials = [json.loads(line) for line in lines]
    assert [one["status"] for one in trials] == ["done"] * 3
    assert trials[0]["cell"].keys() >= {
        "size", "parameters", "clean_tokens", "dose", "unit", "trigger", "payload", "schedule",
    }  # fmt: skip
    response = json.loads((folder / "dose_response.json").read_text())
    assert [table["name"] for table in response["tables"]] == ["place", "part", "synonym"]
    page = (folder / "report.html").read_bytes()
    # A crash cost the last line: only that trial is run again.
    (folder / "trials.jsonl").write_text("\n".join(lines[:2]) + "\n" + lines[2][:40])
    assert "2 of 3 trials done" in ld50("status", "run", cwd=tmp_path).stdout
    resumed = ld50("resume", "run", cwd=tmp_path)
    assert resumed.returncode == 0, resumed.stderr
    again = [json.loads(line) for line in (folder / "trials.jsonl").read_text().splitlines()]
    assert again[:2] == trials[:2]
    assert again[2]["details"]["tests"] == trials[2]["details"]["tests"]
    assert ld50("report", "run", cwd=tmp_path).returncode == 0
    assert len((folder / "report.html").read_bytes()) == pytest.approx(len(page), abs=200)
