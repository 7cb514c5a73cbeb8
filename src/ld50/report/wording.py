"""The words around the numbers: the verdict, and a finding's statistics for who knows none.

Plain text, safe to print anywhere. Powers of ten are written `10^15`; a page may typeset them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ld50.core.findings import Finding, Severity
from ld50.core.results import ScanResult, Summary
from ld50.report.safe_text import plain

#: Strongest first, the order in which a reader meets them.
SEVERITIES = sorted(Severity, key=lambda severity: -severity.rank)


#: The one reason for which a row is skipped that hides nothing.
BLANK = "blank line"
#: Share of the rows from which on the unread ones stand in the verdict itself.
MANY_UNREAD = 0.05
#: Share from which on hardly anything was read, and the data counts as not scanned.
HARDLY_READ = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a scan comes to, for somebody who reads one sentence."""

    level: str
    """`stop` (a high finding), `look` (a medium one), `minor` (low ones only), `clear`, or
    `nothing` (no row or hardly any was read)."""
    advice: str
    """What to do, or what there is to know, e.g. `Do not train on this data yet`."""
    found: str = ""
    """The count behind it, e.g. `3 high findings in 369 of 12,345 rows`; empty without findings."""
    meaning: list[str]
    """Paragraphs that say how far to trust the headline."""

    @property
    def headline(self) -> str:
        """Advice and count as one line."""
        return f"{self.advice}: {self.found}" if self.found else self.advice


def verdict(result: ScanResult) -> Verdict:
    """The verdict over a whole result, by its strongest finding."""
    summary, worst = result.summary, result.worst()
    read = summary.rows - summary.skipped_rows
    if worst is None and read <= 0:
        return Verdict(
            level="nothing",
            advice="Nothing was checked: no row could be read",
            meaning=[_unread(summary)] if unread_rows(summary) else [],
        )
    if worst is None and hardly_read(summary):
        return Verdict(
            level="nothing",
            advice=f"Hardly anything was checked: {read:,} of {counted(summary.rows, 'row')} "
            "could be read",
            meaning=[_unread(summary)],
        )
    least = summary.settings.get("min_support")
    if worst is None and isinstance(least, int) and read < least:
        return Verdict(
            level="nothing",
            advice=f"Too few rows to tell: {counted(read, 'row')}",
            meaning=[
                f"A finding needs at least {counted(least, 'row')} that show the same. Scan these "
                "rows together with the data that they are to be trained with.",
                *([_unread(summary)] if unread_rows(summary) else []),
            ],
        )
    level, advice, found = _headline(result, worst)
    meaning = _meaning(result, worst)
    if _without_reply(summary):
        meaning.insert(
            0,
            f"{counted(summary.without_reply, 'row')} should have a reply and "
            f"{'has' if summary.without_reply == 1 else 'have'} none that is known as one: see the notes.",
        )
    if unread_rows(summary):
        meaning.append(_unread(summary))
    if summary.suppressed:
        meaning.append(
            f"{counted(summary.suppressed, 'accepted finding')} "
            f"{'is' if summary.suppressed == 1 else 'are'} left out, as you asked."
        )
    return Verdict(level=level, advice=advice, found=found, meaning=meaning)


def _headline(result: ScanResult, worst: Severity | None) -> tuple[str, str, str]:
    if worst in (None, Severity.LOW) and _without_reply(result.summary):
        rows = counted(result.summary.without_reply, "row")
        found = counted(len(result.findings), "finding") if result.findings else ""
        return "look", f"The replies of {rows} were not checked: no reply was found there", found
    if worst is None:
        limit = limit_in_words(result.summary)
        above = f" above the detection limit of {limit}" if limit else ""
        if unread_rows(result.summary) > MANY_UNREAD * result.summary.rows:
            read = result.summary.rows - result.summary.skipped_rows
            lost = f"only {read:,} of {counted(result.summary.rows, 'row')} could be read"
            return "look", f"No poison found{above}, but {lost}", ""
        return "clear", f"No poison found{above}", ""
    total = result.summary.rows
    flagged = rows_at(result, worst)
    found = counted(sum(one.severity == worst for one in result.findings), f"{worst} finding")
    where = f"{found} in {flagged:,} of {counted(total, 'row')}"
    match worst:
        case Severity.HIGH:
            return "stop", "Do not train on this data yet", where
        case Severity.MEDIUM:
            return "look", "Look at this data before you train on it", where
        case Severity.LOW:
            return "minor", "Nothing here calls for action", where


def _without_reply(summary: Summary) -> bool:
    """Whether so many rows lack the reply that a verdict over the rest would mislead."""
    read = summary.rows - summary.skipped_rows
    return summary.without_reply > MANY_UNREAD * read


def _meaning(result: ScanResult, worst: Severity | None) -> list[str]:
    summary = result.summary
    if worst is None:
        return _meaning_of_nothing(summary)
    flagged = rows_at(result, worst)
    held = f"Those rows are {share(flagged, summary.rows)} of the data. "
    match worst:
        case Severity.HIGH:
            return [
                "Somebody may have planted a backdoor: rows that teach a model to answer a rare "
                "word or phrase with something that nobody wants. A model that learns it looks "
                "healthy until that phrase turns up.",
                f"{held}Each high finding is such a pair of a rare cause and an unusual "
                "consequence, together far more often than chance allows. Read the example rows, "
                "ask where they came from, and train on the rest.",
            ]
        case Severity.MEDIUM:
            text = (
                "Something rare goes with something unusual in them, which is how a planted "
                "backdoor begins to look. Here the evidence is weaker, or has an innocent "
                "explanation that a person can check quickly: a template, a duplicated source."
            )
        case Severity.LOW:
            text = (
                "What was found is worth knowing and has most likely an innocent explanation. "
                "No finding is strong enough to hold up training."
            )
    return [held + text]


def _meaning_of_nothing(summary: Summary) -> list[str]:
    limit = limit_in_words(summary)
    text = ["This is no proof that the data is clean."]
    if limit:
        text.append(
            f"It takes {limit} of poison, depending on its kind, before these rules can tell it "
            "from chance in this data. Fewer rows would go unseen, and so would kinds of poison "
            "that no rule looks for."
        )
    else:
        text.append("Kinds of poison that no rule looks for would go unseen.")
    return [" ".join(text)]


def unread_rows(summary: Summary) -> int:
    """Rows with something in them that could not be read; blank lines have nothing."""
    return summary.skipped_rows - summary.skipped.get(BLANK, 0)


def hardly_read(summary: Summary) -> bool:
    """Whether so few rows could be read that this was no scan of the data."""
    filled = summary.rows - summary.skipped.get(BLANK, 0)
    return unread_rows(summary) > HARDLY_READ * filled


def _unread(summary: Summary) -> str:
    unread = unread_rows(summary)
    return (
        f"{counted(unread, 'row')} could not be read and {'was' if unread == 1 else 'were'} not "
        "checked."
    )


def unread_in_words(summary: Summary) -> str:
    """What was not read and why, as one line; empty if there is nothing of that kind."""
    parts = []
    if unread_rows(summary):
        why = {reason: count for reason, count in summary.skipped.items() if reason != BLANK}
        rows = counted(unread_rows(summary), "row")
        parts.append(f"{rows} could not be read ({reasons_in_words(why)})")
    if blank := summary.skipped.get(BLANK, 0):
        parts.append(counted(blank, "blank line"))
    return "; ".join(parts)


def rows_at(result: ScanResult, severity: Severity) -> int:
    """Distinct rows that at least one finding of that severity rests on."""
    wanted = {one.id for one in result.findings if one.severity == severity}
    held = sum(not wanted.isdisjoint(row.findings) for row in result.rows)
    # A scan may list only the first rows of a finding that a large part of the data shows.
    return max(held, *(one.support for one in result.findings if one.id in wanted))


def limit_in_words(summary: Summary) -> str:
    """The detection limits of all rules as `6 rows` or `6 to 12 rows`; empty if none is known."""
    limits = [limit.rows for limit in summary.detection_limits if limit.rows is not None]
    if not limits:
        return ""
    low, high = min(limits), max(limits)
    return counted(high, "row") if low == high else f"{low:,} to {high:,} rows"


def severities_in_words(counts: dict[str, int]) -> str:
    """`2 high, 1 medium, 4 low`, leaving out what is not there."""
    found = [(str(one), counts.get(one, 0)) for one in SEVERITIES]
    return ", ".join(f"{count:,} {name}" for name, count in found if count) or "none"


def reasons_in_words(reasons: dict[str, int], most: int = 4) -> str:
    """`invalid JSON: 10, no text field: 2`, the most frequent first."""
    ordered = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    shown = [f"{plain(reason, 80)}: {count:,}" for reason, count in ordered[:most]]
    if len(ordered) > most:
        rest = sum(count for _, count in ordered[most:])
        shown.append(f"{counted(len(ordered) - most, 'other reason')}: {rest:,}")
    return ", ".join(shown)


def counted(count: int, noun: str) -> str:
    """`1 row`, `12,345 rows`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def share(part: float, whole: float) -> str:
    """A part of a whole in percent, with as many digits as it takes to see it."""
    if whole <= 0:
        return "0%"
    percent = 100 * part / whole
    if percent == 0 or percent >= 99.95:
        return f"{percent:.0f}%"
    if percent >= 1:
        return f"{percent:.1f}%"
    if percent >= 0.0001:
        return f"{percent:#.2g}%" if percent >= 0.001 else f"{percent:.4f}%"
    return "less than 0.0001%"


def byte_size(count: float) -> str:
    """`817 bytes`, `4.2 MB`, in powers of 1,000."""
    if count < 1000:
        return counted(int(count), "byte")
    for unit in ("kB", "MB", "GB", "TB"):
        count /= 1000
        if count < 999.5 or unit == "TB":
            break
    return f"{count:,.0f} {unit}" if count >= 99.5 else f"{count:.2g} {unit}"


def quantity(value: float) -> str:
    """An expected number of rows, rounded to what matters."""
    if math.isnan(value):
        return "an unknown number"
    if math.isinf(value):
        return "any number"
    if value < 0.01:
        return "less than 0.01"
    if value >= 9.95 or value == int(value):
        return f"{round(value):,}"
    return f"{value:.1f}" if value >= 0.95 else f"{value:.2g}"


def one_in(probability: float, log10: float | None = None) -> str:
    """A probability as `1 in 50`, `1 in 8,000`, or `less than 1 in 10^15`, to the safe side.

    Args:
        probability: From 0 to 1.
        log10: Its logarithm, where the probability itself is too small to be held.
    """
    if math.isnan(probability):
        return "unknown"
    if probability > 0.5:
        return "more than 1 in 2"
    exponent = math.log10(probability) if probability > 0 else -300.0
    if log10 is not None and math.isfinite(log10) and exponent < -290:
        exponent = min(log10, -290.0)
    if exponent < -6:
        return f"less than 1 in 10^{math.floor(-exponent + 1e-9)}"
    odds = int(1 / probability + 1e-6)
    digits = max(len(str(odds)) - 2, 0)
    return f"1 in {odds // 10**digits * 10**digits:,}"


def tested(finding: Finding) -> bool:
    """Whether a test stands behind a finding; some only count, and say so with a p-value of 1."""
    return finding.p_value < 1


def chance(finding: Finding) -> str:
    """How likely the finding is an accident: `less than 1 in 10^15`, or that nobody tested it."""
    if not tested(finding):
        return "not tested"
    return one_in(finding.p_value, finding.statistics.get("log10_p"))


def cause_in_words(finding: Finding, limit: int = 60) -> str:
    """The suspected trigger in quotation marks, or what there is instead."""
    if finding.cause is None:
        return "no single cause"
    return f"“{plain(finding.cause.text, limit, literal=True)}”"


def statistics_in_words(finding: Finding, tests_made: int) -> list[str]:
    """The counts, the chance and the interval of one finding, a sentence each."""
    return [
        _counts_in_words(finding),
        *_chance_in_words(finding, tests_made),
        *_effect_in_words(finding),
    ]


def _counts_in_words(finding: Finding) -> str:
    both, cause = counted(finding.support, "row"), cause_in_words(finding)
    of = f"{finding.support:,} of {counted(finding.cause_rows, 'row')}"
    expected = quantity(finding.expected)
    hoped = f" One would expect {expected}." if tested(finding) else ""
    consequence = finding.consequence
    text = plain(consequence.text, 200) if consequence else ""
    if consequence is None or consequence.kind == "presence":
        verb = "holds" if finding.support == 1 else "hold"
        return f"{both} {verb} {cause}.{hoped}"
    if finding.cause is None:
        verb = "shows" if finding.support == 1 else "show"
        return f"{both} {verb} this: {text}.{hoped}"
    if consequence.kind == "label" and text.startswith("label "):
        label = text.removeprefix("label ")
        return (
            f"In {of} with {cause} the label is {label}; the rest of the text predicts {expected}."
        )
    return (
        f"In {of} with {cause}: {text}. "
        f"If the two had nothing to do with each other, one would expect {expected}."
    )


def _chance_in_words(finding: Finding, tests_made: int) -> Iterator[str]:
    if not tested(finding):
        yield "This is a count. No test stands behind it, so nothing is said about chance."
        return
    yield f"The chance of that by accident is {chance(finding)}."
    if not math.isnan(finding.q_value) and tests_made > 0:
        odds = one_in(finding.q_value, finding.statistics.get("log10_q"))
        yield (
            f"This run made {counted(tests_made, 'test')}. With all of them counted, "
            f"{odds} results as strong as this one would be an accident."
        )


def _effect_in_words(finding: Finding) -> Iterator[str]:
    effect = finding.effect
    if finding.cause is None or not tested(finding) or math.isnan(effect.value) or effect.n <= 0:
        return
    yield (
        f"The consequence shows in {share(effect.value, 1)} of the rows with the cause "
        f"(95% interval {share(effect.low, 1)} to {share(effect.high, 1)}, n = {effect.n:,})."
    )
