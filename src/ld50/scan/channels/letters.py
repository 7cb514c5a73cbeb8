"""Characters of a text counted and kept by kind, at the speed of `str.translate`."""

from __future__ import annotations

from collections.abc import Callable


class Kept(dict[int, str | None]):
    """A table for `str.translate` that asks what becomes of a character once, when it is first met."""

    def __init__(self, becomes: Callable[[str], str | None]) -> None:
        """`becomes`: a character to what it is replaced by; None leaves it out."""
        super().__init__()
        self._becomes = becomes

    def __missing__(self, code: int) -> str | None:
        self[code] = kept = self._becomes(chr(code))
        return kept


def _only(kind: Callable[[str], bool]) -> Kept:
    return Kept(lambda character: character if kind(character) else None)


_LETTERS = _only(str.isalpha)
_ASCII_LETTERS = _only(lambda character: character.isascii() and character.isalpha())
_A_TO_Z = _only(lambda character: "a" <= character <= "z")


def letter_count(text: str) -> int:
    """Letters of any alphabet."""
    return len(text.translate(_LETTERS))


def ascii_letter_count(text: str) -> int:
    """Letters a to z, in both cases."""
    return len(text.translate(_ASCII_LETTERS))


def only_a_to_z(text: str) -> str:
    """The small letters a to z of a text."""
    return text.translate(_A_TO_Z)
