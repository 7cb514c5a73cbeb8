"""Letters cut into English words: whether decoded text says something, and how to print it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ld50.corpus import reference
from ld50.scan.channels.letters import only_a_to_z

_LONGEST = 14
#: Bits of a letter that belongs to no word, and of each word on top of its frequency.
_UNKNOWN, _NEW_WORD = 13.0, 1.0
_LEAST_ZIPF16, _LEAST_ZIPF16_SHORT = 40, 80
#: Bits a letter up to which letters are words. Of 300 sentences of film reviews, 99% lie below 3.9; of
#: 200 shuffled ones, and of 50 German ones, none lies below 5.4.
_SAYS = 4.6
#: Letters that are looked at, and texts that are cut at once: 14 costs a letter are held.
_MOST_LETTERS, _AT_ONCE = 240, 128


def segmented(texts: Sequence[str], most: int = _MOST_LETTERS) -> list[str]:
    """The letters of each text as words.

    Args:
        texts: Lower case; anything but a to z is left out.
        most: Letters of a text that are looked at.
    """
    return [
        " ".join(words)
        for low in range(0, len(texts), _AT_ONCE)
        for words in _words(*_cut(texts[low : low + _AT_ONCE], most)[:2])
    ]


def bits_a_letter(texts: Sequence[str], most: int = _MOST_LETTERS) -> np.ndarray:
    """float64 (texts,): what the letters cost as words: about 2.4 in English, above 4 in no language.

    Args:
        texts: Lower case; anything but a to z is left out. A text without letters costs 9.
        most: Letters of a text that are looked at.
    """
    parts = [_cut(texts[low : low + _AT_ONCE], most)[2] for low in range(0, len(texts), _AT_ONCE)]
    return np.concatenate([np.zeros(0), *parts])


def says_something(texts: Sequence[str]) -> np.ndarray:
    """bool (texts,): whether the letters of a text are English words."""
    out: np.ndarray = bits_a_letter(texts) <= _SAYS
    return out


def _cut(texts: Sequence[str], most: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The letters of each text, where the word ends that begins there, and bits a letter.

    The cheapest cut of every beginning of every text, for all texts at once; of two that cost the
    same, the one with the longer last word.
    """
    letters = [only_a_to_z(text)[:most] for text in texts]
    sizes = np.array([len(text) for text in letters], np.int64)
    longest = int(sizes.max(initial=0))
    costs = _window_costs(letters, longest)
    best = np.zeros((len(letters), longest + 1))
    begins = np.zeros((len(letters), longest + 1), np.int64)
    row = np.arange(len(letters))
    for end in range(1, longest + 1):
        reach = min(end, _LONGEST)
        sums = best[:, end - reach : end] + costs[:, end - 1, _LONGEST - reach :]
        chosen = sums.argmin(axis=1)
        best[:, end] = sums[row, chosen]
        begins[:, end] = end - reach + chosen
    bits = np.where(sizes > 0, best[row, sizes] / np.maximum(sizes, 1), 9.0)
    return letters, begins, bits


def _words(letters: list[str], begins: np.ndarray) -> list[list[str]]:
    out = []
    for text, begin in zip(letters, begins.tolist(), strict=True):
        words, end = [], len(text)
        while end:
            words.append(text[begin[end] : end])
            end = begin[end]
        out.append(words[::-1])
    return out


def _window_costs(letters: list[str], longest: int) -> np.ndarray:
    """float64 (texts, longest, 14): bits of the word that ends at each letter, by where it begins.

    The last place is for a word of one letter, the first for one of 14; infinite where no such word is.
    """
    padded = "".join(text.ljust(longest, "z") for text in letters).encode("ascii")
    number = np.frombuffer(padded, np.uint8).reshape(len(letters), longest).astype(np.uint64)
    number -= np.uint64(ord("a"))
    costs = np.full((len(letters), longest, _LONGEST), np.inf)
    costs[:, :, _LONGEST - 1] = _UNKNOWN
    code = np.zeros((len(letters), longest + 1), np.uint64)
    for size, (codes, bits) in enumerate(_lexicon(), start=1):
        if size > longest:
            break
        # Codes of all windows of this size, by their first letter.
        code = code[:, :-1] * np.uint64(26) + number[:, size - 1 :]
        at = np.minimum(np.searchsorted(codes, code), len(codes) - 1)
        text, begin = np.nonzero(codes[at] == code)
        costs[text, begin + size - 1, _LONGEST - size] = bits[at[text, begin]]
    return costs


@lru_cache(maxsize=1)
def _lexicon() -> list[tuple[np.ndarray, np.ndarray]]:
    """For words of 1 to 14 letters: codes (uint64, rising) and bits by frequency.

    Single letters other than a and i are no words. Codes are digits in base 26; those of 14 letters
    run over, which gives two of them the same code once in 10**16 times.
    """
    table = reference.word_table()
    begins = table.offsets[: table.english + 1].astype(np.int64)
    data = np.frombuffer(table.blob[: begins[-1]], np.uint8)
    lengths = np.diff(begins) - 1
    zipf16 = table.zipf16[: table.english].astype(np.int64)
    bits = (9 - zipf16 / 16) * float(np.log2(10)) + _NEW_WORD
    usual = zipf16 >= np.where(lengths > 2, _LEAST_ZIPF16, _LEAST_ZIPF16_SHORT)
    out = []
    for size in range(1, _LONGEST + 1):
        wanted = np.flatnonzero((lengths == size) & (usual | (size == 1)))
        number = data[begins[wanted, None] + np.arange(size)].astype(np.int64) - ord("a")
        plain = ((number >= 0) & (number < 26)).all(axis=1)
        if size == 1:
            plain &= np.isin(number[:, 0], [0, ord("i") - ord("a")])
            plain &= zipf16[wanted] >= _LEAST_ZIPF16
        code = np.zeros(int(plain.sum()), np.uint64)
        for step in range(size):
            code = code * np.uint64(26) + number[plain, step].astype(np.uint64)
        order = np.argsort(code, kind="stable")
        out.append((code[order], bits[wanted[plain]][order]))
    return out
