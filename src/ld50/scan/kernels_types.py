"""What the kernels take and give: settings, tables and columns as typed records of arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag, auto
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

U8: TypeAlias = NDArray[np.uint8]
U32: TypeAlias = NDArray[np.uint32]
U64: TypeAlias = NDArray[np.uint64]
I64: TypeAlias = NDArray[np.int64]
F32: TypeAlias = NDArray[np.float32]

WORDS = 0
"""The stream of words: ASCII-lowercased, punctuation skipped."""
SURFACE = 1
"""The stream of words as written, with each punctuation character a token."""
LANES = 32
"""Languages and kinds of text side by side in a trigram table."""
NO_LANE = 255
"""The lane of a row that is too short to have one."""
MAX_WORDS_N = 5
MAX_SURFACE_N = 3
WORD_KINDS = 0b0001_1111
SURFACE_KINDS = 0b1110_0000
ALL_KINDS = WORD_KINDS | SURFACE_KINDS


class RowFlag(IntFlag):
    """Marks of a row's characters and format; one bit each."""

    NON_ASCII = auto()
    INVALID_UTF8 = auto()
    INVISIBLE = auto()
    JOINER = auto()
    BIDI = auto()
    TAG = auto()
    VARIATION_SELECTOR = auto()
    PRIVATE_USE = auto()
    REPLACEMENT = auto()
    CONTROL = auto()
    MIXED_CYRILLIC = auto()
    MIXED_GREEK = auto()
    FULLWIDTH = auto()
    STYLED = auto()
    COMBINING = auto()
    NO_UPPERCASE = auto()
    ALL_UPPERCASE = auto()
    STARTS_LOWERCASE = auto()
    LEADING_SPACE = auto()
    TRAILING_SPACE = auto()
    DOUBLE_SPACE = auto()
    TAB = auto()
    CRLF = auto()
    NEWLINE = auto()
    CURLY_QUOTES = auto()
    STRAIGHT_QUOTES = auto()
    SPACE_BEFORE_PUNCTUATION = auto()
    NO_TERMINAL = auto()


class FragmentKind(IntEnum):
    """What an inserted fragment looks like."""

    URL = 0
    EMAIL = 1
    LINK = 2
    IMAGE = 3
    TAG = 4
    CALL = 5


def on_cache_lines(table: NDArray[Any]) -> NDArray[Any]:
    """The table, or a copy, in C order from the start of a cache line on.

    A kernel looks one entry up for each byte; one that lay across two lines would cost twice.
    """
    if table.flags.c_contiguous and table.ctypes.data % 64 == 0:
        return table
    room = np.empty(table.nbytes + 64, np.uint8)
    start = -room.ctypes.data % 64
    copy = room[start : start + table.nbytes].view(table.dtype).reshape(table.shape)
    copy[...] = table
    copy.flags.writeable = False
    return copy


#: Words whose pairs have points of their own; bits of a hash that say the slot they are looked up in.
FREQUENT, FREQUENT_BITS = 128, 11


@dataclass(frozen=True, kw_only=True)
class FrequentPairs:
    """Points of a word after a word, both among the most frequent; from `build_frequent_pairs`."""

    slots: U64
    """Shape (2048,): 1-gram hashes, 0 where there is none."""
    numbers: U8
    """Shape (2048,): the number of the word in each slot, below 128."""
    points: NDArray[np.int8]
    """Shape (128, 128): of the second word after the first, by their numbers."""

    def __post_init__(self) -> None:
        used = self.slots != 0
        if (
            self.slots.shape != (1 << FREQUENT_BITS,)
            or self.numbers.shape != self.slots.shape
            or self.points.shape != (FREQUENT, FREQUENT)
            or used.sum() > FREQUENT
            or (self.numbers[used] >= FREQUENT).any()
        ):
            raise ValueError(
                "frequent: expected 2048 slots of at most 128 words, and points of each pair"
            )


@dataclass(frozen=True, kw_only=True)
class ProfileTables:
    """Reference statistics of ordinary text that `profile` weighs rows against."""

    trigrams: U8
    """Shape (2**bits, 32), C order: 1/16 bits a byte costs after the two before it, per lane."""
    languages: int
    """Lanes below this are natural languages; the others are code and markup. 1..32."""
    words: U32 = field(default_factory=lambda: np.zeros(0, np.uint32))
    """From `build_word_table`; empty: every word is unknown."""
    bigrams: U64 = field(default_factory=lambda: np.zeros(0, np.uint64))
    """From `build_bigram_table`; empty: no bigram points are given."""
    frequent: FrequentPairs | None = None
    """Points that stand for all others of a pair where both of its words are in it."""

    def __post_init__(self) -> None:
        shape = self.trigrams.shape
        if self.trigrams.dtype != np.uint8 or len(shape) != 2 or shape[1] != LANES:
            raise ValueError(f"trigrams: expected uint8 (2**bits, {LANES}), got {shape}")
        if not (1 << 8) <= shape[0] <= (1 << 20) or shape[0] & (shape[0] - 1):
            raise ValueError(
                f"trigrams: expected 2**8 to 2**20 rows, a power of two, got {shape[0]}"
            )
        if not 1 <= self.languages <= LANES:
            raise ValueError(f"languages: expected 1 to {LANES}, got {self.languages}")
        if self.words.size & (self.words.size - 1) or self.bigrams.size & (self.bigrams.size - 1):
            raise ValueError("words, bigrams: expected a power of two of entries, or none")
        if (self.bigrams.size and self.bigrams.size < 8) or (
            self.words.size and self.words.size < 8
        ):
            raise ValueError("words: expected at least 8 entries, bigrams: at least 512 bits")
        object.__setattr__(self, "trigrams", on_cache_lines(self.trigrams))
        object.__setattr__(self, "words", on_cache_lines(self.words))
        object.__setattr__(self, "bigrams", on_cache_lines(self.bigrams))


@dataclass(frozen=True, kw_only=True)
class ProfileSettings:
    """Points and thresholds of `profile`; all are calibrated outside, the kernel only sums."""

    noise_bits_per_byte: float = 4.5
    """Bits per byte above which text counts as noise by characters; rounded to 1/16."""
    word_points: tuple[int, ...] = (2, 1, 1, 1, 0, -1, -2, -2)
    """Points of a word by its class (0: unknown, else zipf 0..7 rounded down)."""
    known_bigram_points: int = -2
    """Added for a pair of words that the reference has."""
    unknown_bigram_points: int = 1
    """Added for a pair of words that it has not."""
    pair_points: tuple[int, ...] = ()
    """128 points of a word after a word, at ``class before << 4 | class << 1 | pair known``; where given,
    they stand for the word's points and those of its pair."""
    number_points: int = 0
    """Points of a word with an ASCII digit; it breaks the chain of pairs."""
    single_points: int = 0
    """Points of a character of a script without spaces; it breaks the chain of pairs."""
    lead_bytes: int = 512
    """How much of the start of a row decides its leading language."""

    def __post_init__(self) -> None:
        if len(self.word_points) != 8 or len(self.pair_points) not in (0, 128):
            raise ValueError(
                f"points: expected 8 of words and 128 or none of pairs, got {len(self.word_points)} "
                f"and {len(self.pair_points)}"
            )
        points = self.points(bigrams=True)
        if np.abs(points).max() > 255:
            raise ValueError(f"points: expected all in -255..255, got {points.tolist()}")
        if not 0 <= self.noise_bits_per_byte <= 255:
            raise ValueError(f"noise_bits_per_byte: 0..255, got {self.noise_bits_per_byte}")
        if not 0 <= self.lead_bytes <= 4096:
            raise ValueError(f"lead_bytes: expected 0 to 4096, got {self.lead_bytes}")

    def points(self, *, bigrams: bool) -> NDArray[np.int16]:
        """int16 (138,): points of pairs, of words with none before, of numbers, of SINGLE characters.

        Args:
            bigrams: Whether there is a table of pairs; without one, a pair brings no points.
        """
        words = np.array(self.word_points)
        if self.pair_points and bigrams:
            pairs = np.array(self.pair_points)
        else:
            known, unknown = (
                (self.known_bigram_points, self.unknown_bigram_points) if bigrams else (0, 0)
            )
            pairs = np.tile((words[:, None] + np.array([unknown, known])).reshape(-1), 8)
        singles = (self.number_points, self.single_points)
        return np.concatenate([pairs, words, singles]).astype(np.int16)


PROFILE_COLUMNS: tuple[tuple[str, Any], ...] = (
    ("hash", np.uint64),
    ("head_hash", np.uint64),
    ("words", np.uint32),
    ("flags", np.uint32),
    ("bits_per_byte", np.float32),
    ("noise_score", np.float32),
    ("noise_start", np.uint32),
    ("noise_end", np.uint32),
    ("salad_score", np.float32),
    ("salad_start", np.uint32),
    ("salad_end", np.uint32),
    ("switch_score", np.float32),
    ("switch_start", np.uint32),
    ("switch_end", np.uint32),
    ("lead_lane", np.uint8),
    ("document_lane", np.uint8),
    ("switch_lane", np.uint8),
)
"""Columns of a profile as they lie in the one buffer that a kernel fills: wide ones first."""
PROFILE_ROW_BYTES = sum(np.dtype(dtype).itemsize for _, dtype in PROFILE_COLUMNS)


@dataclass(frozen=True, kw_only=True)
class Profile:
    """What one pass over a text column says of each row; scores are higher the more suspicious."""

    hash: U64
    """Of the normalised row: equal for exact duplicates up to ASCII case and spacing."""
    head_hash: U64
    """Of the first eight words; 0 for a row without words."""
    words: U32
    """Tokens of the words stream."""
    flags: U32
    """Bits of `RowFlag`."""
    bits_per_byte: F32
    """Mean cost in the best lane of each window; 0 where there is none."""
    noise_score: F32
    """Bits above the threshold in the worst run of windows."""
    noise_start: U32
    noise_end: U32
    salad_score: F32
    """Points of the run of words with the most."""
    salad_start: U32
    salad_end: U32
    switch_score: F32
    """Bits saved by reading the best run of windows as `switch_lane` instead of `lead_lane`."""
    switch_start: U32
    switch_end: U32
    lead_lane: U8
    """The language of the start of the row; 255 where there is no window."""
    document_lane: U8
    """The language of the whole row; 255 where there is no window."""
    switch_lane: U8
    """The other language of the switch; 255 where there is none."""

    def __len__(self) -> int:
        return int(self.hash.size)


def profile_columns(buffer: bytearray, rows: int) -> dict[str, NDArray[Any]]:
    """The columns of a profile as views of one buffer of ``rows * PROFILE_ROW_BYTES`` bytes."""
    columns: dict[str, NDArray[Any]] = {}
    offset = 0
    for name, dtype in PROFILE_COLUMNS:
        columns[name] = np.frombuffer(buffer, dtype, count=rows, offset=offset)
        offset += rows * np.dtype(dtype).itemsize
    return columns


@dataclass(frozen=True, kw_only=True)
class Salad:
    """The run of words of each row with the most points, and where it is; 0 where none has any."""

    score: F32
    start: U32
    end: U32

    def __len__(self) -> int:
        return int(self.score.size)


@dataclass(frozen=True, kw_only=True)
class Ngrams:
    """N-grams found in rows; `start` and `end` are bytes within the row, or empty if not asked for."""

    row: U32
    hash: U64
    start: U32
    end: U32

    def __len__(self) -> int:
        return int(self.row.size)


#: An n-gram as `gathered` in C gives it back.
GATHERED = np.dtype([("hash", "u8"), ("row_set", "u8"), ("count", "u4"), ("last", "u4")])
LEFT_OUT = np.uint32(0xFFFFFFFF)
"""Instead of a number: nothing."""


@dataclass(frozen=True, kw_only=True)
class GatheredNgrams:
    """Different n-grams; the position is the number of each."""

    hash: U64
    row_set: U64
    """The same for n-grams that stand in the same rows; else different, but for once in 2**64."""
    count: U32
    """In how many rows each stands."""


@dataclass(frozen=True, kw_only=True)
class CandidateSet:
    """N-grams to look for, built once by `build_candidates` and shared between threads."""

    hashes: U64
    """The n-gram hashes; the position is the candidate's id."""
    listed: U32
    """A row is listed, not only counted, while the count with it is at most this; 0: never."""
    filter: U32
    """A Bloom filter by the low half of the hash, whose words are chosen by its top bits."""
    slots: U32
    """Open addressing by the top bits of the hash: id + 1, or 0 for empty."""
    kinds: int
    """Bit k: some candidate has the hash kind k."""

    def __len__(self) -> int:
        return int(self.hashes.size)


@dataclass(frozen=True, kw_only=True)
class Occurrences:
    """First occurrences of candidates in rows, ordered by row."""

    row: U32
    candidate: U32
    start: U32
    end: U32

    def __len__(self) -> int:
        return int(self.row.size)


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """Sentences or lines of rows; the hash ignores casing, spacing and punctuation."""

    row: U32
    hash: U64
    start: U32
    end: U32
    words: U32

    def __len__(self) -> int:
        return int(self.row.size)


@dataclass(frozen=True, kw_only=True)
class Fragments:
    """Inserted-looking pieces of rows: addresses, links, tags, calls."""

    row: U32
    hash: U64
    start: U32
    end: U32
    kind: U8
    """Values of `FragmentKind`."""

    def __len__(self) -> int:
        return int(self.row.size)
