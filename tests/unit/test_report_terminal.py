"""The terminal gets a short table that fits it, and nothing that acts on it."""

from __future__ import annotations

import io
import unicodedata

import msgspec
import pytest
from rich.cells import cell_len
from rich.console import Console

import report_samples as samples
from ld50.report.rule_pages import print_rule, print_rules, rule_markdown
from ld50.report.terminal import print_result, terminal_text
from report_samples import HOSTILE


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for result in (samples.poisoned(), samples.clean(), samples.hostile(HOSTILE["wide"])):
        for line in terminal_text(result, width=width, report="out/report.html").splitlines():
            assert cell_len(line) <= width


def test_it_says_what_how_many_why_how_sure_and_where() -> None:
    text = terminal_text(samples.poisoned(), width=100, report="out/report.html")
    assert text.startswith("Do not train on this data yet: 3 high findings in 369 of 23,970 rows.")
    for part in ("“cf” goes with the label 1", "69 of 69", "34 expected", "< 1 in 10^15"):
        assert part in text
    assert "Report   out/report.html" in text
    assert "invalid JSON: 2" in text


def test_each_way_in_which_rows_were_understood_has_a_line() -> None:
    poisoned = samples.poisoned()
    lines = terminal_text(poisoned, width=100).splitlines()
    assert [line[9:] for line in lines if line.startswith("Layout")] == [
        "text+label: text, label (1 file)",
        "text: text (1 file)",
        "instruction/input/output: instruction, input, output (1 file)",
    ]
    one = poisoned.summary.sources[0]
    many = [msgspec.structs.replace(one, layout=f"layout {n}") for n in range(9)]
    summary = msgspec.structs.replace(poisoned.summary, sources=many, files=9)
    text = terminal_text(msgspec.structs.replace(poisoned, summary=summary), width=100)
    assert text.count("Layout ") == 6
    assert "4 more layouts in the report" in text


def test_a_clean_scan_says_what_it_would_have_missed() -> None:
    text = " ".join(terminal_text(samples.clean(), width=70).split())
    assert "No poison found above the detection limit of 6 to 12 rows" in text
    assert "no proof that the data is clean" in text


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_does_nothing_to_the_terminal(name: str) -> None:
    text = terminal_text(samples.hostile(HOSTILE[name]), width=80, report=HOSTILE[name])
    bad = {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert not [one for one in text if one != "\n" and unicodedata.category(one) in bad]
    assert not [one for one in text if 0x202A <= ord(one) <= 0x202E or 0x2066 <= ord(one) <= 0x2069]


def test_colour_escapes_are_ours_only() -> None:
    with_colour = terminal_text(samples.hostile(HOSTILE["ansi"]), colour=True)
    assert "\x1b]0;" not in with_colour
    assert "\x1b[2J" not in with_colour
    assert "\x1b[" in with_colour


def test_no_colour_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "dumb")
    target = io.StringIO()
    print_result(samples.poisoned(), console=Console(file=target, width=80))
    assert "\x1b" not in target.getvalue()


@pytest.mark.parametrize("name", ["wide", "arabic", "invisible", "surrogate"])
def test_a_terminal_that_is_not_utf8_gets_escapes_instead_of_an_error(name: str) -> None:
    raw = io.BytesIO()
    target = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    console = Console(file=target, width=80, color_system=None)
    print_result(samples.hostile(HOSTILE[name]), console=console, report="out/räport.html")
    print_result(samples.poisoned(), console=console)
    target.flush()
    shown = raw.getvalue().decode("ascii")
    assert "out/r\\xe4port.html" in shown
    assert shown.count("Findings") == 2


def test_more_findings_than_asked_for_are_counted() -> None:
    result = samples.poisoned()
    many = msgspec.structs.replace(result, findings=result.findings * 20)
    text = terminal_text(many, limit=10)
    assert "and 90 more findings." in text


def test_a_rule_prints_whole_and_the_list_names_all() -> None:
    rule = samples.rule_book().get("trg101")
    target = io.StringIO()
    console = Console(file=target, width=60, force_terminal=True, color_system=None)
    print_rule(rule, console=console)
    print_rules(samples.rule_book(), console=console)
    text = target.getvalue()
    for part in ("Blind spots", "Measured false alarms", "TRG102", "trigger-refusal"):
        assert part in text
    assert all(cell_len(line) <= 60 for line in text.splitlines())


def test_a_rule_goes_into_a_file_as_markdown() -> None:
    rule = samples.rule_book().get("TRG102")
    target = io.StringIO()
    print_rule(rule, console=Console(file=target, width=60))
    assert target.getvalue() == rule_markdown(rule)
    assert "## Blind spots\n\n- Triggers" in target.getvalue()
