"""What the first pass finds in all units, merged; and the form in which a unit's part is kept."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ld50.scan import replies, stages
from ld50.scan.associate import Consequence
from ld50.scan.checkpoint import Columns
from ld50.scan.continuations import KINDS, Segments
from ld50.scan.corpus_sample import CorpusSample
from ld50.scan.settings import ScanSettings
from ld50.scan.shelf import Shelf

#: Bytes of fragments, rare words and sketches of replies that are held before they are thinned, and that
#: must be new of them: up to 170 MiB are left.
_MOST_LISTED, _LEAST_NEW = 144 << 20, 24 << 20
#: Bytes of what there is of every row before it goes to the shelf: some 300,000 rows.
_MOST_HELD = 32 << 20
#: Rows whose hash is kept, to look for copies; past it, those of every second text, of every fourth, ...
_MOST_COPIES, _MOST_HALVINGS = 4_000_000, 16
#: Times as many stretches as are kept of all kinds together are held before units are merged: were it
#: once, each unit would be merged by itself, and all that is kept copied for it.
_HELD = 2
#: N-grams of a zone, at most: eight for each of some 75 tokens.
_NGRAMS_A_ROW = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All units' surveys merged; row numbers are ordinals in the whole corpus."""

    unit_rows: np.ndarray
    """int64 (units,): rows of each unit, skipped ones included."""
    unit_skipped: list[dict[str, int]]
    unit_text_bytes: np.ndarray
    flag_counts: np.ndarray
    marked: np.ndarray = field(repr=False)
    texts: Segments = field(repr=False)
    lead_counts: np.ndarray = field(repr=False)
    """int64 (256,): documents that begin in each language lane; 255 where it is not known."""
    chat: replies.ReplyColumns | None = field(repr=False)
    chat_ordinals: np.ndarray = field(repr=False)
    """int64: ordinal in the corpus of each row of `chat`."""
    labelled: int
    unit_exchanges: np.ndarray
    """int64 (units,): rows of each unit in which the model speaks more than once."""
    copies: np.ndarray = field(repr=False)
    """uint64 (n, 2): ordinal of the row and hash of its normalised text."""
    copies_step: int
    """1 if these are all rows; else they are all copies of about every so manieth text."""
    sample: CorpusSample = field(repr=False)
    """What is ordinary in this corpus."""

    def without_lists(self) -> Survey:
        """The same without what is listed of replies, once all consequences are known."""
        chat = None if self.chat is None else self.chat.without_lists()
        return dataclasses.replace(self, chat=chat)

    def distinct_ngrams(self, consequences: list[Consequence]) -> int:
        """A bound on the tests that the run could make: some 600 n-grams in each row of interest."""
        return max(1, _NGRAMS_A_ROW * sum(len(consequence.rows) for consequence in consequences))

    @property
    def first_row(self) -> np.ndarray:
        """int64 (units + 1,): ordinal of each unit's first row, and the number of all rows."""
        return np.concatenate([[0], np.cumsum(self.unit_rows)]).astype(np.int64)

    @property
    def rows(self) -> int:
        """Rows of the corpus, skipped ones included."""
        return int(self.unit_rows.sum())

    @property
    def readable(self) -> int:
        """Rows that could show anything: without the skipped ones."""
        return self.rows - sum(sum(part.values()) for part in self.unit_skipped)

    def locate(self, ordinals: np.ndarray) -> list[tuple[int, int]]:
        """Unit and row within the unit of each ordinal."""
        first = self.first_row
        units = np.searchsorted(first, ordinals, side="right") - 1
        return list(zip(units.tolist(), (ordinals - first[units]).tolist(), strict=True))


class SurveyMerger:
    """Merges the surveys of units, which come in order."""

    def __init__(self, settings: ScanSettings, shelf: Shelf | None = None) -> None:
        """Nothing is merged yet.

        Args:
            settings: Of the tests.
            shelf: Takes what there is of every row, where there are very many; memory does without one.
        """
        self._shelf = shelf
        self._shelved = False
        self.thinned: replies.ReplyColumns | None = None
        """Of no row: as often thinned as what is listed of replies will be in the end, or less."""
        self._most = settings.most_segments
        self._rows: list[int] = []
        self._skipped: list[dict[str, int]] = []
        self._bytes: list[int] = []
        self._flags = np.zeros(stages.FLAG_BITS, dtype=np.int64)
        self._marked: list[np.ndarray] = []
        self._texts: list[Segments] = []
        self._lead_counts = np.zeros(256, dtype=np.int64)
        self._chats: list[replies.ReplyColumns] = []
        self._chat_rows: list[np.ndarray] = []
        self._listed, self._left, self._held = 0, 0, 0
        self._labelled = 0
        self._exchanges: list[int] = []
        self._copies: list[np.ndarray] = []
        self._copies_kept = 0
        self._copies_level = 0

    def add(self, unit: stages.Survey) -> None:
        """Takes the next unit in."""
        first = sum(self._rows)
        self._rows.append(unit.rows)
        self._skipped.append(unit.skipped)
        self._bytes.append(unit.text_bytes)
        self._flags += unit.flag_counts
        self._marked.append(unit.marked + np.array([first, 0]))
        self._texts.append(unit.texts.shifted(first))
        self._lead_counts += unit.lead_counts
        # Bounded: what falls out now would fall out of any later merge, too.
        if sum(map(len, self._texts)) > _HELD * len(KINDS) * self._most:
            self._texts = [Segments.concatenate(self._texts).strongest(self._most)]
        if unit.chat is not None:
            self._chats.append(unit.chat)
            self._chat_rows.append(unit.chat.rows.astype(np.int64) + first)
            self._listed += unit.chat.listed_bytes
            self._held += unit.chat.row_bytes
            self._settle_chats()
        self._labelled += unit.labelled
        self._exchanges.append(unit.exchanges)
        self._add_copies(unit.copies + np.array([first, 0], dtype=np.uint64))

    def _settle_chats(self) -> None:
        """Thins what is listed of replies, and puts the rest on the shelf, if either is too much to hold."""
        much = self._listed > max(_MOST_LISTED, self._left + _LEAST_NEW)
        if self._shelf is None and much:
            self._chats = replies.thin(self._chats)
        elif self._shelf is not None and (much or self._held > _MOST_HELD):
            self._chats = [replies.merge(self._chats, let_go=True, join=self._shelf.join)]
            self._chat_rows = [self._shelf.join("ordinals", self._chat_rows)]
            self._shelved, self._held = True, 0
        else:
            return
        self._listed = self._left = sum(chat.listed_bytes for chat in self._chats)
        self.thinned = self._chats[0].without_rows()

    def _add_copies(self, copies: np.ndarray) -> None:
        """Takes hashes in; past the bound, lets go of half of all texts, each with all of its copies.

        Which half depends on the hash alone, so the order of units makes no difference.
        """
        self._copies.append(self._of_level(copies))
        self._copies_kept += len(self._copies[-1])
        # One text millions of times over stays whole, or is let go of, whatever the level.
        while self._copies_kept > _MOST_COPIES and self._copies_level < _MOST_HALVINGS:
            self._copies_level += 1
            self._copies = [self._of_level(part) for part in self._copies]
            self._copies_kept = sum(map(len, self._copies))

    def _of_level(self, copies: np.ndarray) -> np.ndarray:
        low = np.uint64((1 << self._copies_level) - 1)
        # The low bits by themselves are as good as any: the hash is mixed to the end.
        return copies if not low else copies[(copies[:, 1] & low) == 0]

    def result(self, sample: CorpusSample) -> Survey:
        """All units that were added, as one."""
        join = self._shelf.join if self._shelf is not None and self._shelved else None
        return Survey(
            sample=sample,
            unit_rows=np.array(self._rows, dtype=np.int64),
            unit_skipped=self._skipped,
            unit_text_bytes=np.array(self._bytes, dtype=np.int64),
            flag_counts=self._flags,
            marked=_joined("marked", self._marked, None, np.zeros((0, 2), np.int64)),
            texts=Segments.concatenate(self._texts).strongest(self._most),
            lead_counts=self._lead_counts,
            chat=replies.merge(self._chats, let_go=True, join=join) if self._chats else None,
            chat_ordinals=_joined("ordinals", self._chat_rows, join, np.zeros(0, np.int64)),
            labelled=self._labelled,
            unit_exchanges=np.array(self._exchanges, dtype=np.int64),
            copies=_joined("copies", self._copies, join, np.zeros((0, 2), np.uint64)),
            copies_step=1 << self._copies_level,
        )


def _joined(
    name: str,
    parts: list[np.ndarray],
    join: Callable[[str, list[np.ndarray]], np.ndarray] | None,
    nothing: np.ndarray,
) -> np.ndarray:
    """All parts of a column one after the other, on the shelf or in memory; nothing, where there are none."""
    if not parts:
        return nothing
    return np.concatenate(parts) if join is None else join(name, parts)


def pack(survey: stages.Survey) -> Columns:
    """A unit's survey as plain arrays, for a checkpoint."""
    meta = {
        "rows": survey.rows,
        "text_bytes": survey.text_bytes,
        "skipped": survey.skipped,
        "labelled": survey.labelled,
        "exchanges": survey.exchanges,
        "thinned": 0 if survey.chat is None else survey.chat.thinned,
    }
    columns: Columns = {
        "meta": np.frombuffer(json.dumps(meta).encode(), dtype=np.uint8),
        "flag_counts": survey.flag_counts,
        "marked": survey.marked,
        "lead_counts": survey.lead_counts,
        "copies": survey.copies,
        **survey.texts.to_columns("texts"),
    }
    if survey.chat is not None:
        for entry in dataclasses.fields(survey.chat):
            if entry.name != "thinned":
                columns[f"chat.{entry.name}"] = getattr(survey.chat, entry.name)
    return columns


def _chat(columns: Columns, thinned: int) -> replies.ReplyColumns:
    values: dict[str, Any] = {**columns, "thinned": thinned}
    return replies.ReplyColumns(**values)


def unpack(columns: Columns) -> stages.Survey:
    """The inverse of `pack`."""
    meta = json.loads(columns["meta"].tobytes())
    chat = {key[5:]: value for key, value in columns.items() if key.startswith("chat.")}
    return stages.Survey(
        rows=meta["rows"],
        text_bytes=meta["text_bytes"],
        skipped=meta["skipped"],
        labelled=meta["labelled"],
        exchanges=meta["exchanges"],
        flag_counts=columns["flag_counts"],
        marked=columns["marked"],
        lead_counts=columns["lead_counts"],
        copies=columns["copies"],
        texts=Segments.from_columns(columns, "texts"),
        chat=_chat(chat, meta["thinned"]) if chat else None,
    )
