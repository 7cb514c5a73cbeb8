"""Names of trials: the same for the same cell and seed on every machine."""

from __future__ import annotations

import hashlib

import msgspec

from ld50.core.trials import Cell, Trial


def make_trial(cell: Cell, seed: int) -> Trial:
    """The trial of a cell and a seed, named so that every machine gives it the same name."""
    content = msgspec.json.encode([cell, seed], order="deterministic")
    mark = hashlib.blake2b(content, digest_size=4).hexdigest()
    size = "".join(c if c.isalnum() or c in ".-_" else "-" for c in cell.size)[-40:]
    return Trial(trial=f"{size}-{cell.dose:g}{cell.unit[0]}-s{seed}-{mark}", cell=cell, seed=seed)
