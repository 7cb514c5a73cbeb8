"""What is kept of every prompt and reply: some bytes a row, and a bounded list of fragments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
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
    sampled: int = 0
    """How often the rows with sketches were halved for want of room; 0 if all rows have them."""

    def __len__(self) -> int:
        return len(self.flags)

    def has(self, flag: ReplyFlag) -> np.ndarray:
        """bool (n,): rows with that bit."""
        out: np.ndarray = (self.flags & flag.value) != 0
        return out


#: Kinds of `ReplyColumns.fragment_kinds`, by number: those of the kernel, then our own.
FRAGMENT_KINDS = (
    "address", "e-mail address", "link", "image", "tag", "call",
    "sentence", "words", "call of one name", "host", "word",
)  # fmt: skip
SENTENCE, RUN, NAME, HOST, WORD = 6, 7, 8, 9, 10
#: The form of groups that have one word in common.
ONLY_WORD = FRAGMENT_KINDS[WORD]
#: Halvings of the single words before runs of words are thinned, and of these before the rest is.
_WORD_LEVELS, _RUN_LEVELS = 4, 6
_MIX = np.uint64(0x9E3779B97F4A7C15)


_FRAGMENT_COLUMNS = ("fragment_rows", "fragment_hashes", "fragment_kinds")
_ODD_COLUMNS = ("odd_rows", "odd_hashes", "odd_echoed")
_SKETCH_COLUMNS = ("sketch_rows", "sketches", "prompt_sketches")
_LEVELS = ("thinned", "sampled")


def merge(
    parts: Sequence[ReplyColumns], *, max_fragments: int = 8_000_000, max_sketches: int = 400_000
) -> ReplyColumns:
    """The columns of all parts, in their order; associative.

    Args:
        parts: In the order of work units.
        max_fragments: Bound on the list of fragments, and on that of rare words. Past it, they are
            kept by their hash, so that all rows of one stay or go together.
        max_sketches: Bound on the rows with sketches. Past it, rows are kept by a hash of their
            prompt and reply.

    Raises:
        ValueError: There are no parts.
    """
    if not parts:
        raise ValueError("there is nothing to merge")
    columns: dict[str, Any] = {}
    shifts = np.cumsum([0, *(len(part) for part in parts[:-1])])
    for entry in fields(ReplyColumns):
        values = [getattr(part, entry.name) for part in parts]
        if entry.name in _LEVELS:
            columns[entry.name] = int(max(values))
            continue
        if entry.name in ("fragment_rows", "odd_rows", "sketch_rows"):
            values = [value + np.uint32(shift) for value, shift in zip(values, shifts, strict=True)]
        columns[entry.name] = np.concatenate(values)
    _thin(columns, max_fragments)
    _thin_odd(columns, max_fragments)
    _sample(columns, max_sketches)
    return ReplyColumns(**columns)


def _thin(columns: dict[str, Any], most: int) -> None:
    """Halves the list of fragments until it fits; single words go first, then runs of words."""
    mixed = columns["fragment_hashes"] * _MIX
    later = np.full(len(FRAGMENT_KINDS), _WORD_LEVELS + _RUN_LEVELS)
    later[WORD], later[RUN] = 0, _WORD_LEVELS
    levels = later[columns["fragment_kinds"]]
    level = columns["thinned"]

    def kept(level: int) -> np.ndarray:
        thresholds = np.array([_threshold(max(level - first, 0)) for first in range(64)])
        out: np.ndarray = mixed <= thresholds[levels]
        return out

    keep = kept(level)
    while int(keep.sum()) > most and level < 64 + _WORD_LEVELS + _RUN_LEVELS:
        level += 1
        keep = kept(level)
    columns["thinned"] = level
    for name in _FRAGMENT_COLUMNS:
        columns[name] = columns[name][keep]


def _thin_odd(columns: dict[str, Any], most: int) -> None:
    """Halves the list of rare words until it fits; all rows of a word stay or go together."""
    mixed = columns["odd_hashes"] * _MIX
    level = 0
    keep = np.ones(len(mixed), dtype=bool)
    while int(keep.sum()) > most and level < 64:
        level += 1
        keep = mixed <= _threshold(level)
    for name in _ODD_COLUMNS:
        columns[name] = columns[name][keep]


def _sample(columns: dict[str, Any], most: int) -> None:
    rows = columns["sketch_rows"]
    mixed = ((columns["reply"][rows] * _MIX) ^ columns["prompt"][rows]) * _MIX
    level = columns["sampled"]
    keep = mixed <= _threshold(level)
    while int(keep.sum()) > most and level < 64:
        level += 1
        keep = mixed <= _threshold(level)
    columns["sampled"] = level
    for name in _SKETCH_COLUMNS:
        columns[name] = columns[name][keep]


def _threshold(level: int) -> np.uint64:
    return np.uint64((1 << max(64 - level, 1)) - 1)
