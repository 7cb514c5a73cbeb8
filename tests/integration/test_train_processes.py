"""Two processes that train one model together do what one process does."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from ld50.core.trials import TrialResult
from ld50.lab.trial_runner import RunSettings, TrialFile
from ld50.models.llama import read_weights
from training_samples import trial, write_corpus

pytest.importorskip("torch", reason="needs ld50[lab]")
pytest.importorskip("accelerate", reason="needs ld50[lab]")

SETTINGS = RunSettings(prompts=8, generated_tokens=8, checkpoints=(), device="cpu")


def run(tmp_path: Path, name: str, processes: int, settings: RunSettings = SETTINGS) -> TrialResult:
    folder = tmp_path / name
    job = TrialFile(
        trial=trial(6, clean_tokens=8000),
        folder=str(folder),
        sources=(str(tmp_path / "clean.jsonl"),),
        cache=str(tmp_path / "cache"),
        settings=settings,
    )
    path = tmp_path / f"{name}.json"
    path.write_bytes(msgspec.json.encode(job))
    command = [sys.executable, "-m", "ld50.lab.trial_runner", str(path)]
    if processes > 1:
        launch = ["torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", "-m"]
        command = [sys.executable, "-m", *launch, "ld50.lab.trial_runner", str(path)]
    done = subprocess.run(
        command,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return msgspec.json.decode((folder / "result.json").read_bytes(), type=TrialResult)


@pytest.mark.slow
def test_two_processes_over_gloo_lose_and_learn_what_one_does(tmp_path: Path) -> None:
    write_corpus(tmp_path, 900)
    one, two = run(tmp_path, "one", 1), run(tmp_path, "two", 2)
    assert two.details["hardware"]["processes"] == 2
    losses = [
        [value for _, value in result.details["curves"]["training_loss_nats"]]
        for result in (one, two)
    ]
    assert losses[1] == pytest.approx(losses[0], abs=2e-3)
    assert two.clean_bits_per_byte == pytest.approx(one.clean_bits_per_byte, rel=1e-3)
    assert two.poisoned_documents == one.poisoned_documents == 6


@pytest.mark.slow
def test_processes_that_share_the_weights_learn_what_one_does_and_go_on_from_a_checkpoint(
    tmp_path: Path,
) -> None:
    write_corpus(tmp_path, 900)
    one = run(tmp_path, "one", 1)
    shared = replace(SETTINGS, sharded=True, save_every_seconds=0.0)
    two = run(tmp_path, "two", 2, shared)
    assert two.details["hardware"]["sharded"] is True
    losses = [
        [value for _, value in result.details["curves"]["training_loss_nats"]]
        for result in (one, two)
    ]
    assert losses[1] == pytest.approx(losses[0], abs=2e-3)
    assert two.clean_bits_per_byte == pytest.approx(one.clean_bits_per_byte, rel=1e-3)
    weights = [read_weights(tmp_path / name / "model") for name in ("one", "two")]
    assert weights[0].keys() == weights[1].keys()
    for name, weight in weights[0].items():
        assert (weights[1][name] - weight).abs().max() < 5e-3, name


@pytest.mark.slow
def test_a_shared_run_goes_on_from_its_checkpoint_to_the_same_losses(tmp_path: Path) -> None:
    write_corpus(tmp_path, 900)
    shared = replace(SETTINGS, sharded=True, save_every_seconds=0.0)
    whole = run(tmp_path, "whole", 2, shared)
    # A file where a folder is wanted: the trial trains to its end, fails, and leaves its state.
    (tmp_path / "cut").mkdir()
    (tmp_path / "cut" / "model").write_text("in the way")
    with pytest.raises(AssertionError):
        run(tmp_path, "cut", 2, shared)
    assert (tmp_path / "cut" / "checkpoint" / "training.json").exists()
    (tmp_path / "cut" / "model").unlink()
    again = run(tmp_path, "cut", 2, shared)
    assert again.details["resumed_at_steps"] == [again.details["steps_done"]]
    assert again.details["curves"] == whole.details["curves"]
    assert again.clean_bits_per_byte == whole.clean_bits_per_byte
