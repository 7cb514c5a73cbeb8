"""What a page shows, worked out before a template sees it: every bound and every cut is made here.

The templates only lay out; they decide nothing. The same page model serves the HTML report and the
notebook.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ld50.core.findings import Severity
from ld50.core.results import ScanResult, SourceSummary, Summary
from ld50.core.rules import Rule
from ld50.report.finding_views import FindingView, FindingViews, PageLimits
from ld50.report.safe_text import pieces, plain
from ld50.report.wording import (
    BLANK,
    Verdict,
    byte_size,
    counted,
    reasons_in_words,
    severities_in_words,
    share,
    unread_rows,
    verdict,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything the report template needs."""

    verdict: Verdict
    facts: list[tuple[str, str, str]]
    notes: list[str]
    findings: list[FindingView]
    lanes: list[FindingView]
    listed: list[FindingView]
    unlisted: int
    commands: list[list[str]]
    sources: list[SourceSummary]
    sources_left_out: str
    result: ScanResult = field(repr=False)
    settings: list[tuple[str, str]]
    versions: list[tuple[str, str]]
    rules: list[Rule]
    summaries: dict[str, str]
    """What each rule finds, by id, for the table of limits."""


def page(result: ScanResult, rules: Iterable[Rule] = (), limits: PageLimits | None = None) -> Page:
    """The page of a result.

    Args:
        result: What a scan found; `findings` strongest first.
        rules: Documents of the rules, for what they mean and what they cannot see.
        limits: How much of a large result is shown.
    """
    limits = limits or PageLimits()
    book = {rule.id: rule for rule in rules}
    builder = FindingViews(result, book, limits)
    full = [
        builder.view(one, number)
        for number, one in enumerate(result.findings[: limits.findings], 1)
    ]
    rest = result.findings[limits.findings : limits.findings + limits.listed]
    listed = [builder.line(one, number) for number, one in enumerate(rest, limits.findings + 1)]
    left = result.summary.sources[limits.sources :]
    return Page(
        verdict=verdict(result),
        facts=_facts(result),
        notes=result.summary.notes,
        findings=full,
        lanes=full[: limits.lanes],
        listed=listed,
        unlisted=len(result.findings) - len(full) - len(listed),
        commands=_commands(result),
        sources=result.summary.sources[: limits.sources],
        sources_left_out=(
            f"{counted(len(left), 'more file')} with {sum(one.rows for one in left):,} rows and "
            f"{byte_size(sum(one.bytes for one in left))}, of which "
            f"{sum(sum(one.skipped.values()) for one in left):,} rows could not be read."
            if left
            else ""
        ),
        result=result,
        settings=_flat(result.summary.settings),
        versions=[(plain(k, 60), plain(v, 60)) for k, v in sorted(result.summary.versions.items())],
        rules=list(book.values()),
        summaries={rule.id: rule.summary for rule in book.values()},
    )


def _facts(result: ScanResult) -> list[tuple[str, str, str]]:
    """Name, figure and a remark each: what stands beside the verdict."""
    summary = result.summary
    read = summary.rows - summary.skipped_rows
    files = f"{counted(summary.files, 'file')}, {byte_size(summary.bytes)}"
    return [
        ("Findings", f"{len(result.findings):,}", severities_in_words(_by_severity(result))),
        (
            "Flagged rows",
            f"{summary.flagged_rows:,}",
            f"{share(summary.flagged_rows, summary.rows)} of all rows",
        ),
        ("Rows checked", f"{read:,}", files),
        (
            "Rows not read",
            f"{unread_rows(summary):,}",
            _skipped_in_words(summary),
        ),
    ]


def _skipped_in_words(summary: Summary) -> str:
    why = {reason: count for reason, count in summary.skipped.items() if reason != BLANK}
    blank = summary.skipped.get(BLANK, 0)
    parts = [reasons_in_words(why, 2)] if why else []
    parts += [f"and {counted(blank, 'blank line')}"] if blank else []
    return " ".join(parts) or "none was skipped"


def _by_severity(result: ScanResult) -> dict[str, int]:
    counts: dict[str, int] = {}
    for finding in result.findings:
        counts[finding.severity] = counts.get(finding.severity, 0) + 1
    return counts


def _commands(result: ScanResult) -> list[list[str]]:
    """Commands, word by word, that split the data and scan the rest; none for low findings."""
    worst = result.worst()
    if worst is None or worst is Severity.LOW:
        return []
    names = [source.source for source in result.summary.sources]
    usable = 0 < len(names) <= 3 and all(map(_pastable, names))
    paths = [shlex.quote(name) for name in names] if usable else ["PATH..."]
    take = [] if worst is Severity.HIGH else [f"--remove {worst}"]
    split = [*take, "--write-clean clean/", "--quarantine quarantine/"]
    return [["ld50 scan", *paths, *split], ["ld50 scan clean/"]]


def _pastable(name: str) -> bool:
    """Whether a path may stand in a command that somebody copies into a shell."""
    return (
        len(name) <= 120
        and not name.startswith("-")
        and name.isprintable()
        and all(piece.name is None for piece in pieces(name))
    )


def _flat(settings: Mapping[str, Any], prefix: str = "", most: int = 80) -> list[tuple[str, str]]:
    """Settings as lines, `a.b` for what lies inside `a`; the first `most`."""
    lines: list[tuple[str, str]] = []
    for name, value in sorted(settings.items(), key=lambda item: str(item[0])):
        if isinstance(value, Mapping) and value:
            lines += _flat(value, f"{prefix}{name}.", most)
        elif isinstance(value, (list, tuple)):
            lines.append((f"{prefix}{name}", ", ".join(map(str, value)) or "none"))
        else:
            lines.append((f"{prefix}{name}", "not set" if value is None else str(value)))
    return [(plain(name, 80), plain(text, 300)) for name, text in lines[:most]]
