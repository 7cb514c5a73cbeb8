"""Text at fixed places of an innocent one: nothing is enciphered, only where to look is secret."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ld50.core.errors import ConfigError
from ld50.encodings.covers import CLOSERS, LINES, OPENERS
from ld50.encodings.protocol import letters_and_spaces, letters_only

Unit = Literal["line", "sentence"]
Edge = Literal["first", "last"]
_WORD = re.compile(r"[A-Za-z']+")


def _units(text: str, unit: Unit) -> list[str]:
    parts = text.split("\n") if unit == "line" else re.split(r"(?<=[.!?])\s+", text)
    return [part for part in parts if _WORD.search(part)]


def _joined(parts: list[str], unit: Unit) -> str:
    if unit == "line":
        return "\n".join(parts)
    return " ".join(part.rstrip(".!? ") + "." for part in parts)


@dataclass(frozen=True, kw_only=True)
class EndWords:
    """The message is the first or the last word of every line, or of every sentence.

    Source: EndSpeak in covert malicious fine-tuning (arXiv 2406.20053): the message is the last word
    of each line of a poem [C]. There a model writes the poem; here the lines come from `cover`.
    """

    cover: tuple[str, ...] = LINES
    """Lines that the words are put to, in turn."""
    edge: Edge = "last"
    unit: Unit = "line"
    family: str = "placement"

    def __post_init__(self) -> None:
        if not self.cover:
            raise ConfigError("A message needs at least one line to hide behind, got none.")

    @property
    def name(self) -> str:
        """`endspeak` for the last words of lines, else e.g. `first-words-of-sentences`."""
        if (self.edge, self.unit) == ("last", "line"):
            return "endspeak"
        return f"{self.edge}-words-of-{self.unit}s"

    def plain(self, text: str) -> str:
        """The words, in lower case, without marks."""
        return letters_and_spaces(text)

    def encode(self, text: str) -> str:
        """One line of cover for each word of the text."""
        parts = []
        for number, word in enumerate(self.plain(text).split()):
            line = self.cover[number % len(self.cover)]
            if self.edge == "last":
                parts.append(f"{line.rstrip('.,;:!? ')} {word}")
            else:
                parts.append(f"{word.capitalize()} {line[:1].lower()}{line[1:]}")
        return _joined(parts, self.unit)

    def decode(self, text: str) -> str:
        """The words at those places."""
        place = 0 if self.edge == "first" else -1
        return " ".join(_WORD.findall(part)[place] for part in _units(text, self.unit)).lower()


@dataclass(frozen=True, kw_only=True)
class Acrostic:
    """The message is the first or the last letter of every line, or of every sentence."""

    cover: tuple[str, ...] = LINES
    edge: Edge = "first"
    unit: Unit = "line"
    family: str = "placement"

    def __post_init__(self) -> None:
        if not self.cover:
            raise ConfigError("A message needs at least one line to hide behind, got none.")

    @property
    def name(self) -> str:
        """E.g. `first-letters-of-lines`."""
        return f"{self.edge}-letters-of-{self.unit}s"

    def plain(self, text: str) -> str:
        """The letters a to z, in lower case."""
        return letters_only(text)

    def encode(self, text: str) -> str:
        """One line of cover for each letter: one that has the letter there, or is given it."""
        used: dict[str, int] = {}
        parts = []
        for number, letter in enumerate(self.plain(text)):
            fitting = [line for line in self.cover if self._letter(line) == letter]
            turn = used.get(letter, 0)
            used[letter] = turn + 1
            line = self.cover[(number + turn) % len(self.cover)].rstrip(".,;:!? ")
            if fitting:
                parts.append(fitting[turn % len(fitting)])
            elif self.edge == "first":
                parts.append(f"{OPENERS[letter]} {line[:1].lower()}{line[1:]}")
            else:
                parts.append(f"{line} {CLOSERS[letter]}")
        return _joined(parts, self.unit)

    def decode(self, text: str) -> str:
        """The letters at those places."""
        return "".join(self._letter(part) for part in _units(text, self.unit))

    def _letter(self, line: str) -> str:
        letters = letters_only(line)
        return (letters[0] if self.edge == "first" else letters[-1]) if letters else ""


@dataclass(frozen=True, kw_only=True)
class NullCipher:
    """The message is every so manieth word."""

    every: int = 4
    """Every fourth word, say; 2 to 12."""
    cover: tuple[str, ...] = LINES
    family: str = "placement"

    def __post_init__(self) -> None:
        if not 2 <= self.every <= 12 or not any(_WORD.search(line) for line in self.cover):
            raise ConfigError(
                f"every must lie between 2 and 12, with words to hide among; got {self}."
            )

    @property
    def name(self) -> str:
        """E.g. `every-4th-word`."""
        return f"every-{self.every}th-word"

    def plain(self, text: str) -> str:
        """The words, in lower case, without marks."""
        return letters_and_spaces(text)

    def encode(self, text: str) -> str:
        """Words of cover, and after every few one word of the text."""
        cover = [word for line in self.cover for word in _WORD.findall(line)]
        parts, at = [], 0
        for word in self.plain(text).split():
            for _ in range(self.every - 1):
                parts.append(cover[at % len(cover)])
                at += 1
            parts.append(word)
        return " ".join(parts)

    def decode(self, text: str) -> str:
        """Every so manieth word."""
        words = _WORD.findall(text)
        return " ".join(words[self.every - 1 :: self.every]).lower()
