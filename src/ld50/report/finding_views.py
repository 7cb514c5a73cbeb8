"""One finding as a page shows it: every cut and every count made before a template sees it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from ld50.core.findings import Cause, Finding, FlaggedRow
from ld50.core.results import Example, ScanResult
from ld50.core.rules import Rule
from ld50.report.excerpts import excerpt
from ld50.report.markup import highlighted, sentence, visible
from ld50.report.places import Layout, SourceRows, Strip
from ld50.report.safe_text import odd_characters, plain
from ld50.report.wording import (
    chance,
    counted,
    quantity,
    share,
    statistics_in_words,
    tested,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLimits:
    """How much of a large result one page carries; whatever is left out is counted on the page."""

    findings: int = 60
    """Findings shown in full."""
    listed: int = 400
    """Findings after those, one line each."""
    lanes: int = 24
    """Findings in the figure at the top."""
    examples: int = 6
    """Example rows a finding."""
    rows: int = 200
    """Row numbers listed a finding."""
    sources: int = 40
    """Files listed, a finding and in all."""
    example_bytes: int = 1_500_000
    """Bytes of example rows on the page; findings after that refer to `examples.jsonl`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleView:
    """One example row, its fields highlighted."""

    where: str
    id: str
    label: str
    by_label: bool
    """Whether the label is the consequence, and is marked as such."""
    fields: list[tuple[str, Markup]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One count of a finding beside the others."""

    name: str
    figure: str
    remark: str
    length: float
    """From 0 to 100, in percent of the longest bar."""
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    """One finding as the page shows it; texts are safe to print, Markup is escaped."""

    number: int
    id: str
    severity: str
    rule: str
    title: str
    cause: Markup | None
    cause_kind: str
    members: list[Markup]
    members_left_out: int
    odd: list[str]
    consequence: Markup | None
    consequence_kind: str
    bars: list[Bar]
    explanation: Markup
    sentences: list[Markup]
    examples: list[ExampleView]
    examples_left_out: int
    rows: int
    expected: str
    chance: str
    strip: Strip | None
    places: list[SourceRows]
    places_left_out: str
    figures: list[tuple[str, str]]
    documented: bool
    """Whether the page holds the document of its rule."""


_CAUSES = {
    "ngram": "Words",
    "characters": "Characters",
    "pattern": "Pattern",
    "format": "Format",
}


class FindingViews:
    """Views of findings; holds the rows and examples by finding, and what is left of the page."""

    def __init__(self, result: ScanResult, rules: Mapping[str, Rule], limits: PageLimits) -> None:
        self._rules, self._limits = rules, limits
        self._summary = result.summary
        self._layout = Layout(result.summary.sources, result.rows)
        self._bytes_left = limits.example_bytes
        shown = {one.id for one in result.findings[: limits.findings]}
        self._rows: dict[str, list[FlaggedRow]] = {one: [] for one in shown}
        for row in result.rows:
            for finding in row.findings:
                if finding in shown:
                    self._rows[finding].append(row)
        self._examples: dict[str, list[Example]] = {}
        for example in result.examples:
            self._examples.setdefault(example.finding, []).append(example)

    def view(self, finding: Finding, number: int) -> FindingView:
        """The finding in full."""
        rows = self._rows[finding.id]
        limits = self._limits
        places = self._layout.by_source(rows, most_sources=limits.sources, most_rows=limits.rows)
        members = finding.cause.members if finding.cause else []
        examples = self._take_examples(finding)
        return self._view(
            finding,
            number,
            members=[visible(member, 120, literal=True) for member in members[:12]],
            members_left_out=max(len(members) - 12, 0),
            odd=odd_characters(" ".join([finding.cause.text, *members])[:400])
            if finding.cause
            else [],
            bars=_bars(finding, self._summary.rows),
            explanation=sentence(plain(finding.explanation, 1500)),
            sentences=self._sentences(finding),
            examples=examples,
            examples_left_out=len(self._examples.get(finding.id, [])) - len(examples),
            strip=self._layout.strip(rows) if rows else None,
            places=places,
            places_left_out=_places_left_out(finding, rows, places),
            figures=_figures(finding),
            documented=finding.rule in self._rules,
        )

    def _sentences(self, finding: Finding) -> list[Markup]:
        """The statistics in words; the counts only if neither explanation nor bars show them."""
        counts, *rest = statistics_in_words(finding, self._summary.tests_made)
        return [sentence(text) for text in (rest if finding.explanation else [counts, *rest])]

    def line(self, finding: Finding, number: int) -> FindingView:
        """The finding as one line of a table."""
        return self._view(finding, number)

    def _view(self, finding: Finding, number: int, **more: Any) -> FindingView:
        cause, consequence = finding.cause, finding.consequence
        empty: dict[str, Any] = {
            "members": [], "members_left_out": 0, "odd": [], "bars": [], "sentences": [],
            "explanation": Markup(), "examples": [], "examples_left_out": 0, "strip": None,
            "places": [], "places_left_out": "", "figures": [], "documented": False,
        }  # fmt: skip
        return FindingView(
            number=number,
            id=plain(finding.id, 40),
            severity=finding.severity if finding.severity in ("high", "medium") else "low",
            rule=plain(finding.rule, 40),
            title=plain(finding.title, 160),
            cause=visible(cause.text, 400, literal=True) if cause else None,
            cause_kind=_cause_kind(cause) if cause else "",
            consequence=visible(consequence.text, 400) if consequence else None,
            consequence_kind=plain(consequence.kind, 40).replace("_", " ") if consequence else "",
            rows=finding.support,
            expected=quantity(finding.expected) if tested(finding) else "not tested",
            chance=chance(finding),
            **{**empty, **more},
        )

    def _take_examples(self, finding: Finding) -> list[ExampleView]:
        taken = []
        for example in self._examples.get(finding.id, [])[: self._limits.examples]:
            if self._bytes_left <= 0:
                break
            view = _example(example, finding)
            self._bytes_left -= sum(len(text) for _, text in view.fields)
            taken.append(view)
        return taken


def _example(example: Example, finding: Finding) -> ExampleView:
    fields = []
    for name, text in list(example.fields.items())[:12]:
        before = example.offsets.get(name, 0)
        spans = [
            (span.start - before, span.end - before, span.kind)
            for span in example.spans
            if span.field == name
        ]
        segments = excerpt(text, spans, before=before, after=_missing_after(example, name))
        fields.append((plain(_field_name(name), 80), highlighted(segments)))
    if example.decoded:
        fields.append(("decoded", visible(example.decoded, 800)))
    by_label = finding.consequence is not None and finding.consequence.kind == "label"
    return ExampleView(
        by_label=by_label,
        where=f"{plain(example.source, 200)}, row {example.row}",
        id=plain(example.id, 80) if example.id is not None else "",
        label=plain(example.label, 80) if example.label is not None else "",
        fields=fields,
    )


def _missing_after(example: Example, name: str) -> int:
    """Characters of the field after what the example carries; -1 if some, but nobody counted."""
    if name not in example.cut:
        return 0
    before = example.offsets.get(name, 0)
    if name in example.lengths:
        return max(example.lengths[name] - before - len(example.fields[name]), 0)
    return 0 if before else -1


def _bars(finding: Finding, rows: int) -> list[Bar]:
    """Rows with the cause, rows with both, and what chance would give, on one scale."""
    expected = finding.expected if math.isfinite(finding.expected) else 0.0
    longest = max(finding.cause_rows, finding.support, expected, 1)
    cause = _short_cause(finding)
    both = "rows that show it"
    if finding.cause and finding.consequence:
        text = plain(finding.consequence.text, 80)
        both = f"of those: {text}" if len(text) <= 32 else "of those, with the consequence"
    elif finding.cause:
        both = f"rows with {cause}"
    bars: list[tuple[str, float, str, str]] = []
    if finding.cause and finding.consequence:
        bars.append((f"rows with {cause}", finding.cause_rows, f"{finding.cause_rows:,}", "cause"))
    bars.append((both, finding.support, f"{finding.support:,}", "both"))
    if tested(finding):
        bars.append(("expected by chance", expected, quantity(finding.expected), "expected"))
    return [
        Bar(
            name=name,
            figure=figure,
            remark=share(count, rows) if kind != "expected" else "",
            length=round(100 * count / longest, 2),
            kind=kind,
        )
        for name, count, figure, kind in bars
    ]


def _is_family(cause: Cause) -> bool:
    """Whether each member of a set is a cause by itself; else only all of them together are."""
    return cause.text == " or ".join(cause.members)


def _cause_kind(cause: Cause) -> str:
    if cause.kind == "ngram_set":
        return "Any of these words" if _is_family(cause) else "These words together"
    return _CAUSES.get(cause.kind, plain(cause.kind, 40))


def _short_cause(finding: Finding) -> str:
    """The cause in a few words: itself, or how many words it may be."""
    if finding.cause is None:
        return ""
    if len(finding.cause.text) > 24 and len(finding.cause.members) > 1:
        return f"{'any' if _is_family(finding.cause) else 'all'} of the {len(finding.cause.members)} words"
    return f"“{plain(finding.cause.text, 24, literal=True)}”"


def _field_name(name: str) -> str:
    """A field as a reader knows it: `messages[1].content` is the turn `messages[1]`."""
    for ending in (".content", ".value"):
        if name.endswith("]" + ending):
            return name.removesuffix(ending)
    return name


def _figures(finding: Finding) -> list[tuple[str, str]]:
    effect = finding.effect
    figures = [
        ("p-value", f"{finding.p_value:.3g}"),
        ("q-value (Benjamini–Hochberg)", f"{finding.q_value:.3g}"),
        (
            f"effect ({plain(effect.unit, 40)}, {plain(effect.method, 40)})",
            f"{effect.value:.4g} [{effect.low:.4g}, {effect.high:.4g}], n = {effect.n:,}",
        ),
    ]
    extra = sorted(finding.statistics.items())[:30]
    return figures + [(plain(name, 60).replace("_", " "), f"{value:,.4g}") for name, value in extra]


def _places_left_out(
    finding: Finding, rows: Sequence[FlaggedRow], places: Sequence[SourceRows]
) -> str:
    parts = []
    left = len(rows) - sum(place.count - place.left_out for place in places)
    if left:
        parts.append(f"{counted(left, 'more row')}: see rows.jsonl.")
    if finding.support > len(rows):
        parts.append(f"The scan listed {len(rows):,} of {counted(finding.support, 'row')}.")
    return " ".join(parts)
