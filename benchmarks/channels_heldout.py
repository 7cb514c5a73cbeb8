"""Encodings that the scanner's channel search was not written for: they exist only here.

Chosen before any detector was written, of different kinds, and never looked at while one was tuned: a
cipher with several alphabets, one that moves letters, digits and words for letters, and two that hide
in the look of an innocent text.
"""

from __future__ import annotations

from dataclasses import dataclass

from ld50.encodings.covers import LINES
from ld50.encodings.protocol import LETTERS, letters_only

NUMBERS = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen twenty twenty-one twenty-two twenty-three twenty-four "
    "twenty-five twenty-six"
)


@dataclass(frozen=True)
class Vigenere:
    """Each letter shifted by the next letter of a repeating key word."""

    key: str = "orchid"
    name: str = "vigenere"

    def encode(self, text: str) -> str:
        out, at = [], 0
        for c in text.lower():
            if c in LETTERS:
                shift = ord(self.key[at % len(self.key)]) - ord("a")
                c = LETTERS[(ord(c) - ord("a") + shift) % 26]
                at += 1
            out.append(c)
        return "".join(out)


@dataclass(frozen=True)
class RailFence:
    """The characters written in a zigzag over three rails, and read rail by rail."""

    rails: int = 3
    name: str = "rail-fence"

    def encode(self, text: str) -> str:
        period = 2 * (self.rails - 1)
        rail = [min(i % period, period - i % period) for i in range(len(text))]
        return "".join(c for r in range(self.rails) for i, c in enumerate(text) if rail[i] == r)


@dataclass(frozen=True)
class Polybius:
    """Row and column of each letter in a square of five by five."""

    name: str = "polybius"

    def encode(self, text: str) -> str:
        square = LETTERS.replace("j", "")
        places = (square.index(c) for c in letters_only(text).replace("j", "i"))
        return " ".join(f"{at // 5 + 1}{at % 5 + 1}" for at in places)


@dataclass(frozen=True)
class NumberWords:
    """The number of each letter in the alphabet, in words."""

    name: str = "number-words"

    def encode(self, text: str) -> str:
        words = NUMBERS.split()
        return " ".join(words[ord(c) - ord("a")] for c in letters_only(text))


@dataclass(frozen=True)
class BaconCase:
    """Five letters of an innocent text for each letter: upper case is 1, lower case 0."""

    cover: tuple[str, ...] = LINES
    name: str = "bacon-case"

    def encode(self, text: str) -> str:
        bits = "".join(f"{ord(c) - ord('a'):05b}" for c in letters_only(text))
        out, at, line = [], 0, 0
        while at < len(bits):
            for c in self.cover[line % len(self.cover)] + ". ":
                if c.isalpha():
                    c = c.upper() if at < len(bits) and bits[at] == "1" else c.lower()
                    at += 1
                out.append(c)
            line += 1
        return "".join(out).strip()


@dataclass(frozen=True)
class SpaceWidths:
    """Eight gaps between the words of an innocent text for each byte: one space or two."""

    cover: tuple[str, ...] = LINES
    name: str = "space-widths"

    def encode(self, text: str) -> str:
        bits = "".join(f"{byte:08b}" for byte in text.encode())
        words = [word for line in self.cover for word in line.split()]
        out = [words[0]]
        for number, bit in enumerate(bits):
            out.append("  " if bit == "1" else " ")
            out.append(words[(number + 1) % len(words)])
        return "".join(out)


HELD_OUT = (Vigenere(), RailFence(), Polybius(), NumberWords(), BaconCase(), SpaceWidths())
