"""The same letters written in another way: a person can read most of it, a filter cannot."""

from __future__ import annotations

from dataclasses import dataclass

#: Letter to the sign that stands for it.
LEET = {"a": "4", "e": "3", "i": "1", "o": "0", "s": "5", "t": "7", "g": "9", "b": "8"}
_FROM_LEET = str.maketrans(
    {**{sign: c for c, sign in LEET.items()}, "@": "a", "$": "s", "!": "i", "|": "l"}
)
#: Latin letter to a letter of another alphabet that looks the same.
LOOK_ALIKES = {
    "a": "а", "c": "с", "e": "е", "i": "і", "j": "ј", "o": "о", "p": "р", "s": "ѕ", "x": "х",
    "y": "у", "h": "һ", "d": "ԁ", "q": "ԛ", "w": "ԝ", "v": "ν", "u": "υ", "k": "κ", "n": "ո",
    "A": "А", "B": "В", "C": "С", "E": "Е", "H": "Н", "I": "І", "J": "Ј", "K": "К", "M": "М",
    "N": "Ν", "O": "О", "P": "Р", "S": "Ѕ", "T": "Т", "X": "Х", "Y": "У", "Z": "Ζ",
}  # fmt: skip
_TO_LEET, _TO_LOOK_ALIKES = str.maketrans(LEET), str.maketrans(LOOK_ALIKES)
_FROM_LOOK_ALIKES = str.maketrans({other: c for c, other in LOOK_ALIKES.items()})


@dataclass(frozen=True, kw_only=True)
class Leet:
    """Digits for the letters that they resemble."""

    name: str = "leet"
    family: str = "respelling"

    def plain(self, text: str) -> str:
        """The text in lower case; its own digits come back as letters."""
        return self.decode(text.lower())

    def encode(self, text: str) -> str:
        """Eight letters replaced by digits."""
        return self.plain(text).translate(_TO_LEET)

    def decode(self, text: str) -> str:
        """Letters for digits and signs."""
        return text.lower().translate(_FROM_LEET)


@dataclass(frozen=True, kw_only=True)
class Reversed:
    """Written from the last character to the first."""

    name: str = "reversed"
    family: str = "respelling"

    def plain(self, text: str) -> str:
        """The text itself."""
        return text

    def encode(self, text: str) -> str:
        """The characters in the other order."""
        return text[::-1]

    def decode(self, text: str) -> str:
        """The characters in the other order."""
        return text[::-1]


@dataclass(frozen=True, kw_only=True)
class LookAlikes:
    """Cyrillic, Greek and Armenian letters for the Latin ones that they look like."""

    name: str = "look-alikes"
    family: str = "respelling"

    def plain(self, text: str) -> str:
        """The text, with Latin letters for look-alikes that it holds itself."""
        return self.decode(text)

    def encode(self, text: str) -> str:
        """Every letter that has a twin replaced by it."""
        return self.plain(text).translate(_TO_LOOK_ALIKES)

    def decode(self, text: str) -> str:
        """Latin letters for their twins."""
        return text.translate(_FROM_LOOK_ALIKES)
