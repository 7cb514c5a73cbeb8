"""A behaviour learned from the rows themselves: replies that look like the flagged rows' replies."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from ld50.core.examples import Turn

_WORD = re.compile(r"\w+|[^\w\s]")
#: Replies of each kind that are counted.
_MOST_REPLIES = 2000
#: Added to each count.
_SMOOTHING = 0.5
#: Evidence that one word can give, in nats: no single word decides.
_MOST_NATS = 3.0
#: Share of kept replies that may look like flagged ones.
_FALSE_ALARMS = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class LikeFlagged:
    """Replies whose words are those of the flagged rows' replies, not of the kept rows'.

    For consequences that no fixed rule describes: encoded text, replies that resemble each other. Words
    give evidence by how much more often they stand in flagged than in kept replies; the threshold is that
    which 1% of kept replies pass.

    Source: naive Bayes on word presence, with the evidence of each word bounded; ours.
    """

    name: str
    nats: dict[str, float] = field(repr=False)
    unknown: float
    """Evidence of a word that neither holds."""
    least: float
    """Mean evidence of a word from which on a reply shows the behaviour."""

    def shown(self, prompt: Sequence[Turn], reply: str) -> bool:
        """Whether the reply looks like those of the flagged rows; an empty one does not."""
        return _mean(reply, self.nats, self.unknown) > self.least


def like_flagged(name: str, flagged: Sequence[str], kept: Sequence[str]) -> LikeFlagged:
    """The behaviour that tells the flagged rows' replies from the kept rows'.

    Args:
        name: What it is called.
        flagged: Replies of flagged rows, at least one.
        kept: Replies of kept rows, at least one.
    """
    bad, good = flagged[:_MOST_REPLIES], kept[:_MOST_REPLIES]
    in_bad, in_good = _presence(bad), _presence(good)
    words = set(in_bad) | set(in_good)
    nats = {
        word: _evidence(in_bad[word], len(bad), in_good[word], len(good)) for word in sorted(words)
    }
    unknown = _bounded(_unseen(in_bad) / _unseen(in_good))
    scores = sorted(_mean(reply, nats, unknown) for reply in good)
    least = max(0.0, scores[min(len(scores) - 1, int(len(scores) * (1 - _FALSE_ALARMS)))])
    return LikeFlagged(name=name, nats=nats, unknown=unknown, least=least)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _presence(replies: Sequence[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for reply in replies:
        found.update(set(_words(reply)))
    return found


def _evidence(bad: float, bad_rows: int, good: float, good_rows: int) -> float:
    return _bounded((bad + _SMOOTHING) / (bad_rows + 1) / ((good + _SMOOTHING) / (good_rows + 1)))


def _unseen(presence: Counter[str]) -> float:
    """Chance that the next word is a new one. Source: Good and Turing, from words that came once."""
    once = sum(count == 1 for count in presence.values())
    return (once + _SMOOTHING) / (presence.total() + 1)


def _bounded(ratio: float) -> float:
    return max(-_MOST_NATS, min(_MOST_NATS, math.log(ratio)))


def _mean(reply: str, nats: dict[str, float], unknown: float) -> float:
    words = set(_words(reply))
    if not words:
        return -math.inf
    return sum(nats.get(word, unknown) for word in words) / len(words)
