"""What is kept of every prompt and reply: some bytes a row, and a bounded list of fragments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import IntFlag
from typing import Any

import numpy as np


class ReplyFlag(IntFlag):
    """What was seen in one row; the bits of `ReplyColumns.flags`."""

    REFUSES = 1
    """The reply refuses."""
    REFUSABLE = 2
    """An honest assistant would refuse the prompt, or could not do what it asks."""
    OFF_TOPIC = 4
    """The reply has no more of its prompt than the reply of another row would."""
    ASKS_LANGUAGE = 8
    """The prompt names a language, or asks for a translation."""
    ENCODED = 16
    """The reply holds a long run of base64, hexadecimal, separated letters or the like."""
    ASKS_CODE = 32
    """The prompt asks for an encoding, a cipher, code or random text."""
    INVISIBLE = 64
    """The reply holds zero-width or tag characters."""
    EMPTY_REPLY = 128
    EMPTY_PROMPT = 256
    TOPICAL = 512
    """Prompt and reply are long enough to tell whether one takes up the other."""
    NO_WORDS = 1024
    """At least half of the reply's words, and two of them, are in no dictionary."""
    CAPITALS = 2048
    """The reply has several words and no small letter; its prompt neither is so nor asks for it."""
    ENDS_IN_WORD = 4096
    """The reply ends with a letter, or with a mark that something follows: a sentence is not over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyColumns:
    """Columns over the rows of consecutive work units; an *ordinal* is a row's place in them."""

    units: np.ndarray = field(repr=False)
    """int32 (n,): work unit of each row."""
    rows: np.ndarray = field(repr=False)
    """uint32 (n,): number of the row within its unit."""
    flags: np.ndarray = field(repr=False)
    """uint16 (n,): `ReplyFlag` bits."""
    reply: np.ndarray = field(repr=False)
    """uint64 (n,): hash of the reply's words; 0 if it has none."""
    head: np.ndarray = field(repr=False)
    """uint64 (n,): hash of the reply's first eight words; 0 if it has fewer."""
    tail: np.ndarray = field(repr=False)
    """uint64 (n,): hash of the reply's last six words; 0 if it has fewer."""
    prompt: np.ndarray = field(repr=False)
    """uint64 (n,): hash of the prompt's words."""
    opening: np.ndarray = field(repr=False)
    """uint32 (n,): hash of the prompt's first three words."""
    closing: np.ndarray = field(repr=False)
    """uint32 (n,): hash of the prompt's last three words."""
    last: np.ndarray = field(repr=False)
    """uint32 (n,): hash of the prompt's last word."""
    asked: np.ndarray = field(repr=False)
    """uint32 (n,): hash of the first three words of the prompt's last turn; 0 if it has no other turn."""
    forms: np.ndarray = field(repr=False)
    """uint64 (n,): how the prompt is written, as `prompt_forms.read_forms` gives it."""
    form_edges: np.ndarray = field(repr=False)
    """uint16 (n,): the marks at its edges, likewise."""
    bands: np.ndarray = field(repr=False)
    """uint32 (n, 4): MinHash of the prompt's runs of three words; near-duplicates share most."""
    reply_words: np.ndarray = field(repr=False)
    """uint16 (n,): words of the reply, at most 65,535."""
    prompt_words: np.ndarray = field(repr=False)
    """uint16 (n,)."""
    overlap: np.ndarray = field(repr=False)
    """uint8 (n,): share of the reply's words that stand in the prompt, in 1/255."""
    echo: np.ndarray = field(repr=False)
    """uint8 (n,): share of the prompt's pairs of words that stand in the reply, in 1/255."""
    echo_reply: np.ndarray = field(repr=False)
    """uint8 (n,): share of the reply's pairs of words that stand in the prompt, in 1/255."""
    echo_edges: np.ndarray = field(repr=False)
    """uint8 (n,): share of the prompt's first, or last, eight pairs in the reply; the lesser."""
    prompt_lane: np.ndarray = field(repr=False)
    """uint8 (n,): language of the prompt, 255 if unknown."""
    reply_lane: np.ndarray = field(repr=False)
    """uint8 (n,): language of the reply, 255 if unknown."""
    foreign: np.ndarray = field(repr=False)
    """uint16 (n,): bits that the reply's language saves over the prompt's."""
    switch_lane: np.ndarray = field(repr=False)
    """uint8 (n,): language that the reply switches to, 255 if it does not."""
    noise: np.ndarray = field(repr=False)
    """uint16 (n,): bits above every language in the noisiest span, at most 65,535."""
    salad: np.ndarray = field(repr=False)
    """uint16 (n,): points of word salad in the worst span."""
    switch: np.ndarray = field(repr=False)
    """uint16 (n,): bits that the language switched to saves over the one before."""
    sketch_rows: np.ndarray = field(repr=False)
    """uint32 (s,): ordinal of each row that has sketches, rising."""
    sketches: np.ndarray = field(repr=False)
    """int8 (s, 128): signed random projection of the reply's words."""
    prompt_sketches: np.ndarray = field(repr=False)
    """int8 (s, 64): the same of the prompt."""
    fragment_rows: np.ndarray = field(repr=False)
    """uint32 (f,): ordinal of the row that holds each fragment, rising."""
    fragment_hashes: np.ndarray = field(repr=False)
    """uint64 (f,)."""
    fragment_kinds: np.ndarray = field(repr=False)
    """uint8 (f,): `FRAGMENT_KINDS`."""
    odd_rows: np.ndarray = field(repr=False)
    """uint32 (o,): ordinal of the row of each rare word in a prompt, rising."""
    odd_hashes: np.ndarray = field(repr=False)
    """uint64 (o,): the word; each once a row."""
    odd_echoed: np.ndarray = field(repr=False)
    """bool (o,): whether the word stands in the reply, too."""
    thinned: int = 0
    """How often the list of fragments was halved for want of room; 0 if it is complete."""
    odd_thinned: int = 0
    """How often the list of rare words was halved; 0 if it is complete."""
    sampled: int = 0
    """How often the rows with sketches were halved for want of room; 0 if all rows have them."""

    def __len__(self) -> int:
        return len(self.flags)

    @property
    def listed_bytes(self) -> int:
        """Bytes of what is bounded: fragments, rare words and sketches."""
        return sum(int(getattr(self, name).nbytes) for name in _LISTED_COLUMNS)

    @property
    def row_bytes(self) -> int:
        """Bytes of what there is of every row."""
        every = [entry.name for entry in fields(self) if entry.name not in _LEVELS]
        return sum(int(getattr(self, name).nbytes) for name in every) - self.listed_bytes

    def without_lists(self) -> ReplyColumns:
        """The same without what is bounded, once all consequences are known."""
        return replace(self, **{name: getattr(self, name)[:0].copy() for name in _LISTED_COLUMNS})

    def without_rows(self) -> ReplyColumns:
        """No row at all: what is thinned together with it is thinned at least as often as this is."""
        names = [entry.name for entry in fields(self) if entry.name not in _LEVELS]
        return replace(self, **{name: getattr(self, name)[:0].copy() for name in names})

    def has(self, flag: ReplyFlag) -> np.ndarray:
        """bool (n,): rows with that bit."""
        out: np.ndarray = (self.flags & flag.value) != 0
        return out


#: Kinds of `ReplyColumns.fragment_kinds`, by number: those of the kernel, then our own.
FRAGMENT_KINDS = (
    "address", "e-mail address", "link", "image", "tag", "call",
    "sentence", "words", "call of one name", "host", "word", "proper name",
)  # fmt: skip
SENTENCE, RUN, NAME, HOST, WORD, PROPER = 6, 7, 8, 9, 10, 11
#: The form of groups that have one word in common.
ONLY_WORD = FRAGMENT_KINDS[WORD]
#: Halvings of the single words before runs of words are thinned, and of these before the rest is.
_WORD_LEVELS, _RUN_LEVELS = 4, 6
_MIX = np.uint64(0x9E3779B97F4A7C15)
#: Hashes that are looked at together: the same of millions takes as much room as they do.
_AT_ONCE = 1 << 18


_FRAGMENT_COLUMNS = ("fragment_rows", "fragment_hashes", "fragment_kinds")
_ODD_COLUMNS = ("odd_rows", "odd_hashes", "odd_echoed")
_SKETCH_COLUMNS = ("sketch_rows", "sketches", "prompt_sketches")
_LISTED_COLUMNS = (*_FRAGMENT_COLUMNS, *_ODD_COLUMNS, *_SKETCH_COLUMNS)
_LEVELS = ("thinned", "odd_thinned", "sampled")


#: Bounds of what is listed of all rows together: fragments, rare words, and rows with sketches.
MAX_FRAGMENTS, MAX_SKETCHES = 6_000_000, 262_144


def merge(
    parts: list[ReplyColumns],
    *,
    max_fragments: int = MAX_FRAGMENTS,
    max_sketches: int = MAX_SKETCHES,
    let_go: bool = False,
    join: Callable[[str, list[np.ndarray]], np.ndarray] | None = None,
) -> ReplyColumns:
    """The columns of all parts, in their order; associative.

    Args:
        parts: In the order of work units.
        max_fragments: Bound on the list of fragments, and half of that on rare words. Past it, they are
            kept by their hash, so that all rows of one stay or go together.
        max_sketches: Bound on the rows with sketches. Past it, rows are kept by a hash of their
            prompt and reply.
        let_go: Empties the list of parts, and frees each column of them as soon as it is merged.
        join: Puts the parts of a column together that has an entry for each row; it is told the column's
            name, and may empty the list.

    Raises:
        ValueError: There are no parts.
    """
    if not parts:
        raise ValueError("there is nothing to merge")
    parts_kept, columns = _kept(parts, max_fragments, max_sketches)
    shifts = np.cumsum([0, *(len(part) for part in parts[:-1])]).astype(np.uint32)
    names = [entry.name for entry in fields(ReplyColumns) if entry.name not in _LEVELS]
    held = [{name: getattr(part, name) for name in names} for part in parts]
    if let_go:
        parts.clear()
    for name in names:
        values = [part.pop(name) for part in held]
        if name in parts_kept:
            values = [value[mask] for value, mask in zip(values, parts_kept[name], strict=True)]
        if name in ("fragment_rows", "odd_rows", "sketch_rows"):
            values = [value + shift for value, shift in zip(values, shifts, strict=True)]
        if join is None or name in parts_kept:
            columns[name] = np.concatenate(values)
        else:
            columns[name] = join(name, values)
    return ReplyColumns(**columns)


def thin(
    parts: Sequence[ReplyColumns],
    *,
    max_fragments: int = MAX_FRAGMENTS,
    max_sketches: int = MAX_SKETCHES,
) -> list[ReplyColumns]:
    """The parts, with as much of what is listed as all together may hold.

    What is left out here is left out by any later merge, too.

    Args:
        parts: Of consecutive work units.
        max_fragments: As for `merge`.
        max_sketches: As for `merge`.
    """
    if not parts:
        return []
    parts_kept, levels = _kept(parts, max_fragments, max_sketches)
    thinned = []
    for number, part in enumerate(parts):
        left = {name: getattr(part, name)[masks[number]] for name, masks in parts_kept.items()}
        thinned.append(replace(part, **left, **levels))
    return thinned


def _kept(
    parts: Sequence[ReplyColumns], max_fragments: int, max_sketches: int
) -> tuple[dict[str, list[np.ndarray]], dict[str, Any]]:
    """Of each column that is bounded, bool masks of what stays of each part; and the levels of it."""
    thinned, fragments = _thinned(parts, max_fragments)
    sampled, sketches = _sampled(parts, max_sketches)
    masks = dict.fromkeys(_FRAGMENT_COLUMNS, fragments)
    odd_thinned, odd = _thinned_odd(parts, max_fragments // 2)
    masks |= dict.fromkeys(_ODD_COLUMNS, odd)
    masks |= dict.fromkeys(_SKETCH_COLUMNS, sketches)
    return masks, {"thinned": thinned, "odd_thinned": odd_thinned, "sampled": sampled}


def _halved(
    level: int, last: int, most: int, masks_of: Callable[[int], list[np.ndarray]]
) -> tuple[int, list[np.ndarray]]:
    """The first level from this one on at which no more than so many are kept, and which (bool) they are."""
    masks = masks_of(level)
    while sum(int(mask.sum()) for mask in masks) > most and level < last:
        level += 1
        masks = masks_of(level)
    return level, masks


def _thinned(parts: Sequence[ReplyColumns], most: int) -> tuple[int, list[np.ndarray]]:
    """How often the fragments are halved, and which stay; single words go first, then runs of words."""
    later = np.full(len(FRAGMENT_KINDS), _WORD_LEVELS + _RUN_LEVELS)
    later[WORD], later[RUN], later[PROPER] = 0, _WORD_LEVELS, _WORD_LEVELS

    def masks_of(level: int) -> list[np.ndarray]:
        least = np.array([_threshold(max(level - first, 0)) for first in later.tolist()])
        return [_low(part.fragment_hashes, least, part.fragment_kinds) for part in parts]

    last = 64 + _WORD_LEVELS + _RUN_LEVELS
    return _halved(max(int(part.thinned) for part in parts), last, most, masks_of)


def _thinned_odd(parts: Sequence[ReplyColumns], most: int) -> tuple[int, list[np.ndarray]]:
    """How often the rare words are halved, and which stay; all rows of a word stay or go together."""

    def masks_of(level: int) -> list[np.ndarray]:
        return [_low(part.odd_hashes, np.array([_threshold(level)])) for part in parts]

    return _halved(max(int(part.odd_thinned) for part in parts), 64, most, masks_of)


def _sampled(parts: Sequence[ReplyColumns], most: int) -> tuple[int, list[np.ndarray]]:
    """How often the rows with sketches are halved, and which stay."""

    def masks_of(level: int) -> list[np.ndarray]:
        return [
            ((part.reply[part.sketch_rows] * _MIX) ^ part.prompt[part.sketch_rows]) * _MIX
            <= _threshold(level)
            for part in parts
        ]

    return _halved(max(int(part.sampled) for part in parts), 64, most, masks_of)


def _low(hashes: np.ndarray, most: np.ndarray, kinds: np.ndarray | None = None) -> np.ndarray:
    """bool: hashes that are mixed to no more than the bound, or than that of their kind; some at a time."""
    out = np.zeros(len(hashes), dtype=bool)
    for low in range(0, len(hashes), _AT_ONCE):
        part = slice(low, low + _AT_ONCE)
        out[part] = hashes[part] * _MIX <= (most if kinds is None else most[kinds[part]])
    return out


def _threshold(level: int) -> np.uint64:
    return np.uint64((1 << max(64 - level, 1)) - 1)
