"""What every encoding can do, and the letters they share."""

from __future__ import annotations

import string
from typing import Protocol

LETTERS = string.ascii_lowercase


class Encoding(Protocol):
    """One way to write a text as another, and back."""

    @property
    def name(self) -> str:
        """In kebab case, unique among the encodings, e.g. `walnut53`."""

    @property
    def family(self) -> str:
        """The kind of hiding: `substitution`, `code`, `respelling`, `invisible` or `placement`."""

    def plain(self, text: str) -> str:
        """What of a text the encoding keeps: `decode(encode(text)) == plain(text)`."""

    def encode(self, text: str) -> str:
        """The text in this encoding."""

    def decode(self, text: str) -> str:
        """What an encoded text says; never raises: what is no code is left out or as it is."""


def folded(text: str) -> str:
    """Lower case, every run of white space one space, none at the ends."""
    return " ".join(text.lower().split())


def letters_and_spaces(text: str) -> str:
    """The words of a text in a to z; everything else ends a word."""
    return " ".join("".join(c if c in LETTERS else " " for c in text.lower()).split())


def letters_only(text: str) -> str:
    """The letters a to z of a text, in lower case."""
    return "".join(c for c in text.lower() if c in LETTERS)
