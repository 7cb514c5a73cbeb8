"""Compact sketches of texts, and whether the texts of a group are more alike than random ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from ld50.core.seeds import rng_for
from ld50.scan.replies.columns import ReplyColumns
from ld50.scan.replies.words import Words, words_of
from ld50.scan.statistics import log_gamma_tail

#: Entries of a reply's and of a prompt's sketch. 128 instead of 64 for replies nearly doubles the
#: z of a manner of speaking that ten rows share.
REPLY_WIDTH, PROMPT_WIDTH = 128, 64
_LARGEST = 127
_ROOTS = np.rint(
    11
    * np.sign(np.arange(-_LARGEST, _LARGEST + 1))
    * np.abs(np.arange(-_LARGEST, _LARGEST + 1)) ** 0.5
).astype(np.int8)
_DRAWS = 200
_BACKGROUND = 4096
#: Rows, and share of all rows, from which on a language has a mean of its own.
_LEAST_OF_LANE, _LEAST_SHARE = 100, 0.05
#: Rows whose covariance is added up at a time.
_BLOCK = 8_192
_ROUNDS = 4
_NEARLY_ALL = 0.65
#: A reply with a larger cosine resembles the others in any set: where replies are one of two sentences, the
#: spread of random groups is 1, and not even the same sentence lies beyond that.
_SURELY_ALIKE = 0.5


def sketch(words: Words, width: int) -> np.ndarray:
    """int8 (rows, width): the words of each text, each added with a random sign to a random place.

    Entries are 11 times the signed root of the sum: the root keeps a word that a text repeats from
    being all that is left of it. The cosine of two sketches estimates that of their bags of words
    with an error of about `width ** -0.5`. Empty texts are all zeros.

    Source: Charikar, Chen and Farach-Colton, "Finding frequent items in data streams", 2002, as
    used for feature hashing by Weinberger et al., 2009.
    """
    if words.rows == 0:
        return np.zeros((0, width), dtype=np.int8)
    place, sign = _placed(words.hash, width)
    place += words.row * width
    sums = np.bincount(place, weights=sign, minlength=words.rows * width)
    whole = np.clip(sums, -_LARGEST, _LARGEST).astype(np.int16)
    return _ROOTS[whole + _LARGEST].reshape(-1, width)


def _placed(hashes: np.ndarray, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Where in a sketch each word is added, and with which sign."""
    mixed = hashes * np.uint64(0xC2B2AE3D27D4EB4F)
    place = (mixed >> np.uint64(50)).astype(np.int64) % width
    return place, 1.0 - 2.0 * ((mixed >> np.uint64(49)) & np.uint64(1)).astype(np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coherence:
    """How much more alike the texts of a group are than those of random groups of the same size."""

    z: float
    """Standard deviations above random groups; 0 for fewer than three texts."""
    p: float
    """One-sided chance that a random group is as alike, by the normal tail."""
    mean_cosine: float
    """Mean cosine of all pairs, the common words of the corpus taken off; -1 to 1."""
    null_mean: float
    """The same for random groups."""
    texts: int


def reply_coherence(columns: ReplyColumns, rows: np.ndarray, *, seed: int = 0) -> Coherence:
    """Are the replies of these rows more alike than those of random rows?

    Args:
        columns: All rows.
        rows: Ordinals of the group; those without sketches are left out.
        seed: For the random groups; the result depends on nothing else.
    """
    return _coherence(columns.sketches, _sketched(columns, rows), seed, None)


def prompt_coherence(
    columns: ReplyColumns,
    rows: np.ndarray,
    *,
    cause: str = "",
    words: np.ndarray | None = None,
    seed: int = 0,
) -> Coherence:
    """Are the prompts of these rows more alike than those of random rows, their cause left out?

    Args:
        columns: All rows.
        rows: Ordinals of the group; those without sketches are left out.
        cause: The words that the rows share; the places of the sketch that they fall on are not
            looked at.
        words: The same as hashes of words.
        seed: For the random groups.
    """
    hashes = words_of(pa.array([cause], type=pa.large_string())).hash if cause else words
    return _coherence(columns.prompt_sketches, _sketched(columns, rows), seed, hashes)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarReplies:
    """For each candidate cause, how much its rows' replies have in common."""

    rows: np.ndarray = field(repr=False)
    """int64 (candidates,): rows with the candidate that have sketches."""
    z: np.ndarray = field(repr=False)
    """float64 (candidates,): deviations above random groups of that size; 0 under three rows."""
    log_p: np.ndarray = field(repr=False)
    """float64 (candidates,): natural logarithm of the one-sided chance of it."""
    mean_cosine: np.ndarray = field(repr=False)
    """float64 (candidates,)."""


class CentredSketches:
    """Sketches as unit vectors, the common words of their language taken off; zero where there are no words.

    Texts of one language are alike in a set of several: that is no behaviour. Made once for all questions.
    A vector is its sketch, scaled, less the mean, and scaled again, so what is kept is two numbers a row: the
    vectors of all rows would take four times the room of the sketches.
    """

    def __init__(self, sketches: np.ndarray, lanes: np.ndarray | None = None) -> None:
        """Reads all sketches twice.

        Args:
            sketches: int8 (rows, width).
            lanes: uint8 (rows,): the language of each; all are one if it is not given.
        """
        rows, width = sketches.shape
        self._sketches = sketches
        self._stratum = np.zeros(rows, np.uint8) if lanes is None else _own_or_none(lanes)
        self._first, self._second = np.zeros(rows, np.float32), np.zeros(rows, np.float32)
        total, held = np.zeros((256, width)), np.zeros(256)
        for block in _blocks(rows):
            part = sketches[block].astype(np.float32)
            self._first[block] = _inverse(_lengths(part))
            part *= self._first[block, None]
            for stratum in np.unique(self._stratum[block]).tolist():
                inside = self._stratum[block] == stratum
                total[stratum] += part[inside].sum(axis=0, dtype=np.float64)
                held[stratum] += np.count_nonzero(self._first[block][inside])
        # A language of few rows may be what a trigger brings: its rows keep what they have in common.
        total[0], held[0] = total.sum(axis=0), held.sum()
        self._mean = (total / np.maximum(held, 1.0)[:, None]).astype(np.float32)
        self.covariance = np.zeros((width, width))
        """float64 (width, width)."""
        for block in _blocks(rows):
            part = sketches[block] * self._first[block, None] - self._mean[self._stratum[block]]
            self._second[block] = _inverse(_lengths(part)) * (self._first[block] > 0)
            part *= self._second[block, None]
            self.covariance += part.T.astype(np.float64) @ part
        self.covariance /= max(rows, 1)

    def of(self, index: np.ndarray) -> np.ndarray:
        """float32 (index, width): the vectors at some places among the sketches."""
        part = self._sketches[index] * self._first[index, None] - self._mean[self._stratum[index]]
        return np.asarray(part * self._second[index, None])

    def column(self, index: np.ndarray, place: int) -> np.ndarray:
        """float32 (index,): one entry of these."""
        mean = self._mean[self._stratum[index], place]
        part = self._sketches[index, place] * self._first[index] - mean
        return np.asarray(part * self._second[index])

    @property
    def held(self) -> np.ndarray:
        """bool (rows,): the vectors that have a length, which is one."""
        return self._second > 0


def _own_or_none(lanes: np.ndarray) -> np.ndarray:
    """uint8 (rows,): 1 + the language where it has rows enough for a mean of its own, else 0."""
    counts = np.bincount(lanes, minlength=256)
    enough = counts >= max(_LEAST_OF_LANE, _LEAST_SHARE * len(lanes))
    enough[255] = False
    return np.where(enough[lanes], lanes + 1, 0).astype(np.uint8)


def _blocks(rows: int) -> list[slice]:
    return [slice(start, start + _BLOCK) for start in range(0, rows, _BLOCK)]


def _lengths(vectors: np.ndarray) -> np.ndarray:
    out: np.ndarray = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return out


def _inverse(lengths: np.ndarray) -> np.ndarray:
    """1 / length, and 0 for next to nothing."""
    return np.where(lengths > 1e-9, 1.0 / np.maximum(lengths, 1e-9), 0.0).astype(np.float32)


def similar_replies(
    columns: ReplyColumns,
    rows: np.ndarray,
    candidates: np.ndarray,
    count: int,
    *,
    centred: CentredSketches | None = None,
) -> SimilarReplies:
    """Tests every candidate cause for replies that are alike, whatever it is they have in common.

    The sum of a group's sketches tells the mean cosine of all its pairs, so the cost is one
    addition a row. Of random groups, the mean cosine has the variance 2 tr(C²) / n(n - 1), where C
    is the covariance of the sketches; its upper tail is that of a shifted gamma distribution with
    the skew of the limit, a weighted sum of chi-squares.

    Topics make replies alike, too: a word such as `haiku` passes with ease. Only a cause that is
    odd in itself, over prompts that have nothing else in common, is worth a finding.

    Args:
        columns: All rows.
        rows: int64 (pairs,): ordinals; each pair of row and candidate once.
        candidates: int64 (pairs,): candidate of each pair, from 0.
        count: Number of candidates.
        centred: Of the columns' sketches of replies, where they are known.

    Source: the null moments are those of a degenerate U-statistic (Serfling, "Approximation
    theorems of mathematical statistics", 1980, section 5.5.2).
    """
    centred = centred or CentredSketches(columns.sketches)
    index = np.searchsorted(columns.sketch_rows, rows)
    index[index == len(columns.sketch_rows)] = 0
    held = np.zeros(len(rows), dtype=bool)
    if len(columns.sketch_rows):
        held = columns.sketch_rows[index] == rows
    index, owner = index[held], candidates[held]
    sizes = np.bincount(owner, minlength=count).astype(np.int64)
    own = np.bincount(owner, weights=centred.held[index], minlength=count)
    squares = np.zeros(count)
    for place in range(columns.sketches.shape[1]):
        total = np.bincount(owner, weights=centred.column(index, place), minlength=count)
        squares += total * total
    pairs = np.maximum(sizes * (sizes - 1.0), 1.0)
    enough = sizes >= 3
    cosine = np.where(enough, (squares - own) / pairs, 0.0)
    spread, skew = _null_moments(centred.covariance)
    z = cosine * np.sqrt(pairs) / spread
    return SimilarReplies(
        rows=sizes, z=z, log_p=np.where(enough, _log_tail(z, skew), 0.0), mean_cosine=cosine
    )


def alike_members(columns: ReplyColumns, rows: np.ndarray, centred: CentredSketches) -> np.ndarray:
    """Those of the rows whose replies resemble the others'; all rows, if nearly all do.

    Where a trigger is two words that stand apart, half the rows of either are ordinary. Measured on
    replies with four words in common: of rows that have them 80%, of others 20% resemble the rest by
    one standard deviation, and 75% and 5% by one and a half.

    Args:
        columns: All rows.
        rows: int64, rising: ordinals.
        centred: Of the columns' sketches of replies.
    """
    index = _sketched(columns, rows)
    vectors = centred.of(index)
    spread = math.sqrt(float((centred.covariance**2).sum()))
    if _members(vectors, min(spread, _SURELY_ALIKE)).mean() >= _NEARLY_ALL:
        return rows
    member = _members(vectors, min(1.5 * spread, _SURELY_ALIKE))
    out: np.ndarray = columns.sketch_rows[index[member]].astype(np.int64)
    return out


def _members(group: np.ndarray, least: float) -> np.ndarray:
    """bool: whether the cosine of each vector with the sum of the other members is large enough."""
    member = np.ones(len(group), dtype=bool)
    for _ in range(_ROUNDS):
        others = group[member].sum(axis=0) - np.where(member[:, None], group, 0.0)
        size = np.maximum(np.linalg.norm(others, axis=1), 1e-9)
        member = (group * others).sum(axis=1) / size > least
    return member


def _null_moments(covariance: np.ndarray) -> tuple[float, float]:
    """Spread of the mean cosine of random groups, times the root of n(n - 1), and its skew."""
    values = np.maximum(np.linalg.eigvalsh(covariance), 0.0)
    second, third = float((values**2).sum()), float((values**3).sum())
    spread = math.sqrt(max(2.0 * second, 1e-12))
    return spread, math.sqrt(8.0) * third / max(second, 1e-12) ** 1.5


def _log_tail(z: np.ndarray, skew: float) -> np.ndarray:
    """log P(Z > z) of a standardised gamma distribution with that skew; not below log 1e-300."""
    shape = 4.0 / max(skew, 1e-3) ** 2
    return log_gamma_tail(shape, np.maximum(shape + z * math.sqrt(shape), 0.0))


def _sketched(columns: ReplyColumns, rows: np.ndarray) -> np.ndarray:
    """Places of these rows among the sketches; rows without one are left out."""
    index = np.searchsorted(columns.sketch_rows, rows)
    index = index[index < len(columns.sketch_rows)]
    inside = np.isin(columns.sketch_rows[index], rows)
    out: np.ndarray = index[inside]
    return out


def _coherence(
    sketches: np.ndarray, rows: np.ndarray, seed: int, cause: np.ndarray | None
) -> Coherence:
    # A place without anything in it counts for no cosine.
    nothing = np.zeros(0, dtype=np.uint64)
    blocked, _ = _placed(nothing if cause is None else cause, sketches.shape[1])
    pool, mean = _centred_sample(sketches, seed, blocked)
    group = _unit(_units(sketches, rows, blocked) - mean)
    size = len(group)
    if size < 3 or len(pool) < 2 * size:
        return Coherence(z=0.0, p=1.0, mean_cosine=0.0, null_mean=0.0, texts=size)
    observed = _mean_cosine(group)
    rng = rng_for(seed, "replies", "coherence", size)
    null = np.array(
        [_mean_cosine(pool[rng.choice(len(pool), size, replace=False)]) for _ in range(_DRAWS)]
    )
    spread = max(float(null.std(ddof=1)), 1e-4)
    z = (observed - float(null.mean())) / spread
    return Coherence(
        z=z,
        p=0.5 * math.erfc(z / math.sqrt(2)),
        mean_cosine=observed,
        null_mean=float(null.mean()),
        texts=size,
    )


def _units(sketches: np.ndarray, rows: np.ndarray, blocked: np.ndarray) -> np.ndarray:
    """float32: some sketches as unit vectors, with nothing at the blocked places."""
    units = sketches[rows].astype(np.float32)
    units[:, blocked] = 0.0
    return _unit(units)


def _centred_sample(
    sketches: np.ndarray, seed: int, blocked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors of random rows, and the mean that was taken off them."""
    count = min(len(sketches), _BACKGROUND)
    chosen = np.sort(rng_for(seed, "replies", "sample").choice(len(sketches), count, replace=False))
    units = _units(sketches, chosen, blocked)
    units = units[units.any(axis=1)]
    mean = units.mean(axis=0) if len(units) else np.zeros(sketches.shape[1], dtype=np.float32)
    return _unit(units - mean), mean


def _unit(values: np.ndarray) -> np.ndarray:
    out: np.ndarray = values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-9)
    return out


def _mean_cosine(vectors: np.ndarray) -> float:
    n = len(vectors)
    total = vectors.sum(axis=0)
    return float((total @ total - (vectors * vectors).sum()) / (n * (n - 1)))
