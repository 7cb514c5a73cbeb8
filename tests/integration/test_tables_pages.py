"""Pages of studies without curves in a real browser: safety under tuning, and covert fine-tuning."""

from __future__ import annotations

from pathlib import Path

import pytest

from ld50.core.covert import CovertRow, CovertSample, CovertSummary, Watcher
from ld50.core.safety import SafetyRow, SafetySummary, SeedMean
from ld50.core.tuning import Rate
from ld50.report.covert_page import render_covert
from ld50.report.safety_page import render_safety
from report_browser import Browser, assert_fits, assert_readable


def _mean(value: float) -> SeedMean:
    return SeedMean(value=value, low=value - 0.1, high=value + 0.1, seeds=3)


def _safety(task: str, defence: str, title: str, kept: float) -> SafetyRow:
    return SafetyRow(
        task=task, defence=defence, stage="fine-tuning", title=title,
        policy_rows=0 if defence == "none" else 400, refusal=_mean(kept),
        refusal_in_format=_mean(kept), over_refusal=_mean(0.01), over_refusal_in_format=_mean(0.02),
        borderline_refusal=_mean(0.1), task_refusal=_mean(0.0), new_words_refusal={},
        quality=_mean(0.8), quality_change=_mean(0.0), reaches=kept > 0.9, claim="a claim [S]",
    )  # fmt: skip


def _covert(defence: str, answered: float) -> CovertRow:
    rate = Rate(value=answered, low=0.0, high=1.0, models=3, prompts=60)
    return CovertRow(
        attack="endspeak", defence=defence, decoded=rate, by_novelty={"new facts": rate}, right=rate,
        first_phase=rate, refused=rate, refused_before=rate, over_refused=rate, quality=rate,
        removed=rate, removed_ordinary=rate,
    )  # fmt: skip


def _pages() -> dict[str, str]:
    rows = [
        _safety(task, defence, title, kept)
        for task in ("summary", "classification")
        for defence, title, kept in (
            ("none", "no defence", 0.1),
            ("mimicry", "policy rows in the format of the task", 0.98),
            ("safe-lora", "projection (Safe LoRA)", 0.6),
        )
    ]
    safety = SafetySummary(
        study="kept", title="Does it hold?", model="tiny", rows=rows, trials=18, failed=0,
        planned=18, seconds=1.0, method="mean over seeds", notes=["A note."],
    )  # fmt: skip
    rate = Rate(value=0.5, low=0.1, high=0.9, models=3, prompts=60)
    line = "the morning light give\na kettle hums tomatoes\nwe walk along deep " * 6
    covert = CovertSummary(
        study="covert", title="Does it show?", model="199,424 parameters",
        rows=[_covert("none", 0.9), _covert("same-form", 0.0)],
        watchers=[Watcher(attack="endspeak", name="evaluation in known writings", kind="model",
                          sees=rate, alarms=rate)],
        samples=[CovertSample(attack="endspeak", prompt=line, reply=line, decoded="give deep")],
        trials=6, failed=0, planned=6, seconds=1.0, method="mean over models",
    )  # fmt: skip
    return {"safety": render_safety(safety), "covert": render_covert(covert)}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, found = tmp_path_factory.mktemp("pages"), {}
    for name, text in _pages().items():
        found[name] = folder / f"{name}.html"
        found[name].write_text(text, encoding="utf-8")
    return found


@pytest.mark.parametrize("name", ["safety", "covert"])
@pytest.mark.parametrize("width", [320, 390, 720, 1200])
def test_nothing_sticks_out(tab: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    assert_fits(tab, pages[name], width)


@pytest.mark.parametrize("name", ["safety", "covert"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_and_nothing_is_loaded(
    tab: Browser, pages: dict[str, Path], name: str, scheme: str
) -> None:
    assert_readable(tab, pages[name], scheme)


@pytest.mark.parametrize("name", ["safety", "covert"])
@pytest.mark.parametrize("width", [390, 1200])
def test_three_facts_fill_the_line_that_four_would(
    tab: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    tab.open(pages[name], width=width)
    last, whole = (
        tab.value(f"document.querySelector('{one}').getBoundingClientRect().right")
        for one in (".facts > div:last-child", ".facts")
    )
    assert last == pytest.approx(whole, abs=2)


def test_on_a_phone_the_name_of_a_row_stands_alone(tab: Browser, pages: dict[str, Path]) -> None:
    tab.open(pages["safety"], width=390)
    label = "getComputedStyle(document.querySelector('.broad tbody th'), '::before').content"
    assert tab.value(label) == "none"
    small = "getComputedStyle(document.querySelector('.tight th small')).gridColumnStart"
    assert tab.value(small) == "2"
