"""How much like language a text is: bits a byte, English letters, and pairs of English words.

All of it comes from the reference statistics that ship with the package.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from ld50.corpus import reference
from ld50.scan.reference_words import word_hashes

SPACE = 26
"""Number of the space in the letter models; 0 to 25 are a to z."""
_MULTIPLIER = np.uint32(0x9E3779B1)
_WHITE = b" \t\n\r\x0b\x0c"
_SINGLE_WORD = 1

#: Any byte to what the trigram table was counted on: ASCII in lower case, white space a space.
NORMAL = np.array(
    [0x20 if b in _WHITE else b + 32 if 0x41 <= b <= 0x5A else b for b in range(256)], np.uint8
)
#: Any byte to its letter, the space, or 27 for anything else.
LETTER = np.full(256, 27, np.uint8)
LETTER[ord("a") : ord("z") + 1] = np.arange(26)
LETTER[ord("A") : ord("Z") + 1] = np.arange(26)
LETTER[list(_WHITE)] = SPACE


def byte_costs(data: np.ndarray, offsets: np.ndarray, *, languages: bool) -> np.ndarray:
    """int64 (texts, lanes): what the bytes of each text cost after the two before them, in 1/16 bits.

    Args:
        data: uint8 (n,): texts that are read as one, with spaces before the first.
        offsets: int64 (texts + 1,): where each begins; none is empty.
        languages: Whether only the lanes of natural languages are wanted.
    """
    table, cost = reference.trigram_table(), _cost_table(languages)
    normal = np.concatenate([np.full(2, 0x20, np.uint8), NORMAL[data]])
    out = np.empty((len(offsets) - 1, cost.shape[1]), np.int64)
    # The costs of one byte are 20 numbers and more: a part at a time that the cache holds.
    for low, high in _parts(offsets, 1 << 15):
        part = normal[offsets[low] : offsets[high] + 2].astype(np.uint32)
        key = part[:-2] | (part[1:-1] << np.uint32(8)) | (part[2:] << np.uint32(16))
        index = ((key * _MULTIPLIER) >> np.uint32(32 - table.bits)).astype(np.int64)
        starts = offsets[low:high] - offsets[low]
        np.add.reduceat(cost.take(index, axis=0), starts, axis=0, dtype=np.int64, out=out[low:high])
    return out


@lru_cache(maxsize=2)
def _cost_table(languages: bool) -> np.ndarray:
    """uint8 (rows, lanes): the trigram table, of all lanes or of natural languages."""
    lanes = [lane.index for lane in reference.LANES if not languages or lane.kind == "language"]
    return np.ascontiguousarray(reference.trigram_table().cost[:, lanes])


def joined(texts: list[str], *, between: bytes = b" ") -> tuple[np.ndarray, np.ndarray]:
    """The UTF-8 bytes of texts with a byte after each, and int64 (n + 1,) where each begins."""
    parts = [text.encode("utf-8", "replace") + between for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(part) for part in parts])]).astype(np.int64)
    return np.frombuffer(b"".join(parts), np.uint8), offsets


def bits_a_byte(texts: list[str]) -> np.ndarray:
    """float64 (texts,): mean cost in the natural language that fits best; lower is more natural.

    Empty texts cost 8 bits.
    """
    out: np.ndarray = language_costs(texts).min(axis=1, initial=8.0)
    return out


def language_costs(texts: list[str]) -> np.ndarray:
    """float64 (texts, languages): mean bits a byte in each natural language."""
    out = np.full((len(texts), _cost_table(True).shape[1]), 8.0)
    if not texts:
        return out
    data, offsets = joined(texts)
    sums = np.zeros(out.shape)
    # A text is read with spaces before it each megabyte, and else with what ends the one before.
    for low, high in _parts(offsets, 1 << 20):
        part = data[offsets[low] : offsets[high]]
        sums[low:high] = byte_costs(part, offsets[low : high + 1] - offsets[low], languages=True)
    lengths = np.diff(offsets)
    some = lengths > 1
    out[some] = sums[some] / lengths[some, None] / 16
    return out


def _parts(offsets: np.ndarray, most: int) -> list[tuple[int, int]]:
    """Ranges of texts of about so many bytes."""
    parts, low, last = [], 0, len(offsets) - 1
    while low < last:
        high = int(np.searchsorted(offsets, offsets[low] + most, side="right")) - 1
        high = min(max(high, low + 1), last)
        parts.append((low, high))
        low = high
    return parts


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterModel:
    """Natural logarithms of the probability of English letters after the two before."""

    single: np.ndarray = field(repr=False)
    """float64 (27,): of a letter, or the space, by itself."""
    double: np.ndarray = field(repr=False)
    """float64 (27, 27): of one after another."""
    triple: np.ndarray = field(repr=False)
    """float64 (27, 27, 27): of one after two."""


@lru_cache(maxsize=2)
def letter_model(*, spaced: bool) -> LetterModel:
    """The letters of English words by their frequency, with spaces between words or without."""
    codes, weights = _spelled()
    flat = np.zeros(27**3)
    for one, two, three in zip(codes[:-2], codes[1:-1], codes[2:], strict=True):
        most = np.maximum(np.maximum(one, two), three)
        inside = np.flatnonzero(most < (27 if spaced else SPACE))
        place = (one[inside] * np.int16(27) + two[inside]) * np.int16(27) + three[inside]
        flat += np.bincount(place, weights=weights[inside], minlength=27**3)
    counts = flat.reshape(27, 27, 27) + 1e-7
    if not spaced:
        counts[SPACE] = counts[:, SPACE] = counts[:, :, SPACE] = 1e-12
    _across(counts, codes, weights, spaced)
    total = counts.sum()
    pairs = counts.sum(axis=2) + counts.sum(axis=0)
    letters = counts.sum(axis=(1, 2))
    return LetterModel(
        single=np.log(letters / total),
        double=np.log(pairs / pairs.sum(axis=1, keepdims=True)),
        triple=np.log(counts / counts.sum(axis=2, keepdims=True)),
    )


@lru_cache(maxsize=1)
def _english() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The English words as one array of bytes, where each begins (n + 1), and their frequency."""
    table = reference.word_table()
    begins = table.offsets[: table.english + 1].astype(np.int64)
    data = np.frombuffer(table.blob[: begins[-1]], np.uint8)
    # One power for each class of frequency: there are 60,000 words and 128 classes.
    frequency = 10.0 ** (np.arange(256) / 16.0)
    return data, begins, frequency[table.zipf16[: table.english]]


_LONGEST = 13


@lru_cache(maxsize=1)
def _spelled() -> tuple[np.ndarray, np.ndarray]:
    """int16 (16, words): a space, the letters, a space, then 28; and how frequent each word is."""
    data, begins, frequency = _english()
    lengths = np.diff(begins) - 1
    short = np.flatnonzero(lengths <= _LONGEST)
    codes = np.full((_LONGEST + 3, len(short)), 28, np.int16)
    codes[0] = SPACE
    plain = np.ones(len(short), dtype=bool)
    lengths = lengths[short]
    for step in range(_LONGEST):
        inside = np.flatnonzero(lengths > step)
        # Below a is a large number, too.
        letter = data[begins[short[inside]] + step] - np.uint8(ord("a"))
        codes[step + 1, inside] = letter
        plain[inside[letter > 25]] = False
    codes[lengths + 1, np.arange(len(short))] = SPACE
    weights = frequency[short[plain]]
    return codes[:, plain], weights / weights.sum()


def _across(counts: np.ndarray, codes: np.ndarray, weights: np.ndarray, spaced: bool) -> None:
    """Adds what stands across the border of two words, taken as independent of each other."""
    length = (codes < SPACE).sum(axis=0)
    word = np.arange(len(length))
    last, before = codes[length, word], codes[length - 1, word]
    ending = np.bincount(before * 27 + last, weights=weights, minlength=729).reshape(27, 27)
    second = np.minimum(codes[2], SPACE)
    beginning = np.bincount(codes[1] * 27 + second, weights=weights, minlength=729)
    beginning = beginning.reshape(27, 27)
    ends, begins = ending.sum(axis=0), beginning.sum(axis=1)
    if spaced:
        counts[:, SPACE, :] += ends[:, None] * begins[None, :]
        return
    ending[SPACE] = beginning[:, SPACE] = 0.0
    counts += ending[:, :, None] * begins[None, None, :]
    counts += ends[:, None, None] * beginning[None, :, :]


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """English words by their hash, and which pairs of them English holds."""

    hashes: np.ndarray = field(repr=False)
    """uint64, rising: as `kernels.ngrams` gives for single words."""
    full: np.ndarray = field(repr=False)
    """uint64: the hash of each word that pairs are made of."""

    def in_full(self, hashes: np.ndarray) -> np.ndarray:
        """uint64: the hash of each word that pairs are made of, 0 for words that are not there."""
        # Each different word is looked for once.
        different, place = np.unique(hashes, return_inverse=True)
        at = np.minimum(np.searchsorted(self.hashes, different), len(self.hashes) - 1)
        out: np.ndarray = np.where(self.hashes[at] == different, self.full[at], np.uint64(0))[place]
        return out

    def known_pairs(self, first: np.ndarray, second: np.ndarray) -> np.ndarray:
        """bool: whether English holds the pairs, given by what `in_full` says of the words.

        First and second words may be of any two shapes that go together.
        """
        table = reference.bigram_filter()
        step = np.uint64(0xC2B2AE3D27D4EB4F)
        pair = first * step + second
        line = (pair >> np.uint64(64 - (table.bits - 9))) << np.uint64(3)
        held = np.uint64(1)
        # Two probes of nine bits each: which of the eight words of the line, and which bit of it.
        for shift in (3, 12):
            word = line | ((pair >> np.uint64(shift + 6)) & np.uint64(7))
            held = held & (
                table.words.take(word.view(np.int64))
                >> ((pair >> np.uint64(shift)) & np.uint64(63))
            )
        known: np.ndarray = (held != 0) & (first != 0) & (second != 0)
        return known


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """The English words of the reference."""
    data, begins, _ = _english()
    hashes = word_hashes()[: len(begins) - 1]
    order = np.argsort(hashes, kind="stable")
    return Vocabulary(
        hashes=hashes[order],
        full=_token_hashes(data, begins[:-1], np.diff(begins) - 1)[order],
    )


def _token_hashes(data: np.ndarray, begins: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """uint64: the hash of each word that the kernels combine to the hash of a pair.

    The hash of a single word has lost its three lowest bits, so pairs cannot be made of it.
    """
    from ld50.scan.kernels_py_tokens import M1, M2, SEED, token_hashes

    padded = np.zeros((len(begins), 16), np.uint8)
    for step in range(16):
        inside = np.flatnonzero(lengths > step)
        padded[inside, step] = data[begins[inside] + step]
    block = padded.view("<u8")
    second = block[:, 1] * np.uint64(M2)
    second = (second << np.uint64(32)) | (second >> np.uint64(32))
    out = _mixed(((block[:, 0] ^ np.uint64(SEED)) * np.uint64(M1)) ^ second)
    for i in np.flatnonzero(lengths > 16).tolist():
        out[i] = token_hashes(data[begins[i] : begins[i] + lengths[i]].tobytes())[0]
    return out


def _mixed(value: np.ndarray) -> np.ndarray:
    from ld50.scan.kernels_py_tokens import M3

    value = value ^ (value >> np.uint64(32))
    value = value * np.uint64(M3)
    out: np.ndarray = value ^ (value >> np.uint64(29))
    return out
