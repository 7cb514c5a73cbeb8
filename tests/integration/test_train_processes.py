"""Two processes that train one model together do what one process does."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ld50.core.trials import TrialResult
from ld50.lab.trial_runner import RunSettings, TrialFile
from training_samples import trial, write_corpus

pytest.importorskip("torch", reason="needs ld50[lab]")
pytest.importorskip("accelerate", reason="needs ld50[lab]")

SETTINGS = RunSettings(prompts=8, generated_tokens=8, checkpoints=(), device="cpu")


def run(tmp_path: Path, name: str, processes: int) -> TrialResult:
    folder = tmp_path / name
    job = TrialFile(
        trial=trial(6, clean_tokens=8000),
        folder=str(folder),
        sources=(str(tmp_path / "clean.jsonl"),),
        cache=str(tmp_path / "cache"),
        settings=SETTINGS,
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
