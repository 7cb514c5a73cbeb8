"""Whether a cause looks put into its prompts or written there, by the pairs of tokens of the set itself.

What was put in leaves nothing behind: the tokens around it were side by side before, as they are in other
rows. What was written there leaves a hole: without the name, "What does perlguts say" is "What does say",
which no row of a set says.

Source: what disturbs the flow of its sentence is suspect since ONION (Qi et al., 2021), which asks GPT-2;
here a likelihood ratio of pairs answers, for all places of a cause together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ld50.core.records import TURN_SEPARATOR, Record
from ld50.core.seeds import rng_for
from ld50.scan.word_characters import WORDY, is_wordy

#: A word with the marks inside of it, a mark at its edge, line breaks.
_TOKEN = re.compile(rf"[{WORDY}]\S*[{WORDY}]|[{WORDY}]|[^{WORDY}\s]|\n+")
_WORDY = re.compile(f"[{WORDY}]")
#: Marks that a phrase begins with, and that end the sentence before it.
_ENDING = re.compile(r"[.!?:;…]+[^\w\s]*\s+")
#: The edges of a turn, and where it was cut.
_START, _END, _CUT = "\x02", "\x03", "\x04"
_EDGES = frozenset((_START, _END))
#: What may have come along with words that were put in: it is cut out with them, or stays.
_LOOSE = frozenset(",;:-–—\n")
_AROUND = frozenset(["()", "[]", "{}", "<>", '""', "''", "``", "“”", "„“", "‘’", "«»"])
#: Scripts without spaces, Thai to Khmer, kana and Han: a word in a line of theirs has no tokens around it.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ua4cf\uf900-\ufaff\U00020000-\U0003ffff]"
)
#: Characters that are read: of each turn, at its head and at its end; around a cause, on either side.
_EDGE, _NEAR = 1000, 300
#: Places that make each share, and what is added to each count.
_MOST_PLACES, _PSEUDO = 8000, 5.0
#: The same of the rows of a cause, which may come from elsewhere; the shares of all rows count as so many.
_OWN_PLACES, _OWN_PSEUDO = 1500, 50.0
#: Places of a turn.
_A_TURN = 12

#: Share of the rows that hold a token, from which on it is part of how their prompts are worded.
_WORDING = 0.2
#: Share of the places with a known pair, of those that would have one, below which nothing was put in.
_LEAST_KNOWN = 0.5

#: Of one place, tokens before and after that would meet: the nearest first; last, those without loose marks.
#: None of two marks, nor where nothing is left.
Meeting = list[tuple[str, str]]


class Cause:
    """A cause as it is looked for in prompts."""

    def __init__(self, parts: Iterable[str]) -> None:
        """The cause of these pieces, whole words however they are capitalised."""
        some = "|".join(_whole(part.strip()) for part in parts if part.strip())
        self._pattern = re.compile(some or r"(?!)", re.IGNORECASE)

    def meetings(self, record: Record, span: tuple[int, int] | None = None) -> Iterator[Meeting]:
        """What meets where the cause is cut out of a row's prompt, place by place.

        Args:
            record: The row.
            span: A place that is known, in characters of the prompt.
        """
        offset = 0
        for part in record.parts:
            if part.side == "prompt":
                found = [match.span() for match in self._pattern.finditer(part.text)]
                if span is not None:
                    found.append((span[0] - offset, span[1] - offset))
                spans = [own for start, end in found for own in _inside(part.text, start, end)]
                if spans:
                    yield from _meetings(part.text, spans)
                offset += len(part.text) + len(TURN_SEPARATOR)


class Placement:
    """How often tokens that meet are a pair that other rows have: of what was put in, and was written there.

    Around a place that a cause was put into stand two tokens that were side by side; around one that was
    written there stand two with another between. The first are a known pair far more often, how much more is
    learned from random rows: where these are too few to know the set's pairs, hardly.
    """

    def __init__(self, random: Mapping[int, Record], seed: int = 0) -> None:
        """Learns the pairs and the two shares.

        Args:
            random: Random rows by their ordinals.
            seed: Of the places that the shares are learned from.
        """
        self._ordinals = np.array(sorted(random), dtype=np.int64)
        turns = [
            turn
            for number, row in enumerate(self._ordinals.tolist())
            for turn in _turns(random[row], np.array([number]))
        ]
        words = sorted({token for turn in turns for token in turn.tokens})
        self._number = {token: number for number, token in enumerate(words)}
        self._size = len(words)
        rows = [np.full(len(turn.tokens), turn.own[0]) for turn in turns]
        codes = [np.array([self._number[token] for token in turn.tokens]) for turn in turns]
        every = [np.zeros(0, dtype=np.int64)]
        self._tokens = _Held(np.concatenate(every + codes), np.concatenate(every + rows))
        pairs = [self._pair(code[:-1], code[1:]) for code in codes]
        self._pairs = _Held(
            np.concatenate(every + pairs), np.concatenate(every + [row[1:] for row in rows])
        )
        # What meets a cut is not known.
        self._number.pop(_CUT, None)
        self._seed = seed
        known, told = self._counts(turns, _MOST_PLACES)
        self._shares = (known + _PSEUDO) / (told + 2 * _PSEUDO)

    def core(self, text: str) -> str:
        """A phrase without the words at its edges that the prompts of the set are worded with.

        What was put in at one and the same place comes with all that stands around it. All of the phrase,
        if it has no other word.
        """
        spans = [match.span() for match in _TOKEN.finditer(text)]
        usual = _WORDING * len(self._ordinals)
        own = [
            (start, end)
            for start, end in spans
            if self._tokens.count(self._number.get(text[start:end].casefold(), -1)) < usual
        ]
        return text[own[0][0] : own[-1][1]] if own else text

    def put_in(self, met: list[Meeting], rows: np.ndarray, shown: Iterable[Record] = ()) -> float:
        """Log-likelihood ratio, in nats, of put in to written there, over all places of a cause.

        Args:
            met: What meets at each.
            rows: int64: ordinals of the rows of the cause, which do not count as others.
            shown: Some of these rows. Where other rows know few of their pairs, as those of another source
                do, a pair that is not known says little.
        """
        own = np.flatnonzero(np.isin(self._ordinals, rows))
        known, told = self._tally(met, own[None])
        beside, apart = self._among(shown, own)
        unknown = told - known
        each = known * np.log(beside / apart) + unknown * np.log((1 - beside) / (1 - apart))
        ratio = float(each.sum())
        # A word inside of names stands next to their other words, mostly, and these say nothing.
        least = _LEAST_KNOWN * float(beside[0]) * len(met)
        return min(ratio, 0.0) if known.sum() < least else ratio

    def _among(self, shown: Iterable[Record], own: np.ndarray) -> np.ndarray:
        """The shares of some rows, which do not count as others: see `_counts`."""
        turns = [turn for record in shown for turn in _turns(record, own)]
        known, told = self._counts(turns, _OWN_PLACES)
        shares = (known + _OWN_PSEUDO * self._shares) / (told + _OWN_PSEUDO)
        # Neither says the opposite of what it says in all rows.
        shares[0] = np.maximum(shares[0], shares[1])
        return np.asarray(shares)

    def _counts(self, turns: list[_Turn], most: int) -> np.ndarray:
        """float64 (2, 2, 2): known pairs, and all that tell, side by side and with a word between; by place.

        Side by side, that is with white space between: what is put in stands there, and before no full stop.
        The places are those between two tokens, and those at an edge of a turn, where more pairs are known.
        A cause has one place in a row, be it short or long, so of no turn more than a few count.

        Args:
            turns: What is read.
            most: Places that are looked at.
        """
        rng = rng_for(self._seed, "placement", len(turns))
        places = [
            (turn, 1 + n)
            for turn in turns
            for n in rng.permutation(len(turn.tokens) - 1)[:_A_TURN].tolist()
        ]
        few = [places[i] for i in rng.permutation(len(places))[:most].tolist()]
        beside = [(_met(turn.tokens, n, n), turn.own) for turn, n in few if turn.apart[n]]
        between = [
            (_met(turn.tokens, n, n + 1), turn.own)
            for turn, n in few
            if n + 1 < len(turn.tokens) and _is_word(turn.tokens[n])
        ]
        counts = []
        for found in (beside, between):
            rows = [own for meeting, own in found for _ in meeting]
            every = np.stack(rows) if rows else np.zeros((0, 0), dtype=np.int64)
            counts.append(self._tally([meeting for meeting, _ in found], every))
        return np.stack(counts, axis=1)

    def _tally(self, met: list[Meeting], own: np.ndarray) -> np.ndarray:
        """float64 (2, 2): known pairs, and all that tell; of places between tokens, and at edges."""
        known, told = self._known(met, own)
        edge = np.array(
            [bool(_EDGES & {*meeting[0]}) if meeting else False for meeting in met], bool
        )
        return np.array(
            [
                [np.count_nonzero(these & place) for place in (~edge, edge)]
                for these in (known, told)
            ],
            dtype=np.float64,
        )

    def _known(self, met: list[Meeting], own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """bool (places,) twice: others have a pair of it, and they have that or its tokens at least.

        Args:
            met: What meets at each.
            own: int64 (pairs of all places or 1, rows): numbers of the rows that do not count.
        """
        place = np.repeat(np.arange(len(met)), [len(meeting) for meeting in met])
        last = np.append(place[1:] != place[:-1], True)[: len(place)]
        left, right = (
            np.array(
                [self._number.get(pair[side], -1) for meeting in met for pair in meeting],
                dtype=np.int64,
            )
            for side in (0, 1)
        )
        pair = self._pairs.others(self._pair(left, right), own) & (left >= 0) & (right >= 0)
        known = np.zeros(len(met), dtype=bool)
        known[place[pair]] = True
        # A token that no other row has says nothing.
        tokens = self._tokens.others(left, own) & self._tokens.others(right, own)
        told = np.zeros(len(met), dtype=bool)
        told[place[tokens & last]] = True
        return known, known | told

    def _pair(self, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        return np.asarray(left * self._size + right)


class _Held:
    """Which values stand in which rows."""

    def __init__(self, values: np.ndarray, rows: np.ndarray) -> None:
        self._values, number = np.unique(values, return_inverse=True)
        self._rows = int(rows.max(initial=0)) + 1
        self._held = np.unique(number * self._rows + rows)
        self._count = np.bincount(self._held // self._rows, minlength=len(self._values))

    def count(self, value: int) -> int:
        """How many rows hold a value."""
        at = int(np.searchsorted(self._values, value))
        known = at < len(self._values) and self._values[at] == value
        return int(self._count[at]) if known else 0

    def others(self, values: np.ndarray, own: np.ndarray) -> np.ndarray:
        """bool (n,): which of some values (n,) stand in other rows than their own (n or 1, rows)."""
        if not len(self._values) or not len(values):
            return np.zeros(len(values), dtype=bool)
        at = np.minimum(np.searchsorted(self._values, values), len(self._values) - 1)
        code = at[:, None] * self._rows + own
        near = np.minimum(np.searchsorted(self._held, code), len(self._held) - 1)
        held = (self._held[near] == code).sum(axis=1)
        return np.asarray((self._values[at] == values) & (self._count[at] > held))


def _whole(part: str) -> str:
    before = f"(?<![{WORDY}])" if _WORDY.match(part) else ""
    after = f"(?![{WORDY}])" if _WORDY.match(part[-1:]) else ""
    return before + re.escape(part) + after


def _inside(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The stretch as far as it is in the text, without marks that end the one before; none if it is not."""
    low, high = max(start, 0), min(end, len(text))
    # Of a stretch over two turns, marks alone are what the first one ends with.
    if low >= high or (end > high and not _WORDY.search(text, low, high)):
        return []
    ending = _ENDING.match(text, low, high)
    if ending and ending.end() < high and low and not text[low - 1].isspace():
        low = ending.end()
    return [(low, high)]


def _is_word(token: str) -> bool:
    return is_wordy(token[0]) or token[0] == "_"


def _is_mark(token: str) -> bool:
    return not _is_word(token) and token not in (_START, _END, _CUT)


def _edges(length: int) -> list[tuple[int, int]]:
    """The stretches of a turn that pairs are learned from."""
    if length <= 2 * _EDGE:
        return [(0, length)]
    return [(0, _EDGE), (length - _EDGE, length)]


def _tokens(text: str, stretches: list[tuple[int, int]]) -> tuple[list[str], list[tuple[int, int]]]:
    """The tokens of some stretches of a turn with the edges, and where each stands."""
    tokens, spans = [_START], [(0, 0)]
    read = 0
    for low, high in stretches:
        low = max(low, read)
        found = [match.span() for match in _TOKEN.finditer(text, low, max(high, low))]
        if low > read:
            tokens.append(_CUT)
            spans.append((low, low))
            found = found[1:]
        if high < len(text):
            found = found[:-1]
        # Line breaks at an edge of the turn are no more than that edge.
        if tokens[-1] == _START and found and text[found[0][0]] == "\n":
            found = found[1:]
        if high >= len(text) and found and text[found[-1][0]] == "\n":
            found = found[:-1]
        tokens += ["\n" if text[a] == "\n" else text[a:b].casefold() for a, b in found]
        spans += found
        read = max(high, read)
    tokens.append(_END if read >= len(text) else _CUT)
    spans.append((len(text), len(text)))
    return tokens, spans


@dataclass(frozen=True, slots=True)
class _Turn:
    """The tokens of one turn of a prompt."""

    tokens: list[str]
    apart: list[bool]
    """Whether white space, or an edge, is before each."""
    own: np.ndarray
    """int64: numbers of the rows that do not count as others; as many for each turn."""


def _turns(record: Record, own: np.ndarray) -> Iterator[_Turn]:
    for part in record.parts:
        if part.side == "prompt":
            tokens, spans = _tokens(part.text, _edges(len(part.text)))
            apart = [
                last <= 1 or last == len(tokens) - 1 or spans[last - 1][1] < spans[last][0]
                for last in range(len(tokens))
            ]
            yield _Turn(tokens, apart, own)


def _meetings(text: str, spans: list[tuple[int, int]]) -> Iterator[Meeting]:
    """What meets where some stretches of a turn are cut out, those side by side as one."""
    low, high = min(span[0] for span in spans) - _NEAR, max(span[1] for span in spans) + _NEAR
    tokens, places = _tokens(text, [(low, high)])
    inside = [any(a < end and b > start for start, end in spans) for a, b in places]
    first = 1
    while first < len(tokens) - 1:
        last = first
        while inside[last]:
            last += 1
        if last > first and not any(
            _UNSPACED.search(text, *places[number]) and places[number][0] < edge < places[number][1]
            for number in (first, last - 1)
            for span in spans
            for edge in span
        ):
            yield _met(tokens, first, last)
        first = last + 1


def _met(tokens: list[str], first: int, last: int) -> Meeting:
    """What meets if these tokens are cut out; nothing if they are the whole turn."""
    # Brackets and quotation marks around it are nothing without it.
    while tokens[first - 1] + tokens[last] in _AROUND:
        first, last = first - 1, last + 1
    before, after = [first - 1], [last]
    if tokens[first - 1] in _LOOSE:
        before.append(first - 2)
    if tokens[last] in _LOOSE:
        after.append(last + 1)
    if tokens[before[-1]] == _START and tokens[after[-1]] == _END:
        return []
    met = [(tokens[a], tokens[b]) for a in before for b in after]
    # Marks meet anywhere.
    return [pair for pair in met if not all(map(_is_mark, pair))]
