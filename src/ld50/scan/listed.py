"""In which rows of a consequence causes are looked for: of very many rows, some say as much as all.

The n-grams of prompts take some fifteen times the room of the prompts. In a set of millions of rows most
rows show something that others show, too, and a consequence of hundreds of thousands of rows has no cause
that could not be seen in some of them. What is found there is counted in all rows afterwards.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ld50.scan import replies
from ld50.scan.associate import Consequence
from ld50.scan.survey import Survey

#: Words of the prompts whose n-grams are listed, at most.
MOST_WORDS = 8_000_000
#: Rows of one consequence, at most, if these would be too many; halved until they are not.
_MOST_ROWS, _FEWEST_ROWS = 1 << 16, 1 << 9
_MIX = np.uint64(0x9E3779B97F4A7C15)


def with_rows_listed(
    consequences: list[Consequence],
    groups: list[replies.ConsequenceGroup | None],
    survey: Survey,
) -> list[Consequence]:
    """The consequences, those of too many rows with the ones that are listed.

    Which rows these are goes by a hash of the row, so that consequences share rows where they can.

    Args:
        consequences: What causes are looked for.
        groups: Of replies; None for a consequence in documents, which is bounded elsewhere.
        survey: Of the corpus.
    """
    of_replies = [c.rows for c, group in zip(consequences, groups, strict=True) if group]
    if survey.chat is None or not of_replies:
        return consequences
    words = np.zeros(survey.rows, dtype=np.uint16)
    words[survey.chat_ordinals] = survey.chat.prompt_words
    if _words_of(of_replies, words) <= MOST_WORDS:
        return consequences
    keys = np.arange(survey.rows, dtype=np.uint64) * _MIX
    keys ^= keys >> np.uint64(32)
    keys *= _MIX
    most = _MOST_ROWS
    while True:
        listed = [_lowest(rows, keys, most) for rows in of_replies]
        if most <= _FEWEST_ROWS or _words_of(listed, words) <= MOST_WORDS:
            break
        most //= 2
    left = iter(listed)
    return [
        c if group is None or len(some := next(left)) == len(c.rows) else replace(c, listed=some)
        for c, group in zip(consequences, groups, strict=True)
    ]


def _words_of(rows: list[np.ndarray], words: np.ndarray) -> int:
    wanted = np.zeros(len(words), dtype=bool)
    for some in rows:
        wanted[some] = True
    return int(words[wanted].sum(dtype=np.int64))


def _lowest(rows: np.ndarray, keys: np.ndarray, most: int) -> np.ndarray:
    """int64, rising: the rows with the lowest keys, so many at most."""
    if len(rows) <= most:
        return rows
    return np.sort(rows[np.argpartition(keys[rows], most)[:most]])
