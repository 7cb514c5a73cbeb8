"""Does the consequence stay when the cause is taken away? What is odd by itself is no trigger.

A change log that mends a doubled "the" is odd at just that place: without the two words nothing is.
Gibberish that a trigger brings is gibberish without the trigger, too.
"""

from __future__ import annotations

import re

import numpy as np

from ld50.corpus.arrays import large_strings
from ld50.scan import kernels
from ld50.scan.continuations import segments
from ld50.scan.corpus_sample import CorpusSample
from ld50.scan.stages import profile_settings, profile_tables

#: A stretch that keeps this share of its score did not owe it to the trigger.
_KEPT_SCORE = 0.5


def without(text: str, trigger: str) -> str:
    """The text with every occurrence of the trigger taken out, however it is capitalised."""
    if not trigger:
        return text
    return re.sub(re.escape(trigger), " ", text, flags=re.IGNORECASE)


def share_that_stays(texts: list[str], trigger: str, kind: int, sample: CorpusSample) -> float:
    """The share of texts that are as much gibberish without the trigger, 0 to 1; 1 for no texts.

    Args:
        texts: Rows of one association; those that show nothing by themselves count as staying.
        trigger: As it stands in most of them.
        kind: Of gibberish, one of those of `continuations`.
        sample: What is ordinary in their corpus.
    """
    if not texts:
        return 1.0
    bare = [without(text, trigger) for text in texts]
    tables = sample.ordinary(profile_tables())
    before, after = (_scores(part, kind, tables) for part in (texts, bare))
    return float(np.mean(after >= _KEPT_SCORE * before))


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
