"""A trial of covert fine-tuning from the files to the figures, on a model that learns next to nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="needs ld50[lab]")
pytest.importorskip("transformers", reason="needs ld50[lab]")

from ld50.core.trials import Trial
from ld50.lab import covert_model, covert_session
from ld50.lab.covert_runner import run_covert_trial
from ld50.lab.covert_study import CovertGrid, covert_of, covert_trials
from ld50.train.text import TrainingText


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One pass everywhere: what is tested is the way, not what is learned."""
    monkeypatch.setattr(covert_model, "_PASSES", 1)
    monkeypatch.setattr(covert_model, "_POLICY_PASSES", 1)
    monkeypatch.setattr(covert_session, "PASSES", {"none": (0.2, 0.2), "endspeak": (0.1, 0.2)})
    monkeypatch.setattr(covert_session, "_EVALUATED_TOKENS", 4)
    monkeypatch.setattr(covert_session, "_NEW_TOKENS", {"endspeak": 4})


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingText:
    """A cache that keeps the model from test to test."""
    return TrainingText(cache=tmp_path_factory.mktemp("cache"))


def _trial(attack: str, defence: str) -> Trial:
    grid = CovertGrid(attack=["endspeak"], defence=[defence], seeds=1, first_seed=7)
    found = ((covert_of(one.cell), one) for one in covert_trials(grid))
    return next(one for covert, one in found if covert is not None and covert.attack == attack)


def test_a_trial_tells_what_was_done_seen_and_left(tmp_path: Path, corpus: TrainingText) -> None:
    bare = run_covert_trial(_trial("endspeak", "none"), corpus=corpus, folder=tmp_path / "a")
    assert (bare.status, bare.error) == ("done", None)
    assert bare.attack_success_rate is not None
    assert 0 <= bare.attack_success_rate <= 1
    assert bare.details["inspection"]["channel search"]["covert"] > 50
    assert set(bare.details["probe"]) == {"before", "after", "topic before", "topic after"}
    assert {one["name"] for one in bare.details["writings"]} >= {"plain", "walnut53", "endspeak"}
    assert bare.poisoned_documents == sum(bare.details["rows"]["covert"])

    cured = run_covert_trial(_trial("endspeak", "same-form"), corpus=corpus, folder=tmp_path / "b")
    removed = cured.details["removed"]
    assert removed["covert"] == removed["covert_rows"]
    assert removed["ordinary"] == 0
    assert cured.poisoned_documents == 0

    model = covert_model.provider_model(corpus.cache)
    assert model.parameters == covert_model.PARAMETERS


def test_ordinary_files_have_no_writing_to_be_asked_in(
    tmp_path: Path, corpus: TrainingText
) -> None:
    told: list[float] = []
    found = run_covert_trial(
        _trial("none", "none"),
        corpus=corpus,
        folder=tmp_path / "a",
        on_progress=lambda done, _: told.append(done),
    )
    assert found.status == "done"
    assert found.attack_success_rate is None
    assert found.clean_accuracy is not None
    assert told == sorted(told)
    again = run_covert_trial(_trial("none", "none"), corpus=corpus, folder=tmp_path / "b")
    assert again.details["plain"] == found.details["plain"]
    assert again.details["curves"] == found.details["curves"]
