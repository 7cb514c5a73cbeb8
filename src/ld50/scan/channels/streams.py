"""Texts as streams of symbols: letters, signs, short tokens between delimiters, or words of a list.

A substitution does not care what stands for a letter. So the search for keys sees numbers only, and
this module says which part of a text they come from and what they look like.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from ld50.scan.channels.invisible import HIDDEN
from ld50.scan.channels.keys import GAP
from ld50.scan.channels.language import SPACE
from ld50.scan.channels.letters import ascii_letter_count
from ld50.scan.channels.readings import Candidate, stretch_of
from ld50.scan.channels.screen import Screened, best_runs
from ld50.scan.evidence import characters
from ld50.scan.replies.words import Words, content_words

#: Symbols of a group, and of each row of it, at least.
LEAST_SYMBOLS, LEAST_OF_ROW = 200, 10
#: More different symbols than letters and a space are no letters; so many of all must be among them.
_MOST_KINDS, _LEAST_COVERED = 26, 0.9
#: Chance that two letters of a language are the same lies between these; of 26 equal ones it is 0.038.
_LEAST_COINCIDENCE, _MOST_COINCIDENCE = 0.046, 0.13
_SHORT, _SHORT_RUN = 3, 12
_WORD_RUN = 20
_SIGN = 0x2190
_SPACES = re.compile(" {2,}")
_TOKEN = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Symbols:
    """The symbols of one text."""

    place: int
    start: int
    end: int
    """Characters that they stand in."""
    tokens: tuple[str, ...] = field(repr=False)
    """One a symbol; a single space for what is known to be a space."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """Rows whose symbols may be of one cipher."""

    kind: str
    """`letters`, `signs`, `tokens` or `words`."""
    rows: list[Symbols] = field(repr=False)
    kinds: tuple[str, ...] = field(repr=False)
    """What each number stands for, the most frequent first."""
    streams: list[np.ndarray] = field(repr=False)
    """int64, one a row: numbers of its symbols, `SPACE` and `GAP`."""
    knows_spaces: bool
    coincidence: float
    """Chance that two symbols drawn at random are the same."""


def letter_rows(candidates: list[Candidate]) -> list[Symbols]:
    """ASCII letters of the stretches that are mostly letters; anything else ends a word."""
    found = []
    for candidate in candidates:
        start, end = stretch_of(candidate)
        text = candidate.text[start:end]
        letters = ascii_letter_count(text)
        if letters >= max(LEAST_OF_ROW, 0.8 * len(text.replace(" ", ""))):
            found.append(_of_characters(candidate.place, start, end, text, ascii_only=True))
    return found


def sign_rows(candidates: list[Candidate]) -> list[Symbols]:
    """Emoji, arrows and letters of other alphabets, from the first to the last sign of a text."""
    found = []
    for candidate in candidates:
        text = candidate.text
        places = [] if text.isascii() else np.flatnonzero(_codes(text) >= _SIGN).tolist()
        places = [i for i in places if not HIDDEN.match(text[i])]
        if len(places) >= LEAST_OF_ROW:
            start, end = places[0], places[-1] + 1
            part = text[start:end]
            if len(places) >= 0.6 * len(part.replace(" ", "")):
                found.append(_of_characters(candidate.place, start, end, part, ascii_only=False))
    return found


def _of_characters(place: int, start: int, end: int, text: str, *, ascii_only: bool) -> Symbols:
    lower = text.lower()
    # Each character is looked at once, however often it occurs.
    meaning: dict[int, str | None] = {}
    for c in set(lower):
        if HIDDEN.match(c):
            meaning[ord(c)] = None
        elif not (c.isalpha() if ascii_only else ord(c) >= _SIGN):
            meaning[ord(c)] = None if c in "'’" else " "
    tokens = _SPACES.sub(" ", lower.translate(meaning)).lstrip(" ")
    return Symbols(place=place, start=start, end=end, tokens=tuple(tokens))


def delimited_rows(candidates: list[Candidate]) -> tuple[list[Symbols], list[Symbols]]:
    """Rows of single characters between delimiters, and rows of longer tokens between them."""
    single: list[Symbols] = []
    longer: list[Symbols] = []
    for candidate in candidates:
        found = _delimited(candidate)
        if found is not None:
            ones = sum(len(token) == 1 for token in found.tokens)
            (single if ones >= 0.8 * len(found.tokens) else longer).append(found)
    return single, longer


def _delimited(candidate: Candidate) -> Symbols | None:
    """The longest run of short tokens between one and the same mark."""
    text = candidate.text
    codes = _codes(text)
    best: tuple[int, int, int, str] | None = None
    for mark in _frequent_marks(text, codes):
        places = np.flatnonzero(codes == ord(mark))
        # A run of so many tokens has all marks but the outer ones close together; most texts have none.
        inner = _SHORT_RUN - 2
        if (places[inner:] - places[:-inner]).min() > inner * (_SHORT + 1):
            continue
        found = _short_run(np.diff(places, prepend=-1, append=len(codes)) - 1)
        if best is None or found[0] > best[0]:
            best = (*found, mark)
    if best is None or best[0] < _SHORT_RUN:
        return None
    _, start, end, mark = best
    tokens = [token.strip().lower() or " " for token in text[start:end].split(mark)]
    kept = [
        t if t == " " or any(map(str.isalnum, t)) or ord(t[0]) >= _SIGN else " " for t in tokens
    ]
    return Symbols(place=candidate.place, start=start, end=end, tokens=tuple(kept))


def _codes(text: str) -> np.ndarray:
    """uint32: the characters of a text as numbers."""
    return np.frombuffer(text.encode("utf-32-le", "replace"), np.uint32)


def _frequent_marks(text: str, codes: np.ndarray) -> list[str]:
    """The three most frequent marks that may part a run; of equals, what comes first in the text.

    Args:
        text: Any.
        codes: uint32: its characters. To count them in Python takes several times as long.
    """
    counts = np.bincount(codes if text.isascii() else codes[codes < _SIGN], minlength=1)
    often = np.flatnonzero(counts >= _SHORT_RUN - 1).tolist()
    marks = [code for code in often if not chr(code).isalnum()]
    marks.sort(key=lambda code: (-counts[code], text.find(chr(code))))
    return list(map(chr, marks[:3]))


def _short_run(lengths: np.ndarray) -> tuple[int, int, int]:
    """The first of the longest runs of short tokens: how many, its first character and its end.

    Args:
        lengths: int64 (tokens,): characters of each; one more stands between two of them.
    """
    edges = np.flatnonzero(np.diff(lengths <= _SHORT, prepend=False, append=False))
    if len(edges) == 0:
        return 0, 0, 0
    first, after = edges[::2], edges[1::2]
    longest = int(np.argmax(after - first))
    low, high = int(first[longest]), int(after[longest])
    ends = np.cumsum(lengths + 1)
    return high - low, int(ends[low] - lengths[low] - 1), int(ends[high - 1] - 1)


def word_rows(screened: Screened) -> list[Symbols]:
    """Runs of words without words like `the` and `of`, out of a list that all these rows share."""
    words = Words(len(screened), screened.row, screened.hash, screened.begin)
    value = np.where(content_words(words), 1.0, -2.0)
    score, first, last = best_runs(value, screened.row, screened.begin)
    rows = np.flatnonzero(score >= _WORD_RUN)
    listed = _shared_list(screened.hash, rows, first, last)
    kept = [row for row in rows.tolist() if _covered(screened.hash, first, last, row, listed)]
    found = []
    for row, text in zip(kept, screened.side.texts(np.array(kept, dtype=np.int64)), strict=True):
        begin, end = int(screened.start[first[row]]), int(screened.end[last[row]])
        low, high = characters(text, begin, end)
        tokens = tuple(token.lower() for token in _TOKEN.findall(text[low:high]))
        found.append(Symbols(place=row, start=low, end=high, tokens=tokens))
    return found


def _shared_list(
    hashes: np.ndarray, rows: np.ndarray, first: np.ndarray, last: np.ndarray
) -> np.ndarray:
    """The few words that the runs of most of these rows are made of, found by going back and forth."""
    chosen = rows
    listed = np.zeros(0, np.uint64)
    for _ in range(4):
        if len(chosen) == 0:
            return listed[:0]
        # Each word once a row: a long row has no more to say than a short one.
        each = [np.unique(hashes[first[row] : last[row] + 1]) for row in chosen.tolist()]
        unique, counts = np.unique(np.concatenate(each), return_counts=True)
        listed = np.sort(unique[np.argsort(-counts, kind="stable")[: _MOST_KINDS + 2]])
        chosen = np.array(
            [row for row in rows.tolist() if _covered(hashes, first, last, row, listed)], np.int64
        )
    return listed


def _covered(
    hashes: np.ndarray, first: np.ndarray, last: np.ndarray, row: int, listed: np.ndarray
) -> bool:
    inside = np.isin(hashes[first[row] : last[row] + 1], listed)
    return bool(inside.mean() >= 0.7)


def pool(kind: str, rows: list[Symbols], least_rows: int) -> Pool | None:
    """The rows as numbers; None where they are too few, or no language has symbols like these."""
    rows = [row for row in rows if len(row.tokens) - row.tokens.count(" ") >= LEAST_OF_ROW]
    # Copies of one text agree with each other under any key.
    rows = list({row.tokens: row for row in reversed(rows)}.values())[::-1]
    counts: Counter[str] = Counter()
    for row in rows:
        counts.update(row.tokens)
    knows_spaces = counts.pop(" ", 0) > 0
    total = sum(counts.values())
    if len(rows) < least_rows or total < LEAST_SYMBOLS:
        return None
    most = _MOST_KINDS if knows_spaces else _MOST_KINDS + 1
    kinds = tuple(token for token, _ in sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:most])
    coincidence = sum((n / total) ** 2 for n in counts.values())
    covered = sum(counts[token] for token in kinds) / total
    if covered < _LEAST_COVERED or not _LEAST_COINCIDENCE <= coincidence <= _MOST_COINCIDENCE:
        return None
    number = {token: i for i, token in enumerate(kinds)} | {" ": SPACE}
    if not knows_spaces:
        number.pop(" ")
    streams = [np.array([number.get(t, GAP) for t in row.tokens], np.int64) for row in rows]
    return Pool(
        kind=kind,
        rows=rows,
        kinds=kinds,
        streams=streams,
        knows_spaces=knows_spaces,
        coincidence=coincidence,
    )
