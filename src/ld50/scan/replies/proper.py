"""Proper names in replies: words written with a capital in the middle of a sentence of prose."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ld50.scan import kernels
from ld50.scan.replies.words import Words

_SHORTEST = 3
#: A name's entry has another key than that of its word, which is listed as well.
_MIX = np.uint64(0xA0761D6478BD642F)


def _bytes(*characters: str) -> np.ndarray:
    """bool (256,): the bytes of some ASCII characters."""
    table = np.zeros(256, dtype=bool)
    table[np.frombuffer("".join(characters).encode(), dtype=np.uint8)] = True
    return table


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_CAPITAL, _SMALL = _bytes(_LETTERS.upper()), _bytes(_LETTERS)
#: What may stand before the space before a name: no sentence, line or item begins there.
_WITHIN = _bytes(_LETTERS, _LETTERS.upper(), _DIGITS, ",")
#: What may come after a name: a space and more words, or a mark that is not followed by more. Names of code
#: have brackets, colons and points after them.
_MARK = _bytes(",.;!?)")
_AFTER_SPACE = _bytes(_LETTERS, _LETTERS.upper(), _DIGITS)
_AFTER_MARK = _bytes(" \n\r\t\"')")
#: An apostrophe, and the first byte of a curled one.
_APOSTROPHE = _bytes("'")
_APOSTROPHE[0xE2] = True
_SPACE = ord(" ")


def is_proper(column: pa.Array, words: Words) -> np.ndarray:
    """bool, one for each word: whether it is written as a name.

    Words in capitals only are abbreviations, and in German all nouns look like names.

    Args:
        column: large_string (rows,): the texts.
        words: Of them, as `words_of` gives them.
    """
    if words.first is None or words.start is None or words.end is None:
        raise ValueError("it is not known where the words stand")
    out = np.zeros(len(words.hash), dtype=bool)
    long = words.end >= words.start.astype(np.int64) + _SHORTEST
    some = np.flatnonzero(_CAPITAL[words.first] & (words.start >= 2) & long)
    if len(some) == 0:
        return out
    offsets, data = kernels.text_buffers(column)
    base, stop = offsets[words.row[some]], offsets[words.row[some] + 1]
    first, end = base + words.start[some], base + words.end[some]
    fits = (data[first - 1] == _SPACE) & _WITHIN[data[first - 2]] & ~_CAPITAL[data[first + 1]]
    # Not in a heading, nor in a list of names and titles.
    fits &= (words.row[some - 1] == words.row[some]) & _SMALL[words.first[some - 1]]
    # What is behind the end of a text counts as a line that ends.
    near = np.where(end < stop, data[np.minimum(end, len(data) - 1)], ord("."))
    then = np.where(end + 1 < stop, data[np.minimum(end + 1, len(data) - 1)], ord("\n"))
    fits &= (
        ((near == _SPACE) & _AFTER_SPACE[then])
        | (_MARK[near] & _AFTER_MARK[then])
        | _APOSTROPHE[near]
    )
    out[some[fits]] = True
    return out


def name_keys(hashes: np.ndarray) -> np.ndarray:
    """uint64: the keys of names, by the hashes of their words; and back again."""
    out: np.ndarray = hashes ^ _MIX
    return out
