"""Fast passes over text columns: tokens, n-grams, counts, and what is odd about each row.

The work is done by a small C extension over Arrow's own buffers with the GIL released, or, where it
was not built, by its plain-Python twin with the same results, bit for bit. ``implementation`` says
which; ``LD50_KERNELS=python`` or ``=c`` in the environment decides it.

**Tokens**, the same in every kernel. Rows are bytes, decoded as UTF-8; a byte that is not part of a
valid sequence stands for itself. A code point is SPACE; PUNCT (punctuation, symbols, emoji,
controls, invisible and private-use characters, invalid bytes); SINGLE (Chinese, Japanese kana,
Thai, Lao, Burmese, Khmer: no spaces between words); or part of a word.

- The *words* stream: maximal runs of word characters, ASCII-lowercased, and SINGLE characters;
  punctuation is skipped. N-grams of 1 to 5.
- The *surface* stream: the same runs with their case, and each PUNCT character a token; spaces are
  skipped. N-grams of 1 to 3, only those with punctuation or an ASCII capital (the others say what
  the words said), and of ASCII marks alone only two or three side by side, such as `|||`.

An n-gram is a 64-bit **hash** whose low three bits are its *kind*: 0 to 4 for words n = 1 to 5,
5 to 7 for surface n = 1 to 3. Hashes are not keyed: who knows the code can make two texts with one
hash, so evidence that is shown must be read from the text.

All offsets are bytes within the row, half open. Scores are higher the more suspicious.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ld50.scan.kernels_buffers import TextColumn, as_array, checked_buffers, text_buffers
from ld50.scan.kernels_choice import implementation
from ld50.scan.kernels_choice import run as _run
from ld50.scan.kernels_incidence import Gatherer, renumber, tally_numbers
from ld50.scan.kernels_tables import (
    build_bigram_table,
    build_candidates,
    build_frequent_pairs,
    build_word_table,
    known_bigrams,
    trigram_index,
)
from ld50.scan.kernels_types import (
    ALL_KINDS,
    FREQUENT,
    I64,
    LANES,
    LEFT_OUT,
    MAX_WORDS_N,
    NO_LANE,
    PROFILE_ROW_BYTES,
    SURFACE,
    SURFACE_KINDS,
    U8,
    U32,
    U64,
    WORD_KINDS,
    WORDS,
    CandidateSet,
    FragmentKind,
    Fragments,
    FrequentPairs,
    GatheredNgrams,
    Ngrams,
    Occurrences,
    Profile,
    ProfileSettings,
    ProfileTables,
    RowFlag,
    Salad,
    Sentences,
    profile_columns,
)

__all__ = [
    "ALL_KINDS",
    "FREQUENT",
    "LANES",
    "LEFT_OUT",
    "NO_LANE",
    "SURFACE",
    "SURFACE_KINDS",
    "WORDS",
    "WORD_KINDS",
    "CandidateSet",
    "FragmentKind",
    "Fragments",
    "FrequentPairs",
    "GatheredNgrams",
    "Gatherer",
    "Ngrams",
    "Occurrences",
    "Profile",
    "ProfileSettings",
    "ProfileTables",
    "RowFlag",
    "Salad",
    "Sentences",
    "TextColumn",
    "build_bigram_table",
    "build_candidates",
    "build_frequent_pairs",
    "build_word_table",
    "byte_classes",
    "bytes_hashes",
    "count_candidates",
    "fragments",
    "implementation",
    "known_bigrams",
    "ngram_kind",
    "ngrams",
    "normalise",
    "phrase_hashes",
    "profile",
    "renumber",
    "sentences",
    "slices",
    "tail_salads",
    "tally_ngrams",
    "tally_numbers",
    "text_buffers",
    "trigram_index",
]


def normalise(text: bytes) -> bytes:
    """The text in ASCII lower case, its ASCII whitespace trimmed and each run made one space.

    This is what rows are hashed as, and what the trigram table is over.
    """
    return b" ".join(text.split()).lower()


def ngram_kind(hashes: U64) -> tuple[U8, U8]:
    """The length of each n-gram and its stream (`WORDS` or `SURFACE`), read from its hash."""
    kind = (hashes & np.uint64(7)).astype(np.uint8)
    stream = (kind >= MAX_WORDS_N).astype(np.uint8)
    return (kind + 1 - stream * MAX_WORDS_N).astype(np.uint8), stream


def phrase_hashes(column: TextColumn, stream: int = WORDS) -> U64:
    """Each row's hash as one n-gram; 0 where it has no token, or more than 5 (surface: 3).

    The keys of reference tables are made with it, from words and pairs of words.
    """
    if stream not in (WORDS, SURFACE):
        raise ValueError(f"stream: expected {WORDS} or {SURFACE}, got {stream}")
    offsets, data = checked_buffers(column)
    out = np.zeros(offsets.size - 1, np.uint64)
    _run.phrase_hashes(offsets, data, stream, out)
    return out


def bytes_hashes(column: TextColumn) -> U64:
    """The hash of each row's bytes as they are: for labels, sources, and other exact values."""
    offsets, data = checked_buffers(column)
    out = np.zeros(offsets.size - 1, np.uint64)
    _run.bytes_hashes(offsets, data, out)
    return out


def byte_classes(column: TextColumn, classes: U8) -> I64:
    """How many bytes of each row are of each class, shape (rows, 8).

    Args:
        column: The texts.
        classes: uint8 (256,): the class of each byte, 0 to 7.
    """
    table = np.require(classes, np.uint8, ["C", "A"])
    if table.shape != (256,) or int(table.max()) > 7:
        raise ValueError("classes: expected 256 values of 0 to 7")
    offsets, data = checked_buffers(column)
    out = np.zeros((offsets.size - 1, 8), np.int64)
    _run.byte_classes(offsets, data, table, out)
    return out


def slices(data: U8, starts: I64, ends: I64) -> tuple[I64, U8]:
    """Pieces of a buffer as a column of texts; they may begin or end inside a character.

    Args:
        data: The buffer.
        starts: Where each piece starts.
        ends: Where it ends.
    """
    offsets = np.zeros(starts.size + 1, np.int64)
    np.cumsum(ends - starts, out=offsets[1:])
    out = np.empty(int(offsets[-1]), np.uint8)
    _run.slices(
        np.require(data, np.uint8, ["C", "A"]),
        np.require(starts, np.int64, ["C", "A"]),
        np.require(ends, np.int64, ["C", "A"]),
        out,
    )
    return offsets, out


def profile(
    column: TextColumn,
    tables: ProfileTables,
    settings: ProfileSettings = ProfileSettings(),  # noqa: B008 (frozen)
) -> Profile:
    """One value a row of each column of `Profile`: counts, hashes, marks, and the oddest segments.

    Windows are 96 to 128 normalised bytes, ended after a space where one comes in time. *Noise* is
    the run of windows with the most bits above the threshold, each read in its cheapest lane.
    *Switch* is the run in which another language is cheapest compared with the leading one. *Salad*
    is the run of words with the most points. Each is a maximum-sum segment (Kadane); start and end
    are bytes, and 0 where the score is.

    Raises:
        ValueError: for offsets out of order or out of the data, or a row of 4 GiB and more.
    """
    offsets, data = checked_buffers(column)
    out = bytearray((offsets.size - 1) * PROFILE_ROW_BYTES)
    _run.profile(
        offsets,
        data,
        np.require(tables.trigrams, np.uint8, ["C", "A"]).reshape(-1),
        tables.languages,
        np.require(tables.words, np.uint32, ["C", "A"]),
        np.require(tables.bigrams, np.uint64, ["C", "A"]),
        settings.points(bigrams=tables.bigrams.size > 0),
        *_frequent(tables),
        round(settings.noise_bits_per_byte * 16),
        settings.lead_bytes,
        out,
    )
    return Profile(**profile_columns(out, offsets.size - 1))


def tail_salads(
    column: TextColumn, most: int, tables: ProfileTables, weighings: Sequence[ProfileSettings]
) -> list[Salad]:
    """The *salad* of `profile` within the end of each row alone, by one or two weighings at once.

    Args:
        column: The texts.
        most: Bytes at the end of a row that are read; they may begin inside a character.
        tables: What is ordinary.
        weighings: The points of words in each.

    Returns:
        For each weighing the salads of all rows; start and end are bytes of the row.

    Raises:
        ValueError: as `profile`.
    """
    if len(weighings) not in (1, 2):
        raise ValueError(f"weighings: expected one or two, got {len(weighings)}")
    offsets, data = checked_buffers(column)
    rows = offsets.size - 1
    out = np.zeros((len(weighings), 3, rows), np.uint32)
    bigrams = tables.bigrams.size > 0
    _run.tail_salads(
        offsets,
        data,
        _most("most", most),
        np.require(tables.words, np.uint32, ["C", "A"]),
        np.require(tables.bigrams, np.uint64, ["C", "A"]),
        np.concatenate([settings.points(bigrams=bigrams) for settings in weighings]),
        *_frequent(tables),
        out,
    )
    return [Salad(score=each[0].view(np.float32), start=each[1], end=each[2]) for each in out]


def _frequent(tables: ProfileTables) -> tuple[U64, U8, NDArray[np.int8]]:
    """Slots, numbers and points of the frequent words; empty where there are none."""
    found = tables.frequent
    if found is None:
        return np.zeros(0, np.uint64), np.zeros(0, np.uint8), np.zeros(0, np.int8)
    return (
        np.require(found.slots, np.uint64, ["C", "A"]),
        np.require(found.numbers, np.uint8, ["C"]),
        np.require(found.points, np.int8, ["C"]).reshape(-1),
    )


def ngrams(
    column: TextColumn,
    rows: U32 | None = None,
    starts: U32 | None = None,
    ends: U32 | None = None,
    *,
    kinds: int = ALL_KINDS,
    max_per_row: int = 100_000,
    distinct: bool = False,
    buckets: U8 | None = None,
    least: int = 1,
    placed: bool = True,
) -> Ngrams:
    """The n-grams of chosen rows, each within its zone of bytes.

    Args:
        column: The texts.
        rows: Indices of rows, in any order, repeats allowed; all where None.
        starts: Where the zone of each chosen row starts; 0 where None.
        ends: Where it ends, cut to the row; the row's end where None. A token that does not lie
            wholly in the zone is left out, and n-grams do not reach over it.
        kinds: Bit k keeps the n-grams of hash kind k.
        max_per_row: At most so many for each entry of `rows`, the first ones.
        distinct: Whether only the first of each hash is kept, for each entry of `rows`.
        buckets: From `tally_ngrams`; only n-grams in a bucket with at least `least` are listed.
        least: See `buckets`; counts above 255 are not told apart.
        placed: Whether it is wanted where they are; else `start` and `end` are empty.

    Returns:
        In the order of the entries; within one, by last token, words before surface, short first.
    """
    offsets, data = checked_buffers(column)
    row, value, start, end = _run.ngrams(
        offsets,
        data,
        *_zones(offsets, rows, starts, ends),
        kinds & ALL_KINDS,
        _most("max_per_row", max_per_row),
        bool(distinct),
        buckets,
        min(least, 255),
        False,
        placed,
    )
    return Ngrams(
        row=as_array(row, np.uint32),
        hash=as_array(value, np.uint64),
        start=as_array(start, np.uint32),
        end=as_array(end, np.uint32),
    )


def tally_ngrams(column: TextColumn, buckets: U8, *, kinds: int = ALL_KINDS) -> None:
    """Adds the n-grams of each row, as often as they stand there, to buckets by the top bits of the hash.

    A bucket says in how many rows its n-grams are at most, so what is rare can be left out before
    anything is listed. Telling those apart that repeat within a row would cost more than it leaves out.
    One thread at a time.

    Args:
        column: The texts.
        buckets: uint8, a power of two long; counts stop at 255.
        kinds: Bit k counts the n-grams of hash kind k.
    """
    offsets, data = checked_buffers(column)
    zones = _zones(offsets, None, None, None)
    kinds &= ALL_KINDS
    _run.ngrams(offsets, data, *zones, kinds, 0xFFFFFFFF, False, buckets, 1, True, False)


def _zones(
    offsets: I64, rows: U32 | None, starts: U32 | None, ends: U32 | None
) -> tuple[U32, U32, U32]:
    count = offsets.size - 1
    chosen = np.arange(count, dtype=np.uint32) if rows is None else _u32("rows", rows)
    if chosen.size and int(chosen.max()) >= count:
        raise ValueError(f"rows: {int(chosen.max())} is not below {count}")
    zone_starts = np.zeros(chosen.size, np.uint32) if starts is None else _u32("starts", starts)
    zone_ends = np.full(chosen.size, 0xFFFFFFFF, np.uint32) if ends is None else _u32("ends", ends)
    if not chosen.size == zone_starts.size == zone_ends.size:
        raise ValueError("rows, starts, ends: expected the same length")
    return chosen, zone_starts, zone_ends


def _most(name: str, value: int) -> int:
    if value < 0:
        raise ValueError(f"{name}: expected 0 or more, got {value}")
    return min(value, 0xFFFFFFFF)


def _u32(name: str, values: NDArray[Any]) -> U32:
    found = np.asarray(values)
    if found.ndim != 1 or (found.size and found.dtype.kind not in "ui"):
        raise ValueError(f"{name}: expected a row of whole numbers, got {found.dtype}")
    if found.size and (int(found.min()) < 0 or int(found.max()) > 0xFFFFFFFF):
        raise ValueError(f"{name}: expected 0 to 2**32 - 1")
    return np.require(found, np.uint32, ["C", "A"])


def count_candidates(
    column: TextColumn,
    candidates: CandidateSet,
    counts: U32,
    *,
    by_id: bool = True,
    placed: bool = True,
) -> Occurrences:
    """Adds to ``counts`` the rows that contain each candidate, each row once.

    Args:
        column: The texts.
        candidates: What to look for; read only, so that threads can share it.
        counts: One number a candidate; changed in place, so one array a thread.
        by_id: Whether the occurrences in one row are put in order; without, they come as found.
        placed: Whether it is wanted where they are; else `start` and `end` are empty.

    Returns:
        The first occurrence in each row of the candidates that are listed, by row and id.
    """
    offsets, data = checked_buffers(column)
    _writable("counts", counts, (len(candidates),))
    found = _run.count_candidates(
        offsets,
        data,
        candidates.hashes,
        candidates.listed,
        candidates.filter,
        candidates.slots,
        candidates.kinds,
        counts,
        placed,
    )
    row, candidate, start, end = (as_array(each, np.uint32) for each in found)
    if by_id:
        order = np.argsort(row.astype(np.uint64) << np.uint64(32) | candidate)
        row, candidate = row[order], candidate[order]
        if placed:
            start, end = start[order], end[order]
    return Occurrences(row=row, candidate=candidate, start=start, end=end)


def _writable(name: str, array: U32, shape: tuple[int, ...]) -> None:
    flags = array.flags
    if array.dtype != np.uint32 or array.shape != shape or not (flags.carray and flags.writeable):
        raise ValueError(f"{name}: expected a writable uint32 array {shape}, got {array.shape}")


def sentences(column: TextColumn, *, min_words: int = 3, max_words: int = 200) -> Sentences:
    """The sentences and lines with so many words, with a hash of their words alone.

    A sentence ends at ``. ! ? …`` and closing marks before a space, at ``。！？``, and with a line.
    """
    if not 0 <= min_words <= max_words < 1 << 31:
        raise ValueError(f"expected 0 <= min_words <= max_words, got {min_words}, {max_words}")
    row, value, start, end, words = _run.sentences(*checked_buffers(column), min_words, max_words)
    return Sentences(
        row=as_array(row, np.uint32),
        hash=as_array(value, np.uint64),
        start=as_array(start, np.uint32),
        end=as_array(end, np.uint32),
        words=as_array(words, np.uint32),
    )


def fragments(column: TextColumn) -> Fragments:
    """Addresses, mail addresses, Markdown links and images, tags and calls, by row and start.

    Parts have a largest size (an address 2 kB, a tag 1 kB, a call 256 bytes); beyond it they are
    not found, or are cut. They may nest: the address within a link is listed too.
    """
    dtypes = (np.uint32, np.uint64, np.uint32, np.uint32, np.uint8)
    found = _run.fragments(*checked_buffers(column))
    columns = [as_array(each, dtype) for each, dtype in zip(found, dtypes, strict=True)]
    order = np.lexsort((columns[3], columns[4], columns[2], columns[0]))
    row, value, start, end, kind = (each[order] for each in columns)
    return Fragments(row=row, hash=value, start=start, end=end, kind=kind)
