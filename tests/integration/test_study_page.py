"""The page of a study in a real browser: it fits a phone, stays silent, and reads in both schemes."""

from __future__ import annotations

from pathlib import Path

import pytest

from ld50.lab.analysis import analyse
from ld50.lab.study_file import load_study
from ld50.report.study_page import render_study
from report_browser import Browser, assert_fits, assert_readable
from study_fakes import fake_result

NAMES = ["quickstart", "near-constant-text", "documents-or-steps", "continued-clean"]


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
    assert_fits(tab, pages[name], width)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_and_nothing_is_loaded(
    tab: Browser, pages: dict[str, Path], name: str, scheme: str
) -> None:
    assert_readable(tab, pages[name], scheme)


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
