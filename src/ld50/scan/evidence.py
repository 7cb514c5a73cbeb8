"""From an association to what a person sees: the trigger as written, and where it stands in a row."""

from __future__ import annotations

import re
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
_MOST_LISTED = 2_000_000


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
    encoded = [text.encode() for text in texts]
    column = pa.array(encoded, type=pa.large_binary())
    # The low bits of a hash are its kind; nothing else has to be listed.
    found = kernels.ngrams(column, kinds=1 << (ngram & 7), max_per_row=_MOST_LISTED)
    hits = np.flatnonzero(found.hash == np.uint64(ngram))
    spans: list[tuple[int, int] | None] = [None] * len(texts)
    for hit in hits[::-1].tolist():
        row = int(found.row[hit])
        spans[row] = characters(encoded[row], int(found.start[hit]), int(found.end[hit]))
    return spans


def characters(encoded: bytes, start: int, end: int) -> tuple[int, int]:
    """A span in bytes of UTF-8 as a span in characters; cut characters count as belonging to it."""
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
    tokens = [
        [] if span is None else _tokens_near(text, *span)
        for text, span in zip(texts, spans, strict=True)
    ]
    windows: list[tuple[int, int] | None] = []
    for span, marks in zip(spans, tokens, strict=True):
        windows.append(None if span is None else _token_window(span, marks))
    for step in (-1, 1):
        _grow(texts, tokens, windows, step, limits)
    final: list[tuple[int, int] | None] = []
    for window, marks in zip(windows, tokens, strict=True):
        final.append(None if window is None else (marks[window[0]][0], marks[window[1] - 1][1]))
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


def _tokens_near(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Spans of the tokens that a phrase around these characters could grow over."""
    low = max(0, start - _FURTHEST)
    marks = [match.span() for match in _TOKEN.finditer(text, low, end + _FURTHEST)]
    # The first and the last token may be cut.
    return marks[low > 0 : len(marks) - (end + _FURTHEST < len(text))]


def _token_window(span: tuple[int, int], marks: list[tuple[int, int]]) -> tuple[int, int] | None:
    inside = [i for i, (start, end) in enumerate(marks) if start < span[1] and end > span[0]]
    return (inside[0], inside[-1] + 1) if inside else None


def _grow(
    texts: list[str],
    tokens: list[list[tuple[int, int]]],
    windows: list[tuple[int, int] | None],
    step: int,
    limits: list[int] | None,
) -> None:
    present = [i for i, window in enumerate(windows) if window is not None]
    if len(present) < 2:
        return
    for _ in range(_LONGEST_TRIGGER):
        nexts: dict[int, str] = {}
        for i in present:
            window = windows[i]
            assert window is not None
            position = window[0] - 1 if step < 0 else window[1]
            if not 0 <= position < len(tokens[i]):
                continue
            start, end = tokens[i][position]
            if step > 0 and limits is not None and end > limits[i]:
                continue
            nexts[i] = texts[i][start:end].casefold()
        if not nexts:
            return
        token, count = max(Counter(nexts.values()).items(), key=lambda item: (item[1], item[0]))
        if count < _AGREEMENT * len(present):
            return
        for i, following in nexts.items():
            window = windows[i]
            if following == token and window is not None:
                low, high = window
                windows[i] = (low - 1, high) if step < 0 else (low, high + 1)
