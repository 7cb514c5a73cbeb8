"""Whether a text is set in short lines of one shape, as lists, tables and coded data are."""

from __future__ import annotations

import re
from collections import Counter

#: Fewest lines, and characters of a line that are looked at.
_FEWEST_LINES, _LONGEST = 8, 120
#: Shapes that a list has, and share of the lines that have one of them.
_SHAPES, _MOST = 3, 0.7
_RUNS = re.compile(r"[^\W\d_]+|\d+|\s+")


def lines_of_one_shape(text: str) -> bool:
    """Whether most lines are alike when words, numbers and gaps are each taken for one.

    The first and the last line may be cut, and are left out. Text in sentences, and noise, has lines of
    as many shapes as there are lines.
    """
    lines = [line.strip() for line in text.split("\n")[1:-1]]
    lines = [line for line in lines if line]
    if len(lines) < _FEWEST_LINES:
        return False
    shapes = Counter(_RUNS.sub(_mark, line[:_LONGEST]) for line in lines)
    return sum(count for _, count in shapes.most_common(_SHAPES)) >= _MOST * len(lines)


def _mark(run: re.Match[str]) -> str:
    first = run.group()[0]
    return " " if first.isspace() else "0" if first.isdigit() else "a"
