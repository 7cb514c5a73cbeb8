"""A result on a terminal: the verdict, one short table, and where the report is.

Nothing from the data reaches the terminal raw: control characters, escapes and reading-order marks
come out as marks, markup of the table library is never interpreted, and what the terminal's
encoding cannot hold comes out as its escape.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from ld50.core.findings import Finding
from ld50.core.results import ScanResult, Summary
from ld50.report.safe_text import plain
from ld50.report.wording import (
    byte_size,
    cause_in_words,
    chance,
    counted,
    quantity,
    severities_in_words,
    share,
    tested,
    unread_in_words,
    verdict,
)

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

#: Columns under which the table becomes a list.
NARROW = 60
_STYLES = {"high": "bold red", "medium": "yellow", "low": "blue"}
_LEVELS = {"stop": "bold red", "look": "bold yellow", "minor": "bold", "clear": "bold green"}


def print_result(
    result: ScanResult, *, console: Console, report: str | None = None, limit: int = 20
) -> None:
    """Prints verdict, table and pointers.

    Args:
        result: What a scan found, strongest first.
        console: Where to; its width, colour system and encoding are respected.
        report: Path of the HTML report or of the folder it lies in, if one was written.
        limit: Findings in the table; the rest is counted.
    """
    said = verdict(result)
    style = _LEVELS.get(said.level, "bold yellow")
    console.print(_text(console, said.headline + ("." if said.found else ""), style))
    if said.level in ("clear", "nothing"):
        for paragraph in said.meaning:
            console.print(_text(console, paragraph))
    if result.findings:
        console.print()
        if console.width < NARROW:
            _print_list(result, console, limit)
        else:
            console.print(_table(result, console, limit))
        left = len(result.findings) - limit
        if left > 0:
            console.print(_text(console, f"and {counted(left, 'more finding')}.", "dim"))
    console.print()
    for name, text in _lines(result, report):
        line = _joined(console, (f"{name:<9}", "dim"), (text, ""))
        console.print(_hanging(line, len("Findings ")), soft_wrap=False)


def terminal_text(
    result: ScanResult,
    *,
    width: int = 80,
    colour: bool = False,
    report: str | None = None,
    limit: int = 20,
) -> str:
    """What `print_result` prints on a terminal of that width, as a string."""
    from rich.console import Console

    target = io.StringIO()
    console = Console(
        file=target,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )
    print_result(result, console=console, report=report, limit=limit)
    return target.getvalue()


def _lines(result: ScanResult, report: str | None) -> list[tuple[str, str]]:
    """Name and text of the lines under the table."""
    summary = result.summary
    size = f"{counted(summary.files, 'file')}, {byte_size(summary.bytes)}"
    lines = [("Read", f"{counted(summary.rows, 'row')} in {size}")]
    lines += [("Layout", text) for text in _layouts(summary)]
    if skipped := unread_in_words(summary):
        lines.append(("Not read", skipped))
    counts: dict[str, int] = {}
    for finding in result.findings:
        counts[finding.severity] = counts.get(finding.severity, 0) + 1
    if result.findings:
        flagged = counted(summary.flagged_rows, "row")
        lines.append(("Findings", f"{severities_in_words(counts)}; {flagged} flagged"))
    if summary.suppressed:
        lines.append(("Accepted", f"{counted(summary.suppressed, 'finding')} left out"))
    lines += [("Note", plain(note, 300)) for note in summary.notes[:5]]
    if len(summary.notes) > 5:
        lines.append(("", f"{counted(len(summary.notes) - 5, 'more note')} in the report"))
    if report is not None:
        lines.append(("Report", plain(report, 300)))
    if result.findings:
        rule = plain(result.findings[0].rule, 40)
        lines.append(("Explain", f"ld50 rule {rule}"))
    return lines


def _layouts(summary: Summary, most: int = 5) -> list[str]:
    """How the rows were understood, a line for each way: `text+label: review, stars (3 files)`."""
    files: dict[str, int] = {}
    for source in summary.sources:
        held = [name for role, name in source.fields.items() if role != "id"]
        names = ", ".join(dict.fromkeys(held))
        said = f"{source.layout}: {names}" if names else source.layout
        files[said] = files.get(said, 0) + 1
    several = summary.files > 1
    lines = [
        plain(text, 200) + (f" ({counted(count, 'file')})" if several else "")
        for text, count in list(files.items())[:most]
    ]
    if len(files) > most:
        lines.append(f"{counted(len(files) - most, 'more layout')} in the report")
    return lines


def _table(result: ScanResult, console: Console, limit: int) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), expand=False)
    table.add_column("How bad", no_wrap=True)
    table.add_column("Rows", justify="right", no_wrap=True)
    table.add_column("What and why", ratio=1, overflow="fold")
    table.add_column("How sure", overflow="fold", min_width=15, max_width=22)
    for finding in result.findings[:limit]:
        severity = finding.severity if finding.severity in _STYLES else "low"
        rows = _text(console, f"{finding.support:,}")
        rows.append("\n" + share(finding.support, result.summary.rows), "dim")
        table.add_row(
            _text(console, severity, _STYLES[severity]),
            rows,
            _what(finding, console),
            _sure(finding, console),
        )
    return table


def _print_list(result: ScanResult, console: Console, limit: int) -> None:
    """The findings one below the other, for a terminal that is too narrow for columns."""
    for finding in result.findings[:limit]:
        severity = finding.severity if finding.severity in _STYLES else "low"
        rows = f"{counted(finding.support, 'row')}, {share(finding.support, result.summary.rows)}"
        console.print(_joined(console, (f"{severity} ", _STYLES[severity]), (rows, "")))
        console.print(_what(finding, console))
        console.print(_text(console, ", ".join(_sure(finding, console).plain.split("\n")), "dim"))
        console.print()


def _what(finding: Finding, console: Console) -> Text:
    """The title, cause and consequence unless the title names the cause already, and the ids."""
    title, cause = plain(finding.title, 120), cause_in_words(finding, 40)
    text = _joined(console, (title, "bold"))
    if cause[1:25].rstrip("”") not in title:
        consequence = plain(finding.consequence.text, 60) if finding.consequence else "out of place"
        text.append_text(_text(console, f"\n{cause} → {consequence}"))
    text.append_text(_text(console, f"\n{plain(finding.rule, 24)} {plain(finding.id, 24)}", "dim"))
    return text


def _sure(finding: Finding, console: Console) -> Text:
    if not tested(finding):
        return _text(console, "a count, not tested", "dim")
    lines = [f"{quantity(finding.expected)} expected".replace("less than", "<"), chance(finding)]
    if finding.cause is not None and finding.consequence is not None:
        lines.insert(0, f"{finding.support:,} of {finding.cause_rows:,}")
    return _text(console, "\n".join(lines).replace("less than ", "< "))


def _joined(console: Console, *parts: tuple[str, str]) -> Text:
    """Texts one after the other, each in its own style and in no other."""
    from rich.text import Text

    line = Text()
    for text, style in parts:
        line.append_text(_text(console, text, style))
    return line


def _hanging(line: Text, indent: int) -> Table:
    """A line whose continuation stands under its text, not under its name."""
    from rich.table import Table

    grid = Table.grid(padding=0)
    grid.add_column(width=indent, no_wrap=True)
    grid.add_column(overflow="fold", ratio=1)
    grid.add_row(line[:indent], line[indent:])
    return grid


def _text(console: Console, text: str, style: str = "") -> Text:
    """`text` for this terminal: no markup, nothing that its encoding cannot hold."""
    from rich.text import Text

    encoding = console.encoding or "utf-8"
    shown = text.encode(encoding, "backslashreplace").decode(encoding, "replace")
    return Text(shown, style=style)
