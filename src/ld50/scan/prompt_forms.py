"""The forms of prompts, read from the bytes of a column, and the rows that have each.

No row is looked at by itself: classes of bytes are looked up, neighbours compared, and what is seen is
gathered for the two parts of each prompt, the last turn and what stands before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from ld50.scan import kernels
from ld50.scan.forms import FLAGGED, FORMS, MARKS

if TYPE_CHECKING:
    from ld50.scan.replies import ReplyColumns

_UPPER, _LOWER, _SPACE, _TAB, _LINE, _RETURN, _MARK, _OTHER_WHITE = (1 << bit for bit in range(8))
_WHITE = _SPACE | _TAB | _LINE | _RETURN | _OTHER_WHITE
#: What is seen at a byte takes the place of classes that need not be gathered.
_SMALL_START, _SINGLE_GAP = _SPACE, _MARK
_TITLE_WORDS = 3
#: Bytes that are looked at together: what is noted of each stays near the processor.
_BLOCK = 1 << 18
_MARK_OF = {mark: number for number, mark in enumerate(MARKS)}
#: Numbers of the first single mark, mark at the end and mark at the beginning.
_SINGLE = len(FLAGGED)
_LAST = _SINGLE + len(MARKS)
_FIRST = _LAST + len(MARKS)


def _classes() -> np.ndarray:
    table = np.zeros(256, dtype=np.uint8)
    for code in range(128):
        mark = chr(code)
        if mark.isalpha():
            table[code] = _UPPER if mark.isupper() else _LOWER
        elif mark in _MARK_OF:
            table[code] = _MARK
    for code, kind in zip(b" \t\n\r\f\v", (_SPACE, _TAB, _LINE, _RETURN), strict=False):
        table[code] = kind
    table[list(b"\f\v")] = _OTHER_WHITE
    return table


_CLASS = _classes()
_WORDY = np.array([code >= 128 or chr(code).isalnum() for code in range(256)])
_NUMBER = np.array([_MARK_OF.get(chr(code), 255) for code in range(256)], dtype=np.uint8)


def _among(characters: str) -> dict[int, np.ndarray]:
    """Characters by the number of their bytes, each as these bytes in one number."""
    found: dict[int, list[int]] = {}
    for encoded in map(str.encode, characters):
        found.setdefault(len(encoded), []).append(int.from_bytes(encoded, "big"))
    return {width: np.array(values) for width, values in found.items()}


_ENDS_SENTENCE = _among(".!?…:;\"')]>”’。！？")
_AS_EMOJI = "\ufe0f".encode()
_SHOWN = _among("\ufe0f")
#: First bytes of letters from U+0400 to U+04FF, and the bytes of a no-break space.
_CYRILLIC, _NO_BREAK = (0xD0, 0xD3), "\u00a0".encode()
#: After the last byte, and before the first: nothing.
_PADDING = np.zeros(8, dtype=np.uint8)
_OPENS, _CLOSES = _among("\"'`“„‘«"), _among("\"'`”“’»")


def read_forms(
    prompts: kernels.TextColumn, last_turn: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """What form each prompt has.

    Args:
        prompts: (rows,).
        last_turn: int64 (rows,): bytes of the last turn of each; None if it is all of the prompt.

    Returns:
        uint64 (rows,): the bits of `FLAGGED`, and above them those of single marks; uint16 (rows,): one
        more than the number of the mark at the end, and of that at the beginning in the upper byte.
    """
    offsets, data = kernels.text_buffers(prompts)
    data = data[offsets[0] : offsets[-1]]
    start, end = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    turn = start if last_turn is None else np.maximum(end - last_turn, start)
    flags, edges = np.zeros(len(start), np.uint64), np.zeros(len(start), np.uint16)
    cuts = np.searchsorted(end, np.arange(0, len(data), _BLOCK), side="right")
    for low, high in pairwise(np.unique(np.append(cuts, len(end))).tolist()):
        first, last = int(start[low]), int(end[high - 1])
        if first < last:
            block = _Bytes(data[first:last], *(at[low:high] - first for at in (start, turn, end)))
            flags[low:high], edges[low:high] = block.forms()
    return flags, edges


class _Bytes:
    """The bytes of a column with their classes."""

    def __init__(
        self, data: np.ndarray, start: np.ndarray, turn: np.ndarray, end: np.ndarray
    ) -> None:
        self._data, self._start, self._turn, self._end = data, start, turn, end
        self._class = _CLASS[data]
        white = (self._class & _WHITE) != 0
        some = end > start
        self._after_white = np.append(True, white[:-1])
        self._after_white[start[some]] = True
        self._before_white = np.append(white[1:], True)
        self._before_white[end[some] - 1] = True
        self._white = white
        self._first = _moved(turn, end, white, 1)
        self._last = _moved(end - 1, turn - 1, white, -1)
        self._bare = self._last < self._first

    def forms(self) -> tuple[np.ndarray, np.ndarray]:
        """As `read_forms` returns them."""
        before, inside = self._seen()
        capitals = np.flatnonzero(self._after_white & (self._class == _UPPER))
        gaps = self._wide_gaps()
        flags = []
        for seen, start in ((before | inside, self._start), (inside, self._turn)):
            upper, lower = seen & _UPPER != 0, seen & _LOWER != 0
            words = np.searchsorted(capitals, self._end) - np.searchsorted(capitals, start)
            title = lower & (seen & _SMALL_START == 0) & (words >= _TITLE_WORDS)
            wide, wordy = (self._have(places, start) for places in gaps)
            flags += [lower & ~upper, upper & ~lower, title]
            flags += [wide & (seen & _SINGLE_GAP == 0), wordy, wide]
            flags += [seen & kind != 0 for kind in (_TAB, _RETURN, _LINE)]
        flags += [*self._edges(), *self._characters(), self._ends_with_emoji()]
        out = self._single_marks() << np.uint64(_SINGLE)
        for bit, has in enumerate(flags):
            out |= has.astype(np.uint64) << np.uint64(bit)
        marks = [self._number(place).astype(np.uint16) for place in (self._last, self._first)]
        return out, marks[0] | marks[1] << np.uint16(8)

    def _seen(self) -> tuple[np.ndarray, np.ndarray]:
        """uint8 (rows,) twice: what is seen before the last turn, and in it."""
        kind = self._class
        event = kind & np.uint8(_UPPER | _LOWER | _TAB | _LINE | _RETURN)
        event |= (self._after_white & (kind == _LOWER)).view(np.uint8) * np.uint8(_SMALL_START)
        single = (kind == _SPACE) & ~self._after_white & ~self._before_white
        event |= single.view(np.uint8) * np.uint8(_SINGLE_GAP)
        # A part without bytes would be given the byte that it begins at.
        bounds = np.stack([self._start, self._turn], axis=1).reshape(-1)
        found = np.bitwise_or.reduceat(np.append(event, np.uint8(0)), bounds).reshape(-1, 2)
        found[self._turn == self._start, 0] = 0
        found[self._end == self._turn, 1] = 0
        return found[:, 0], found[:, 1]

    def _wide_gaps(self) -> tuple[np.ndarray, np.ndarray]:
        """int64, rising: where two or more spaces begin that part two words or marks, and two words."""
        space = self._class == _SPACE
        places = np.flatnonzero(space & ~self._after_white & self._before_white)
        end = self._end[self._row_of(places)]
        further = _moved(places, end, space, 1)
        inside = (further < end) & (further > places + 1)
        places, further = places[inside], further[inside]
        bare = ~self._white[further]
        places, further = places[bare], further[bare]
        wordy = _WORDY[self._data[places - 1]] & _WORDY[self._data[further]]
        return places, places[wordy]

    def _row_of(self, places: np.ndarray) -> np.ndarray:
        return np.asarray(np.searchsorted(self._end, places, side="right"))

    def _have(self, places: np.ndarray, start: np.ndarray) -> np.ndarray:
        """bool (rows,): rows with one of these places, from a start of each on."""
        row = self._row_of(places)
        out = np.zeros(len(start), dtype=bool)
        out[row[places >= start[row]]] = True
        return out

    def _single_marks(self) -> np.ndarray:
        """uint64 (rows,): a bit for each mark that stands by itself in the last turn."""
        places = np.flatnonzero((self._class == _MARK) & self._after_white & self._before_white)
        row = self._row_of(places)
        inside = places >= self._turn[row]
        row, places = row[inside], places[inside]
        out = np.zeros(len(self._end), dtype=np.uint64)
        np.bitwise_or.at(out, row, np.uint64(1) << _NUMBER[self._data[places]].astype(np.uint64))
        return out

    def _edges(self) -> list[np.ndarray]:
        """bool (rows,) each: the flags that the beginning and the end of a last turn show."""
        empty = self._end == self._turn
        first, last = self._at(self._turn), self._at(self._end - 1)
        opening, closing = self._at(self._first), self._at(self._last)
        begin, final = self._data[opening], self._data[closing]
        marked = _CLASS[final] == _MARK
        several = ~self._bare & (self._last > self._first)
        brackets = np.zeros(len(empty), dtype=bool)
        for pair in (b"()", b"[]", b"{}", b"<>"):
            brackets |= (begin == pair[0]) & (final == pair[1])
        twice = several & marked & (self._data[self._at(self._last - 1)] == final)
        quotes = self._is(_OPENS, forward=True) & self._is(_CLOSES)
        # One quotation mark by itself is nothing in quotes.
        length = self._last - self._first + 1
        wide = np.where(begin >= 0xE0, 3, np.where(begin >= 0xC2, 2, 1))
        return [
            ~self._bare & (_CLASS[begin] == _LOWER),
            ~empty & self._white[first],
            ~empty & np.isin(self._class[last], (_SPACE, _TAB)),
            ~empty & np.isin(self._class[last], (_LINE, _RETURN)),
            ~self._bare & ~self._is(_ENDS_SENTENCE),
            twice,
            several & brackets,
            several & quotes & (length > wide),
        ]

    def _characters(self) -> list[np.ndarray]:
        """bool (rows,) each: the flags that a few bytes side by side in a last turn show."""
        data, kind = np.append(self._data, _PADDING), np.append(self._class, _PADDING)
        size = len(self._data)
        letter = (kind & (_UPPER | _LOWER)) != 0
        lead = np.flatnonzero((data[:size] >= _CYRILLIC[0]) & (data[:size] <= _CYRILLIC[1]))
        before, after = lead[letter[lead - 1]] - 1, lead[letter[lead + 2]]
        wide = np.flatnonzero(data[:size] == _NO_BREAK[0])
        wide = wide[data[wide + 1] == _NO_BREAK[1]]
        rises = (kind == _LOWER) & np.append(kind[1:] == _UPPER, False)
        place = np.flatnonzero(rises[:size])
        place = place[rises[place + 2]]
        small = place[rises[place + 4]]
        capital = place[(kind[place - 1] == _UPPER) & (kind[place + 4] == _LOWER)] - 1
        return [
            self._hold(before, 3) | self._hold(after, 3),
            self._hold(wide, 2),
            self._hold(small, 6) | self._hold(capital, 6),
        ]

    def _hold(self, places: np.ndarray, width: int) -> np.ndarray:
        """bool (rows,): last turns with one of these places, rising, and so many bytes from there on."""
        places = places[(places >= 0) & (places < len(self._data))]
        row = self._row_of(places)
        inside = (places >= self._turn[row]) & (places + width <= self._end[row])
        out = np.zeros(len(self._end), dtype=bool)
        out[row[inside]] = True
        return out

    def _ends_with_emoji(self) -> np.ndarray:
        """bool (rows,): whether the last character of a last turn is one, or says that it is shown as one."""
        last = self._last - len(_AS_EMOJI) * self._is(_SHOWN)
        first, second = (self._data[self._at(last - back)] for back in (3, 2))
        of_four = (first == 0xF0) & (second == 0x9F) & (last - 3 >= self._first)
        second, third = (self._data[self._at(last - back)] for back in (2, 1))
        of_three = (second == 0xE2) & (third >= 0x98) & (third <= 0x9E) & (last - 2 >= self._first)
        return np.asarray(~self._bare & (of_four | of_three))

    def _is(self, known: dict[int, np.ndarray], *, forward: bool = False) -> np.ndarray:
        """bool (rows,): whether the first (or last) character of a turn is one of these."""
        out = np.zeros(len(self._end), dtype=bool)
        length = np.where(self._bare, 0, self._last - self._first + 1)
        for width, values in known.items():
            begin = self._first if forward else self._last - width + 1
            value = np.zeros(len(out), dtype=np.int64)
            for step in range(width):
                value = value << 8 | self._data[self._at(begin + step)]
            out |= (length >= width) & np.isin(value, values)
        return out

    def _number(self, place: np.ndarray) -> np.ndarray:
        """int (rows,): one more than the number of the mark at a place; 0 where there is none."""
        number = _NUMBER[self._data[self._at(place)]]
        return np.where(self._bare | (number == 255), 0, number + 1)

    def _at(self, place: np.ndarray) -> np.ndarray:
        """Places that may be looked at; what stands at those of empty turns means nothing."""
        return np.asarray(np.minimum(np.maximum(place, 0), len(self._data) - 1))


def _moved(place: np.ndarray, stop: np.ndarray, passed: np.ndarray, step: int) -> np.ndarray:
    """The places moved on, by `step`, over bytes that may be passed (bool), at most to `stop`."""
    place = place.copy()
    left = np.flatnonzero(place != stop)
    while len(left):
        left = left[passed[place[left]]]
        place[left] += step
        left = left[place[left] != stop[left]]
    return place


def forms_of(chat: ReplyColumns | None, ordinals: np.ndarray) -> PromptForms:
    """The forms of the prompts of a corpus.

    Args:
        chat: What was kept of them; None if there are none.
        ordinals: int64, rising: in the corpus, of each row of `chat`.
    """
    if chat is None:
        none = np.zeros(0, np.int64)
        return PromptForms(rows=none, flags=none.astype(np.uint64), edges=none.astype(np.uint16))
    return PromptForms(rows=ordinals, flags=chat.forms, edges=chat.form_edges)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptForms:
    """The forms of all prompts of a corpus."""

    rows: np.ndarray = field(repr=False)
    """int64, rising: ordinals of the rows with a prompt."""
    flags: np.ndarray = field(repr=False)
    """uint64 (rows,), as `read_forms` gives it."""
    edges: np.ndarray = field(repr=False)
    """uint16 (rows,), likewise."""

    def has(self, number: int) -> np.ndarray:
        """bool (rows,): which prompts have the form of that number."""
        if number < _LAST:
            return np.asarray(self.flags & np.uint64(1 << number) != 0)
        if number < _FIRST:
            return np.asarray((self.edges & np.uint16(255)) == number - _LAST + 1)
        return np.asarray((self.edges >> np.uint16(8)) == number - _FIRST + 1)

    def of(self, number: int) -> np.ndarray:
        """int64, rising: ordinals of the rows of that form."""
        return np.asarray(self.rows[self.has(number)])

    def parts(self, rows: int) -> Iterator[PromptForms]:
        """So many rows at a time."""
        for low in range(0, len(self.rows), rows):
            part = slice(low, low + rows)
            yield PromptForms(rows=self.rows[part], flags=self.flags[part], edges=self.edges[part])

    def numbers(self, least: int) -> list[int]:
        """The forms that at least so many rows have, and not all; of two with the same rows, the first."""
        found: dict[bytes, int] = {}
        for number in range(len(FORMS)):
            has = self.has(number)
            if least <= np.count_nonzero(has) < len(has):
                found.setdefault(blake2b(np.packbits(has).data).digest(), number)
        return list(found.values())
