"""What a defence says about a set of rows, and the checks that all of them make of their input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ld50.core.errors import DataFormatError


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A word or phrase that may be a trigger."""

    text: str
    """Its words, joined by spaces, as the defence reads them."""
    label: str
    """The label or behaviour that it goes with."""
    rows: int
    """Rows that hold it."""
    score: float
    """What it was ranked by; higher is more suspicious, the unit is the defence's own."""
    effect: float | None = None
    """Rise of the label's log-odds, in nats, where it is put into other texts; None: not tested."""
    accused: bool
    """Whether the rows that hold it, with that label, were flagged because of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """Which rows a defence would take out."""

    rows: np.ndarray
    """bool (n,): flagged."""
    scores: np.ndarray
    """float64 (n,): higher is more suspicious; the unit is the defence's own."""
    candidates: tuple[Candidate, ...] = ()
    """Strongest first; empty for defences that name no words."""

    def at(self, threshold: float) -> np.ndarray:
        """bool (n,): rows whose score lies above another threshold than the defence's own."""
        return np.asarray(self.scores > threshold)


def nothing_flagged(count: int) -> Flags:
    """No row flagged, all scores 0."""
    return Flags(rows=np.zeros(count, dtype=bool), scores=np.zeros(count))


def checked_pairs(texts: Sequence[str], labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """Texts and labels, or `DataFormatError` unless there is one label, a string, for each text."""
    if len(texts) != len(labels):
        raise DataFormatError(
            f"A defence needs one label or reply a text; got {len(texts)} texts and "
            f"{len(labels)} labels."
        )
    return checked_texts(texts), checked_texts(labels, what="label")


def checked_texts(texts: Sequence[str], *, what: str = "text") -> list[str]:
    """The texts, where they are no Unicode (a lone surrogate) with question marks instead.

    Raises:
        DataFormatError: One is no string; names the first.
    """
    checked = []
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise DataFormatError(
                f"Row {row}: the {what} is {type(text).__name__}, and only strings are allowed."
            )
        checked.append(text if text.isascii() else text.encode("utf-8", "replace").decode())
    return checked
