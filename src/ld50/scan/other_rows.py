"""Random rows of chats, with which rows that have something in common are compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ld50.core.estimates import proportion
from ld50.core.records import Record
from ld50.scan.coherence import Background
from ld50.scan.surroundings import around

#: Rows that a text's rows are compared with.
_COMPARED = 256


@dataclass(frozen=True, slots=True)
class OtherRows:
    """Random rows, to compare rows with."""

    records: list[Record]
    lengths: np.ndarray
    """int64, rising: characters of their replies."""
    said: list[str]
    """Their replies, as `_folded` has them."""
    prompts: Background
    """Of some of them."""
    seed: int

    @classmethod
    def of(cls, records: dict[int, Record], seed: int) -> OtherRows:
        """Makes the comparisons ready.

        Args:
            records: By their ordinals, which are in random order but for that.
            seed: For the random groups.
        """
        some = list(records.values())
        few = some[:: max(len(some) // _COMPARED, 1)]
        ordered = sorted(some, key=lambda record: len(record.response))
        return cls(
            records=ordered,
            lengths=np.array([len(record.response) for record in ordered], dtype=np.int64),
            said=[_folded(record.response) for record in ordered],
            prompts=Background([around(record.prompt, None) for record in few], seed=seed),
            seed=seed,
        )

    def share(self, text: str) -> float:
        """Share of all replies, 0 to 1, that surely hold a text, by these."""
        folded = _folded(text)
        return proportion(sum(folded in said for said in self.said), len(self.said)).low

    def as_long(self, lengths: Sequence[int], most: int = _COMPARED) -> list[Record]:
        """Some with replies about as long as these: long replies are those of other tasks than short ones."""
        each = max(most // max(len(lengths), 1), 1)
        place = np.searchsorted(self.lengths, np.array(lengths, dtype=np.int64))
        first = np.clip(place - each // 2, 0, max(len(self.records) - each, 0))
        chosen = np.unique(first[:, None] + np.arange(min(each, len(self.records))))
        return [self.records[number] for number in chosen.tolist()]


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()
