"""The report of a cure: what it says first, that nothing in it acts, and that it reads back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ld50.core.errors import DataFormatError, SourceError
from ld50.core.remedies import Measurement, RemedyOutcome
from ld50.remedy_command import plan_text, result_text
from ld50.report.remedy_page import read_remedy, render_remedy, write_remedy_report
from ld50.report.remedy_wording import remedy_verdict
from remedy_samples import measured, outcome, plan, relapse, result

CURE = outcome("good-examples:100", 1, worse=0.004)


def test_a_cure_without_a_price_is_clear() -> None:
    verdict = remedy_verdict(result(CURE))
    assert verdict.level == "clear"
    assert "97% to 1%" in verdict.found


@pytest.mark.parametrize(
    ("cure", "said"),
    [
        (outcome("a", 1, worse=0.03), "+3.0%"),
        (outcome("a", 1, relapse=relapse(3, 12)), "suppressed rather than removed"),
    ],
)
def test_a_price_is_told_in_the_verdict(cure: RemedyOutcome, said: str) -> None:
    verdict = remedy_verdict(result(cure))
    assert verdict.level == "look"
    assert said in " ".join(verdict.meaning)


def test_what_still_works_is_no_cure_however_cheap() -> None:
    verdict = remedy_verdict(result(outcome("a", 40, worse=-0.01)))
    assert verdict.level == "stop"
    assert verdict.headline.startswith("Not cured")


def test_what_cures_nothing_is_the_nearest_and_not_the_best() -> None:
    page = render_remedy(result(outcome("a", 40, worse=-0.01)))
    assert '<b class="badge">nearest</b>' in page
    assert '<b class="badge">best</b>' in render_remedy(result(CURE))


def test_a_model_that_never_took_it_is_not_called_cured() -> None:
    verdict = remedy_verdict(result(CURE, before=2).__class__(**_fields(before=2, cured=None)))
    assert "No trigger found works better" in verdict.headline


def _fields(*, before: int, cured: bool | None) -> dict[str, object]:
    whole = result(CURE, before=before)
    names = whole.__struct_fields__
    return {name: getattr(whole, name) for name in names} | {"cured": cured}


def test_text_of_data_and_models_cannot_act() -> None:
    page = render_remedy(result(CURE, outcome("quarantine-retrain", 2)))
    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;" in page
    assert "<script" not in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")


def test_the_page_is_the_same_for_the_same_result_and_reads_back(tmp_path: Path) -> None:
    whole = result(CURE, outcome("clean-tuning:500", 41, relapse=relapse(4, 12)))
    page = write_remedy_report(tmp_path, whole)
    assert read_remedy(tmp_path) == whole
    assert page.read_text() == render_remedy(read_remedy(tmp_path))


def test_every_remedy_stands_in_the_table_the_failed_ones_too() -> None:
    failed = RemedyOutcome(remedy="fine-pruning", status="failed", error="it finds no MLP")
    whole = result(CURE, failed, outcome("clean-tuning:500", 41, relapse=relapse(4, 12)))
    page, text = render_remedy(whole), result_text(whole)
    for said in (
        "good-examples:100",
        "fine-pruning",
        "it finds no MLP",
        "clean-tuning:500",
        "0.33",
    ):
        assert said in page
        assert said in text


def test_where_no_trigger_worked_no_remedy_is_told_to_be_the_best() -> None:
    text = result_text(result(CURE, before=2).__class__(**_fields(before=2, cured=None)))
    assert text.startswith("No trigger found works better than a near miss; before any remedy: ")
    assert "(best)" not in text
    assert "(best)" in result_text(result(CURE))


def test_a_finding_that_was_not_measured_leaves_no_empty_claim() -> None:
    bare = Measurement(rates=[], reply_loss=measured(0).reply_loss, accuracy=None)
    cure = outcome("quarantine-retrain", 0, after=bare)
    whole = result(cure)
    whole = whole.__class__(
        **(_fields(before=0, cured=None) | {"before": bare, "outcomes": [cure]})
    )
    assert "not measured" in remedy_verdict(whole).headline
    assert "Applied, but not measured" in render_remedy(whole)


def test_a_plan_in_words_names_rows_tokens_time_and_memory() -> None:
    text = plan_text(plan())
    for said in (
        "725,664 parameters",
        "60 taken out",
        "200 held out",
        "20,000 tokens",
        "12 s",
        "40 MB",
    ):
        assert said in text


def test_a_folder_without_a_run_or_with_a_damaged_one_is_told(tmp_path: Path) -> None:
    with pytest.raises(SourceError):
        read_remedy(tmp_path)
    (tmp_path / "remedy.json").write_text('{"plan": 3}')
    with pytest.raises(DataFormatError):
        read_remedy(tmp_path)
