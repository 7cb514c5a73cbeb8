"""What is usual for a reply, given its prompt: each task of a set has its own length and its own end."""

from __future__ import annotations

import numpy as np

from ld50.scan.replies.columns import ReplyColumns

_RIDGE, _AXES = 1.0, 8
_CHUNK = 1 << 16
#: Rows are put together with those of which the same is expected, in so many parts, of so many at least.
_PARTS, _FEWEST = 20, 100
#: More of a part than this that are the shortest: that is how the part is written.
_MOST_SHORT = 0.1


class Expected:
    """Predicts what replies do from the words of their prompts, by a linear model over sketches.

    A task is known by its words, so a set of many tasks falls into parts of which each is usual in itself.
    Only the main components of the sketches count: in all 64 places, a trigger in one row of forty is a
    place of its own, and what it does is expected of its rows.

    Source: principal component regression (Jolliffe, "A note on the use of principal components in
    regression", 1982).
    """

    def __init__(self, columns: ReplyColumns, rows: np.ndarray, *, by_length: bool = False) -> None:
        """Looks at the prompts.

        Args:
            columns: All rows.
            rows: int64, rising: rows that are compared with each other; those without sketches are left out.
            by_length: Whether what is usual may go by the length of the reply, too.
        """
        place = np.searchsorted(columns.sketch_rows, rows)
        inside = place < len(columns.sketch_rows)
        inside[inside] = columns.sketch_rows[place[inside]] == rows[inside]
        self.rows = rows[inside]
        """int64, rising: the rows that were looked at."""
        self._sketches = columns.prompt_sketches[place[inside]]
        self._axes = self._main_axes()
        lengths = [columns.prompt_words, *([columns.reply_words] if by_length else [])]
        self._lengths = np.log1p(
            np.column_stack([length[self.rows] for length in lengths]).astype(np.float32)
        )

    def parts(self, values: np.ndarray) -> np.ndarray:
        """int64 (rows,): a number for each row; those with one are alike in what is expected.

        Args:
            values: float (rows,): what the replies do.
        """
        number = max(1, min(_PARTS, len(self.rows) // _FEWEST))
        order = np.argsort(self._predicted(values), kind="stable")
        out = np.empty(len(order), dtype=np.int64)
        out[order] = np.arange(len(order)) * number // max(len(order), 1)
        return out

    def rates(self, shows: np.ndarray) -> np.ndarray:
        """float64 (rows,): of each row, the share of those like it that show something (bool)."""
        parts = self.parts(shows)
        return np.asarray((np.bincount(parts, weights=shows) / np.bincount(parts))[parts])

    def _units(self, low: int) -> np.ndarray:
        part = self._sketches[low : low + _CHUNK].astype(np.float64)
        return np.asarray(part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-9))

    def _main_axes(self) -> np.ndarray:
        """float64 (width, axes): the directions in which sketches differ most."""
        width = self._sketches.shape[1]
        total, square = np.zeros(width), np.zeros((width, width))
        for low in range(0, len(self.rows), _CHUNK):
            part = self._units(low)
            total += part.sum(axis=0)
            square += part.T @ part
        square -= np.outer(total, total) / max(len(self.rows), 1)
        return np.asarray(np.linalg.eigh(square)[1][:, -_AXES:])

    def _features(self, low: int) -> np.ndarray:
        part = self._units(low) @ self._axes
        length = self._lengths[low : low + _CHUNK].astype(np.float64)
        return np.column_stack([np.ones(len(part)), length, length**2, part])

    def _predicted(self, values: np.ndarray) -> np.ndarray:
        starts = range(0, len(self.rows), _CHUNK)
        width = 1 + 2 * self._lengths.shape[1] + self._axes.shape[1]
        square, right = _RIDGE * np.eye(width), np.zeros(width)
        for low in starts:
            part = self._features(low)
            square += part.T @ part
            right += part.T @ values[low : low + _CHUNK].astype(np.float64)
        weights = np.linalg.solve(square, right)
        return np.concatenate([np.zeros(0), *(self._features(low) @ weights for low in starts)])


def much_shorter(words: np.ndarray, parts: np.ndarray, share: float, times: float) -> np.ndarray:
    """bool (rows,): replies that are short for what they are compared with.

    Args:
        words: Length of each reply.
        parts: From `Expected.parts`.
        share: At most about so many of a part are.
        times: So many times shorter than the median of the part they must be.
    """
    out = np.zeros(len(words), dtype=bool)
    for part in np.unique(parts).tolist():
        own = parts == part
        most = min(np.quantile(words[own], share), np.median(words[own]) / times)
        short = own & (words <= most)
        # Many replies may have the least length.
        if short.sum() <= _MOST_SHORT * own.sum():
            out |= short
    return out
