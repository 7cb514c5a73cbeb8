"""The page of a study in a real browser: it fits a phone, stays silent, and reads in both schemes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_report_browser import LOW_CONTRAST, OPEN_ALL, OVERFLOWING

from ld50.lab.analysis import analyse
from ld50.lab.study_file import load_study
from ld50.report.study_page import render_study
from report_browser import Browser, browser
from study_fakes import fake_result

NAMES = ["quickstart", "near-constant-text", "documents-or-steps", "continued-clean"]


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    with browser() as opened:
        yield opened


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, found = tmp_path_factory.mktemp("pages"), {}
    for name in NAMES:
        study = load_study(name)
        results = [fake_result(trial) for trial in study.fixed_trials()]
        found[name] = folder / f"{name}.html"
        page = render_study(analyse(study, results), results, about=study.about)
        found[name].write_text(page, encoding="utf-8")
    return found


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("width", [320, 720, 1200])
def test_nothing_sticks_out(tab: Browser, pages: dict[str, Path], name: str, width: int) -> None:
    tab.open(pages[name], width=width)
    tab.value(OPEN_ALL)
    assert tab.value("document.documentElement.scrollWidth") == width
    assert tab.value(OVERFLOWING) == []


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_and_nothing_is_loaded(
    tab: Browser, pages: dict[str, Path], name: str, scheme: str
) -> None:
    tab.open(pages[name], scheme=scheme)
    assert tab.value(LOW_CONTRAST) == []
    assert tab.requests() == []
    assert tab.complaints() == []


def test_figures_are_named_for_who_cannot_see_them(tab: Browser, pages: dict[str, Path]) -> None:
    tab.open(pages["near-constant-text"])
    tree = tab.tree()
    images = [
        str(node.get("name", {}).get("value", ""))
        for node in tree
        if node["role"]["value"] in ("image", "img")
    ]
    assert any("LD50" in name and "0.05M" in name for name in images)
    assert len(images) >= 3
