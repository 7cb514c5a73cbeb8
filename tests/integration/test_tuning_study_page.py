"""The page of a study of fine-tuning in a real browser: wide tables fit, nothing is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from ld50.lab.analysis import analyse
from ld50.lab.study_file import load_study
from ld50.report.study_page import render_study
from report_browser import Browser, assert_fits, assert_readable
from tuning_study_fakes import fake_tuned


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = load_study("finetune-sentiment")
    results = [fake_tuned(trial) for trial in study.fixed_trials()]
    path = tmp_path_factory.mktemp("pages") / "page.html"
    path.write_text(
        render_study(analyse(study, results), results, about=study.about), encoding="utf-8"
    )
    return path


@pytest.mark.parametrize("width", [320, 720, 1200])
def test_nothing_sticks_out(tab: Browser, page: Path, width: int) -> None:
    assert_fits(tab, page, width)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_and_nothing_is_loaded(tab: Browser, page: Path, scheme: str) -> None:
    assert_readable(tab, page, scheme)


def test_tables_and_figures_are_named_for_who_cannot_see_them(tab: Browser, page: Path) -> None:
    tab.open(page)
    tree = tab.tree()
    for name in ("The trigger at another place", "Synonyms of the trigger", "Another domain"):
        assert any(name in str(node) for node in tree)
