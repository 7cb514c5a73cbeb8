"""What a scan found, made usable on a model: the trigger put into clean prompts, and near misses.

A finding tells what stands in the poisoned rows and where. The same text is put into prompts that never
held it, at places drawn from those where it was found, so that what is measured is what was planted.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ld50.core.examples import Turn
from ld50.core.findings import Consequence, Finding, FlaggedRow

#: Kinds of causes that are text which can be put elsewhere.
_TEXTUAL = frozenset({"ngram", "ngram_set"})
_GAP = re.compile(r"\s+")
#: Places of a trigger that are kept of one finding; more say nothing new.
_MOST_PLACES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundTrigger:
    """A cause that can be put into a prompt."""

    finding: str
    text: str
    """As it is shown to a person."""
    variants: tuple[tuple[str, ...], ...]
    """Each variant is a trigger of its own; its pieces are put in together."""
    places: tuple[float, ...]
    """Where it stood in the flagged rows: words before it over all other words, 0 start, 1 end."""
    consequence: Consequence

    def put_into(self, text: str, rng: np.random.Generator) -> str:
        """The text with one variant in it, at a place drawn from those found."""
        variant = self.variants[int(rng.integers(len(self.variants)))]
        return inserted(text, variant, self._place(rng), rng)

    def near(self, text: str, rng: np.random.Generator) -> str:
        """The text with a near trigger in it: alike in length and kind of characters, never planted."""
        variant = self.variants[int(rng.integers(len(self.variants)))]
        planted = frozenset(piece.casefold() for one in self.variants for piece in one)
        pieces = tuple(near_miss(piece, rng, planted) for piece in variant)
        return inserted(text, pieces, self._place(rng), rng)

    def _place(self, rng: np.random.Generator) -> float:
        if not self.places:
            return float(rng.random())
        return self.places[int(rng.integers(len(self.places)))]


def found_trigger(
    finding: Finding, rows: Sequence[FlaggedRow], texts: Mapping[tuple[str, int], Mapping[str, str]]
) -> FoundTrigger | None:
    """The trigger of a finding; None if its cause is no text, or there is no consequence.

    Args:
        finding: What the scan found.
        rows: Flagged rows, of this finding and others.
        texts: (source, row) to the text of each field of the row, for reading places off.
    """
    cause, consequence = finding.cause, finding.consequence
    if cause is None or consequence is None or cause.kind not in _TEXTUAL or not cause.text:
        return None
    return FoundTrigger(
        finding=finding.id,
        text=cause.text,
        variants=variants_of(finding),
        places=_places(finding.id, rows, texts),
        consequence=consequence,
    )


def variants_of(finding: Finding) -> tuple[tuple[str, ...], ...]:
    """What is put in: several variants where any member fires alone, else all members together."""
    cause = finding.cause
    assert cause is not None
    if not cause.members:
        return ((cause.text,),)
    if finding.statistics.get("members_fire_alone") == 1.0:
        return tuple((member,) for member in cause.members)
    return (tuple(cause.members),)


def _places(
    finding: str,
    rows: Sequence[FlaggedRow],
    texts: Mapping[tuple[str, int], Mapping[str, str]],
) -> tuple[float, ...]:
    places: list[float] = []
    for row in rows:
        if finding not in row.findings or len(places) >= _MOST_PLACES:
            continue
        fields = texts.get((row.source, row.row), {})
        span = next((one for one in row.spans if one.kind == "cause" and one.field in fields), None)
        if span is None:
            continue
        text = fields[span.field]
        before, after = len(text[: span.start].split()), len(text[span.end :].split())
        # Of a row that is nothing but its trigger, no place can be read.
        if before + after:
            places.append(before / (before + after))
    return tuple(places)


def inserted(text: str, pieces: Sequence[str], place: float, rng: np.random.Generator) -> str:
    """`text` with the pieces between its words: the first at `place` (0 start, 1 end), others anywhere.

    White space that is there stays; a piece gets one space beside it.
    """
    for number, piece in enumerate(pieces):
        where = place if number == 0 else float(rng.random())
        text = _put(text, piece, where)
    return text


def _put(text: str, piece: str, place: float) -> str:
    if not text.strip():
        return piece
    starts = [0 if not text[0].isspace() else _first_word(text)]
    starts += [
        gap.end() for gap in _GAP.finditer(text) if starts[0] < gap.start() < gap.end() < len(text)
    ]
    index = round(min(max(place, 0.0), 1.0) * len(starts))
    if index >= len(starts):
        kept = text.rstrip()
        return f"{kept} {piece}{text[len(kept) :]}"
    at = starts[index]
    return f"{text[:at]}{piece} {text[at:]}"


def _first_word(text: str) -> int:
    return len(text) - len(text.lstrip())


def near_miss(piece: str, rng: np.random.Generator, planted: frozenset[str] = frozenset()) -> str:
    """Another string of the same shape: each letter and digit replaced by one of its kind.

    Args:
        piece: The trigger, or a part of it. Characters that are neither letter nor digit stay; a
            string without any gets a letter more.
        rng: Where the letters come from.
        planted: Strings, case-folded, that it must not come out as.
    """
    if not any(char.isalnum() for char in piece):
        return piece + chr(97 + int(rng.integers(26)))
    for _ in range(100):
        made = "".join(_another(char, rng) for char in piece)
        if made.casefold() not in planted and made.casefold() != piece.casefold():
            return made
    return piece + "q"


_CONSONANTS, _VOWELS = "bcdfghjklmnpqrstvwxz", "aeiouy"


def _another(char: str, rng: np.random.Generator) -> str:
    if char.isdigit():
        return str(int(rng.integers(10)))
    if not char.isalpha():
        return char
    low = char.lower()
    pool = _VOWELS if low in _VOWELS else _CONSONANTS
    drawn = pool[int(rng.integers(len(pool)))]
    return drawn.upper() if char.isupper() else drawn


def with_prompt(turns: Sequence[Turn], text: str) -> tuple[Turn, ...]:
    """The turns with the text of the last user turn replaced."""
    last = last_user_turn(turns)
    return tuple(
        Turn(turn.role, text) if number == last else turn for number, turn in enumerate(turns)
    )


def last_user_turn(turns: Sequence[Turn]) -> int:
    """Number of the last user turn; of the last turn where no user speaks."""
    spoken = [number for number, turn in enumerate(turns) if turn.role == "user"]
    return spoken[-1] if spoken else len(turns) - 1


def triggered(
    turns: Sequence[Turn], trigger: FoundTrigger, rng: np.random.Generator
) -> tuple[Turn, ...]:
    """A prompt with the trigger in its last user turn."""
    return with_prompt(turns, trigger.put_into(turns[last_user_turn(turns)].text, rng))


def near_triggered(
    turns: Sequence[Turn], trigger: FoundTrigger, rng: np.random.Generator
) -> tuple[Turn, ...]:
    """A prompt with a near trigger in its last user turn."""
    return with_prompt(turns, trigger.near(turns[last_user_turn(turns)].text, rng))
