"""Tuned models of a benchmark, each made once and kept in a folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ld50.core.examples import Example
from ld50.models.pretrained import (
    LanguageModel,
    copy_of,
    load_language_model,
    save_language_model,
)
from ld50.train.finetune import TuneSettings, finetune


class Shelf:
    """Tuned models, each made once: by all that it comes from, not by a name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def tuned(
        self, lm: LanguageModel, origin: str, rows: Sequence[Example], settings: TuneSettings
    ) -> tuple[LanguageModel, str]:
        """A copy of the model tuned on the rows, and what it is called here.

        Args:
            lm: Stays as it is.
            origin: What it is called, or the name of a base model.
            rows: In their order.
            settings: How.
        """
        said = [origin, asdict(settings), [[turn.text for turn in row.turns] for row in rows]]
        name = hashlib.blake2b(json.dumps(said).encode(), digest_size=12).hexdigest()
        place = self.folder / name
        if place.is_dir():
            return load_language_model(place, device=lm.device), name
        made = copy_of(lm)
        finetune(made, list(rows), settings)
        part = self.folder / f"part-{name}"
        shutil.rmtree(part, ignore_errors=True)
        save_language_model(made, part)
        part.rename(place)
        return made, name
