"""What is wrong with a list of doses, whatever they are doses of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator


def dose_problems(doses: Iterable[float], unit: str) -> Iterator[str]:
    """What is wrong, each with the nearest valid value."""
    for dose in doses:
        if not math.isfinite(dose):
            yield f"dose {dose} is not a number."
        elif dose < 0:
            yield f"dose {dose:g} is below zero; the nearest valid value is 0, the control arm."
        elif dose != int(dose):
            yield f"dose {dose:g} is no whole number of {unit}; the nearest is {round(dose)}."
