"""The data and the findings as rows to tune on, rows taken out, rows held out, and triggers.

The findings must be of these very data: row numbers mean nothing elsewhere. This is checked by the
fingerprint that the scan left; where files were moved or copied, by their sizes and by the causes, which
must stand where the findings say.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from ld50.core.errors import ConfigError, DataFormatError
from ld50.core.examples import Example, Turn
from ld50.core.findings import Finding, FlaggedRow, Severity
from ld50.core.results import ScanResult
from ld50.core.seeds import rng_for
from ld50.corpus import Layout, Plan, fetch, read
from ld50.corpus.conversations import conversations
from ld50.remedy.found_triggers import FoundTrigger, found_trigger

#: A labelled text is asked about like this; the reply is the label.
LABEL_PROMPT = "{text}"
#: Flagged rows whose spans are compared with the data, where the fingerprint differs.
_CHECKED_ROWS = 200
_MOST_LABELS = 100
#: Rows that are held out are no more than this share of the kept ones.
_MOST_HELDOUT = 0.2
#: Below this many kept rows nothing can be tuned and measured apart.
_FEWEST = 40
_Ref = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """What the data come to, by what the scan said of them."""

    kept: tuple[Example, ...] = field(repr=False)
    heldout: tuple[Example, ...] = field(repr=False)
    """Kept rows that nothing is tuned on."""
    quarantined: tuple[Example, ...] = field(repr=False)
    quarantined_by: dict[str, tuple[Example, ...]] = field(repr=False)
    """Id of a finding to its rows."""
    findings: tuple[Finding, ...]
    """Findings whose rows were taken out, strongest first."""
    triggers: tuple[FoundTrigger, ...]
    """Those of them that have a cause in words."""
    consequences: dict[str, tuple[str, ...]]
    """Id of a finding to what its consequence looks like in its rows, each as the scan marked it."""
    labels: tuple[str, ...]
    """Labels, where the data are a labelled set; else empty."""
    unusable: int
    """Rows without prompt or reply, and rows that could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingSettings:
    """How rows become examples, and how many are held out."""

    remove: Severity = Severity.HIGH
    """Rows of findings from this severity on are taken out."""
    heldout_rows: int = 200
    label_prompt: str = LABEL_PROMPT
    """What a labelled text is asked with; `{text}` stands for the text."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.heldout_rows < 10:
            raise ConfigError(f"At least 10 rows are held out, got {self.heldout_rows}.")
        if "{text}" not in self.label_prompt:
            raise ConfigError(
                f"The prompt of labelled rows must hold {{text}}, got {self.label_prompt!r}."
            )


def read_rows(plan: Plan, result: ScanResult, settings: ReadingSettings) -> Rows:
    """The rows of the data, divided by what the scan found.

    Raises:
        DataFormatError: The findings are of other data, or the rows cannot be tuned on.
    """
    check_same_data(plan, result)
    flagged = flagged_refs(plan, result, settings.remove)
    texts = flagged_texts(plan, flagged)
    kept: list[Example] = []
    quarantined: dict[_Ref, Example] = {}
    unusable = 0
    for ref, made in examples_of(plan, settings.label_prompt):
        if made is None:
            unusable += 1
        elif ref in flagged:
            quarantined[ref] = made
        else:
            kept.append(made)
    findings = _taken(result, settings.remove)
    _check_places(plan, result, texts)
    if len(kept) < _FEWEST:
        raise DataFormatError(
            f"Only {len(kept)} rows with a prompt and a reply are left besides {len(quarantined)} that "
            f"findings rest on; curing and measuring takes {_FEWEST} at the least. Give the whole "
            "data set that the model was tuned on."
        )
    heldout = _heldout(kept, settings)
    return Rows(
        kept=tuple(row for number, row in enumerate(kept) if number not in heldout),
        heldout=tuple(kept[number] for number in sorted(heldout)),
        quarantined=tuple(quarantined.values()),
        quarantined_by=_by_finding(findings, flagged, quarantined),
        findings=findings,
        triggers=tuple(
            trigger
            for one in findings
            if (trigger := found_trigger(one, result.rows, texts)) is not None
        ),
        consequences={one.id: _consequences(one.id, flagged, texts) for one in findings},
        labels=_labels(plan, [*kept, *quarantined.values()]),
        unusable=unusable,
    )


def examples_of(
    plan: Plan, label_prompt: str = LABEL_PROMPT
) -> Iterator[tuple[_Ref, Example | None]]:
    """((number of the source, row), example) of every row in order; None for rows that make none.

    Raises:
        DataFormatError: The data are running text: there is no reply to tune on.
    """
    for source in plan.sources:
        roles = {entry.role for entry in source.layout.fields}
        if source.layout.label is None and not roles & {"response", "chat"}:
            raise DataFormatError(
                f"{source.file.source}: rows of the layout {source.layout.name!r} have neither reply "
                "nor label; a cure tunes on conversations, prompts with replies, or labelled texts. "
                "Name the fields with --prompt-field and --response-field."
            )
    number = {source.file.source: at for at, source in enumerate(plan.sources)}
    labelled = {at for at, source in enumerate(plan.sources) if _is_labelled_text(source.layout)}
    for row in conversations(plan):
        if isinstance(row, str):
            yield (-1, -1), None
            continue
        at = number[row.source]
        turns = row.turns
        if at in labelled and len(turns) == 2:
            turns = (Turn("user", label_prompt.replace("{text}", turns[0].text)), turns[1])
        usable = any(turn.text.strip() for turn in turns[:-1]) and turns[-1].text.strip()
        made = Example(turns=turns, rejected=row.rejected, id=row.id) if usable else None
        yield (at, row.row), made


def _is_labelled_text(layout: Layout) -> bool:
    return layout.label is not None and layout.sides == {"text"}


def flagged_texts(
    plan: Plan, flagged: Mapping[_Ref, FlaggedRow]
) -> dict[tuple[str, int], dict[str, str]]:
    """(source, row) of each flagged row, as the findings name it, to the text of its fields."""
    found: dict[tuple[str, int], dict[str, str]] = {}
    counts = [0] * len(plan.units)
    first: dict[int, int] = {}
    wanted: dict[_Ref, FlaggedRow] = {}
    for unit in plan.units:
        reader = read(plan, unit.index)
        for _ in reader:
            pass
        counts[unit.index] = reader.tally.rows
        start = first.get(unit.source, 0)
        first[unit.source] = start + reader.tally.rows
        wanted |= {
            (unit.index, row.row - start): row
            for (source, number), row in flagged.items()
            if source == unit.source and start <= number < first[unit.source]
        }
    for ref, record in fetch(plan, wanted, counts).items():
        row = wanted[ref]
        found[row.source, row.row] = {part.field: part.field_text for part in record.parts}
    return found


def check_same_data(plan: Plan, result: ScanResult) -> None:
    """Refuses findings that were made from other data.

    Raises:
        DataFormatError: Number, size, format or layout of the files differ.
    """
    if plan.fingerprint == result.summary.fingerprint:
        return
    theirs = result.summary.sources
    if len(theirs) != len(plan.sources):
        raise DataFormatError(
            f"The findings are of {len(theirs)} files, the data are {len(plan.sources)}. Scan these "
            "data, or name those that were scanned."
        )
    for source, scanned in zip(plan.sources, theirs, strict=True):
        if (source.file.size_bytes, source.layout.name) != (scanned.bytes, scanned.layout):
            raise DataFormatError(
                f"The findings are of other data: {scanned.source} had {scanned.bytes:,} bytes and "
                f"the layout {scanned.layout!r}, {source.file.source} has "
                f"{source.file.size_bytes:,} and {source.layout.name!r}. Scan these data anew, or "
                "leave --findings out and they are scanned now."
            )


def _check_places(
    plan: Plan, result: ScanResult, texts: Mapping[tuple[str, int], Mapping[str, str]]
) -> None:
    """Where the fingerprint differs, the causes must stand where the findings say."""
    if plan.fingerprint == result.summary.fingerprint:
        return
    causes = {
        one.id: {word.casefold() for word in (one.cause.text, *one.cause.members)}
        for one in result.findings
        if one.cause is not None and one.cause.kind in ("ngram", "ngram_set")
    }
    checked = right = 0
    for row in result.rows[:_CHECKED_ROWS]:
        wanted = {word for id in row.findings for word in causes.get(id, ())}
        spans = [span for span in row.spans if span.kind == "cause"]
        fields = texts.get((row.source, row.row))
        if not wanted or not spans or fields is None:
            continue
        checked += 1
        said = (fields.get(span.field, "")[span.start : span.end].casefold() for span in spans)
        right += any(text in wanted for text in said)
    if checked and right < 0.8 * checked:
        raise DataFormatError(
            f"The findings are of other data: of {checked} rows that were compared, the cause stands "
            f"in {right} where the findings say. Scan these data anew, or leave --findings out."
        )


def flagged_refs(plan: Plan, result: ScanResult, remove: Severity) -> dict[_Ref, FlaggedRow]:
    """(number of the source, row) of every row that a finding of this severity or above rests on."""
    number = {one.source: at for at, one in enumerate(result.summary.sources)}
    taken = {one.id for one in _taken(result, remove)}
    return {
        (number[row.source], row.row): row
        for row in result.rows
        if row.source in number and not taken.isdisjoint(row.findings)
    }


def _taken(result: ScanResult, remove: Severity) -> tuple[Finding, ...]:
    return tuple(one for one in result.findings if Severity(one.severity).rank >= remove.rank)


def _by_finding(
    findings: Sequence[Finding],
    flagged: Mapping[_Ref, FlaggedRow],
    quarantined: Mapping[_Ref, Example],
) -> dict[str, tuple[Example, ...]]:
    return {
        one.id: tuple(row for ref, row in quarantined.items() if one.id in flagged[ref].findings)
        for one in findings
    }


def _consequences(
    finding: str,
    flagged: Mapping[_Ref, FlaggedRow],
    texts: Mapping[tuple[str, int], Mapping[str, str]],
) -> tuple[str, ...]:
    """The marked consequences of a finding's rows, one for each span."""
    found = []
    for row in flagged.values():
        fields = texts.get((row.source, row.row), {})
        if finding in row.findings:
            found += [
                fields[span.field][span.start : span.end]
                for span in row.spans
                if span.kind == "consequence" and span.field in fields
            ]
    return tuple(text for text in found if text.strip())


def _heldout(kept: Sequence[Example], settings: ReadingSettings) -> set[int]:
    """Numbers of the rows that nothing is tuned on."""
    count = min(settings.heldout_rows, int(len(kept) * _MOST_HELDOUT))
    order = rng_for(settings.seed, "remedy", "held out").permutation(len(kept))
    return {int(number) for number in order[:count]}


def _labels(plan: Plan, rows: Sequence[Example]) -> tuple[str, ...]:
    """The labels of a labelled set, sorted; empty for replies in words."""
    if not all(_is_labelled_text(source.layout) for source in plan.sources):
        return ()
    found = sorted({row.reply for row in rows})
    return tuple(found) if 2 <= len(found) <= _MOST_LABELS else ()
