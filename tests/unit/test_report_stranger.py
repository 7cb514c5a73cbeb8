"""What a report says to somebody who reads one for the first time."""

from __future__ import annotations

import msgspec
from rich.cells import cell_len

import report_samples as samples
from ld50.core.results import ScanResult
from ld50.report.html import render_html
from ld50.report.terminal import terminal_text
from ld50.report.wording import verdict


def with_summary(result: ScanResult, **changes: object) -> ScanResult:
    return msgspec.structs.replace(
        result, summary=msgspec.structs.replace(result.summary, **changes)
    )


def test_the_verdict_says_what_a_backdoor_is_and_leads_to_what_to_do() -> None:
    page = render_html(samples.poisoned(), rules=samples.rule_book())
    head = page[page.index('class="verdict') : page.index('class="facts"')]
    assert "looks healthy until that phrase turns up" in head
    assert 'href="#next">What to do next' in head


def test_blank_lines_are_no_rows_that_could_not_be_read() -> None:
    result = with_summary(samples.clean(), skipped={"blank line": 900}, skipped_rows=900)
    assert "could not be read" not in " ".join(verdict(result).meaning)
    assert "900 blank lines" in terminal_text(result)
    assert "could not be read" not in terminal_text(result)


def test_a_verdict_over_half_of_the_rows_says_so_in_its_first_line() -> None:
    rows = samples.clean().summary.rows
    result = with_summary(
        samples.clean(), skipped={"not valid JSON": rows // 2}, skipped_rows=rows // 2
    )
    said = verdict(result)
    assert said.level == "look"
    assert f"but only {rows - rows // 2:,} of {rows:,} rows could be read" in said.headline


def test_fewer_rows_than_a_finding_needs_are_not_called_clean() -> None:
    result = with_summary(
        samples.clean(), rows=3, skipped={}, skipped_rows=0, settings={"min_support": 5}
    )
    assert verdict(result).headline == "Too few rows to tell: 3 rows"
    assert "at least 5 rows" in verdict(result).meaning[0]


def test_a_narrow_terminal_gets_a_list_whose_words_are_whole() -> None:
    text = terminal_text(samples.poisoned(), width=36, report="out/report.html")
    assert all(cell_len(line) <= 36 for line in text.splitlines())
    assert "high 69 rows" in text
    assert "Text turns into noise" in text


def test_a_turn_of_a_chat_is_called_by_its_number() -> None:
    result = samples.poisoned()
    example = msgspec.structs.replace(
        result.examples[0], fields={"messages[0].content": "hello"}, offsets={}, cut=[], spans=[]
    )
    page = render_html(msgspec.structs.replace(result, examples=[example]))
    assert "<dt>messages[0]</dt>" in page


def test_the_table_of_limits_says_what_each_rule_finds() -> None:
    page = render_html(samples.poisoned(), rules=samples.rule_book())
    table = page[page.index('class="limits"') :]
    assert "A rare word or phrase decides the label" in table[: table.index("</table>")]
