"""From an association to what a person sees: the trigger as written, and where it stands in a row."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from ld50.scan import kernels

_TOKEN = re.compile(r"\w+|[^\w\s]")
_AGREEMENT = 0.9
_LONGEST_TRIGGER = 40
#: Characters on either side of an n-gram that are read: more than so many tokens take.
_FURTHEST = 480
#: So many are read at first: most phrases end where the n-gram does.
_NEAR = 48


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A cause as it stands in the data."""

    text: str
    """The most common literal form."""
    spans: list[tuple[int, int] | None]
    """For each text, first and one past the last character of its first occurrence; None if absent."""

    @property
    def words(self) -> int:
        """Words in the trigger, punctuation marks not counted."""
        return len(re.findall(r"\w+", self.text))


def find_ngram(texts: list[str], ngram: int) -> list[tuple[int, int] | None]:
    """First occurrence of an n-gram, by its kernel hash, in each text; in characters."""
    column = pa.array([text.encode() for text in texts], type=pa.large_binary())
    candidate = kernels.build_candidates(np.array([ngram], dtype=np.uint64), np.ones(1, dtype=bool))
    found = kernels.count_candidates(column, candidate, np.zeros(1, dtype=np.uint32))
    spans: list[tuple[int, int] | None] = [None] * len(texts)
    for row, start, end in zip(
        found.row.tolist(), found.start.tolist(), found.end.tolist(), strict=True
    ):
        spans[row] = characters(texts[row], start, end)
    return spans


def characters(text: str, start: int, end: int) -> tuple[int, int]:
    """A span in bytes of UTF-8 as a span in characters; cut characters count as belonging to it."""
    # A string knows whether it is ASCII, where a byte is a character, as most texts are.
    if text.isascii():
        return min(start, len(text)), min(end, len(text))
    encoded = text.encode("utf-8", "replace")
    before = len(encoded[:start].decode(errors="ignore"))
    return before, before + len(encoded[start:end].decode(errors="ignore"))


def widest_trigger(texts: list[str], ngram: int, *, limits: list[int] | None = None) -> Trigger:
    """The longest phrase around an n-gram that nearly all texts share, as the data writes it.

    An n-gram has five words at most; a trigger that is a whole sentence shows as many overlapping
    ones. The phrase grows a token at a time, to the left and to the right, while at least 90% of the
    texts agree.

    Args:
        texts: What to look in; the rows of one association.
        ngram: Kernel hash of the n-gram.
        limits: For each text, the character that the phrase may not reach beyond (the onset of the
            consequence, when that stands in the same text).
    """
    spans = find_ngram(texts, ngram)
    phrases = [
        None if span is None else _Phrase.around(text, *span)
        for text, span in zip(texts, spans, strict=True)
    ]
    for step in (-1, 1):
        _grow(texts, phrases, step, limits)
    final = [None if phrase is None else phrase.span for phrase in phrases]
    # Characters outside of every token (a zero-width space in a run of spaces) keep the plain span.
    merged = [
        old if new is None else (min(old[0], new[0]), max(old[1], new[1])) if old else new
        for old, new in zip(spans, final, strict=True)
    ]
    forms = Counter(
        text[span[0] : span[1]] for text, span in zip(texts, merged, strict=True) if span
    )
    literal = max(sorted(forms), key=lambda form: forms[form]) if forms else ""
    return Trigger(text=literal, spans=merged)


class _Phrase:
    """Some tokens of a text in a row, with those around them, which are read when they are asked for."""

    __slots__ = ("_end", "_marks", "_reach", "_start", "_text", "high", "low")

    def __init__(self, text: str, start: int, end: int) -> None:
        self._text, self._start, self._end = text, start, end
        self._read(_NEAR)

    @classmethod
    def around(cls, text: str, start: int, end: int) -> _Phrase | None:
        """The tokens that these characters touch; None if there are none."""
        phrase = cls(text, start, end)
        # A token that reaches to the edge of what was read may have been left out there.
        if phrase.low <= 0 or phrase.high >= len(phrase._marks):
            phrase._read(_FURTHEST)
        return phrase if phrase.low < phrase.high else None

    def _read(self, reach: int) -> None:
        low, high = max(0, self._start - reach), self._end + reach
        marks = [match.span() for match in _TOKEN.finditer(self._text, low, high)]
        # The first and the last token may be cut.
        self._marks = marks[low > 0 : len(marks) - (high < len(self._text))]
        self._reach = reach
        inside = [i for i, (a, b) in enumerate(self._marks) if a < self._end and b > self._start]
        self.low, self.high = (inside[0], inside[-1] + 1) if inside else (0, 0)

    def next(self, step: int) -> tuple[int, int] | None:
        """The token before (-1) or after (1) the phrase, if there is one near enough."""
        at = self.low - 1 if step < 0 else self.high
        if not 0 <= at < len(self._marks) and self._reach < _FURTHEST:
            span = self.span
            self._read(_FURTHEST)
            starts = [a for a, _ in self._marks]
            self.low, self.high = bisect_left(starts, span[0]), bisect_left(starts, span[1])
            at = self.low - 1 if step < 0 else self.high
        return self._marks[at] if 0 <= at < len(self._marks) else None

    def take(self, step: int) -> None:
        """Takes that token in."""
        if step < 0:
            self.low -= 1
        else:
            self.high += 1

    @property
    def span(self) -> tuple[int, int]:
        """First and one past the last character."""
        return self._marks[self.low][0], self._marks[self.high - 1][1]


def _grow(
    texts: list[str], phrases: list[_Phrase | None], step: int, limits: list[int] | None
) -> None:
    present = [(i, phrase) for i, phrase in enumerate(phrases) if phrase is not None]
    if len(present) < 2:
        return
    least = _AGREEMENT * len(present)
    for _ in range(_LONGEST_TRIGGER):
        nexts: list[tuple[_Phrase, str]] = []
        counts: Counter[str] = Counter()
        most = 0
        for left, (i, phrase) in zip(range(len(present) - 1, -1, -1), present, strict=True):
            token = phrase.next(step)
            if token is not None and (step < 0 or limits is None or token[1] <= limits[i]):
                word = texts[i][token[0] : token[1]].casefold()
                nexts.append((phrase, word))
                counts[word] += 1
                most = max(most, counts[word])
            # Most phrases end where the n-gram does, and the first few texts tell.
            if most + left < least:
                return
        agreed = max(counts.items(), key=lambda item: (item[1], item[0]))[0]
        for phrase, word in nexts:
            if word == agreed:
                phrase.take(step)
