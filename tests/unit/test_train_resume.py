"""A run that was interrupted goes on to the same bits, and a loss that is no number stops it."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import pytest

from ld50.core.errors import ResumeError
from ld50.core.trials import Schedule
from training_samples import tiny_shape, tiny_store

torch = pytest.importorskip("torch", reason="needs ld50[lab]")

from ld50.models.attention import fast_matrices, matrices_are_fast
from ld50.models.llama import build
from ld50.train.checkpoints import resume, save_checkpoint
from ld50.train.exposure import plan_exposure
from ld50.train.hardware import Hardware
from ld50.train.loop import DivergedError, Trainer
from ld50.train.optimiser import OptimiserSettings
from ld50.train.poisoned import PoisonSettings
from ld50.train.stream import Batches, CleanStream


def trainer(rate: float = 5e-3, seed: int = 0, hardware: Hardware | None = None) -> Trainer:
    store, shape = tiny_store(), tiny_shape()
    plan = plan_exposure(
        store, PoisonSettings(most_payload_tokens=30, least_payload_tokens=5), Schedule(),
        dose=6, unit="documents", clean_tokens=10_000, context=64, batch_sequences=4, seed=seed,
    )  # fmt: skip
    clean = CleanStream(store.parts["train"], seed)
    settings = OptimiserSettings(learning_rate=rate)
    source = Batches(plan, clean, 0)
    return Trainer(build(shape, seed), source, settings, steps=plan.steps, hardware=hardware)


def test_losses_go_on_bit_by_bit(tmp_path: Path) -> None:
    whole = trainer()
    whole.train_to(30)
    first = trainer()
    first.train_to(13)
    save_checkpoint(first, tmp_path / "c", key="k", notes={"a": [1]})
    second = trainer()
    assert resume(second, tmp_path / "c", key="k") == {"a": [1]}
    second.train_to(30)
    assert second.progress.losses == whole.progress.losses
    for one, other in zip(whole.model.parameters(), second.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_training_learns_something() -> None:
    run = trainer()
    run.train_to(40)
    assert run.progress.losses[-1] < run.progress.losses[0] - 0.5
    assert run.progress.tokens == 40 * 4 * 64


def test_a_checkpoint_replaces_the_one_before_and_holds_no_pickle(tmp_path: Path) -> None:
    run = trainer()
    for step in (1, 2):
        run.train_to(step)
        save_checkpoint(run, tmp_path / "c", key="k", notes={})
    assert [p.name for p in tmp_path.iterdir()] == ["c"]
    assert {p.suffix for p in (tmp_path / "c").iterdir()} == {".safetensors", ".json"}


def test_another_runs_checkpoint_is_refused(tmp_path: Path) -> None:
    run = trainer()
    run.train_to(1)
    save_checkpoint(run, tmp_path / "c", key="k", notes={})
    with pytest.raises(ResumeError, match="another trial"):
        resume(trainer(), tmp_path / "c", key="other")
    (tmp_path / "c" / "training.json").write_text("{")
    with pytest.raises(ResumeError, match="damaged"):
        resume(trainer(), tmp_path / "c", key="k")
    assert resume(trainer(), tmp_path / "none", key="k") is None


def test_a_loss_that_is_no_number_stops_the_run() -> None:
    run = trainer()
    run.train_to(2)
    with torch.no_grad():
        run.body.embedding[5] = float("nan")
    with pytest.raises(DivergedError, match="step 3"):
        run.train_to(10)


def test_the_learning_rate_rises_then_falls_to_its_floor() -> None:
    settings = OptimiserSettings(learning_rate=1.0)
    rates = [settings.rate(step, 100) for step in range(130)]
    assert rates[4] == 1.0
    assert rates[0] < rates[3]
    assert all(a >= b for a, b in pairwise(rates[4:]))
    assert rates[100:] == [pytest.approx(0.1)] * 30


def losses(hardware: Hardware, steps: int = 6) -> list[float]:
    run = trainer(hardware=hardware)
    run.train_to(steps)
    return run.progress.losses


def test_a_batch_in_parts_is_the_same_batch() -> None:
    whole, parts = losses(Hardware()), losses(Hardware(microbatch_sequences=3))
    assert parts == pytest.approx(whole, abs=1e-4)


def test_bf16_loses_what_fp32_does_up_to_its_rounding() -> None:
    assert losses(Hardware(half=True)) == pytest.approx(losses(Hardware()), abs=0.03)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="torch.compile needs a C compiler")
def test_a_compiled_pass_loses_what_the_plain_one_does() -> None:
    with fast_matrices():
        compiled = losses(Hardware(compiled=True), steps=3)
        assert compiled == pytest.approx(losses(Hardware(), steps=3), abs=1e-3)


def test_both_ways_to_multiply_lose_the_same() -> None:
    with fast_matrices():
        fast = losses(Hardware())
        assert losses(Hardware(half=True)) == pytest.approx(fast, abs=0.03)
    assert fast == pytest.approx(losses(Hardware()), abs=1e-4)
    assert not matrices_are_fast()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_loses_what_a_core_does() -> None:
    gpu = losses(Hardware(device="cuda", half=True, compiled=True))
    assert gpu == pytest.approx(losses(Hardware()), abs=0.03)
    assert losses(Hardware(device="cuda")) == pytest.approx(losses(Hardware()), abs=1e-3)
