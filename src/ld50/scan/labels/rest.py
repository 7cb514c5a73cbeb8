"""What the rest of the rows with a cause says of their label: asked of causes that others found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ld50.scan.labels.causes import Phrase, companions, grow, weigh
from ld50.scan.labels.evidence import LabelView
from ld50.scan.labels.judging import Study
from ld50.scan.labels.tokens import tokenize


@dataclass(frozen=True, slots=True, kw_only=True)
class Rest:
    """The rows that hold a cause, without it."""

    rows: int
    """That have the label."""
    share: float
    """Of all rows with the cause, so much is expected to have the label by the rest of their words."""
    nats: float
    """By which the rest of a row with the label speaks for it, on average; below 0 against it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestOfRows:
    """The model of one search, to be asked again."""

    study: Study = field(repr=False)
    views: list[LabelView] = field(repr=False)
    """By the number of the label."""
    codes: np.ndarray
    """int64 (labels,): the caller's code of each label."""

    def of(self, members: Sequence[str], code: int) -> Rest | None:
        """What is left of the rows that hold all members and have the label.

        Words that come along with the cause in its rows are left out as well, since a trigger may be longer
        than what was found of it.

        Args:
            members: The cause, as text.
            code: The caller's code of the label.

        Returns:
            None if the label, or a word, or a row that holds them all, is not among the rows.
        """
        label = np.flatnonzero(self.codes == code)
        phrases = [self._phrase(member) for member in members]
        if len(label) == 0 or not all(phrases):
            return None
        index, view = self.study.index, self.views[int(label[0])]
        known = [phrase for phrase in phrases if phrase]
        holding = view.answer.copy()
        for phrase in known:
            rows = np.zeros(len(holding), dtype=bool)
            rows[index.rows_with(phrase)] = True
            holding &= rows
        if not holding.any():
            return None
        grown = tuple(grow(index, phrase, holding) for phrase in known)
        also = tuple(companions(index, np.flatnonzero(holding), grown))
        evidence = weigh(index, view, self.study.model, grown, self.study.known, also)
        if len(evidence.rows) == 0:
            return None
        return Rest(
            rows=len(evidence.rows),
            share=evidence.expected / len(evidence.cause_rows),
            nats=-float(evidence.ratio.mean()),
        )

    def _phrase(self, text: str) -> Phrase | None:
        """The words of a text, or None if one of them stands in no row."""
        tokens = self.study.tokens
        asked = tokenize(pa.array([text], pa.large_string()))
        order = np.argsort(tokens.hashes)
        wanted = asked.hashes[asked.words]
        place = np.searchsorted(tokens.hashes, wanted, sorter=order)
        if len(wanted) == 0 or (place >= len(order)).any():
            return None
        words = order[place]
        return tuple(words.tolist()) if (tokens.hashes[words] == wanted).all() else None
