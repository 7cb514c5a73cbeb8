"""A classifier of texts by their words: a cheap stand-in for a fine-tuned model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ld50.core.errors import ConfigError, DataFormatError
from ld50.remedy.defences.flags import checked_pairs, checked_texts
from ld50.remedy.defences.words import Words, split_words

if TYPE_CHECKING:
    import scipy.sparse

#: Texts turned into features at once.
_TEXTS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class BagSettings:
    """How a bag-of-words model is fitted."""

    least_rows: int = 2
    """Rows that must hold a word, or a pair of adjacent words, before it is a feature."""
    ridge: float = 0.1
    """Weight of the squared coefficients, against the summed loss of all rows."""
    iterations: int = 60
    """Most steps of the optimiser."""

    def __post_init__(self) -> None:
        if self.least_rows < 1:
            raise ConfigError(f"least_rows must be at least 1, got {self.least_rows}.")
        if not self.ridge > 0:
            raise ConfigError(f"ridge must be above 0, got {self.ridge}.")
        if self.iterations < 1:
            raise ConfigError(f"iterations must be at least 1, got {self.iterations}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BagOfWords:
    """Logistic regression on which words, and pairs of adjacent words, a text holds.

    It answers `label_log_probabilities` as a fine-tuned model would, in microseconds a text. It has
    no idea of a word that it never saw, of word order beyond pairs, or of paraphrase, and a style
    is to it what the style's words are.
    """

    labels: tuple[str, ...]
    vocabulary: pa.Array
    """large_string, sorted: the words of the features."""
    pairs: np.ndarray
    """int64, rising: first word × vocabulary + second word, of each feature that is a pair."""
    coefficients: np.ndarray
    """float64 (features + 1, labels): words, then pairs, then the bias."""

    def label_log_probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float64 (n, labels): natural logarithms of probabilities."""
        texts = checked_texts(texts)
        parts = [np.zeros((0, len(self.labels)))]
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            matrix = self._matrix(split_words(texts[start : start + _TEXTS_AT_ONCE]))
            parts.append(_log_softmax(matrix @ self.coefficients))
        return np.concatenate(parts)

    def predict(self, texts: Sequence[str]) -> list[str]:
        """The likeliest label of each text."""
        return [self.labels[n] for n in self.label_log_probabilities(texts).argmax(axis=1).tolist()]

    def tuned(
        self, texts: Sequence[str], labels: Sequence[str], settings: BagSettings | None = None
    ) -> BagOfWords:
        """The model fitted on to further rows, from where its coefficients stand.

        The penalty is on the distance from them, so what the rows do not speak of stays.

        Raises:
            DataFormatError: A label that the model does not know.
        """
        texts, labels = checked_pairs(texts, labels)
        place = {label: number for number, label in enumerate(self.labels)}
        for row, label in enumerate(labels):
            if label not in place:
                raise DataFormatError(
                    f"Row {row} has the label {label[:80]!r}; the model knows "
                    f"{', '.join(self.labels)}."
                )
        texts, labels = _canonical(texts, labels)
        codes = np.array([place[label] for label in labels], dtype=np.int64)
        matrix = self._matrix(split_words(texts))
        fitted = _fit(matrix, codes, self.coefficients, settings or BagSettings())
        return replace(self, coefficients=fitted)

    def _matrix(self, words: Words) -> scipy.sparse.csr_array:
        """Features of texts, 0 or 1, with a last column of ones."""
        import scipy.sparse

        known = pc.index_in(words.vocabulary, value_set=self.vocabulary)
        number = pc.fill_null(known, -1).to_numpy().astype(np.int64)
        word = number[words.ids] if len(number) else words.ids
        row = words.row()
        there = word >= 0
        rows, columns = [row[there]], [word[there]]
        if len(self.pairs) and len(word) > 1:
            beside = np.flatnonzero((row[1:] == row[:-1]) & there[1:] & there[:-1])
            keys = word[beside] * len(self.vocabulary) + word[beside + 1]
            found = np.minimum(np.searchsorted(self.pairs, keys), len(self.pairs) - 1)
            hit = self.pairs[found] == keys
            rows.append(row[beside[hit]])
            columns.append(found[hit] + len(self.vocabulary))
        width = len(self.vocabulary) + len(self.pairs) + 1
        rows.append(np.arange(words.count))
        columns.append(np.full(words.count, width - 1))
        cells = np.unique(np.concatenate(rows) * width + np.concatenate(columns))
        where, what = np.divmod(cells, width)
        bounds = np.searchsorted(where, np.arange(words.count + 1))
        return scipy.sparse.csr_array(
            (np.ones(len(what)), what, bounds), shape=(words.count, width)
        )


def fit_bag_of_words(
    texts: Sequence[str], labels: Sequence[str], settings: BagSettings | None = None
) -> BagOfWords:
    """A bag-of-words model of these rows; the order of rows makes no difference.

    Args:
        texts: One for each row.
        labels: The label of each; every different string is one.
        settings: The defaults, if none are given.

    Raises:
        DataFormatError: There are fewer than two labels.
    """
    texts, labels = checked_pairs(texts, labels)
    settings = settings or BagSettings()
    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        raise DataFormatError(
            "A model of labels needs rows of two labels or more; got "
            f"{len(texts)} rows and {len(names)} labels."
        )
    texts, labels = _canonical(texts, labels)
    words = split_words(texts)
    vocabulary, pairs = _features(words, settings.least_rows)
    place = {name: number for number, name in enumerate(names)}
    codes = np.array([place[label] for label in labels], dtype=np.int64)
    empty = BagOfWords(
        labels=names,
        vocabulary=vocabulary,
        pairs=pairs,
        coefficients=np.zeros((len(vocabulary) + len(pairs) + 1, len(names))),
    )
    matrix = empty._matrix(words)
    return replace(empty, coefficients=_fit(matrix, codes, empty.coefficients, settings))


def _canonical(texts: Sequence[str], labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """The rows sorted: sums of floating-point numbers depend on their order."""
    rows = sorted(zip(texts, labels, strict=True))
    return [text for text, _ in rows], [label for _, label in rows]


def _features(words: Words, least_rows: int) -> tuple[pa.Array, np.ndarray]:
    """Words that enough rows hold, and pairs of them (int64 keys, rising) that enough rows hold."""
    row = words.row()
    often = _often(words.ids, row, words.count, least_rows)
    vocabulary = words.vocabulary.take(pa.array(often))
    number = np.full(len(words.vocabulary), -1, dtype=np.int64)
    number[often] = np.arange(len(often))
    word = number[words.ids] if len(words.ids) else words.ids
    if len(word) < 2:
        return vocabulary, np.zeros(0, dtype=np.int64)
    beside = np.flatnonzero((row[1:] == row[:-1]) & (word[1:] >= 0) & (word[:-1] >= 0))
    keys = word[beside] * len(often) + word[beside + 1]
    return vocabulary, _often(keys, row[beside], words.count, least_rows)


def _often(keys: np.ndarray, row: np.ndarray, count: int, least_rows: int) -> np.ndarray:
    """int64, rising: keys that at least `least_rows` rows hold."""
    if not len(keys):
        return np.zeros(0, dtype=np.int64)
    different, place = np.unique(keys, return_inverse=True)
    pairs = np.unique(place * count + row)
    support = np.bincount(pairs // count, minlength=len(different))
    return np.asarray(different[support >= least_rows])


def _fit(
    matrix: scipy.sparse.csr_array, codes: np.ndarray, start: np.ndarray, settings: BagSettings
) -> np.ndarray:
    """float64 (features, labels): minimises the summed loss plus ridge × distance² from `start`."""
    from scipy.optimize import minimize

    target = np.zeros((matrix.shape[0], start.shape[1]))
    target[np.arange(len(codes)), codes] = 1.0
    transposed = matrix.T.tocsr()
    # The bias is the last feature, and is not held back.
    held = np.full((len(start), 1), settings.ridge)
    held[-1] = 0.0

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        here = flat.reshape(start.shape)
        moved = here - start
        logs = _log_softmax(matrix @ here)
        value = -(logs * target).sum() + (held * moved * moved).sum()
        slope = transposed @ (np.exp(logs) - target) + 2 * held * moved
        return float(value), slope.ravel()

    found = minimize(
        loss,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": settings.iterations, "maxcor": 8},
    )
    return np.asarray(found.x).reshape(start.shape)


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    highest = scores.max(axis=1, keepdims=True)
    return np.asarray(
        scores - highest - np.log(np.exp(scores - highest).sum(axis=1, keepdims=True))
    )
