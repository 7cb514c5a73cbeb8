"""Z-defence: words whose share of a label is out of all proportion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ld50.core.errors import ConfigError
from ld50.remedy.defences.classes import as_classes
from ld50.remedy.defences.flags import Candidate, Flags, nothing_flagged
from ld50.remedy.defences.row_filter import RowFilter
from ld50.remedy.defences.text_model import TextModel
from ld50.remedy.defences.words import split_words

#: Candidates that are named, beside those that are accused.
_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ZDefence(RowFilter):
    """Flags rows that hold a word whose share of their label lies far from all others.

    Of n occurrences of a word, a share p stands in rows of one label. With p0 = 1 / labels,
    z = (p - p0) / sqrt(p0 (1 - p0) / n), for every pair of word and label that occurs. A pair whose
    z lies more than `deviations` standard deviations from the mean of all pairs is accused, on
    either side, and rows with that label that hold the word are flagged. Case is kept, and words
    are split at white space only.

    A row's score is the largest distance from the mean among its words, in standard deviations. No
    model is asked.

    Source: He et al., "Mitigating backdoor poisoning attacks through the lens of spurious
    correlation", EMNLP 2023, released code. The paper also has a variant with syntactic features,
    which needs a parser and is not here.
    """

    deviations: float = 20.0
    """As published."""

    def __post_init__(self) -> None:
        if not self.deviations > 0:
            raise ConfigError(f"deviations must be above 0, got {self.deviations}.")

    def _flags(self, texts: list[str], labels: list[str], model: TextModel | None) -> Flags:
        classes = as_classes(labels)
        words = split_words(texts, as_written=True)
        count = len(classes.names)
        if count < 2 or not len(words.ids):
            return nothing_flagged(len(texts))
        row = words.row()
        pairs, at = np.unique(words.ids * count + classes.codes[row], return_inverse=True)
        together = np.bincount(at)
        total = np.bincount(words.ids)[pairs // count]
        expected = 1 / count
        z = (together / total - expected) / np.sqrt(expected * (1 - expected) / total)
        distance = np.abs(z - z.mean()) / max(float(z.std()), 1e-12)
        scores = np.zeros(len(texts))
        np.maximum.at(scores, row, distance[at])
        named = np.lexsort((pairs, -distance))[
            : max(_NAMED, int((distance > self.deviations).sum()))
        ]
        return Flags(
            rows=scores > self.deviations,
            scores=scores,
            candidates=tuple(
                Candidate(
                    text=words.vocabulary[int(pairs[pair] // count)].as_py(),
                    label=classes.names[int(pairs[pair] % count)],
                    rows=len(np.unique(row[at == pair])),
                    score=float(distance[pair]),
                    accused=bool(distance[pair] > self.deviations),
                )
                for pair in named.tolist()
            ),
        )
