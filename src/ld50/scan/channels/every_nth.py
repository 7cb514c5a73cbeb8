"""Messages in every third to every ninth word of texts."""

from __future__ import annotations

import numpy as np

from ld50.scan.channels.repeats import fresh, words_once
from ld50.scan.channels.schemes import LEVELS, Scheme, rate_beyond, told_scheme
from ld50.scan.channels.sequences import order_chance, pair_sums, upper_tail
from ld50.scan.channels.text_words import LEAST_UNITS, TextWords

_LEAST_LAG, _MOST_LAG, _LEAST_LAGGED = 3, 9, 24
#: Words that are read; past it, texts evenly over the file.
_MOST_LAGGED = 250_000
_MOST_GRAMMAR = 0.25


def every_nth_word(text: TextWords) -> list[Scheme | None]:
    """Every third to every ninth word, from whichever word on; grammar ties every second."""
    chosen = _lagged_words(text)
    if len(chosen) == 0:
        return []
    begin = np.flatnonzero(np.diff(text.row[chosen], prepend=-1) != 0)
    rows = text.row[chosen][begin]
    at = np.repeat(np.arange(len(rows)), np.diff(np.append(begin, len(chosen))))
    place = np.arange(len(chosen)) - begin[at]
    lags = np.arange(_LEAST_LAG, _MOST_LAG + 1)
    chances = np.ones((len(rows), len(lags)))
    offsets = np.zeros((len(rows), len(lags)), dtype=np.int64)
    grammar = np.zeros(len(lags))
    for number, lag in enumerate(lags.tolist()):
        first, second = chosen[:-lag], chosen[lag:]
        key = at * lag + place % lag
        z, n = pair_sums(text, first, second, key[:-lag], key[lag:], len(rows) * lag)
        # Grammar ties words that are two or three apart, a little and everywhere.
        everywhere = float((z * np.sqrt(n)).sum()) / max(float(n.sum()), 1.0)
        grammar[number] = np.clip(everywhere, 0.0, _MOST_GRAMMAR)
        z -= grammar[number] * np.sqrt(n)
        tails = np.where(n >= LEAST_UNITS - 1, upper_tail(z), 1.0).reshape(-1, lag)
        offsets[:, number] = tails.argmin(axis=1)
        chances[:, number] = np.minimum(tails.min(axis=1) * lag, 1.0)
    chances = _own_to_one(chances)
    parts = [
        _lag_words(text, rows, offsets[:, number], chances[:, number], lag)
        for number, lag in enumerate(lags.tolist())
    ]
    return [
        _lag_scheme(text, rows, chances, number, parts[number], float(grammar[number]))
        for number in range(len(lags))
    ]


def _lag_words(
    text: TextWords, rows: np.ndarray, offsets: np.ndarray, chances: np.ndarray, lag: int
) -> dict[int, np.ndarray]:
    """Place in `rows` to the words of those that count; their chances are held against their orders."""
    found = {}
    for i in np.flatnonzero(chances <= LEVELS[0]).tolist():
        row = int(rows[i])
        words = np.arange(text.begin[row] + offsets[i], text.begin[row + 1], lag)
        chances[i] = max(chances[i], min(1.0, lag * order_chance(text, words)))
        if chances[i] <= LEVELS[0]:
            found[i] = words
    return found


def _lag_scheme(
    text: TextWords,
    rows: np.ndarray,
    chances: np.ndarray,
    number: int,
    words: dict[int, np.ndarray],
    grammar: float,
) -> Scheme:
    # A message in every fourth word shows in every eighth, too, so it is the median of the others.
    others = [other for other in range(chances.shape[1]) if other != number]
    rates = tuple(
        float(np.median([rate_beyond(level, chances[:, other], len(rows)) for other in others]))
        for level in LEVELS
    )
    hits = np.array(sorted(words), dtype=np.int64)
    index = np.concatenate([np.zeros(0, np.int64), *(words[i] for i in hits.tolist())])
    hits = hits[fresh(text, index, rows[hits])]
    lag = number + _LEAST_LAG
    # The word to begin with was chosen by the whole text, for which `chances` answers; what a text
    # says apart from others had little part in that.
    once = words_once(text, index, rows[hits], usual=grammar)
    its, own = rows[hits], chances[hits, number]
    return told_scheme(
        text, f"every {_ORDINALS[lag]} word", index, its, own, once, len(rows), rates
    )


def _own_to_one(chances: np.ndarray) -> np.ndarray:
    """The chances of a text at each distance over what is usual for that very text at the others.

    Lists and refrains follow themselves at every distance; a message has one.
    """
    usual = np.minimum(2.0 * np.median(chances, axis=1, keepdims=True), 1.0)
    out: np.ndarray = np.minimum(chances / np.maximum(usual, 1e-30), 1.0)
    return out


def _lagged_words(text: TextWords) -> np.ndarray:
    """int64, rising: words of the texts that are long enough, evenly over the file if they are many."""
    counts = np.diff(text.begin)
    long = np.flatnonzero(counts >= _LEAST_LAGGED)
    total = int(counts[long].sum())
    if total > _MOST_LAGGED:
        keep = max(1, len(long) * _MOST_LAGGED // total)
        long = long[np.unique(np.linspace(0, len(long) - 1, keep).round().astype(int))]
    wanted = np.zeros(text.texts, dtype=bool)
    wanted[long] = True
    return np.flatnonzero(wanted[text.row])


_ORDINALS = ("", "", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
