"""The words of all texts with the line and the sentence that each stands in, and the edges of those."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from ld50.scan.channels.pairs import PairModel
from ld50.scan.channels.screen import Screened

#: Lines or sentences of a text, at least; and words of them on average, or the text is the message.
LEAST_UNITS, _LEAST_WORDS = 6, 3.0
#: Words that are counted for pairs; past it, texts evenly over the file.
_MOST_WORDS = 500_000
_TERMINAL = np.isin(np.arange(256), np.frombuffer(b".!?", np.uint8))


class TextWords:
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
        self.line = (np.searchsorted(breaks, self._at) + self.row).astype(np.int32)
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
        return np.cumsum(new, dtype=np.int32)

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
    """Words that begin with a letter and go on nothing (`don't` is one), and where each ends."""
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


class Units:
    """Lines or sentences: their first and last words, in the texts that have enough of them."""

    def __init__(self, text: TextWords, number: np.ndarray) -> None:
        self.first = np.flatnonzero(np.diff(number, prepend=-1) != 0)
        self.last = np.append(self.first[1:] - 1, len(number) - 1) if len(number) else self.first
        row = text.row[self.first]
        self.count = np.bincount(row, minlength=text.texts)
        words = np.diff(text.begin)
        enough = self.count >= LEAST_UNITS
        self.eligible = enough & (words >= _LEAST_WORDS * self.count)

    def chosen(self, text: TextWords, edge: str) -> np.ndarray:
        """int64, rising: the word at that edge of every unit of the eligible texts."""
        index = {
            "first": self.first,
            "last": self.last,
            "second": np.minimum(self.first + 1, self.last),
            "second last": np.maximum(self.last - 1, self.first),
        }[edge]
        out: np.ndarray = index[self.eligible[text.row[index]]]
        return out
