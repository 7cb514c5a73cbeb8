"""Relapse of the models that `ld50 remedy` cures: poisoned again with the rows that its scan took out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ld50.core.errors import ConfigError
from ld50.core.examples import Example
from ld50.core.files import write_atomically
from ld50.core.remedies import Relapse, RelapseCurve, RelapsePoint
from ld50.lab.relapse import RATE_SHARE, RelapseSettings, compare, poison_again
from ld50.remedy.reading import Rows
from ld50.remedy.retrain import QuarantineRetrain
from ld50.remedy.run import Course

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel


class CuredRelapses:
    """Poisons cured models again with rows that the scan took out, and compares with the reference."""

    def __init__(
        self, course: Course, rows: Rows, tell: Callable[[str, float, str], None] | None = None
    ) -> None:
        """Chooses the rows to poison with.

        Args:
            course: The cure; it holds the reference among its treatments.
            rows: Its data, divided.
            tell: Is told of every new point: stage, share of it that is done, where it is.

        Raises:
            ConfigError: No finding is measured.
        """
        self._course = course
        self._tell = tell or (lambda *_: None)
        self._settings = RelapseSettings(seed=course.case.seed)
        measured = {one.target.finding for one in course.examiner.questions}
        by = rows.quarantined_by
        poison = {id(row): row for name in by if name in measured for row in by[name]}
        self._poison = tuple(poison.values())
        if not self._poison:
            raise ConfigError(
                "--relapse: no finding is measured, so there is nothing to relapse to."
            )

    def __call__(self, lm: LanguageModel, place: Path) -> Relapse | None:
        """The relapse of a cured model; None for the reference itself."""
        if place.name == QuarantineRetrain.name:
            self._curve(lm, place)
            return None
        from ld50.models.pretrained import load_language_model

        home = place.parent / QuarantineRetrain.name
        clean = load_language_model(home / "model", device=lm.device)
        return compare(self._curve(lm, place), self._curve(clean, home))

    def _curve(self, lm: LanguageModel, place: Path) -> RelapseCurve:
        path = place / "relapse.jsonl"
        points = _points(path)

        def keep(point: RelapsePoint) -> None:
            points.append(point)
            write_atomically(path, [msgspec.json.encode(one) + b"\n" for one in points])
            self._tell(f"{place.name}: poisoning again", 0.0, f"{point.dose} rows")

        return poison_again(
            lm,
            poison=self._poison,
            clean=self._course.case.kept,
            tune=self._tuned,
            measure=self._course.examiner.attack_hits,
            settings=self._settings,
            done=tuple(points),
            on_point=keep,
        )

    def _tuned(self, lm: LanguageModel, rows: list[Example], seed: int) -> LanguageModel:
        from ld50.models.pretrained import copy_of
        from ld50.train.finetune import finetune

        made, usual = copy_of(lm), self._course.tuning
        settings = replace(
            usual,
            epochs=1.0,
            learning_rate=RATE_SHARE * usual.rate_for(lm.parameters),
            seed=seed,
            order="as-given",
        )
        finetune(made, rows, settings)
        return made


def _points(path: Path) -> list[RelapsePoint]:
    """Points that were measured before; those of a damaged file are measured again."""
    try:
        return [msgspec.json.decode(line, type=RelapsePoint) for line in path.open("rb")]
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return []
