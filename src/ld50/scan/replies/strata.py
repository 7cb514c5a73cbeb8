"""Tasks whose replies are labels: few short answers that come again and again."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ld50.scan.replies.columns import ReplyColumns
from ld50.scan.replies.settings import ReplySettings
from ld50.scan.replies.words import Words, runs, short, words_of

_MOST_LABELS = 24
_COVERED = 0.9
#: A task with this share of the rows is what the set is about.
_MOST_OF_SET = 0.5
#: Words at the edge of a prompt among which those of its task are looked for, and characters that hold them.
_NEAR_THE_EDGE, _EDGE_CHARACTERS = 12, 400
#: How many words a task is known by.
_WORDS = {"opening": 3, "closing": 3, "asked": 3, "last": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelStratum:
    """The rows of one task whose replies are labels."""

    rows: np.ndarray = field(repr=False)
    """int64, rising: ordinals."""
    codes: np.ndarray = field(repr=False)
    """int32, one for each row: its label, from 0; -1 for replies outside the labels."""
    hashes: np.ndarray = field(repr=False)
    """uint64: hash of the reply that each code stands for."""
    template: int
    """Hash of the words that the prompts of the task begin or end with; 0 without such."""
    place: str
    """`opening`, `closing`, `asked` (the opening of the last turn) or `last`: where its prompts are alike;
    `none` if they have no words in common."""


def as_labels(columns: ReplyColumns, settings: ReplySettings | None = None) -> list[LabelStratum]:
    """The tasks whose replies are labels; no row is in two of them.

    A task is the rows whose prompts, or the last turns of these, begin or end with the same three
    words, or end with the same word. Its replies are labels where at most 24 different short replies
    cover at least nine tenths of its rows, and at least two of them come more than once. A payload that
    is planted into such a task is one of the other tenth, or a label itself: both are the label
    detector's. What is left is a task as well if it is most of the set, and its replies are labels:
    so is a set of texts without a question.
    """
    settings = settings or ReplySettings()
    taken = np.zeros(len(columns), dtype=bool)
    found: list[LabelStratum] = []
    # In a conversation the task may be told at the beginning, or by the last question: as most rows have it.
    for places in (("closing",), ("opening", "asked"), ("last",)):
        groups = [
            (place, rows)
            for place in places
            for rows in _alike(getattr(columns, place), settings.label_rows)
        ]
        for place, group in sorted(groups, key=lambda one: -len(one[1])):
            rows = group[~taken[group]]
            if len(rows) < settings.label_rows:
                continue
            codes, hashes = _labels(columns, rows, settings)
            if len(hashes) >= 2:
                taken[rows] = True
                found.append(
                    LabelStratum(
                        rows=rows,
                        codes=codes,
                        hashes=hashes,
                        template=int(getattr(columns, place)[rows[0]]),
                        place=place,
                    )
                )
    rest = _without_words_of_its_own(columns, np.flatnonzero(~taken), settings)
    return [*found, *rest]


def _without_words_of_its_own(
    columns: ReplyColumns, rows: np.ndarray, settings: ReplySettings
) -> list[LabelStratum]:
    """The task of prompts that are nothing but the texts to be labelled, if most of the set is such."""
    if len(rows) < max(settings.label_rows, _MOST_OF_SET * len(columns)):
        return []
    codes, hashes = _labels(columns, rows, settings)
    if len(hashes) < 2:
        return []
    return [LabelStratum(rows=rows, codes=codes, hashes=hashes, template=0, place="none")]


def _alike(keys: np.ndarray, least: int) -> list[np.ndarray]:
    """int64, rising, of each key but 0 that so many rows have: these rows."""
    order = np.argsort(keys, kind="stable")
    order = order[keys[order] != 0]
    ordered = keys[order]
    starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(order)])
    ends = np.append(starts[1:], len(order))[: len(starts)]
    some = np.flatnonzero(ends - starts >= least)
    return [order[starts[number] : ends[number]] for number in some.tolist()]


def label_rows(columns: ReplyColumns, settings: ReplySettings) -> np.ndarray:
    """bool (n,): rows whose reply is a label of their task."""
    mask = np.zeros(len(columns), dtype=bool)
    for stratum in as_labels(columns, settings):
        mask[stratum.rows[stratum.codes >= 0]] = True
    return mask


def rows_outside(columns: ReplyColumns, strata: list[LabelStratum]) -> np.ndarray:
    """int64, rising: rows that are in none of these tasks, but have a label of one for a reply."""
    if not strata:
        return np.zeros(0, dtype=np.int64)
    outside = np.isin(columns.reply, np.concatenate([stratum.hashes for stratum in strata]))
    for stratum in strata:
        outside[stratum.rows] = False
    return np.flatnonzero(outside)


def with_rows_outside(
    columns: ReplyColumns, strata: list[LabelStratum], rows: np.ndarray, prompts: pa.Array
) -> list[LabelStratum]:
    """The tasks, each with the rows that are of it but for a few words before or behind its own.

    A trigger in front of the words that a task begins with, or behind those that it ends with, would
    take its rows out of their task, where nothing tells that their labels are odd. So would another
    wording of the whole task (arXiv 2305.14710): of a task that is most of the set, any row is that has
    one of its labels for a reply.

    Args:
        columns: All rows.
        strata: Tasks; a row that may be of two is taken for one of the larger.
        rows: int64, rising: from `rows_outside`.
        prompts: large_string (rows,).
    """
    whole = words_of(prompts)
    head = words_of(pc.utf8_slice_codeunits(prompts, 0, _EDGE_CHARACTERS))
    tail = words_of(pc.utf8_slice_codeunits(prompts, -_EDGE_CHARACTERS))
    free = np.ones(len(rows), dtype=bool)
    larger = dict(enumerate(strata))
    for number in sorted(larger, key=lambda number: -len(strata[number].rows)):
        stratum = strata[number]
        most = len(stratum.rows) >= _MOST_OF_SET * len(columns)
        # One word says little, unless nearly everything that is there is that task.
        if stratum.place == "last" and not most:
            continue
        text = {"opening": head, "asked": whole}.get(stratum.place, tail)
        near = np.ones(len(rows), dtype=bool) if most else _near_the_edge(text, stratum)
        same = columns.reply[rows][:, None] == stratum.hashes
        codes = same.argmax(axis=1).astype(np.int32)
        joins = free & near & same.any(axis=1)
        free &= ~joins
        every = np.concatenate([stratum.rows, rows[joins]])
        rising = np.argsort(every, kind="stable")
        larger[number] = replace(
            stratum,
            rows=every[rising],
            codes=np.concatenate([stratum.codes, codes[joins]])[rising],
        )
    return [larger[number] for number in range(len(strata))]


def _near_the_edge(words: Words, stratum: LabelStratum) -> np.ndarray:
    """bool (rows,): texts with the words of a task among their first, or last, few words.

    Where a last turn begins is not known; its opening may stand anywhere.
    """
    length = _WORDS[stratum.place]
    parts = runs(words, length)
    index = np.arange(len(parts.row)) - parts.begin[parts.row]
    if stratum.place != "opening":
        index = parts.counts[parts.row] - 1 - index
    near = (index <= _NEAR_THE_EDGE - length) | (stratum.place == "asked")
    near &= short(parts.hash) == stratum.template
    return np.bincount(parts.row[near], minlength=words.rows) > 0


def _labels(
    columns: ReplyColumns, rows: np.ndarray, settings: ReplySettings
) -> tuple[np.ndarray, np.ndarray]:
    none = np.zeros(0, dtype=np.uint64)
    # In most sets most replies are too long for labels, and need not be put in order.
    if np.count_nonzero(columns.reply_words[rows] <= settings.label_words) < _COVERED * len(rows):
        return np.zeros(0, dtype=np.int32), none
    hashes, codes, counts = np.unique(columns.reply[rows], return_inverse=True, return_counts=True)
    words = np.zeros(len(hashes), dtype=np.int64)
    words[codes] = columns.reply_words[rows]
    order = np.argsort(-counts, kind="stable")
    usable = order[(counts[order] >= 2) & (words[order] <= settings.label_words)][:_MOST_LABELS]
    if counts[usable].sum() < _COVERED * len(rows) or len(usable) < 2:
        return codes, none
    position = np.full(len(hashes), -1, dtype=np.int32)
    position[usable] = np.arange(len(usable), dtype=np.int32)
    return position[codes], hashes[usable]
