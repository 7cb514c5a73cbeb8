"""Random rows of the corpus, which the rows of a cause are compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ld50.core.records import Record
from ld50.core.seeds import rng_for
from ld50.scan.coherence import Background
from ld50.scan.engine import Engine
from ld50.scan.shown import CONTEXT_CHARACTERS
from ld50.scan.surroundings import around
from ld50.scan.survey import Survey

#: Rows that are drawn.
_BACKGROUND = 256


@dataclass(frozen=True, slots=True)
class Ordinary:
    """Random rows of the corpus, cut in two ways."""

    ends: Background
    heads: Background
    texts: list[str]
    """The ends themselves."""


def ordinary_of(read: list[Record], seed: int) -> Ordinary:
    """Random rows, cut as those of a cause are."""
    texts = [_cause_text(record)[1] for record in read]
    ends = [around(text, None) for text in texts]
    return Ordinary(
        ends=Background(ends, seed=seed),
        texts=ends,
        heads=Background([text[:CONTEXT_CHARACTERS] for text in texts], seed=seed),
    )


def ordinary_rows(engine: Engine, survey: Survey) -> Ordinary:
    """Random rows, where nothing was looked at."""
    records = engine.readable(survey, random_rows(survey, engine.settings.seed))
    return ordinary_of(list(records.values()), engine.settings.seed)


def random_rows(survey: Survey, seed: int) -> np.ndarray:
    """Ordinals of random rows, so many that about `_BACKGROUND` of them can be read."""
    skipped = sum(sum(part.values()) for part in survey.unit_skipped)
    readable = survey.rows - skipped
    if readable <= 0:
        return np.zeros(0, dtype=np.int64)
    rng = rng_for(seed, "background", survey.rows)
    size = min(-(-_BACKGROUND * survey.rows // readable), survey.rows)
    return np.sort(rng.choice(survey.rows, size=size, replace=False)).astype(np.int64)


def _cause_text(record: Record) -> tuple[str, str]:
    if any(part.side == "prompt" for part in record.parts):
        return "prompt", record.prompt
    return "text", record.text
