"""Labels or replies as a few classes: word counts need classes, and a reply is rarely one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Name of the class of replies that few rows share.
OTHER = "(any other reply)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The class of every row."""

    codes: np.ndarray
    """int64 (n,): number of the class."""
    names: tuple[str, ...]
    """Labels or replies, sorted; `OTHER` comes last where there is one."""

    @property
    def other(self) -> int | None:
        """Number of the class of all other replies, if there is one."""
        return len(self.names) - 1 if self.names and self.names[-1] == OTHER else None

    def sizes(self) -> np.ndarray:
        """int64 (classes,): rows of each."""
        return np.bincount(self.codes, minlength=len(self.names))


def as_classes(labels_or_replies: Sequence[str], *, most: int = 50, least_rows: int = 5) -> Classes:
    """Every label its class; or, of free replies, those that recur, and one class for the others.

    A trigger makes replies alike, so a reply that at least `least_rows` rows share is a behaviour
    that words can be counted against. Behaviours that vary from reply to reply (refusals in many
    wordings, another language) are no class by themselves: name them first, one name a row.

    Args:
        labels_or_replies: One for each row.
        most: Up to so many different strings are labels.
        least_rows: Fewest rows that share a reply.
    """
    column = pa.array(labels_or_replies, type=pa.large_string())
    found = pc.value_counts(column)
    values, counts = found.field("values"), found.field("counts").to_numpy()
    if len(values) <= most:
        chosen = values
    else:
        often = np.flatnonzero(counts >= least_rows)
        rank = pc.sort_indices(
            pa.table({"c": counts[often], "v": values.take(pa.array(often))}),
            sort_keys=[("c", "descending"), ("v", "ascending")],
        )
        chosen = values.take(pa.array(often)).take(rank[: most - 1])
    chosen = chosen.take(pc.sort_indices(chosen))
    codes = pc.index_in(column, value_set=chosen)
    names = tuple(chosen.to_pylist())
    if codes.null_count:
        names = (*names, OTHER)
    return Classes(
        codes=pc.fill_null(codes, len(names) - 1).to_numpy().astype(np.int64), names=names
    )
