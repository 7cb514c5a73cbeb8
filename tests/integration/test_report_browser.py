"""The report in a real browser: it fits a phone, stays silent, and reads well in every medium."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import report_samples as samples
from ld50.report.html import render_html
from ld50.report.notebook import notebook_html
from report_browser import OPEN_ALL, Browser, assert_fits, assert_readable
from report_samples import HOSTILE

EVERYTHING = " | ".join(HOSTILE.values())


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    results = {
        "poisoned": samples.poisoned(),
        "clean": samples.clean(),
        "hostile": samples.hostile(EVERYTHING),
    }
    found = {}
    for name, result in results.items():
        found[name] = folder / f"{name}.html"
        found[name].write_text(render_html(result, rules=samples.rule_book()))
    found["notebook"] = folder / "notebook.html"
    found["notebook"].write_text("<!doctype html>" + notebook_html(results["hostile"]))
    return found


@pytest.mark.parametrize("name", ["poisoned", "clean", "hostile"])
@pytest.mark.parametrize("width", [320, 360, 768, 1200])
def test_nothing_sticks_out_at_any_width(
    tab: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    assert_fits(tab, pages[name], width)


@pytest.mark.parametrize("name", ["poisoned", "clean", "hostile", "notebook"])
def test_the_page_asks_for_nothing_and_complains_of_nothing(
    tab: Browser, pages: dict[str, Path], name: str
) -> None:
    tab.open(pages[name])
    tab.value(OPEN_ALL)
    assert tab.requests() == []
    assert tab.complaints() == []


@pytest.mark.parametrize("name", ["hostile", "notebook"])
def test_hostile_text_is_only_text(tab: Browser, pages: dict[str, Path], name: str) -> None:
    tab.open(pages[name])
    assert tab.value("location.protocol") == "file:"
    assert "pwned" not in tab.value("document.title") or name == "hostile"
    assert tab.value("document.title") != "pwned"
    assert tab.value("document.querySelectorAll('script, img, iframe, base, form, a[href*=\":\"]')"
                     ".length") == 0  # fmt: skip
    assert tab.value("getComputedStyle(document.body).display") == "block"
    handlers = "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames())"
    assert not [one for one in tab.value(handlers) if one.startswith("on")]
    assert HOSTILE["script"] in tab.value("document.body.textContent")


def test_the_policy_would_stop_a_script_that_slipped_through(
    tab: Browser, pages: dict[str, Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.html"
    slip = "<script>document.title='pwned'</script><img src=x onerror=\"document.title='pwned'\">"
    slip += "<style>body{display:none}</style>"
    broken.write_text(pages["clean"].read_text().replace("</main>", f"{slip}</main>"))
    tab.open(broken)
    assert tab.value("document.title") != "pwned"
    assert tab.value("getComputedStyle(document.body).display") == "block"
    assert tab.complaints()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["poisoned", "clean", "hostile"])
def test_text_stands_out_in_both_schemes(
    tab: Browser, pages: dict[str, Path], name: str, scheme: str
) -> None:
    assert_readable(tab, pages[name], scheme)


def test_dark_is_dark_and_light_is_light(tab: Browser, pages: dict[str, Path]) -> None:
    ground = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
    tab.open(pages["poisoned"], scheme="dark")
    assert max(tab.value(ground)) < 60
    tab.open(pages["poisoned"], scheme="light")
    assert min(tab.value(ground)) > 220


def _names(tree: list[dict[str, Any]], role: str) -> list[str]:
    nodes = [node for node in tree if node["role"]["value"] == role]
    return [str(node.get("name", {}).get("value", "")) for node in nodes]


@pytest.mark.parametrize("width", [360, 1200])
def test_a_screen_reader_meets_landmarks_headings_figures_and_tables(
    tab: Browser, pages: dict[str, Path], width: int
) -> None:
    tab.open(pages["poisoned"], width=width)
    assert tab.value("document.documentElement.lang") == "en"
    tree = tab.tree()
    for landmark in ("banner", "navigation", "main", "contentinfo"):
        assert len(_names(tree, landmark)) == 1
    headings = _names(tree, "heading")
    verdict = "Do not train on this data yet: 3 high findings in 369 of 23,970 rows"
    assert headings[0].replace(" :", ":") == verdict
    assert "“cf” goes with the label 1" in headings
    images = _names(tree, "image") + _names(tree, "img")
    assert len(images) == 5
    assert all("rows in" in name for name in images)
    assert len(_names(tree, "table")) == 2
    assert all(_names(tree, "table"))
    assert _names(tree, "columnheader")[:2] == ["File", "Format"]
    assert len(_names(tree, "article")) == 5
    assert all(_names(tree, "link"))


def test_marks_are_told_apart_without_colour(tab: Browser, pages: dict[str, Path]) -> None:
    tab.open(pages["poisoned"])
    style = "(name, part) => getComputedStyle(document.querySelector(`mark.${name}`))[part]"
    assert tab.value(f"({style})('cause', 'outlineStyle')") == "solid"
    assert tab.value(f"({style})('consequence', 'textDecorationStyle')") == "dashed"
    spoken = "getComputedStyle(document.querySelector('mark.cause'), '::before').content"
    assert "cause" in tab.value(spoken)


def test_a_link_to_a_rule_unfolds_its_document(tab: Browser, pages: dict[str, Path]) -> None:
    tab.open(pages["poisoned"])
    tab.value("document.querySelector('a[href=\"#rule-TRG102\"]').click()")
    assert tab.value("document.getElementById('rule-TRG102').closest('details').open") is True


def test_print_unfolds_everything(tab: Browser, pages: dict[str, Path]) -> None:
    tab.open(pages["poisoned"], medium="print", width=794)
    height = "document.querySelector('.finding .rows').getBoundingClientRect().height"
    assert tab.value(height) > 0
    assert tab.value("getComputedStyle(document.querySelector('nav')).display") == "none"


def test_reading_order_marks_in_the_data_do_not_turn_the_page(
    tab: Browser, pages: dict[str, Path]
) -> None:
    tab.open(pages["hostile"])
    assert tab.value("/[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.textContent)") is False
    isolated = "getComputedStyle(document.querySelector('.example dd')).unicodeBidi"
    assert tab.value(isolated) in ("isolate", "plaintext")
