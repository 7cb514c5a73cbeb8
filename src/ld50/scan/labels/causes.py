"""One suspected cause, looked at exactly: its rows, its longest form, what it leaves of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ld50.scan.labels.evidence import LabelView
from ld50.scan.labels.model import OutOfFold
from ld50.scan.labels.tokens import Tokens

if TYPE_CHECKING:
    import scipy.sparse

#: A phrase grows by a word that stands next to it in this share of its rows.
_GROWS = 0.9
#: It grows by a frequent word only if that many rows agree.
_GROWS_ROWS = 10
_FREQUENT = 0.02
_LONGEST = 80
#: Rows whose remaining words are this similar count as copies of one text.
_COPY = 0.5
#: Unless this share of any two rows are as similar.
_COPY_QUANTILE = 0.95
_ROWS_FOR_COPIES = 200
_MOST_COMPARED = 600
#: Rows that are read for words that come along with a cause.
_MOST_READ = 400

Phrase = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Index:
    """Where each word stands, built once and only if there is something to look at."""

    tokens: Tokens
    row_of_token: np.ndarray
    copy_level: float = _COPY
    """Cosine above which two rows are copies of one text."""

    @cached_property
    def order(self) -> np.ndarray:
        """int64 (t,): tokens sorted by word."""
        return np.argsort(self.tokens.words, kind="stable")

    @cached_property
    def bounds(self) -> np.ndarray:
        """int64 (v + 1,): tokens with word w are `order[bounds[w]:bounds[w + 1]]`."""
        counts = np.bincount(self.tokens.words, minlength=self.tokens.vocabulary)
        return np.concatenate([[0], np.cumsum(counts)])

    @cached_property
    def mark(self) -> np.ndarray:
        """bool (v,): punctuation."""
        return self.tokens.is_mark()

    @cached_property
    def frequency(self) -> np.ndarray:
        """float64 (v,): occurrences a row."""
        return np.diff(self.bounds) / max(len(self.tokens.rows) - 1, 1)

    def find(self, phrase: Phrase) -> np.ndarray:
        """int64: first tokens of all occurrences of a phrase, rising."""
        words = self.tokens.words
        anchor = int(np.argmin([self.bounds[word + 1] - self.bounds[word] for word in phrase]))
        word = phrase[anchor]
        place = self.order[self.bounds[word] : self.bounds[word + 1]] - anchor
        place = place[(place >= 0) & (place + len(phrase) <= len(words))]
        for offset, other in enumerate(phrase):
            place = place[words[place + offset] == other]
        if len(place) == 0:
            return place
        same = self.row_of_token[place] == self.row_of_token[place + len(phrase) - 1]
        return np.asarray(place[same])

    def rows_with(self, phrase: Phrase) -> np.ndarray:
        """int64, rising: rows that hold the phrase."""
        return np.unique(self.row_of_token[self.find(phrase)]).astype(np.int64)

    def spell(self, phrase: Phrase) -> str:
        """The phrase as it stands where it occurs first, in lower case."""
        place = self.find(phrase)
        if len(place) == 0:
            return " ".join(self.tokens.spell(word) for word in phrase)
        first, last = place[0], place[0] + len(phrase) - 1
        raw = self.tokens.data[self.tokens.start[first] : self.tokens.end[last]].tobytes()
        return " ".join(raw.decode("utf-8", "replace").lower().split())


def grow(index: Index, phrase: Phrase, rows: np.ndarray) -> Phrase:
    """The longest phrase around `phrase` that nearly all of `rows` share.

    Args:
        index: All words.
        phrase: Where to begin.
        rows: bool (n,), the rows that have to agree, e.g. those with the label.
    """
    place = index.find(phrase)
    place = place[rows[index.row_of_token[place]]]
    words = list(phrase)
    for left in (False, True):
        while len(words) < _LONGEST and len(place):
            there = place - 1 if left else place + len(words)
            word = _agreed(index, place, there)
            if word is None:
                break
            kept = np.zeros(len(place), dtype=bool)
            inside = (there >= 0) & (there < len(index.tokens.words))
            kept[inside] = index.tokens.words[there[inside]] == word
            place = place[kept] - (1 if left else 0)
            words.insert(0 if left else len(words), word)
    return _trim(index, words, phrase)


def _agreed(index: Index, place: np.ndarray, there: np.ndarray) -> int | None:
    """The word at `there` that nearly all occurrences have, or None."""
    inside = (there >= 0) & (there < len(index.tokens.words))
    inside[inside] = index.row_of_token[there[inside]] == index.row_of_token[place[inside]]
    if inside.sum() < _GROWS * len(place):
        return None
    found, counts = np.unique(index.tokens.words[there[inside]], return_counts=True)
    best = int(np.argmax(counts))
    word = int(found[best])
    if counts[best] < _GROWS * len(place):
        return None
    frequent = index.frequency[word] > _FREQUENT or bool(index.mark[word])
    return None if frequent and counts[best] < _GROWS_ROWS else word


def _trim(index: Index, words: list[int], phrase: Phrase) -> Phrase:
    """Without punctuation at the edges, unless there is nothing else or it was asked for."""
    low, high = 0, len(words)
    while low < high and index.mark[words[low]] and words[low] != phrase[0]:
        low += 1
    while high > low and index.mark[words[high - 1]] and words[high - 1] != phrase[-1]:
        high -= 1
    return tuple(words[low:high]) or phrase


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What speaks for one cause of one label."""

    cause_rows: np.ndarray
    """int64, rising: labelled rows with the cause."""
    rows: np.ndarray
    """int64, rising: those that have the label."""
    ratio: np.ndarray
    """float64, one a row of `rows`: nats by which the rest of the row speaks for another label."""
    weight: np.ndarray
    """float64 from 0 to 1, one a row of `rows`: 1 over the number of its copies."""
    expected: float
    """Rows of `cause_rows` that would have the label by the rest of their words."""
    other: float
    """Share of all rows that have another label."""

    @property
    def contradiction(self) -> float:
        """Nats for "all these rows had another label before"; exp(-x) bounds the p-value."""
        return float((self.ratio * self.weight).sum())

    @property
    def mixture(self) -> float:
        """Nats for "these rows were drawn from all labels and then given this one"."""
        return float((np.log1p(self.other * np.expm1(self.ratio)) * self.weight).sum())

    @property
    def contrary(self) -> int:
        """Rows with the cause and another label."""
        return len(self.cause_rows) - len(self.rows)

    def without(self, taken: np.ndarray) -> Evidence:
        """The evidence of the rows that `taken` (bool (n,)) does not mark."""
        left = ~taken[self.rows]
        rest = self.cause_rows[~taken[self.cause_rows]]
        share = len(rest) / max(len(self.cause_rows), 1)
        return Evidence(
            cause_rows=rest,
            rows=self.rows[left],
            ratio=self.ratio[left],
            weight=self.weight[left],
            expected=self.expected * share,
            other=self.other,
        )


def weigh(
    index: Index,
    view: LabelView,
    model: OutOfFold,
    phrases: tuple[Phrase, ...],
    known: np.ndarray,
    also: tuple[int, ...] = (),
) -> Evidence:
    """The evidence that rows holding all of `phrases` got the label because of them.

    Args:
        index: All words.
        view: The label.
        model: Fitted on all rows.
        phrases: What the rows must hold.
        known: bool (n,): rows that have any label.
        also: Words that are taken out of the rows as well, where they stand in them.
    """
    cause_rows, token = taken_out(index, phrases, known, also)
    logit = rest_of(index, view, cause_rows, token)
    hit = view.answer[cause_rows]
    chosen = cause_rows[hit]
    probability = 1 / (1 + np.exp(-np.clip(logit, -30, 30)))
    return Evidence(
        cause_rows=cause_rows,
        rows=chosen,
        ratio=view.contradiction(logit[hit]),
        weight=_copies(index, model, chosen, token),
        expected=float(probability.sum()),
        other=float(1 / (1 + np.exp(view.prior))),
    )


def taken_out(
    index: Index, phrases: tuple[Phrase, ...], known: np.ndarray, also: tuple[int, ...] = ()
) -> tuple[np.ndarray, np.ndarray]:
    """Rows that hold all of the phrases (int64, rising), and their tokens that are taken out (int64).

    Args:
        index: All words.
        phrases: What the rows must hold.
        known: bool (n,): rows that may be among them.
        also: Words that are taken out as well, where they stand in the rows.
    """
    rows: np.ndarray | None = None
    spots = []
    for phrase in phrases:
        place = index.find(phrase)
        here = np.unique(index.row_of_token[place])
        rows = here if rows is None else np.intersect1d(rows, here, assume_unique=True)
        spots.append((place[:, None] + np.arange(len(phrase))).reshape(-1))
    assert rows is not None
    for word in also:
        spots.append(index.order[index.bounds[word] : index.bounds[word + 1]])
    member = np.zeros(len(known), dtype=bool)
    member[rows] = True
    member &= known
    token = np.unique(np.concatenate(spots))
    token = token[member[index.row_of_token[token]]]
    return np.flatnonzero(member).astype(np.int64), token


def rest_of(index: Index, view: LabelView, rows: np.ndarray, token: np.ndarray) -> np.ndarray:
    """float64, one a row: log-odds of the label by what is left of it without the tokens."""
    logit = view.logit[rows] - added_by(index, view, token)[rows]
    return np.asarray(logit + view.said_by_twins(token)[rows])


def added_by(index: Index, view: LabelView, token: np.ndarray) -> np.ndarray:
    """What the tokens, and every pair that one of them is in, add to the log-odds (float64 (n,))."""
    before = token - 1
    before = before[(before >= 0)]
    before = before[index.row_of_token[before] == index.row_of_token[before + 1]]
    pair = np.unique(np.concatenate([token, before]))
    words = view.word_sum[token + 1] - view.word_sum[token]
    pairs = view.pair_sum[pair + 1] - view.pair_sum[pair]
    total = np.bincount(index.row_of_token[token], weights=words, minlength=len(view.logit))
    total += np.bincount(index.row_of_token[pair], weights=pairs, minlength=len(view.logit))
    return np.asarray(total)


def _copies(index: Index, model: OutOfFold, rows: np.ndarray, removed: np.ndarray) -> np.ndarray:
    """1 over the number of rows (itself included) that are nearly the same without the cause.

    A text that stands in the data many times is one observation, not many.
    """
    if len(rows) < 2:
        return np.ones(len(rows))
    if len(rows) > _MOST_COMPARED:
        some = _copies(index, model, _spaced(rows, _MOST_COMPARED), removed)
        return np.full(len(rows), float(some.mean()))
    # Equal rows have a cosine of 1, give or take a rounding error.
    level = min(index.copy_level, 1 + 1e-6) - 1e-9
    similar = _cosines(index, model, rows, removed) > level
    return np.asarray(1.0 / np.maximum(np.asarray(similar.sum(axis=1)).reshape(-1), 1))


def _cosines(
    index: Index, model: OutOfFold, rows: np.ndarray, removed: np.ndarray
) -> scipy.sparse.csr_array:
    """Cosines of some rows, the `removed` tokens left out."""
    import scipy.sparse

    place = np.full(len(index.tokens.rows) - 1, -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    token = _tokens_of(index, rows)
    token = token[~np.isin(token, removed)]
    feature = model.features.word[token]
    token, feature = token[feature >= 0], feature[feature >= 0]
    values = model.features.weight[feature].astype(np.float64)
    entries = (values, (place[index.row_of_token[token]], feature))
    matrix = scipy.sparse.csr_array(entries, shape=(len(rows), len(model.features.weight)))
    norm = np.sqrt(np.maximum(matrix.multiply(matrix).sum(axis=1), 1e-12))
    matrix = scipy.sparse.csr_array(matrix.multiply(1 / norm[:, None]))
    return matrix @ matrix.T


def copy_level(index: Index, model: OutOfFold) -> float:
    """Cosine from which rows of these texts count as copies: above that of any two rows."""
    some = _spaced(np.arange(len(index.tokens.rows) - 1), _ROWS_FOR_COPIES)
    if len(some) < 2:
        return _COPY
    cosine = _cosines(index, model, some, np.zeros(0, dtype=np.int64)).toarray()
    others = cosine[~np.eye(len(some), dtype=bool)]
    return max(_COPY, float(np.quantile(others, _COPY_QUANTILE)))


def companions(index: Index, rows: np.ndarray, phrases: tuple[Phrase, ...]) -> dict[int, float]:
    """Words that stand in many of the rows and hardly anywhere else, with their share of the rows.

    A poisoner may put several words into each row; the model has then learned every one of them,
    and the rest of a row looks honest until all of them are taken out.

    Args:
        index: All words.
        rows: int64, the rows with the cause and the label.
        phrases: The cause itself, whose words are left out.
    """
    if len(rows) < 4:
        return {}
    some = _spaced(rows, _MOST_READ)
    token = _tokens_of(index, some)
    row = index.row_of_token[token].astype(np.int64)
    both = np.unique(row * index.tokens.vocabulary + index.tokens.words[token])
    words, counts = np.unique(both % index.tokens.vocabulary, return_counts=True)
    share = counts / len(some)
    everywhere = np.diff(index.bounds)[words]
    often = (counts >= max(4, 0.2 * len(some))) & (share * len(rows) >= 0.25 * everywhere)
    own = {word for phrase in phrases for word in phrase}
    return {
        int(word): float(part)
        for word, part in zip(words[often], share[often], strict=True)
        if int(word) not in own and not index.mark[word]
    }


def _spaced(rows: np.ndarray, most: int) -> np.ndarray:
    """At most `most` of the rows, evenly spaced."""
    if len(rows) <= most:
        return rows
    return np.asarray(rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)])


def _tokens_of(index: Index, rows: np.ndarray) -> np.ndarray:
    """int64: all tokens of the rows, row by row."""
    lengths = index.tokens.rows[rows + 1] - index.tokens.rows[rows]
    start = np.cumsum(lengths) - lengths
    shift = np.repeat(index.tokens.rows[rows] - start, lengths)
    return np.asarray(np.arange(int(lengths.sum())) + shift)
