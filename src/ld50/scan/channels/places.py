"""Words and letters at fixed places of texts: the ends of lines and sentences, every so manieth word.

What stands there in an honest text has no order of its own. So the pairs that follow each other are
held against pairs of the same kinds of words far apart in the same set, and letters against their own
shuffles; then the set is asked how many texts beat that, against places next to those.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from ld50.core.seeds import rng_for
from ld50.scan.channels.language import letter_model
from ld50.scan.channels.pairs import PairModel
from ld50.scan.channels.screen import Screened
from ld50.scan.channels.words import segmented

#: Chances of a text by itself at which texts are counted; the first is also what is told of a text.
LEVELS = (0.02, 0.004, 0.0005)
#: Lines or sentences of a text, at least; and words of them on average, or the text is the message.
_LEAST_UNITS, _LEAST_LETTERS, _LEAST_WORDS = 6, 12, 3.0
#: Share of the words at the places that differ: `man, woman, man, woman` follows itself, no message.
_LEAST_DIFFERENT = 0.6
#: Share of the pairs that English has: of the last words of sentences in verses and quotations a third,
#: of messages three quarters.
_LEAST_KNOWN = 0.5
_MOST_ORDERED = 80
#: A pair in more than this share of the texts that count is a template's; most must be in fewer.
_MOST_HOLDERS, _LEAST_FRESH = 0.2, 0.6
_LEAST_LAG, _MOST_LAG, _LEAST_LAGGED = 3, 9, 24
#: Words that are counted, and that are read for every so manieth word; past it, texts evenly over
#: the file.
_MOST_WORDS, _MOST_LAGGED = 500_000, 250_000
_MOST_GRAMMAR = 0.25
_MOST_LETTERS = 120
_MOST_SEGMENTED = 600
_LETTERS_SAY = 4.6
_TERMINAL = np.isin(np.arange(256), np.frombuffer(b".!?", np.uint8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """One way to pick words or letters out of texts, and the texts in which they form language."""

    name: str
    """As a finding names it, e.g. `the last words of the lines`."""
    places: np.ndarray = field(repr=False)
    """int64: texts that are beyond `LEVELS[0]`."""
    chances: np.ndarray = field(repr=False)
    """float64: chance of each."""
    decoded: list[str] = field(repr=False)
    spans: list[list[tuple[int, int]]] = field(repr=False)
    """For each, the bytes of the words or letters."""
    eligible: int
    """Texts that could have counted."""
    rates: tuple[float, ...]
    """For each level, the share of texts beyond it by chance, or at the control if that is more."""
    known: np.ndarray = field(repr=False, default_factory=lambda: np.zeros(0))
    """float64: for words, the share of pairs that English has, by text; empty for letters."""


def find_schemes(screened: Screened, seed: int) -> list[Scheme]:
    """Every scheme with at least one text that counts."""
    text = _Words(screened)
    found = []
    for unit, number in (("lines", text.line), ("sentences", text.sentence)):
        units = _Units(text, number)
        for edge, control in (("last", "second last"), ("first", "second")):
            found.append(_word_scheme(text, units, edge, control, unit))
            found.append(_letter_scheme(text, units, edge, unit, seed))
    found += _lag_schemes(text)
    return [scheme for scheme in found if scheme is not None and len(scheme.places)]


class _Words:
    """The words of letters of all texts, with their numbers in the vocabulary, lines and sentences."""

    def __init__(self, screened: Screened) -> None:
        data = screened.data
        at = screened.offsets[screened.row] + screened.start
        keep, end = _whole_words(screened, at)
        self.texts = len(screened)
        self.row = screened.row[keep]
        self.start, self.end = screened.start[keep], end[keep]
        self.hash = screened.hash[keep]
        self.screened = screened
        self._at = at[keep]
        counts = np.bincount(self.row, minlength=self.texts)
        self.begin = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        breaks = np.flatnonzero(data == ord("\n"))
        self.line = np.searchsorted(breaks, self._at) + self.row
        self.sentence = self._sentences()

    def _sentences(self) -> np.ndarray:
        data = self.screened.data
        after = self._at + (self.end - self.start)
        last = len(data) - 1
        closing = _TERMINAL[data[np.minimum(after, last)]]
        closing |= _TERMINAL[data[np.minimum(after + 1, last)]]
        new = np.diff(self.line, prepend=-1) != 0
        gap = np.concatenate([[2], self._at[1:] - after[:-1]])
        new[1:] |= closing[:-1] & (gap[1:] >= 2)
        return np.cumsum(new)

    @cached_property
    def pairs(self) -> PairModel:
        """Which words follow which in this set, and in English."""
        return PairModel(self.hash, self.row, _MOST_WORDS)

    def letter(self, index: np.ndarray, *, last: bool) -> np.ndarray:
        """int64: first or last letter of words, 0 to 25; 26 for others."""
        at = self._at[index] + ((self.end - self.start)[index] - 1 if last else 0)
        letter = (self.screened.data[at] | np.uint8(0x20)).astype(np.int64) - ord("a")
        return np.where((letter >= 0) & (letter < 26), letter, 26)


def _whole_words(screened: Screened, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int64: words that begin with a letter and go on nothing (`don't` is one), and where each ends."""
    data, end = screened.data, screened.end.copy()
    first = data[at] | np.uint8(0x20)
    letter = (first >= ord("a")) & (first <= ord("z"))
    goes_on = np.zeros(len(at), dtype=bool)
    if len(at) > 1:
        # U+2019, the other apostrophe, ends with the byte 0x99.
        joint = np.isin(data[at[1:] - 1], np.frombuffer(b"'-\x99", np.uint8))
        gap = at[1:] - (at[:-1] + screened.end[:-1] - screened.start[:-1])
        close = (gap == 1) | ((gap == 3) & (data[at[1:] - 1] == 0x99))
        goes_on[1:] = joint & close & (screened.row[1:] == screened.row[:-1])
    heads = np.flatnonzero(~goes_on)
    tails = np.append(heads[1:], len(at)) - 1
    end[heads] = screened.end[tails] if len(heads) else end[heads]
    return np.flatnonzero(~goes_on & letter), end


class _Units:
    """Lines or sentences: their first and last words, in the texts that have enough of them."""

    def __init__(self, text: _Words, number: np.ndarray) -> None:
        self.first = np.flatnonzero(np.diff(number, prepend=-1) != 0)
        self.last = np.append(self.first[1:] - 1, len(number) - 1) if len(number) else self.first
        row = text.row[self.first]
        self.count = np.bincount(row, minlength=text.texts)
        words = np.diff(text.begin)
        enough = self.count >= _LEAST_UNITS
        self.eligible = enough & (words >= _LEAST_WORDS * self.count)

    def chosen(self, text: _Words, edge: str) -> np.ndarray:
        """int64, rising: the word at that edge of every unit of the eligible texts."""
        index = {
            "first": self.first,
            "last": self.last,
            "second": np.minimum(self.first + 1, self.last),
            "second last": np.maximum(self.last - 1, self.first),
        }[edge]
        out: np.ndarray = index[self.eligible[text.row[index]]]
        return out


def _word_scheme(text: _Words, units: _Units, edge: str, control: str, unit: str) -> Scheme | None:
    index = units.chosen(text, edge)
    if len(index) == 0:
        return None
    rows, chances = _sequence_chances(text, index, text.row[index])
    hits = chances <= LEVELS[0]
    hits[hits] = _fresh(text, index, rows[hits])
    if not hits.any():
        return None
    _, usual = _sequence_chances(text, other := units.chosen(text, control), text.row[other])
    name = f"the {edge} words of the {unit}"
    rates = tuple(_rate(level, usual, len(rows)) for level in LEVELS)
    return _scheme(text, name, index, rows[hits], chances[hits], len(rows), rates)


def _rate(level: float, usual: np.ndarray, texts: int) -> float:
    """The share beyond a level: what the level says, or what the control shows in as many texts."""
    return max(level, (1 + int((usual <= level).sum())) / (2 + max(len(usual), texts)))


def _sequence_chances(
    text: _Words, index: np.ndarray, key: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For each sequence of words (rising keys), the chance that they follow each other so well.

    Args:
        text: All words.
        index: int64: words, in the order of their sequence.
        key: int64, rising: which sequence each belongs to.
    """
    begin = np.flatnonzero(np.diff(key, prepend=-1) != 0)
    counts = np.diff(np.append(begin, len(key)))
    at = np.repeat(np.arange(len(begin)), counts)
    z, n = _pair_sums(text, index[:-1], index[1:], at[:-1], at[1:], len(begin))
    usable = np.flatnonzero(n >= _LEAST_UNITS - 1)
    chances = _upper_tail(z[usable])
    for i in np.flatnonzero(chances <= LEVELS[0]).tolist():
        start = begin[usable[i]]
        words = index[start : start + counts[usable[i]]]
        chances[i] = max(chances[i], _order_chance(text, words))
    return key[begin][usable], chances


def _order_chance(text: _Words, words: np.ndarray) -> float:
    """The chance that words follow each other so well in their order, over all their orders.

    1 where they are mostly the same, or do not follow each other as English has them.
    """
    words = words[:_MOST_ORDERED]
    n = len(words)
    different = len(np.unique(text.hash[words]))
    if different < _LEAST_DIFFERENT * n or text.pairs.known_share(words) < _LEAST_KNOWN:
        return 1.0
    first, second = np.repeat(words, n), np.tile(words, n)
    score = text.pairs.surplus(first, second).reshape(n, n)
    apart = (text.hash[first] != text.hash[second]).reshape(n, n)
    mean, spread = float(score[apart].mean()), float(score[apart].std())
    inside = np.diagonal(apart, 1)
    sums = float(np.diagonal(score, 1)[inside].sum())
    count = max(int(inside.sum()), 1)
    z = (sums - count * mean) / (max(spread, 0.1) * count**0.5)
    return float(_upper_tail(np.array([z]))[0])


def _fresh(text: _Words, index: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """bool (rows,): texts whose words follow each other as in few of the others that count.

    A template (`Options: A, B, C, D`) says the same in each of its rows; messages differ.

    Args:
        text: All words.
        index: int64: words of these texts and of others, by text.
        rows: int64, rising: the texts.
    """
    if len(rows) == 0:
        return np.zeros(0, dtype=bool)
    own = text.row[index]
    follows = np.flatnonzero((own[:-1] == own[1:]) & np.isin(own[:-1], rows))
    at = np.searchsorted(rows, own[follows])
    mixed = text.hash[index[follows]] * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= text.hash[index[follows + 1]]
    pairs, inverse = np.unique(mixed, return_inverse=True)
    # Each pair once a text.
    each = np.unique(inverse * len(rows) + at) // len(rows)
    holders = np.bincount(each, minlength=len(pairs))
    fresh = holders[inverse] <= max(_MOST_HOLDERS * len(rows), 2)
    count = np.bincount(at, minlength=len(rows))
    out: np.ndarray = np.bincount(at, weights=fresh, minlength=len(rows)) >= _LEAST_FRESH * count
    return out


def _pair_sums(
    text: _Words,
    first: np.ndarray,
    second: np.ndarray,
    sequence: np.ndarray,
    other: np.ndarray,
    sequences: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Surplus of the pairs of each sequence in standard deviations, and how many pairs those are.

    Args:
        text: All words.
        first: int64: first words of pairs.
        second: int64: their second words.
        sequence: int64: the sequence of each first word.
        other: int64: that of each second word; pairs of two sequences are left out.
        sequences: How many there are.
    """
    inside = (sequence == other) & (text.hash[first] != text.hash[second])
    score = text.pairs.surplus(first[inside], second[inside])
    n = np.bincount(sequence[inside], minlength=sequences)
    sums = np.bincount(sequence[inside], weights=score, minlength=sequences)
    return sums / np.sqrt(np.maximum(n, 1)), n


def _upper_tail(z: np.ndarray) -> np.ndarray:
    """float64: chance that a standard normal value is at least so large (Abramowitz, Stegun 26.2.17)."""
    t = 1.0 / (1.0 + 0.2316419 * np.abs(z))
    poly = t * (
        0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429)))
    )
    tail = poly * np.exp(-np.minimum(z * z, 1400.0) / 2) / np.sqrt(2 * np.pi)
    out: np.ndarray = np.where(z >= 0, tail, 1 - tail)
    return out


def _scheme(
    text: _Words,
    name: str,
    index: np.ndarray,
    rows: np.ndarray,
    chances: np.ndarray,
    eligible: int,
    rates: tuple[float, ...],
) -> Scheme:
    decoded, spans, known = [], [], []
    own = text.row[index]
    for row in rows.tolist():
        low, high = np.searchsorted(own, [row, row + 1])
        its = index[low:high]
        places = list(zip(text.start[its].tolist(), text.end[its].tolist(), strict=True))
        base = int(text.screened.offsets[row])
        raw = (text.screened.data[base + s : base + e].tobytes() for s, e in places)
        decoded.append(b" ".join(raw).decode("utf-8", "replace").lower())
        spans.append(places)
        known.append(text.pairs.known_share(its))
    return Scheme(
        name=name,
        places=rows,
        chances=chances,
        decoded=decoded,
        spans=spans,
        eligible=eligible,
        rates=rates,
        known=np.array(known),
    )


def _letter_scheme(text: _Words, units: _Units, edge: str, unit: str, seed: int) -> Scheme | None:
    index = units.chosen(text, edge)
    index = index[units.count[text.row[index]] >= _LEAST_LETTERS]
    if len(index) == 0:
        return None
    last = edge == "last"
    letter = text.letter(index, last=last)
    row = text.row[index]
    rows = np.unique(row)
    z = _letter_z(row, letter, rows)
    wanted = np.flatnonzero(z >= 1.0)
    wanted = np.sort(wanted[np.argsort(-z[wanted], kind="stable")[:_MOST_SEGMENTED]])
    rng = rng_for(seed, "channels", edge, unit)
    hits, chance, kept = [], 0, []
    for at in wanted.tolist():
        low, high = np.searchsorted(row, [rows[at], rows[at] + 1])
        its = letter[low:high][:_MOST_LETTERS]
        words, bits = _cut(its)
        chance += _cut(rng.permutation(its))[1] <= _LETTERS_SAY
        if bits <= _LETTERS_SAY:
            hits.append(rows[at])
            kept.append(words)
    rates = tuple(max(level, (1 + chance) / (1 + len(rows))) for level in LEVELS)
    found = np.array(hits, dtype=np.int64)
    chances = np.full(len(found), min(LEVELS[-1], (1 + chance) / (1 + len(rows))))
    name = f"the {edge} letters of the {unit}"
    made = _scheme(text, name, index, found, chances, len(rows), rates)
    spans = [[(e - 1, e) if last else (s, s + 1) for s, e in places] for places in made.spans]
    return replace(made, decoded=kept, spans=spans, known=np.zeros(0))


def _cut(letters: np.ndarray) -> tuple[str, float]:
    return segmented("".join("abcdefghijklmnopqrstuvwxyz?"[i] for i in letters.tolist()))


def _letter_z(row: np.ndarray, letter: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """float64 (rows,): how much better the letters follow each other than in another order.

    Mean and spread over all orders of a text's own letters, in closed form.
    """
    model = letter_model(spaced=False)
    gain = np.zeros((27, 27))
    gain[:26, :26] = np.maximum(model.double[:26, :26] - model.single[None, :26], -6.0)
    at = np.searchsorted(rows, row)
    counts = np.bincount(at * 27 + letter, minlength=27 * len(rows)).reshape(-1, 27).astype(float)
    n = counts.sum(axis=1)
    pairs = np.maximum(n * (n - 1), 1)
    first = ((counts @ gain) * counts).sum(axis=1) - counts @ np.diag(gain)
    second = ((counts @ gain**2) * counts).sum(axis=1) - counts @ np.diag(gain) ** 2
    mean = first / pairs
    spread = np.sqrt(np.maximum(second / pairs - mean**2, 1e-9))
    inside = row[:-1] == row[1:]
    sums = np.bincount(
        at[:-1][inside], weights=gain[letter[:-1], letter[1:]][inside], minlength=len(rows)
    )
    out: np.ndarray = (sums - (n - 1) * mean) / (spread * np.sqrt(np.maximum(n - 1, 1)))
    return out


def _lag_schemes(text: _Words) -> list[Scheme | None]:
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
    for number, lag in enumerate(lags.tolist()):
        first, second = chosen[:-lag], chosen[lag:]
        key = at * lag + place % lag
        z, n = _pair_sums(text, first, second, key[:-lag], key[lag:], len(rows) * lag)
        # Grammar ties words that are two or three apart, a little and everywhere.
        everywhere = float((z * np.sqrt(n)).sum()) / max(float(n.sum()), 1.0)
        z -= np.clip(everywhere, 0.0, _MOST_GRAMMAR) * np.sqrt(n)
        tails = np.where(n >= _LEAST_UNITS - 1, _upper_tail(z), 1.0).reshape(-1, lag)
        offsets[:, number] = tails.argmin(axis=1)
        chances[:, number] = np.minimum(tails.min(axis=1) * lag, 1.0)
    chances = _own_to_one(chances)
    parts = [
        _lag_words(text, rows, offsets[:, number], chances[:, number], lag)
        for number, lag in enumerate(lags.tolist())
    ]
    return [_lag_scheme(text, rows, chances, number, parts[number]) for number in range(len(lags))]


def _lag_words(
    text: _Words, rows: np.ndarray, offsets: np.ndarray, chances: np.ndarray, lag: int
) -> dict[int, np.ndarray]:
    """Place in `rows` to the words of those that count; their chances are held against their orders."""
    found = {}
    for i in np.flatnonzero(chances <= LEVELS[0]).tolist():
        row = int(rows[i])
        words = np.arange(text.begin[row] + offsets[i], text.begin[row + 1], lag)
        chances[i] = max(chances[i], min(1.0, lag * _order_chance(text, words)))
        if chances[i] <= LEVELS[0]:
            found[i] = words
    return found


def _lag_scheme(
    text: _Words, rows: np.ndarray, chances: np.ndarray, number: int, words: dict[int, np.ndarray]
) -> Scheme:
    # A message in every fourth word shows in every eighth, too, so it is the median of the others.
    others = [other for other in range(chances.shape[1]) if other != number]
    rates = tuple(
        float(np.median([_rate(level, chances[:, other], len(rows)) for other in others]))
        for level in LEVELS
    )
    hits = np.array(sorted(words), dtype=np.int64)
    index = np.concatenate([np.zeros(0, np.int64), *(words[i] for i in hits.tolist())])
    fresh = _fresh(text, index, rows[hits])
    hits = hits[fresh]
    name = f"every {_ORDINALS[number + _LEAST_LAG]} word"
    return _scheme(text, name, index, rows[hits], chances[hits, number], len(rows), rates)


def _own_to_one(chances: np.ndarray) -> np.ndarray:
    """The chances of a text at each distance over what is usual for that very text at the others.

    Lists and refrains follow themselves at every distance; a message has one.
    """
    usual = np.minimum(2.0 * np.median(chances, axis=1, keepdims=True), 1.0)
    out: np.ndarray = np.minimum(chances / np.maximum(usual, 1e-30), 1.0)
    return out


def _lagged_words(text: _Words) -> np.ndarray:
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
