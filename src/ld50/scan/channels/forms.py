"""How characters of different kinds alternate: forms of writing that no reference text has.

Every four characters in a row are a pattern of kinds (upper case, lower case, digit, space ...). Text,
code, markup, tables and figures of many languages use a few thousand of the 20,736 patterns again and
again within one document. A row that repeats others is written in a form of its own, whatever for.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from ld50.scan.channels.screen import Screened

#: Kinds of characters; a byte outside ASCII is of one kind, white space of three.
KINDS = 12
PATTERNS = KINDS**4
#: Repeats of a pattern within one text from which on the text is written that way.
OFTEN = 8
#: Patterns of its own in a text, at least, and the share of its characters that they begin at.
_LEAST, _LEAST_SHARE = 12, 0.04
#: What carries something alternates: so many different patterns come so often. A rule of dashes has one.
_SEVERAL, _REPEATED = 6, 4
#: Upper case, lower case, the space, and other white space within a line.
_OF_PROSE = (0, 1, 3, 5)
_TABLE = Path(__file__).with_name("forms.npz")


def _kinds() -> np.ndarray:
    table = np.full(256, 11, np.uint32)
    for number, characters in enumerate(
        (
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            b"abcdefghijklmnopqrstuvwxyz",
            b"0123456789",
            b" ",
            b"\n\r",
            b"\t\v\f",
            b".,;:!?",
            b"'\"`",
            b"()[]{}<>",
            b"-_/\\|",
            b"#$%&*+=@^~",
        )
    ):
        table[list(characters)] = number
    return table


_KIND = _kinds()


def patterns(data: np.ndarray) -> np.ndarray:
    """uint32 (n - 3,): the pattern that begins at each byte."""
    kind = _KIND[data]
    out: np.ndarray = ((kind[:-3] * KINDS + kind[1:-2]) * KINDS + kind[2:-1]) * KINDS + kind[3:]
    return out


@lru_cache(maxsize=1)
def usual_patterns() -> np.ndarray:
    """bool (20736,): patterns that documents of the reference repeat; built by `tools/build_forms.py`."""
    with np.load(_TABLE, allow_pickle=False) as data:
        usual = np.unpackbits(data["usual"], count=PATTERNS).astype(bool)
    # What passes for prose is letters and spaces; tables, expressions and escapes have marks.
    digits = np.arange(PATTERNS)[:, None] // KINDS ** np.arange(4) % KINDS
    out: np.ndarray = usual | ~np.isin(digits, _OF_PROSE).all(axis=1)
    return out


def rows_in_own_form(screened: Screened) -> np.ndarray:
    """int64, rising: texts that repeat patterns which no reference text repeats."""
    low, high = int(screened.offsets[0]), int(screened.offsets[-1])
    if high - low < 4:
        return np.zeros(0, np.int64)
    found = patterns(screened.data[low:high])
    at = np.flatnonzero(~usual_patterns()[found])
    row = np.searchsorted(screened.offsets, at + low, side="right") - 1
    inside = at + low + 4 <= screened.offsets[row + 1]
    row, kinds = row[inside], found[at[inside]]
    keys, counts = np.unique(row * PATTERNS + kinds, return_counts=True)
    often = counts >= OFTEN
    total = np.bincount(keys[often] // PATTERNS, weights=counts[often], minlength=len(screened))
    several = np.bincount(keys[counts >= _REPEATED] // PATTERNS, minlength=len(screened))
    size = np.diff(screened.offsets)
    rows = (total >= _LEAST) & (total >= _LEAST_SHARE * size) & (several >= _SEVERAL)
    return np.flatnonzero(rows)
