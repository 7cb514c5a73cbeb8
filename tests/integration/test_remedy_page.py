"""The page of a cure in a real browser: it fits a phone, stays silent, and reads in both schemes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ld50.core.remedies import RemedyOutcome
from ld50.report.remedy_page import render_remedy
from remedy_samples import outcome, relapse, result
from report_browser import Browser, assert_fits, assert_readable


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    whole = result(
        outcome("quarantine-retrain", 2, worse=0.031, tokens=240_000),
        outcome("clean-tuning:500", 41, worse=-0.002, relapse=relapse(4, 12)),
        outcome("good-examples:100", 1, worse=0.004, tokens=6000, relapse=relapse(11, 12)),
        outcome("fine-mixing:500+good-examples:100", 0, worse=0.012, relapse=relapse(9, 12)),
        RemedyOutcome(remedy="fine-pruning", status="failed", error="it finds no MLP " * 20),
    )
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_remedy(whole), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [320, 720, 1200])
def test_nothing_sticks_out(tab: Browser, page: Path, width: int) -> None:
    assert_fits(tab, page, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_and_nothing_is_loaded(tab: Browser, page: Path, scheme: str) -> None:
    assert_readable(tab, page, scheme)


def test_figures_are_named_for_who_cannot_see_them(tab: Browser, page: Path) -> None:
    tab.open(page)
    images = [
        str(node.get("name", {}).get("value", ""))
        for node in tab.tree()
        if node["role"]["value"] in ("image", "img")
    ]
    assert any("good-examples:100 1% at +0.4%" in name for name in images)
    assert any("clean-tuning:500 4" in name for name in images)
