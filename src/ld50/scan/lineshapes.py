"""Whether a text is set in short lines of one shape, as lists, tables and coded data are."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np

#: Fewest lines, and characters of a line that are looked at.
_FEWEST_LINES, _LONGEST = 8, 120
#: Shapes that a list has, and share of the lines that have one of them.
_SHAPES, _MOST = 3, 0.7
#: Characters that are told apart, the others being letters; and the first that are not ASCII.
_CHARACTERS, _WIDE = 1 << 16, 1 << 7
_LETTER, _DIGIT, _SPACE = 1, 2, 3


def lines_of_one_shape(text: str) -> bool:
    """Whether most lines are alike when words, numbers and gaps are each taken for one.

    The first and the last line may be cut, and are left out. Text in sentences, and noise, has lines of
    as many shapes as there are lines.
    """
    if text.count("\n") <= _FEWEST_LINES:
        return False
    lines = [line.strip()[:_LONGEST] for line in text.split("\n")[1:-1]]
    shapes = Counter(_shapes("\n".join(line for line in lines if line)))
    most = sum(count for _, count in shapes.most_common(_SHAPES))
    return shapes.total() >= _FEWEST_LINES and most >= _MOST * shapes.total()


def _shapes(text: str) -> list[str]:
    """Each line with its words, numbers and gaps as one mark each."""
    if text.isascii():
        kinds = _kinds(_WIDE)[np.frombuffer(text.encode(), dtype=np.uint8)]
    else:
        codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        kinds = _kinds(_CHARACTERS)[np.minimum(codes, _CHARACTERS - 1)]
    begins = np.ones(len(kinds), dtype=bool)
    begins[1:] = (kinds[1:] != kinds[:-1]) | (kinds[1:] > _SPACE)
    return kinds[begins].tobytes().decode("utf-32-le", "surrogatepass").split("\n")


@lru_cache(maxsize=2)
def _kinds(characters: int) -> np.ndarray:
    """uint32: of each of the first characters what it is, or its own number."""
    kinds = np.arange(characters, dtype="<u4")
    kinds[-1] = _LETTER
    for code, character in enumerate(map(chr, range(characters))):
        if character.isalnum():
            kinds[code] = _DIGIT if character.isdecimal() else _LETTER
        elif character.isspace() and character != "\n":
            kinds[code] = _SPACE
    return kinds
