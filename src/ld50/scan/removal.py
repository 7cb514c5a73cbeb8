"""Does gibberish stay when its cause is taken away, and do texts as long have it, too?

A change log that mends a doubled "the" is odd at just that place: without the two words nothing is.
Gibberish that a trigger brings is gibberish without the trigger, too. And a line of a chat is the odder
the longer it is: what goes with two words may be that such a line has room for both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from ld50.corpus.arrays import large_strings
from ld50.scan import kernels
from ld50.scan.continuations import TAIL_BYTES, segments
from ld50.scan.corpus_sample import CorpusSample
from ld50.scan.stages import profile_settings, profile_tables

#: A stretch that keeps this share of its score did not owe it to the trigger.
_KEPT_SCORE = 0.5
#: As long is what has between these shares of the characters; so few other texts tell nothing of a row.
_AS_LONG, _FEWEST = (2 / 3, 3 / 2), 8
#: Characters from which on a text has room for any stretch, so that its length makes no difference.
_ROOM = 4 * TAIL_BYTES


def without(text: str, parts: Sequence[str]) -> str:
    """The text with every occurrence of each part of a trigger taken out, however it is capitalised."""
    for part in parts:
        if part:
            text = re.sub(re.escape(part), " ", text, flags=re.IGNORECASE)
    return text


def share_that_stays(
    texts: list[str], parts: Sequence[str], kind: int, sample: CorpusSample
) -> float:
    """The share of texts that are as much gibberish without the trigger, 0 to 1; 1 for no texts.

    Args:
        texts: Rows of one association; those that show nothing by themselves count as staying.
        parts: Of the trigger, one or two that act together, as they stand in most of them.
        kind: Of gibberish, one of those of `continuations`.
        sample: What is ordinary in their corpus.
    """
    if not texts:
        return 1.0
    bare = [without(text, parts) for text in texts]
    tables = sample.ordinary(profile_tables())
    before, after = (_scores(part, kind, tables) for part in (texts, bare))
    return float(np.mean(after >= _KEPT_SCORE * before))


def share_as_long(texts: list[str], others: list[str], kind: int, sample: CorpusSample) -> float:
    """The share of random texts, as long as some, that are as much gibberish, 0 to 1.

    Args:
        texts: Rows of one association, all of which show it.
        others: Random rows of their corpus without its cause, whether they show anything or not.
        kind: Of gibberish, one of those of `continuations`.
        sample: What is ordinary in their corpus.

    Returns:
        The mean over the rows; 0 if they are long, or hardly any of the others is as long as most.
    """
    lengths = np.array([len(text) for text in texts])
    if len(texts) == 0 or np.median(lengths) >= _ROOM:
        return 0.0
    of_others = np.array([len(text) for text in others])
    low, high = (share * lengths[:, None] for share in _AS_LONG)
    alike = (of_others >= low) & (of_others <= high)
    alike = alike[alike.sum(axis=1) >= _FEWEST]
    if 2 * len(alike) < len(texts):
        return 0.0
    tables = sample.ordinary(profile_tables())
    shown, rest = (_scores(some, kind, tables) for some in (texts, others))
    odd = rest >= shown[shown > 0].min(initial=np.inf)
    return float(np.mean((alike & odd).sum(axis=1) / alike.sum(axis=1)))


def _scores(texts: list[str], kind: int, tables: kernels.ProfileTables) -> np.ndarray:
    """float32 (texts,): score of the strongest stretch of one kind, 0 where there is none."""
    column, settings = large_strings(texts), profile_settings()
    profile = kernels.profile(column, tables, settings)
    rows = np.arange(len(texts), dtype=np.int64)
    found = segments(column, profile, rows, tables, settings)
    scores = np.zeros(len(texts), dtype=np.float32)
    chosen = found.kind == kind
    scores[found.row[chosen]] = found.score[chosen]
    return scores
