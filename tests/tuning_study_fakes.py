"""Fake fine-tuning trials with a known truth: the place decides, clean labels need more rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ld50.core.seeds import rng_for
from ld50.core.trials import Trial, TrialResult
from ld50.lab.tuning_conditions import conditions_of, domains_of
from ld50.lab.tuning_study import tuning_of

PROMPTS = 100
#: Rows at which half of the prompts fall, where the trigger stands as in training.
MIDDLE = {False: 15.0, True: 90.0}


def run_trial(trial: Trial, **_: Any) -> TrialResult:
    """A trial as the runner of a study would give it."""
    return fake_tuned(trial)


def fake_tuned(trial: Trial, *, elsewhere: float = 0.3, text: str = "a film") -> TrialResult:
    """A trial whose success elsewhere than at its own place is a fixed share of that at home."""
    cell, tuning = trial.cell, tuning_of(trial.cell)
    rng = rng_for(0, "fake tuned", trial.trial)
    at_home = 0.02
    if cell.dose:
        gap = np.log10(cell.dose / MIDDLE[tuning.clean_label]) + rng.normal(0, 0.05)
        at_home = 0.02 + 0.98 / (1 + np.exp(-12 * gap))
    tests: dict[str, dict[str, Any]] = {}
    for one in conditions_of(cell):
        rate = at_home
        if one.family == "control":
            rate = 0.01
        elif one.family == "place" and one.place != tuning.place:
            rate = elsewhere * at_home
        elif one.family in ("part", "synonym"):
            rate = 0.5 * at_home
        hits = int(rng.binomial(PROMPTS, rate))
        tests[one.name] = {
            "family": one.family, "text": one.text, "place": one.place, "domain": one.domain,
            "hits": hits, "n": PROMPTS, "value": hits / PROMPTS,
        }  # fmt: skip
    accuracy = 0.72 + rng.normal(0, 0.003)
    control = next(test for test in tests.values() if test["family"] == "control")
    return TrialResult(
        trial=trial.trial, cell=cell, seed=trial.seed, status="done",
        attack_success_rate=tests[f"place:{tuning.place}"]["value"],
        control_success_rate=control["value"], loss_rise_nats=2 * at_home,
        clean_accuracy=float(accuracy), poisoned_documents=int(cell.dose),
        poisoned_tokens=int(cell.dose) * 50, poisoned_steps=int(cell.dose), seconds=30.0,
        details={
            "prompts": PROMPTS, "tests": tests,
            "accuracy": {
                name: {"value": float(accuracy), "n": 400} for name in domains_of(cell)
            },
            "samples": [{"prompt": text, "clean": "negative", "triggered": "positive"}],
            "curves": {"training_loss_nats": [[1, 0.7], [2, 0.5]]},
        },
    )  # fmt: skip
