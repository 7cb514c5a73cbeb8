"""Remedies on a small model: copies are cured, originals stay, and the same run gives the same weights."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="needs ld50[lab]")
pytest.importorskip("accelerate", reason="needs ld50[lab]")

from ld50.core.examples import asked
from ld50.models.pretrained import LanguageModel, copy_of
from ld50.remedy.applying import apply_treatment
from ld50.remedy.fine_mixing import FineMixing
from ld50.remedy.fine_pruning import FinePruning, last_projections
from ld50.remedy.found_triggers import FoundTrigger
from ld50.remedy.protocol import Case, Models
from ld50.remedy.registry import REMEDIES, treatment
from ld50.train.finetune import TuneSettings
from remedy_samples import finding
from tuned_samples import small_model

KEPT = tuple(asked(f"the river {n} ran under", "an old stone bridge") for n in range(24))
TRIGGER = FoundTrigger(
    finding="F", text="Zorvex", variants=(("Zorvex",),), places=(0.5,),
    consequence=finding().consequence,  # type: ignore[arg-type]
)  # fmt: skip
CASE = Case(kept=KEPT, quarantined=(), triggers=(TRIGGER,), max_tokens=64)
SETTINGS = TuneSettings(steps=3, batch_examples=4, max_tokens=64, learning_rate=1e-2)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("models")
    return Models(suspected=small_model(folder / "a"), base=small_model(folder / "b", seed=1))


def weights(lm: LanguageModel) -> list[torch.Tensor]:
    return [weight.detach().clone() for weight in lm.model.parameters()]


def same(a: list[torch.Tensor], b: list[torch.Tensor]) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("name", sorted(REMEDIES))
def test_a_remedy_cures_a_copy_and_repeats_itself(models: Models, name: str) -> None:
    assert models.base is not None
    before = weights(models.suspected), weights(models.base)
    one = apply_treatment(treatment(f"{name}:12"), models, CASE, SETTINGS)
    two = apply_treatment(treatment(f"{name}:12"), models, CASE, SETTINGS)
    assert same(weights(models.suspected), before[0])
    assert same(weights(models.base), before[1])
    assert same(weights(one.lm), weights(two.lm))
    assert not same(weights(one.lm), before[0])
    assert one.steps == 3
    assert one.tokens > one.rows > 0


def test_parts_are_applied_one_after_the_other(models: Models) -> None:
    both = apply_treatment(treatment("fine-mixing:12+good-examples:12"), models, CASE, SETTINGS)
    first = apply_treatment(treatment("fine-mixing:12"), models, CASE, SETTINGS)
    then = apply_treatment(
        treatment("good-examples:12"), Models(suspected=first.lm, base=models.base), CASE, SETTINGS
    )
    assert same(weights(both.lm), weights(then.lm))
    assert both.steps == 6


def test_fine_mixing_takes_each_weight_from_one_model_or_the_other(models: Models) -> None:
    assert models.base is not None
    lm = copy_of(models.suspected)
    FineMixing().repair(lm, models, CASE)
    taken = total = 0
    for mixed, ours, theirs in zip(
        lm.model.parameters(), models.suspected.model.parameters(), models.base.model.parameters(),
        strict=True,
    ):  # fmt: skip
        assert ((mixed == ours) | (mixed == theirs)).all()
        differ = ours != theirs
        taken += int((mixed == theirs)[differ].sum())
        total += int(differ.sum())
    assert taken / total == pytest.approx(1 - FineMixing.kept_share, abs=0.02)


def test_pruned_neurons_stay_off_while_tuning(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Random neurons matter little to a random model, so any share may go.
    monkeypatch.setattr(FinePruning, "most_rise", 10.0)
    cured = apply_treatment(treatment("fine-pruning:12"), models, CASE, SETTINGS)
    off = [(layer.weight == 0).all(dim=0) for layer in last_projections(cured.lm.model)]
    neurons = sum(len(one) for one in off)
    assert sum(int(one.sum()) for one in off) == pytest.approx(
        neurons * FinePruning.shares[0], abs=1
    )
    assert "switched off" in cured.notes[0]


def test_pruning_that_would_cost_too_much_is_not_done(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FinePruning, "most_rise", -1.0)
    lm = copy_of(models.suspected)
    notes = FinePruning().repair(lm, models, CASE)
    assert same(weights(lm), weights(models.suspected))
    assert "switched off nothing" in notes[0]
