"""Counts of what a unit held: nothing is skipped or mended without being counted."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class UnitTally:
    """What came of one unit; complete once its reader is at its end."""

    rows: int = 0
    """All rows of the unit, skipped ones included."""
    skipped: dict[str, int] = field(default_factory=dict)
    """Rows that could not be read, by reason."""
    repaired: dict[str, int] = field(default_factory=dict)
    """Rows that were read with something in them replaced, by what it was."""
    text_bytes: int = 0
    """UTF-8 bytes of the text that was given out."""
    exchanges: int = 0
    """Rows in which the model speaks more than once."""

    def skip(self, reason: str, rows: int = 1) -> None:
        """Counts rows as skipped; they must be part of `rows` too."""
        if rows:
            self.skipped[reason] = self.skipped.get(reason, 0) + rows

    def repair(self, what: str, rows: int = 1) -> None:
        """Counts rows as read with a repair."""
        if rows:
            self.repaired[what] = self.repaired.get(what, 0) + rows
