"""Where a text turns into noise, word salad or another language: the signals of poisoned documents.

One pass of the profile kernel gives every row its most anomalous stretch of each kind. Rows whose
stretch is long enough to matter are kept, strongest first and in bounded number, with the text around
the onset: that is where a trigger stands.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pyarrow as pa

from ld50.corpus import reference
from ld50.scan import kernels
from ld50.scan.associate import Consequence
from ld50.scan.checkpoint import Columns

#: Kinds of continuation, by number.
KINDS = ("noise", "salad", "language_switch", "tail", "closing_salad", "nonwords")
NOISE, SALAD, SWITCH, TAIL, CLOSING, NONWORDS = range(6)
#: Bytes at the end of a document that are looked at apart: short gibberish is lost in a long text.
TAIL_BYTES = 320

#: Least score of a stretch: bits for noise and for a switch, points for salad. Low, because each kind of
#: gibberish is tested in shares of the rows.
LEAST_SCORE = (float(reference.trigram_table().least_gibberish_bits), 45.0, 120.0, 22.0, 45.0, 45.0)
#: The shares: few rows of long gibberish stand out only among the strangest, and many rows of gibberish
#: that is hardly any stand out only where all that is odd is looked at.
_SHARES = (0.08, 0.02, 0.004)
#: Bytes after a stretch that runs to the end of its text: lists and tables, which look odd as well, are
#: followed by more, and what is put in after a trigger seldom is.
_CLOSING_BYTES = 64

#: Points of a word that the reference does not have, at the end of a text: to the salad it says nothing,
#: as names and terms are no words of it either. Pieces of words in no order make hardly any but such.
_NONWORD_POINTS = 6
#: Of its bytes, so many are marks and ends of lines at most: more are in code and in lists of its names.
_MOST_MARKS = 0.08
_MARKS = np.array(
    [chr(code) not in " \r" and code < 128 and not chr(code).isalnum() for code in range(256)]
)
#: ... and so many the first of a character in scripts of whose words the reference has few or none: of text
#: in these it is a third, and all of it is nonwords.
_MOST_WIDE = 0.25
_WIDE = np.arange(256) >= 0xE0

# The kernel's windows are about 100 bytes long, so an onset may be off by one window either way.
_BEFORE_ONSET = 320
_AFTER_ONSET = 144
_HEAD = 160
#: Of each language, so many rows are kept, as a share of those that are kept of a kind.
_OF_EACH_LANE = 0.1
#: A stretch that begins here begins with the row; what follows on it must be as long as a stretch.
_FIRST_BYTES, _LEAST_REST = 64, 200
#: Bits by which it has to be of another language: a line of a hundred characters gives some fifty.
_LEAST_OF_HEAD = 45.0

_FIELDS = ("row", "kind", "score", "start", "end", "lane", "lead", "flags", "context")
_TYPES = (
    np.int64,
    np.uint8,
    np.float32,
    np.uint32,
    np.uint32,
    np.uint8,
    np.uint8,
    np.uint32,
    np.uint64,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """Anomalous stretches, one a row and kind, as columns of equal length."""

    row: np.ndarray
    """int64: number of the row (within its unit, or in the corpus after `shifted`)."""
    kind: np.ndarray
    """uint8: index into `KINDS`."""
    score: np.ndarray
    """float32: bits (noise, switch) or points (salad) above the threshold; higher is stranger."""
    start: np.ndarray
    """uint32: first byte of the stretch, in the row's text."""
    end: np.ndarray
    lane: np.ndarray
    """uint8: language lane that the stretch is in (language switch), else 255."""
    lead: np.ndarray
    """uint8: language lane that the row begins in."""
    flags: np.ndarray
    """uint32: format and character flags of the whole row."""
    context: np.ndarray
    """uint64: hash of the row's first words; templates share it."""
    zone_head: pa.Array
    """large_binary: the first bytes of the row, where they end before the stretch."""
    zone_onset: pa.Array
    """large_binary: the bytes around the onset."""

    def __len__(self) -> int:
        return len(self.row)

    def take(self, index: np.ndarray) -> Segments:
        """The stretches at these positions, in this order."""
        numbers = {name: getattr(self, name)[index] for name in _FIELDS}
        return Segments(
            **numbers,
            zone_head=_taken(self.zone_head, index),
            zone_onset=_taken(self.zone_onset, index),
        )

    def shifted(self, rows: int) -> Segments:
        """The same, with `rows` added to every row number."""
        numbers = {name: getattr(self, name) for name in _FIELDS}
        numbers["row"] = self.row + rows
        return Segments(**numbers, zone_head=self.zone_head, zone_onset=self.zone_onset)

    def strongest(self, most: int) -> Segments:
        """At most so many of each kind, the ones with the highest scores, and some of each language.

        A corpus of code turns from comments into code and back so often that what turns into a language
        would be lost among it.
        """
        group = self.kind.astype(np.int64) << 8 | self.lane
        order = np.lexsort((self.row, -self.score, group))
        kept = _first_of_each(group[order], int(_OF_EACH_LANE * most))
        by_kind = np.lexsort((self.row, -self.score, self.kind))
        kept[np.argsort(order)[by_kind[_first_of_each(self.kind[by_kind], most)]]] = True
        keep = order[kept]
        return self.take(keep[np.lexsort((self.row[keep], self.kind[keep]))])

    def to_columns(self, prefix: str) -> Columns:
        """As plain arrays, for a checkpoint."""
        columns = {f"{prefix}.{name}": getattr(self, name) for name in _FIELDS}
        for name in ("zone_head", "zone_onset"):
            offsets, data = kernels.text_buffers(getattr(self, name))
            columns[f"{prefix}.{name}.offsets"] = offsets
            columns[f"{prefix}.{name}.data"] = data
        return columns

    @classmethod
    def from_columns(cls, columns: Columns, prefix: str) -> Segments:
        """The inverse of `to_columns`."""
        zones = {
            name: _binary(columns[f"{prefix}.{name}.offsets"], columns[f"{prefix}.{name}.data"])
            for name in ("zone_head", "zone_onset")
        }
        return cls(**{name: columns[f"{prefix}.{name}"] for name in _FIELDS}, **zones)

    @classmethod
    def concatenate(cls, parts: list[Segments]) -> Segments:
        """All parts, one after the other."""
        if not parts:
            return _empty()
        return cls(
            **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _FIELDS},
            zone_head=pa.concat_arrays([part.zone_head for part in parts]),
            zone_onset=pa.concat_arrays([part.zone_onset for part in parts]),
        )


def segments(
    column: pa.Array,
    profile: kernels.Profile,
    rows: np.ndarray,
    tables: kernels.ProfileTables,
    settings: kernels.ProfileSettings,
) -> Segments:
    """The stretches of a column of text that reach `LEAST_SCORE`.

    Args:
        column: large_string (n,), what was profiled.
        profile: The kernel's result for it.
        rows: int64 (n,), numbers of the rows.
        tables: What it was profiled with.
        settings: Likewise.
    """
    offsets, data = kernels.text_buffers(column)
    none = np.full(len(rows), 255, dtype=np.uint8)
    tail, nonwords = kernels.tail_salads(
        column, TAIL_BYTES, tables, (settings, of_nonwords(settings))
    )
    measured = (
        (profile.noise_score, profile.noise_start, profile.noise_end, none),
        (profile.salad_score, profile.salad_start, profile.salad_end, none),
        _switches(profile, offsets),
        (tail.score, tail.start, tail.end, none),
        (_closing(profile, offsets), profile.salad_start, profile.salad_end, none),
        (_told_of_nonwords(offsets, data, nonwords), nonwords.start, nonwords.end, none),
    )
    which = [
        np.flatnonzero(score >= least)
        for (score, *_), least in zip(measured, LEAST_SCORE, strict=True)
    ]
    score, start, end, lane = (
        np.concatenate([each[field][index] for each, index in zip(measured, which, strict=True)])
        for field in range(4)
    )
    index = np.concatenate(which)
    begin, onset = offsets[index], start.astype(np.int64)
    length = offsets[index + 1] - begin
    low = np.maximum(onset - _BEFORE_ONSET, 0)
    high = np.minimum(onset + _AFTER_ONSET, length)
    return Segments(
        row=rows[index],
        kind=np.repeat(np.arange(len(KINDS), dtype=np.uint8), [len(each) for each in which]),
        score=score.astype(np.float32),
        start=start.astype(np.uint32),
        end=end.astype(np.uint32),
        lane=lane,
        lead=profile.lead_lane[index],
        flags=profile.flags[index],
        context=profile.head_hash[index],
        zone_head=_slices(data, begin, begin + np.minimum(_HEAD, low)),
        zone_onset=_slices(data, begin + low, begin + high),
    )


def _switches(
    profile: kernels.Profile, offsets: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Score, start, end and lane of the stretch in another language, what a row begins with being its own.

    The kernel takes the lane of the first half kilobyte for the row's own. Where the text is short
    before it turns, that is the language it turns into, and the stretch is the row's beginning. Its
    score is that of a few lines; that the rest is another language is beyond doubt.
    """
    length = (offsets[1:] - offsets[:-1]).astype(np.int64)
    rest = length - profile.switch_end
    turned = (
        (profile.switch_start < _FIRST_BYTES) & (rest >= _LEAST_REST) & (profile.switch_score > 0)
    )
    turned &= profile.lead_lane != 255
    start = np.where(turned, profile.switch_end, profile.switch_start).astype(np.uint32)
    end = np.where(turned, length, profile.switch_end).astype(np.uint32)
    lane = np.where(turned, profile.lead_lane, profile.switch_lane).astype(np.uint8)
    sure = np.where(turned & (profile.switch_score >= _LEAST_OF_HEAD), LEAST_SCORE[SWITCH], 0)
    return np.maximum(profile.switch_score, sure), start, end, lane


def _closing(profile: kernels.Profile, offsets: np.ndarray) -> np.ndarray:
    """float32 (rows,): score of the word salad of each row if the row ends with it, else 0."""
    rest = (offsets[1:] - offsets[:-1]).astype(np.int64) - profile.salad_end
    return np.asarray(np.where(rest <= _CLOSING_BYTES, profile.salad_score, 0))


def _told_of_nonwords(offsets: np.ndarray, data: np.ndarray, found: kernels.Salad) -> np.ndarray:
    """float32 (rows,): scores of words that no language has, 0 where it is code or an unknown script."""
    score = found.score.copy()
    odd = np.flatnonzero(score >= LEAST_SCORE[NONWORDS])
    begins = offsets[odd].astype(np.int64)
    stretches = kernels.slices(data, begins + found.start[odd], begins + found.end[odd])
    other = _share_of(_MARKS, *stretches) > _MOST_MARKS
    score[odd[other | (_share_of(_WIDE, *stretches) > _MOST_WIDE)]] = 0
    return score


def _share_of(some: np.ndarray, offsets: np.ndarray, data: np.ndarray) -> np.ndarray:
    """float64: of each range of bytes, none empty, the share that is one of some (bool (256,))."""
    before = np.concatenate([[0], np.cumsum(some[data], dtype=np.int64)])
    return np.asarray((before[offsets[1:]] - before[offsets[:-1]]) / np.diff(offsets))


@lru_cache(maxsize=4)
def of_nonwords(settings: kernels.ProfileSettings) -> kernels.ProfileSettings:
    """The same settings, by which words that no language has are what is odd."""
    points = np.array(settings.pair_points, dtype=np.int64)
    # Of the eight classes of words the first is that of the unknown, whether a pair is known or not.
    unknown = np.arange(len(points)) >> 1 & 7 == 0
    points[unknown] = np.maximum(points[unknown], _NONWORD_POINTS)
    return replace(settings, pair_points=tuple(points.tolist()))


_GIBBERISH = {
    NOISE: "the text turns into gibberish",
    SALAD: "the text turns into a salad of words",
    TAIL: "the text ends in gibberish",
    CLOSING: "the text turns into a salad of words, and ends with it",
    NONWORDS: "the text ends in words that no language has",
}


def gibberish_key(kind: int, share: int) -> int:
    """`Consequence.key` of a kind of gibberish in one of the shares of rows."""
    return kind * 4 + share


def gibberish_kind(key: int) -> int:
    """The kind of gibberish that a `Consequence.key` stands for."""
    return key // 4


def text_consequences(texts: Segments, rows: int) -> list[Consequence]:
    """What documents turn into: gibberish of each kind, and each other language.

    Args:
        texts: The stretches of all rows.
        rows: Rows of the corpus.
    """
    found: list[Consequence] = []
    for kind, text in _GIBBERISH.items():
        index = np.flatnonzero(texts.kind == kind)
        strangest = texts.row[index[np.lexsort((texts.row[index], -texts.score[index]))]]
        sizes = [min(int(share * rows), len(strangest)) for share in _SHARES]
        for share, most in enumerate(sizes):
            if most and most not in sizes[:share]:
                found.append(
                    Consequence(
                        kind="gibberish",
                        text=text,
                        rows=np.unique(strangest[:most]),
                        key=gibberish_key(kind, share),
                    )
                )
    switched = texts.kind == SWITCH
    for lane in np.unique(texts.lane[switched]).tolist():
        name = reference.LANES[lane].name
        found.append(
            Consequence(
                kind="language_switch",
                text=f"the text turns into {name}",
                rows=np.unique(texts.row[switched & (texts.lane == lane)]),
                key=lane + 1,
            )
        )
    return found


def _first_of_each(groups: np.ndarray, most: int) -> np.ndarray:
    """bool: the first so many of each run of equal values."""
    begins = np.flatnonzero(np.diff(groups, prepend=-1))
    sizes = np.diff(begins, append=len(groups))
    return np.asarray(np.arange(len(groups)) - np.repeat(begins, sizes) < most)


def _slices(data: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> pa.Array:
    """Byte ranges of a buffer as a large_binary array; they may begin or end inside a character."""
    return _binary(*kernels.slices(data, starts, ends))


def _taken(zone: pa.Array, index: np.ndarray) -> pa.Array:
    offsets, data = kernels.text_buffers(zone)
    return _slices(data, offsets[index], offsets[index + 1])


def _binary(offsets: np.ndarray, data: np.ndarray) -> pa.Array:
    buffers = [
        None,
        pa.py_buffer(np.ascontiguousarray(offsets)),
        pa.py_buffer(np.ascontiguousarray(data)),
    ]
    return pa.Array.from_buffers(pa.large_binary(), len(offsets) - 1, buffers)


def _empty() -> Segments:
    numbers = {name: np.zeros(0, dtype=kind) for name, kind in zip(_FIELDS, _TYPES, strict=True)}
    nothing = pa.array([], type=pa.large_binary())
    return Segments(**numbers, zone_head=nothing, zone_onset=nothing)
