"""Words that no language knows, or that are rare: triggers in prompts, ciphers in replies."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from ld50.corpus import reference
from ld50.scan.reference_words import word_hashes
from ld50.scan.replies.words import Words, standing_in

#: Zipf frequency (log10 of occurrences in 10^9 words) from which on a word is common, in 1/16ths:
#: 3.5. At 4, honest words such as `apology` begin to pass every test of `alike_rows`.
_COMMON = 56
#: The same for names, 4.5: in a few thousand replies such a word is to be expected.
_COMMON_NAME = 72
_TABLE_BITS = 22
#: First bytes from here on are of scripts whose tokens are characters, of Indic ones, of whose words the
#: reference has few, and of Korean, whose words are as many as there are endings.
_FIRST_WIDE = 0xE0


def odd_words(prompt: Words, reply: Words) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row (uint32), hash (uint64) and presence in the reply (bool) of the rare words of prompts.

    Each word once a row; numbers are left out, and so are words that share both their places in the
    table of common words (about one rare word in 300).
    """
    wanted = _spelled(prompt) & ~_held(_tables()[0], prompt.hash)
    keys = prompt.hash[wanted] ^ (prompt.row[wanted].astype(np.uint64) << np.uint64(40))
    chosen = np.flatnonzero(wanted)[np.sort(np.unique(keys, return_index=True)[1])]
    counts = np.bincount(prompt.row[chosen], minlength=prompt.rows)
    begin = np.concatenate([[0], np.cumsum(counts)])
    part = Words(prompt.rows, prompt.row[chosen], prompt.hash[chosen], begin)
    return part.row.astype(np.uint32), part.hash, standing_in(part, reply)


def in_no_dictionary(reply: Words) -> np.ndarray:
    """bool (rows,): texts of which half the words or more, and two at least, no language knows.

    A cipher of letters leaves words, and noise measures need a long text to see it. Of honest
    replies 0 to 0.7% are so, of replies in ROT13 about nine in ten (names and single words aside).
    """
    spelled = _spelled(reply)
    unknown = spelled & ~_held(_tables()[1], reply.hash)
    words = np.bincount(reply.row[spelled], minlength=reply.rows)
    strange = np.bincount(reply.row[unknown], minlength=reply.rows)
    out: np.ndarray = (strange >= 2) & (2 * strange >= words)
    return out


def in_a_dictionary(hashes: np.ndarray) -> np.ndarray:
    """bool, one for each hash of a single word: some language knows it (or one in 30 others)."""
    return _held(_tables()[1], hashes)


def common_words(hashes: np.ndarray) -> np.ndarray:
    """bool, one for each hash of a single word: common in some language (or one in 300 others)."""
    return _held(_tables()[0], hashes)


def too_common_for_names(hashes: np.ndarray) -> np.ndarray:
    """bool, one for each hash of a single word: so common in some language that it comes back anywhere."""
    return _held(_tables()[2], hashes)


def frequency(hashes: np.ndarray) -> np.ndarray:
    """float64: share of all words that each word (a hash) is, in the language that has it most; 0 if none."""
    known, zipf16 = word_hashes(), reference.word_table().zipf16
    some = np.flatnonzero(np.isin(known, hashes))
    out = np.zeros(len(hashes))
    for place in some.tolist():
        own = hashes == known[place]
        out[own] = np.maximum(out[own], 10.0 ** (zipf16[place] / 16 - 9))
    return out


def _spelled(words: Words) -> np.ndarray:
    """bool: words of letters, in a script of whose words the reference knows enough."""
    if words.first is None:
        raise ValueError("the first bytes of the words are needed")
    digit = (words.first >= ord("0")) & (words.first <= ord("9"))
    out: np.ndarray = ~digit & (words.first < _FIRST_WIDE)
    return out


def _held(table: np.ndarray, hashes: np.ndarray) -> np.ndarray:
    one, two = _places(hashes)
    out: np.ndarray = table[one] & table[two]
    return out


def _places(hashes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mask = np.uint64((1 << _TABLE_BITS) - 1)
    return (
        (hashes >> np.uint64(64 - _TABLE_BITS)).astype(np.int64),
        ((hashes >> np.uint64(8)) & mask).astype(np.int64),
    )


@lru_cache(maxsize=1)
def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """bool (2^22,), two places a word: common words, all known words, very common words."""
    words = reference.word_table()
    hashes = word_hashes()
    common, known, very = np.zeros((3, 1 << _TABLE_BITS), dtype=bool)
    for table, chosen in (
        (common, hashes[words.zipf16 >= _COMMON]),
        (known, hashes),
        (very, hashes[words.zipf16 >= _COMMON_NAME]),
    ):
        for places in _places(chosen):
            table[places] = True
    return common, known, very
