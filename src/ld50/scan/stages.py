"""What is done to one work unit in each stage of a scan; a unit's result depends on nothing else.

summarize (survey) -> merge -> score is the shape of the whole scan: these functions are the first
part, so any number of threads, processes or machines may run them in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
import pyarrow as pa

from ld50.core.records import RowBatch
from ld50.corpus import Plan, reference
from ld50.corpus import read as read_unit
from ld50.scan import kernels, replies
from ld50.scan.continuations import Segments, segments
from ld50.scan.reference_words import word_hashes
from ld50.scan.rereading import CauseReader, Keeper

#: Bytes of a prompt in which causes of every consequence are looked for: its beginning and its end.
PROMPT_HEAD, PROMPT_TAIL = 6144, 2048

FLAG_BITS = 32


@lru_cache(maxsize=1)
def profile_tables() -> kernels.ProfileTables:
    """The shipped reference statistics in the form the profile kernel reads."""
    trigrams = reference.trigram_table()
    words = reference.word_table()
    return kernels.ProfileTables(
        trigrams=trigrams.cost,
        languages=sum(lane.kind == "language" for lane in reference.LANES),
        words=kernels.build_word_table(word_hashes(), words.salad_zipf16),
        bigrams=reference.bigram_filter().words,
    )


@lru_cache(maxsize=1)
def profile_settings() -> kernels.ProfileSettings:
    """Thresholds of the profile kernel, as calibrated when the reference was built."""
    points = reference.salad_points()
    return kernels.ProfileSettings(
        noise_bits_per_byte=reference.trigram_table().gibberish_bits_per_byte,
        word_points=points.first,
        pair_points=points.pairs,
        number_points=points.pairs_number,
        single_points=points.pairs_single,
    )


def side_of(batch: RowBatch) -> tuple[str, pa.Array]:
    """Which column of a batch shows consequences, and that column: the reply, or else the text."""
    if batch.response is not None:
        return "response", batch.response
    if batch.text is None:
        raise ValueError("a batch has neither text nor response")
    return "text", batch.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What one unit, or all units merged, look like: the result of the first pass."""

    rows: int
    """Rows of the unit, skipped ones included."""
    text_bytes: int
    skipped: dict[str, int]
    flag_counts: np.ndarray
    """int64 (32,): rows whose cause column has each format or character flag."""
    marked: np.ndarray = field(repr=False)
    """int64 (m, 2): row number and flags of rows with rare characters in the cause column."""
    texts: Segments = field(repr=False)
    """Anomalous stretches in documents."""
    lead_counts: np.ndarray = field(repr=False)
    """int64 (256,): documents that begin in each language lane; 255 where it is not known."""
    chat: replies.ReplyColumns | None = field(repr=False)
    labelled: int
    """Rows with text and a label."""
    exchanges: int
    """Rows in which the model speaks more than once."""
    copies: np.ndarray = field(repr=False)
    """uint64 (n, 2): row number and hash of the normalised text."""


#: Flags that few honest rows have; which rows have them is kept.
RARE_FLAGS = (
    kernels.RowFlag.INVISIBLE
    | kernels.RowFlag.BIDI
    | kernels.RowFlag.TAG
    | kernels.RowFlag.PRIVATE_USE
    | kernels.RowFlag.MIXED_CYRILLIC
    | kernels.RowFlag.MIXED_GREEK
    | kernels.RowFlag.STYLED
    | kernels.RowFlag.FULLWIDTH
)
_MOST_MARKED = 50_000
#: Bytes of what is listed of replies that are held of a unit before they are thinned; up to 170 MiB are left.
_MOST_LISTED = 192 << 20


def survey(
    plan: Plan,
    causes: CauseReader,
    unit: int,
    tables: kernels.ProfileTables,
    most_segments: int,
    thinned: replies.ReplyColumns | None = None,
) -> Survey:
    """First pass over one unit: every signal that a row shows by itself.

    Args:
        plan: What is read.
        causes: Keeps what it may need again.
        unit: Number of the unit.
        tables: What is ordinary in language and in this corpus.
        most_segments: Stretches of each kind that are kept, strongest first.
        thinned: Replies of other units; what has been left out of these is left out here, too.
    """
    settings = profile_settings()
    flag_counts = np.zeros(FLAG_BITS, dtype=np.int64)
    marked, texts, chats, copies = [], [], [], []
    labelled = 0
    lead_counts = np.zeros(256, dtype=np.int64)
    reader = read_unit(plan, unit)
    keeper = Keeper(causes, unit)
    for batch in reader:
        column = keeper.add(batch).column
        profile = kernels.profile(column, tables, settings)
        for bit in range(FLAG_BITS):
            flag_counts[bit] += int(np.count_nonzero(profile.flags & np.uint32(1 << bit)))
        rare = np.flatnonzero(profile.flags & np.uint32(RARE_FLAGS))
        marked.append(np.stack([batch.rows[rare], profile.flags[rare].astype(np.int64)], axis=1))
        copies.append(np.stack([batch.rows.astype(np.uint64), profile.hash], axis=1))
        if batch.response is not None:
            chat = replies.summarize(
                batch,
                prompt_profile=None if batch.prompt is None else profile,
                reply_profile=kernels.profile(batch.response, tables, settings),
            )
            chats.append(chat if thinned is None else replies.thin([thinned, chat])[1])
            # A row group may hold a million rows.
            if sum(chat.listed_bytes for chat in chats) > _MOST_LISTED:
                chats = replies.thin(chats)
        elif batch.text is not None:
            texts.append(segments(batch.text, profile, batch.rows, tables, settings))
            lead_counts += np.bincount(profile.lead_lane, minlength=256)
        if batch.label is not None:
            labelled += len(batch) - batch.label.null_count
    keeper.finish()
    tally = reader.tally
    return Survey(
        rows=tally.rows,
        text_bytes=tally.text_bytes,
        skipped=dict(tally.skipped),
        flag_counts=flag_counts,
        marked=np.concatenate(marked)[:_MOST_MARKED] if marked else np.zeros((0, 2), np.int64),
        texts=Segments.concatenate(texts).strongest(most_segments),
        lead_counts=lead_counts,
        chat=replies.merge(chats, let_go=True) if chats else None,
        labelled=labelled,
        exchanges=tally.exchanges,
        copies=np.concatenate(copies) if copies else np.zeros((0, 2), np.uint64),
    )


def occurrences(causes: CauseReader, unit: int, candidates: kernels.CandidateSet) -> np.ndarray:
    """int64 (n, 2): row number within the unit and candidate id, for every row that holds one."""
    counts = np.zeros(len(candidates.hashes), dtype=np.uint32)
    found = []
    for batch in causes.read(unit):
        hits = kernels.count_candidates(batch.column, candidates, counts, placed=False)
        found.append(np.stack([batch.rows[hits.row], hits.candidate.astype(np.int64)], axis=1))
    return np.concatenate(found) if found else np.zeros((0, 2), dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Frequent:
    """Which n-grams may stand in enough rows; what does not is not listed at all."""

    buckets: np.ndarray = field(repr=False)
    """uint8, a power of two long: from `kernels.tally_ngrams`."""
    least: int
    """Rows that are enough."""


def tally_prompts(causes: CauseReader, unit: int, wanted: np.ndarray, buckets: np.ndarray) -> None:
    """Adds the n-grams of the prompts of some rows (int64, rising) of a unit to buckets; one at a time."""
    for batch in causes.read(unit):
        index = np.flatnonzero(np.isin(batch.rows, wanted, assume_unique=True))
        if len(index):
            kernels.tally_ngrams(batch.column.take(pa.array(index)), buckets)


def prompt_ngrams(
    causes: CauseReader, unit: int, wanted: np.ndarray, frequent: Frequent | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """N-grams of the prompts of some rows of a unit.

    Args:
        causes: Reads the prompts.
        unit: Number of the unit.
        wanted: int64, rising: row numbers within the unit.
        frequent: The n-grams that are listed; all if None.

    Returns:
        Row numbers (int64) and n-gram hashes (uint64), each pair once.
    """
    rows, hashes = [], []
    for batch in causes.read(unit):
        index = np.flatnonzero(np.isin(batch.rows, wanted, assume_unique=True))
        if len(index) == 0:
            continue
        column = batch.column
        offsets, _ = kernels.text_buffers(column)
        length = (offsets[index + 1] - offsets[index]).astype(np.int64)
        numbers = index.astype(np.uint32)
        zones: tuple[np.ndarray, np.ndarray | None, np.ndarray | None] = (numbers, None, None)
        if (length > PROMPT_HEAD + PROMPT_TAIL).any():
            zones = _zones(numbers, length)
        found = (
            kernels.ngrams(column, *zones, distinct=True, placed=False)
            if frequent is None
            else kernels.ngrams(
                column,
                *zones,
                distinct=True,
                buckets=frequent.buckets,
                least=frequent.least,
                placed=False,
            )
        )
        rows.append(batch.rows[found.row])
        hashes.append(found.hash)
    if not rows:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.uint64)
    return np.concatenate(rows), np.concatenate(hashes)


def _zones(index: np.ndarray, length: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """uint32: the beginning and the end of long prompts, two zones a row; where each starts and ends."""
    long = length > PROMPT_HEAD + PROMPT_TAIL
    rows = np.concatenate([index, index[long]])
    starts = np.concatenate([np.zeros(len(index)), length[long] - PROMPT_TAIL])
    ends = np.concatenate([np.where(long, PROMPT_HEAD, length), length[long]])
    return rows, starts.astype(np.uint32), ends.astype(np.uint32)
