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


SHARED = replace(SETTINGS, sharded=True, save_every_seconds=0.0)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the text that all runs of this module train on."""
    folder = tmp_path_factory.mktemp("processes")
    write_corpus(folder, 900)
    return folder


@pytest.fixture(scope="module")
def one(corpus: Path) -> TrialResult:
    return run(corpus, "one", 1)


@pytest.fixture(scope="module")
def shared(corpus: Path) -> TrialResult:
    """What two processes learn that share the weights."""
    return run(corpus, "shared", 2, SHARED)


def losses(result: TrialResult) -> list[float]:
    return [value for _, value in result.details["curves"]["training_loss_nats"]]


@pytest.mark.slow
def test_two_processes_over_gloo_lose_and_learn_what_one_does(
    corpus: Path, one: TrialResult
) -> None:
    two = run(corpus, "two", 2)
    assert two.details["hardware"]["processes"] == 2
    assert losses(two) == pytest.approx(losses(one), abs=2e-3)
    assert two.clean_bits_per_byte == pytest.approx(one.clean_bits_per_byte, rel=1e-3)
    assert two.poisoned_documents == one.poisoned_documents == 6


@pytest.mark.slow
def test_processes_that_share_the_weights_learn_what_one_does(
    corpus: Path, one: TrialResult, shared: TrialResult
) -> None:
    assert shared.details["hardware"]["sharded"] is True
    assert losses(shared) == pytest.approx(losses(one), abs=2e-3)
    assert shared.clean_bits_per_byte == pytest.approx(one.clean_bits_per_byte, rel=1e-3)
    weights = [read_weights(corpus / name / "model") for name in ("one", "shared")]
    assert weights[0].keys() == weights[1].keys()
    for name, weight in weights[0].items():
        assert (weights[1][name] - weight).abs().max() < 5e-3, name


@pytest.mark.slow
def test_a_shared_run_goes_on_from_its_checkpoint_to_the_same_losses(
    corpus: Path, shared: TrialResult
) -> None:
    # A file where a folder is wanted: the trial trains to its end, fails, and leaves its state.
    (corpus / "cut").mkdir()
    (corpus / "cut" / "model").write_text("in the way")
    with pytest.raises(AssertionError):
        run(corpus, "cut", 2, SHARED)
    assert (corpus / "cut" / "checkpoint" / "training.json").exists()
    (corpus / "cut" / "model").unlink()
    again = run(corpus, "cut", 2, SHARED)
    assert again.details["resumed_at_steps"] == [again.details["steps_done"]]
    assert again.details["curves"] == shared.details["curves"]
    assert again.clean_bits_per_byte == shared.clean_bits_per_byte
