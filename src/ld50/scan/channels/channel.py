"""One hidden channel that was found, and how it is judged and told."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from ld50.core.estimates import proportion
from ld50.core.findings import Consequence, Finding, Severity
from ld50.scan.assemble import Draft, finding_id, score_of, shortened

SUBSTITUTION, CODE, INVISIBLE, PLACES, UNKNOWN = "TRG401", "TRG402", "TRG403", "TRG404", "TRG405"
#: Every rule of the channel search.
RULES = (SUBSTITUTION, CODE, INVISIBLE, PLACES, UNKNOWN)
_SIDE = {"prompt": "prompt", "response": "reply", "text": "text"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """Rows of one side that carry the same hidden channel."""

    rule: str
    key: str
    """Tells channels of one rule apart, whatever the order of the rows."""
    what: str
    """What the rows do, after `317 rows`: `carry a substitution cipher`."""
    side: str
    ordinals: np.ndarray = field(repr=False)
    """int64, rising: the rows."""
    spans: dict[int, list[tuple[int, int]]] = field(repr=False)
    """Ordinal to characters of the side that carry it."""
    decoded: dict[int, str] = field(repr=False)
    """Ordinal to what it says, as far as it was read."""
    tried: int
    """Rows that could have carried it."""
    expected: float
    """How many of them would seem to by chance."""
    log_p: float | None
    """Natural logarithm of the chance of so many; None for a count without a test."""
    severity: Severity
    why: str
    """How it was read and tested, in a sentence or two."""
    statistics: dict[str, float]

    def draft(self, tests: int, where: str) -> Draft:
        """The channel as a finding, with q-values over so many tests."""
        n, side = len(self.ordinals), _SIDE[self.side]
        log_p = self.log_p
        log_q = None if log_p is None else min(0.0, log_p + math.log(max(tests, 1)))
        effect = proportion(n, max(self.tried, n), unit="rows that could carry it")
        says = next((self.decoded[o] for o in self.ordinals.tolist() if self.decoded.get(o)), "")
        text = f"{n:,} rows {self.what} in the {side}."
        if says:
            text += f" Decoded, the first says: “{shortened(says, 120)}”."
        text += f" {self.why}"
        if where:
            text += f" They lie {where}."
        finding = Finding(
            id=finding_id(self.rule, f"{self.side}:{self.key}", "hidden_channel"),
            rule=self.rule,
            title=f"{n:,} rows {self.what}",
            severity=self.severity.value,
            cause=None,
            consequence=Consequence(
                kind="hidden_channel", text=f"the {side} {_singular(self.what)}"
            ),
            support=n,
            cause_rows=n,
            expected=round(self.expected, 3),
            effect=effect,
            p_value=1.0 if log_p is None else _probability(log_p),
            q_value=1.0 if log_q is None else _probability(log_q),
            explanation=text,
            statistics={
                **self.statistics,
                **({} if log_p is None else {"log10_p": round(log_p / math.log(10), 2)}),
                **({} if log_q is None else {"log10_q": round(log_q / math.log(10), 2)}),
            },
        )
        spans = {
            ordinal: [(self.side, start, end, "consequence") for start, end in its]
            for ordinal, its in self.spans.items()
        }
        return Draft(
            finding=finding,
            rows=self.ordinals,
            spans=spans,
            decoded=self.decoded,
            score=score_of(self.severity, effect.low),
        )


_SINGULAR = {"carry": "carries", "hide": "hides", "are": "is", "hold": "holds", "have": "has"}


def _singular(what: str) -> str:
    verb, _, rest = what.partition(" ")
    return f"{_SINGULAR.get(verb, verb)} {rest}"


def _probability(log_p: float) -> float:
    return min(1.0, max(math.exp(max(log_p, -744.0)), 5e-324))


def binomial_log_tail(hits: int, tried: int, rate: float) -> float:
    """Natural logarithm of the chance of at least so many hits; 0 if none are needed."""
    if hits <= 0:
        return 0.0
    if rate >= 1:
        return 0.0
    k = np.arange(hits, tried + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, tried + 1)))])
    log_choose = log_factorial[tried] - log_factorial[k] - log_factorial[tried - k]
    terms = log_choose + k * math.log(rate) + (tried - k) * math.log1p(-rate)
    top = float(terms.max())
    return min(0.0, top + math.log(float(np.exp(terms - top).sum())))
