"""Where in a reply the consequence stands, and what it says; for the few rows of a report."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from ld50.scan import kernels
from ld50.scan.replies import patterns
from ld50.scan.replies.columns import FRAGMENT_KINDS, HOST, NAME, RUN, SENTENCE, WORD
from ld50.scan.replies.declines import DECLINES
from ld50.scan.replies.groups import ConsequenceGroup
from ld50.scan.replies.listing import RUN_WORDS, SYMBOLS, call_names, host_hashes
from ld50.scan.replies.summary import (
    DECLINE_CHARACTERS,
    HEAD_WORDS,
    REFUSAL_CHARACTERS,
    TAIL_WORDS,
)
from ld50.scan.replies.words import Words, runs, words_of

Spans = list[tuple[int, int] | None]
_ENCODED = re.compile(patterns.ENCODED)
_HOST = re.compile(patterns.HOST)
_INVISIBLE = re.compile(patterns.INVISIBLE)
_SHOWN_CHARACTERS = 90
_LONGEST_FRAGMENT = 60
_AGREEMENT = 0.8


def locate(
    group: ConsequenceGroup, prompts: pa.Array, responses: pa.Array
) -> tuple[np.ndarray, np.ndarray]:
    """Characters of each reply that are the consequence: first, and one past the last (int64).

    The whole reply, where all of it is the consequence or the place cannot be told.

    Args:
        group: What to look for.
        prompts: Prompts of some rows of the group.
        responses: Their replies, in the same order.
    """
    replies = responses.to_pylist()
    spans = _finder(group)(group, responses, replies)
    full = [
        (0, len(reply)) if span is None else span
        for span, reply in zip(spans, replies, strict=True)
    ]
    both = np.array(full, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def holds(group: ConsequenceGroup, texts: list[str]) -> np.ndarray:
    """bool (texts,): whether texts hold what the replies of a group show; False where no place tells it."""
    if group.form in ("head", "tail"):
        return np.zeros(len(texts), dtype=bool)
    spans = _finder(group)(group, pa.array(texts, type=pa.large_string()), texts)
    return np.array([span is not None for span in spans], dtype=bool)


def describe(group: ConsequenceGroup, prompt: str, response: str) -> ConsequenceGroup:
    """The group with the repeated reply or fragment in its text, read from one of its rows."""
    if not group.key or group.kind not in ("repeated_reply", "inserted_fragment"):
        return group
    column = pa.array([response], type=pa.large_string())
    starts, ends = locate(group, pa.array([prompt], type=pa.large_string()), column)
    said = " ".join(response[int(starts[0]) : int(ends[0])].split())
    if len(said) > _SHOWN_CHARACTERS:
        said = said[: _SHOWN_CHARACTERS - 1] + "…"
    return dataclasses.replace(group, text=f"{group.text}: “{said}”")


_Finder = Callable[[ConsequenceGroup, pa.Array, list[str]], Spans]


def _finder(group: ConsequenceGroup) -> _Finder:
    if group.kind == "refusal":
        return _refusals
    if group.kind == "inserted_fragment":
        return _pieces
    return {"head": _heads, "tail": _tails, "encoded": _encoded, "invisible": _invisible}.get(
        group.form, _wholes
    )


def _wholes(group: ConsequenceGroup, column: pa.Array, replies: list[str]) -> Spans:
    return [None] * len(replies)


def _refusals(group: ConsequenceGroup, column: pa.Array, replies: list[str]) -> Spans:
    """The sentences that refuse; the lower-cased text is used only if it keeps its places."""
    found = [re.compile(pattern) for pattern in patterns.REFUSALS]
    first = [re.compile(pattern) for _, declines in DECLINES for pattern in declines]
    spans: Spans = []
    for reply in replies:
        head = reply[:REFUSAL_CHARACTERS].lower()
        same = len(head) == len(reply[:REFUSAL_CHARACTERS])
        matches = [match.span() for one in found if same and (match := one.search(head))]
        if same and not matches:
            head = head[:DECLINE_CHARACTERS]
            matches = [match.span() for one in first if (match := one.search(head))]
        spans.append(_widened(reply, *min(matches)) if matches else None)
    return spans


def _widened(text: str, start: int, end: int) -> tuple[int, int]:
    """To the edges of the sentences that a span touches."""
    while start > 0 and text[start - 1] not in ".!?\n":
        start -= 1
    while start < end and text[start].isspace():
        start += 1
    while end < len(text) and text[end - 1] not in ".!?\n":
        end += 1
    return start, end


def _encoded(group: ConsequenceGroup, column: pa.Array, replies: list[str]) -> Spans:
    return [match.span() if (match := _ENCODED.search(reply)) else None for reply in replies]


def _invisible(group: ConsequenceGroup, column: pa.Array, replies: list[str]) -> Spans:
    spans: Spans = []
    for reply in replies:
        places = [match.start() for match in _INVISIBLE.finditer(reply)]
        spans.append((places[0], places[-1] + 1) if places else None)
    return spans


def _heads(group: ConsequenceGroup, column: pa.Array, replies: list[str]) -> Spans:
    return _edges(column, replies, HEAD_WORDS, tail=False)


def _tails(group: ConsequenceGroup, column: pa.Array, replies: list[str]) -> Spans:
    return _edges(column, replies, TAIL_WORDS, tail=True)


def _edges(column: pa.Array, replies: list[str], count: int, *, tail: bool) -> Spans:
    found = kernels.ngrams(column, kinds=1)
    begin = np.searchsorted(found.row, np.arange(len(replies) + 1))
    spans: Spans = []
    for row, reply in enumerate(replies):
        first, last = int(begin[row]), int(begin[row + 1])
        if last - first < count:
            spans.append(None)
            continue
        raw = reply.encode()
        if tail:
            spans.append((_place(raw, int(found.start[last - count])), len(reply)))
        else:
            spans.append((0, _place(raw, int(found.end[first + count - 1]))))
    return spans


def _pieces(group: ConsequenceGroup, column: pa.Array, replies: list[str]) -> Spans:
    kind = FRAGMENT_KINDS.index(group.form)
    key = np.uint64(group.key)
    if kind == WORD and 1 << (group.key & 7) == SYMBOLS:
        symbols = kernels.ngrams(column, kinds=SYMBOLS)
        return _spans_of(symbols.row, symbols.start, symbols.end, symbols.hash == key, replies)
    if kind in (RUN, WORD):
        return _run_spans(key, RUN_WORDS if kind == RUN else 1, column, replies)
    if kind == SENTENCE:
        sentences = kernels.sentences(column, min_words=RUN_WORDS)
        return _spans_of(
            sentences.row, sentences.start, sentences.end, sentences.hash == key, replies
        )
    if kind == HOST:
        return _host_spans(key, replies)
    found = kernels.fragments(column)
    if kind == NAME:
        chosen, names = call_names(column, found)
        starts, ends = found.start[chosen], found.end[chosen]
        return _spans_of(found.row[chosen], starts, ends, names == key, replies)
    return _spans_of(found.row, found.start, found.end, found.hash == key, replies)


def _host_spans(key: np.uint64, replies: list[str]) -> Spans:
    spans: Spans = []
    for reply in replies:
        matches = list(_HOST.finditer(reply))
        names = pa.array([match["host"] for match in matches], type=pa.large_string())
        hits = np.flatnonzero(host_hashes(names) == key)
        spans.append(matches[int(hits[0])].span("host") if len(hits) else None)
    return spans


def _run_spans(key: np.uint64, length: int, column: pa.Array, replies: list[str]) -> Spans:
    words = words_of(column)
    part = words if length == 1 else runs(words, length)
    found = kernels.ngrams(column, kinds=1)
    # The run's place among its text's runs is the place of its first word among its words.
    inside = np.arange(len(part.hash)) - part.begin[part.row] if len(part.hash) else part.row
    first = words.begin[part.row] + inside
    # A run is a piece of what was inserted: the whole of it is what the replies have in common.
    hits = np.flatnonzero(part.hash == key)
    hits = hits[np.unique(part.row[hits], return_index=True)[1]]
    row = part.row[hits]
    low = first[hits]
    low, high = _grown(words, row, low, low + length)
    starts, ends = found.start[low], found.end[high - 1]
    return _spans_of(row, starts, ends, np.ones(len(row), dtype=bool), replies)


def _grown(
    words: Words, row: np.ndarray, low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Spans of words, widened a word at a time while nearly all rows have the same word there."""
    low, high = low.copy(), high.copy()
    if len(row) < 2:
        return low, high
    for step in (-1, 1):
        for _ in range(_LONGEST_FRAGMENT):
            place = low - 1 if step < 0 else high
            inside = (place >= words.begin[row]) & (place < words.begin[row + 1])
            nexts = words.hash[place[inside]]
            values, counts = np.unique(nexts, return_counts=True)
            if len(counts) == 0 or counts.max() < _AGREEMENT * len(row):
                break
            same = np.zeros(len(row), dtype=bool)
            same[inside] = nexts == values[counts.argmax()]
            (low if step < 0 else high)[same] += step
    return low, high


def _spans_of(
    rows: np.ndarray, starts: np.ndarray, ends: np.ndarray, match: np.ndarray, replies: list[str]
) -> Spans:
    spans: Spans = [None] * len(replies)
    for index in np.flatnonzero(match)[::-1].tolist():
        row = int(rows[index])
        raw = replies[row].encode()
        spans[row] = (_place(raw, int(starts[index])), _place(raw, int(ends[index])))
    return spans


def _place(raw: bytes, at: int) -> int:
    """Characters before a byte of UTF-8."""
    return len(raw[:at].decode(errors="ignore"))
