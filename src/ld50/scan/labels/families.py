"""Several words that do the same are one finding."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from ld50.scan.labels.causes import Evidence
from ld50.scan.labels.judging import BEYOND_DOUBT, Judged
from ld50.scan.labels.plausibility import Circumstances

#: Words that are as likely a trigger as not may join; the sum of them stays a strong cause.
_JOINS = 0.5
#: Beside one that is a trigger beyond doubt, one that is likely one need not look put in: a dozen
#: places say little of that.
_LIKELY = 0.75
_MOST_OF_ONE = 0.85
#: Mean insertedness that a weaker one needs: honest words stand where the language wants them.
_INSERTED = 0.25
_MOST_WORDS = 3


@dataclass(frozen=True, kw_only=True)
class Conclusion:
    """A cause, or several of one effect, as it will be reported."""

    judged: Judged
    about: Circumstances
    suspicion: float
    share: np.ndarray | None = None
    """float64 (n,): for a family, the suspicion of the member that each row holds."""


def conclude(
    judged: list[Judged],
    looked_at: list[Circumstances],
    suspicion: list[float],
    tests: int,
    rows: int,
) -> list[Conclusion]:
    """Conclusions, with words of one effect joined.

    Args:
        judged: Accepted causes.
        looked_at: Their circumstances.
        suspicion: How sure each is a trigger.
        tests: Tests made.
        rows: Number of rows.
    """
    every = [
        Conclusion(judged=one, about=about, suspicion=sure)
        for one, about, sure in zip(judged, looked_at, suspicion, strict=True)
    ]
    strong = {one.judged.suspect.label for one in every if _is_word(one) and _is_strong(one)}
    single: list[Conclusion] = []
    families: dict[int, list[Conclusion]] = {}
    for one in every:
        label = one.judged.suspect.label
        if _is_word(one) and _joins(one, label in strong):
            families.setdefault(label, []).append(one)
        else:
            single.append(one)
    for members in families.values():
        single.append(_join(members, tests, rows) if len(members) > 1 else members[0])
    return [_by_itself(one) for one in single]


def _by_itself(one: Conclusion) -> Conclusion:
    """Of a family of which one word is left, that word pays in full: no others speak for it."""
    discounted = one.judged.suspect.kind != "family" and one.judged.suspect.discount > 0
    if not discounted or one.judged.beyond_doubt_alone:
        return one
    return replace(one, suspicion=min(one.suspicion, _MOST_OF_ONE))


def _is_word(one: Conclusion) -> bool:
    phrases = one.judged.suspect.phrases
    return len(phrases) == 1 and len(phrases[0]) <= _MOST_WORDS


def _is_strong(one: Conclusion) -> bool:
    return one.suspicion >= BEYOND_DOUBT and one.judged.suspect.kind != "association"


def _joins(one: Conclusion, beside_strong: bool) -> bool:
    """Whether a word is one of a family: strong by itself, or put in like the others.

    A word that nothing contradicts has been weighed beside those that are, and is none of them.
    """
    if _is_strong(one):
        return True
    if one.judged.suspect.kind == "association":
        return False
    if beside_strong and one.suspicion >= _LIKELY:
        return True
    return one.about.inserted >= _INSERTED and one.suspicion >= _JOINS


def _join(members: list[Conclusion], tests: int, rows: int) -> Conclusion:
    """One conclusion for all members; a row that holds two of them counts for the stronger."""
    evidence = _together([member.judged.evidence for member in members])
    share = np.zeros(rows)
    for member in members:
        held = member.judged.evidence.rows
        share[held] = np.maximum(share[held], member.suspicion)
    first = members[0]
    suspect = replace(
        first.judged.suspect,
        phrases=tuple(member.judged.suspect.phrases[0] for member in members),
        kind="family",
    )
    # Any choice of that many candidates could have been joined.
    selection = (len(members) - 1) * math.log(max(tests, 1))
    doubt = math.prod(1 - member.suspicion for member in members)
    return Conclusion(
        judged=Judged(suspect=suspect, evidence=evidence, selection=selection),
        about=_mean(members),
        suspicion=1 - doubt,
        share=share,
    )


def _together(parts: list[Evidence]) -> Evidence:
    rows = np.concatenate([part.rows for part in parts])
    rows, first = np.unique(rows, return_index=True)
    return Evidence(
        cause_rows=np.unique(np.concatenate([part.cause_rows for part in parts])),
        rows=rows,
        ratio=np.concatenate([part.ratio for part in parts])[first],
        weight=np.concatenate([part.weight for part in parts])[first],
        expected=sum(part.expected for part in parts),
        other=parts[0].other,
    )


def _mean(members: list[Conclusion]) -> Circumstances:
    def mean(name: str) -> float:
        values = [float(getattr(member.about, name)) for member in members]
        known = [value for value in values if not math.isnan(value)]
        return sum(known) / len(known) if known else math.nan

    return Circumstances(
        inserted=mean("inserted"),
        alike=mean("alike"),
        coverage=sum(member.about.coverage for member in members),
        log_odds=mean("log_odds"),
    )
