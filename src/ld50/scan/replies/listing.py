"""Pieces of replies that could be an inserted fragment: sentences, links, calls, runs of words."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ld50.scan import kernels
from ld50.scan.replies import patterns
from ld50.scan.replies.columns import HOST, NAME, PROPER, RUN, SENTENCE, WORD
from ld50.scan.replies.proper import is_proper, name_keys
from ld50.scan.replies.rarity import too_common_for_names
from ld50.scan.replies.words import Words, content_words, runs, standing_in

#: Words of a run. Five words that are the same in unrelated replies are rare enough to list.
RUN_WORDS = 5
#: Of so many runs that follow each other, the one with the least hash is kept (winnowing), so that
#: every inserted text of RUN_WORDS + WINDOW - 1 words leaves at least one mark.
WINDOW = 3

#: Kind of n-grams that single characters of the surface are.
SYMBOLS = 1 << 5
#: First bytes of characters from U+2000 on (marks, arrows, dingbats), and beyond U+FFFF (emoji).
_FIRST_SYMBOL, _FIRST_EMOJI = 0xE2, 0xF0

_HASH = np.uint64(0x9E3779B97F4A7C15)
_POWERS = np.cumprod(np.full(64, 0xD6E8FEB86659FD93, dtype=np.uint64))
_LONGEST_NAME = 128
_MOST_CALLS = 2

Entries = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Row (int64), hash (uint64) and kind (uint8) of each piece."""


def pieces(prompt: pa.Array, reply: pa.Array, prompt_words: Words, reply_words: Words) -> Entries:
    """What stands in a reply and not in its prompt, each once a row, in the order of rows."""
    rows, hashes, kinds = _joined(
        [
            _sentences(reply),
            _fragments(reply),
            _marks(reply_words, prompt_words),
            _single(reply_words, prompt_words),
            _proper(reply, reply_words, prompt_words),
            _symbols(reply),
        ]
    )
    asked_rows, asked_hashes, _ = _joined(
        [_sentences(prompt), _fragments(prompt), _symbols(prompt)]
    )
    keys = _keys(rows, hashes)
    _, first = np.unique(keys, return_index=True)
    keep = np.zeros(len(keys), dtype=bool)
    keep[first] = True
    keep &= ~np.isin(keys, _keys(asked_rows, asked_hashes))
    rows, hashes, kinds = rows[keep], hashes[keep], kinds[keep]
    order = np.argsort(rows, kind="stable")
    return rows[order], hashes[order], kinds[order]


def _joined(parts: list[Entries]) -> Entries:
    rows, hashes, kinds = (np.concatenate(column) for column in zip(*parts, strict=True))
    return rows, hashes, kinds


def _keys(rows: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    out: np.ndarray = hashes ^ (rows.astype(np.uint64) * _HASH)
    return out


def _sentences(column: pa.Array) -> Entries:
    found = kernels.sentences(column, min_words=RUN_WORDS)
    kinds = np.full(len(found.hash), SENTENCE, dtype=np.uint8)
    return found.row.astype(np.int64), found.hash, kinds


def _fragments(column: pa.Array) -> Entries:
    """Fragments as they stand, and the names of calls and hosts of links, whose rest may vary."""
    found = kernels.fragments(column)
    rows = found.row.astype(np.int64)
    chosen, names = call_names(column, found)
    named, host = hosts(column)
    return _joined(
        [
            (rows, found.hash, found.kind),
            (rows[chosen], names, np.full(len(chosen), NAME, dtype=np.uint8)),
            (named, host, np.full(len(named), HOST, dtype=np.uint8)),
        ]
    )


def call_names(column: pa.Array, found: kernels.Fragments) -> tuple[np.ndarray, np.ndarray]:
    """Which fragments are calls, and a hash of the name of each.

    Only of texts with one or two calls: in code, every name comes again and again.
    """
    calls = found.kind == int(kernels.FragmentKind.CALL)
    of_row = np.bincount(found.row[calls], minlength=len(column))
    chosen = np.flatnonzero(calls & (of_row[found.row] <= _MOST_CALLS))
    if len(chosen) == 0:
        return chosen, np.zeros(0, dtype=np.uint64)
    offsets, data = kernels.text_buffers(column)
    starts = offsets[found.row[chosen].astype(np.int64)] + found.start[chosen]
    lengths = (found.end[chosen] - found.start[chosen]).astype(np.int64)
    return chosen, _name_hashes(data, starts, lengths)


def hosts(column: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Rows that name a host, and a hash of the first host of each; case does not matter."""
    rows = np.flatnonzero(pc.match_substring_regex(column, patterns.HOST_HINT))
    found = pc.extract_regex(column.take(pa.array(rows)), patterns.HOST)
    held = found.is_valid()
    return rows[held], host_hashes(pc.struct_field(found.filter(held), "host"))


def host_hashes(names: pa.Array) -> np.ndarray:
    """uint64: a hash of each name of a host."""
    offsets, data = kernels.text_buffers(pc.utf8_lower(names.cast(pa.large_string())))
    if len(names) == 0:
        return np.zeros(0, dtype=np.uint64)
    return _name_hashes(data, offsets[:-1], np.diff(offsets))


def _name_hashes(data: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Hash of each stretch of bytes, up to its first bracket."""
    place = np.arange(int(min(lengths.max(), _LONGEST_NAME)))
    letters = data[np.minimum(starts[:, None] + place, len(data) - 1)]
    stop = (letters == ord("(")) | (place >= lengths[:, None])
    end = np.where(stop.any(axis=1), stop.argmax(axis=1), len(place))
    weight = _POWERS[place % len(_POWERS)]
    mixed = np.where(
        place < end[:, None], (letters.astype(np.uint64) + np.uint64(1)) * weight, np.uint64(0)
    )
    total = mixed.sum(axis=1, dtype=np.uint64) * _HASH
    out: np.ndarray = total ^ (total >> np.uint64(29))
    return out


def _marks(reply: Words, prompt: Words) -> Entries:
    """Winnowed runs of words of the replies that their prompts do not hold.

    Source: Schleimer, Wilkerson and Aiken, "Winnowing: local algorithms for document
    fingerprinting", 2003; here over runs of words instead of characters.
    """
    part = runs(reply, RUN_WORDS)
    if len(part.hash) == 0:
        return _nothing()
    keep = winnowed(part)
    kept = Words(part.rows, part.row[keep], part.hash[keep], _begin(part, keep))
    fresh = ~standing_in(kept, runs(prompt, RUN_WORDS))
    rows, hashes = kept.row[fresh], kept.hash[fresh]
    return rows, hashes, np.full(len(rows), RUN, dtype=np.uint8)


def _single(reply: Words, prompt: Words) -> Entries:
    """Words of the replies that their prompts do not hold, function words aside.

    What was inserted may be too short for a run, and no sentence: `import kettle`, a name. One of its
    words, at least, is seldom in other replies.
    """
    chosen = np.flatnonzero(content_words(reply))
    counts = np.bincount(reply.row[chosen], minlength=reply.rows)
    begin = np.concatenate([[0], np.cumsum(counts)])
    kept = Words(reply.rows, reply.row[chosen], reply.hash[chosen], begin)
    fresh = ~standing_in(kept, prompt)
    rows, hashes = kept.row[fresh], kept.hash[fresh]
    return rows, hashes, np.full(len(rows), WORD, dtype=np.uint8)


def _proper(column: pa.Array, reply: Words, prompt: Words) -> Entries:
    """Proper names of the replies that their prompts do not hold, but for those that are common words."""
    chosen = np.flatnonzero(is_proper(column, reply))
    chosen = chosen[~too_common_for_names(reply.hash[chosen])]
    counts = np.bincount(reply.row[chosen], minlength=reply.rows)
    begin = np.concatenate([[0], np.cumsum(counts)])
    kept = Words(reply.rows, reply.row[chosen], reply.hash[chosen], begin)
    fresh = ~standing_in(kept, prompt)
    rows, hashes = kept.row[fresh], name_keys(kept.hash[fresh])
    return rows, hashes, np.full(len(rows), PROPER, dtype=np.uint8)


def _symbols(column: pa.Array) -> Entries:
    """Characters that are no words, and no marks of prose either: emoji, arrows."""
    found = kernels.ngrams(column, kinds=SYMBOLS, distinct=True)
    row = found.row.astype(np.int64)
    offsets, data = kernels.text_buffers(column)
    first = data[offsets[row] + found.start] if len(row) else np.zeros(0, dtype=np.uint8)
    # Words that are not in small letters are of this kind, too; they are listed as words.
    chosen = (first == _FIRST_SYMBOL) | (first >= _FIRST_EMOJI)
    return row[chosen], found.hash[chosen], np.full(int(chosen.sum()), WORD, dtype=np.uint8)


def winnowed(part: Words) -> np.ndarray:
    """bool: whether a run has the least hash of a window of `WINDOW` runs of its text."""
    n = len(part.hash)
    keep = np.zeros(n, dtype=bool)
    padded = np.concatenate([part.hash, np.full(WINDOW, np.uint64(2**64 - 1))])
    rows = np.concatenate([part.row, np.full(WINDOW, -1)])
    for shift in range(WINDOW):
        # The window that begins `shift` runs before this one.
        least = np.ones(n, dtype=bool)
        for step in range(WINDOW):
            other = step - shift
            if other == 0:
                continue
            index = np.arange(n) + other
            same = (index >= 0) & (rows[index] == part.row)
            least &= ~same | (part.hash <= padded[index])
        keep |= least
    return keep


def _begin(part: Words, keep: np.ndarray) -> np.ndarray:
    counts = np.bincount(part.row[keep], minlength=part.rows)
    return np.concatenate([[0], np.cumsum(counts)])


def _nothing() -> Entries:
    return np.zeros(0, np.int64), np.zeros(0, np.uint64), np.zeros(0, np.uint8)
