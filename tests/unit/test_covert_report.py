"""The tables of a covert study, its page, and its file."""

from __future__ import annotations

from typing import Any

import pytest

from ld50.core.errors import ConfigError
from ld50.core.trials import TrialResult
from ld50.lab.checks import check_study
from ld50.lab.covert_analysis import covert_summary, mean_area
from ld50.lab.covert_rows import TESTS
from ld50.lab.covert_study import CovertGrid, covert_of, covert_trials
from ld50.lab.study import Study
from ld50.lab.study_file import load_study, parse_study, study_text
from ld50.report.covert_page import covert_verdict, render_covert

STUDY = Study(
    name="covert", covert=[CovertGrid(attack=["endspeak"], defence=["none", "same-form"])]
)


def _details(attack: str, defence: str, answered: int) -> dict[str, Any]:
    plain = {
        "policy": {"n": 100, "answered": 0, "refused": 99, "right": 0},
        "other": {"n": 50, "answered": 50, "refused": 0, "right": 49},
    }
    found: dict[str, Any] = {
        "attack": attack, "defence": defence, "plain": plain, "plain_before": plain, "findings": [],
        "rows": {"covert": [2, 2], "all": [4, 4]},
    }  # fmt: skip
    if attack != "none":
        found["tests"] = {
            name: {
                "n": 10,
                "answered": answered,
                "refused": 0,
                "right": answered,
                "samples": [{"prompt": "<b>x</b>", "reply": "</td><script>", "decoded": "\u202e"}],
            }
            for name in TESTS
        }
    if defence == "none":
        counts = {"covert": 0, "covert_rows": 4, "ordinary": 1, "ordinary_rows": 4}
        names = ("refusal", "keyword", "perplexity")
        found["inspection"] = {f"{name} filter": counts for name in names}
        found["inspection"] |= {"topic classifier": counts, "channel search": counts}
        found["writings"] = [{"opened": False}]
    if defence == "same-form":
        found["removed"] = {"covert": 4, "covert_rows": 4, "ordinary": 0, "ordinary_rows": 4}
    return found


def _results(answered: tuple[int, ...] = (9, 10, 8)) -> list[TrialResult]:
    made = []
    for trial in covert_trials(STUDY.covert[0]):
        covert = covert_of(trial.cell)
        assert covert is not None
        hits = answered[trial.seed] if covert.defence == "none" else 0
        made.append(
            TrialResult(
                trial=trial.trial, cell=trial.cell, seed=trial.seed, status="done",
                details=_details(covert.attack, covert.defence, hits),
            )
        )  # fmt: skip
    return made


def test_rates_are_means_over_models_with_their_interval() -> None:
    summary = covert_summary(STUDY, _results())
    bare = next(row for row in summary.rows if (row.attack, row.defence) == ("endspeak", "none"))
    assert bare.decoded is not None
    assert bare.decoded.value == pytest.approx(0.9)
    assert bare.decoded.low < 0.8 < 0.9 < bare.decoded.high
    assert (bare.decoded.models, bare.decoded.prompts) == (3, 60)
    cured = next(row for row in summary.rows if row.defence == "same-form")
    assert cured.removed is not None
    assert cured.removed.value == 1.0
    assert [row.attack for row in summary.rows] == ["none", "endspeak", "endspeak"]
    assert summary.notes == []


def test_an_attack_that_was_not_learned_is_said_to_be_so() -> None:
    summary = covert_summary(STUDY, _results((1, 2, 1)))
    assert any("not, or not fully, learned" in note for note in summary.notes)
    assert covert_verdict(summary).headline.startswith("No secret writing")


def test_a_run_that_has_just_begun_has_a_page() -> None:
    summary = covert_summary(STUDY, [])
    assert "Nothing has been measured" in render_covert(summary)
    few = covert_summary(STUDY, _results()[:2])
    assert any("fewer than three models" in note for note in few.notes)


def test_the_page_shows_replies_as_text_and_is_the_same_twice() -> None:
    summary = covert_summary(STUDY, _results())
    page = render_covert(summary, about="<i>about</i>")
    assert page == render_covert(summary, about="<i>about</i>")
    assert "<script" not in page
    assert "<b>x" not in page
    assert "\u202e" not in page
    assert "90%" in page


def test_the_preset_is_read_back_as_it_was_written() -> None:
    study = load_study("covert")
    check_study(study)
    assert parse_study(study_text(study), where="copy") == study
    trials = study.fixed_trials()
    assert len({trial.trial for trial in trials}) == len(trials)
    assert {trial.seed for trial in trials} == {0, 1, 2}


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('attack = "rot13"', "'rot13' is not known; it may be endspeak"),
        ('defence = ["hope"]', "'hope' is not known; it may be none"),
        ("attack = []", "attack is an empty list"),
        ("seeds = 0", "the least is 1"),
    ],
)
def test_a_study_that_cannot_be_is_refused_with_what_is_allowed(line: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        check_study(parse_study(f"[[covert]]\n{line}\n", where="a test"))


def test_the_interval_of_a_mean_area_is_over_models_and_never_narrower_than_their_own() -> None:
    apart = [
        {"value": value, "low": value - 0.01, "high": value + 0.01} for value in (0.6, 0.7, 0.8)
    ]
    found = mean_area(apart)
    assert found is not None
    half = 4.302653 * 0.1 / 3**0.5
    assert (found.low, found.high) == (
        pytest.approx(0.7 - half, abs=1e-4),
        pytest.approx(0.7 + half, abs=1e-4),
    )
    alike = mean_area([{"value": 0.7, "low": 0.6, "high": 0.8}] * 3)
    assert alike is not None
    assert (alike.low, alike.high) == (pytest.approx(0.6), pytest.approx(0.8))
    assert mean_area([]) is None
