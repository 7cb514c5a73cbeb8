"""Work units in stages: each is mapped over them and merged, and what is finished is kept.

Units may run in any order and on any number of workers; an interrupted scan goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np

from ld50.core.records import Record
from ld50.corpus import Plan
from ld50.corpus import fetch as fetch_records
from ld50.executors.local import map_unordered
from ld50.scan import stages
from ld50.scan.checkpoint import Checkpoint, Columns
from ld50.scan.corpus_sample import CorpusSample, merged, sample_unit, sampled_units
from ld50.scan.freed import give_back
from ld50.scan.rereading import CauseReader, FetchedRows
from ld50.scan.settings import ScanSettings
from ld50.scan.survey import Survey, SurveyMerger, pack, unpack

#: Decoded text that is held in memory, so that passes after the first need not read it again.
_KEPT_BYTES = 128 << 20
#: Bytes that the process takes from which on memory is given back within a stage, too.
_MUCH = 608 << 20
#: Characters of single rows that stay in memory until they are asked for again.
_KEPT_CHARACTERS = 96 << 20


class StageProgress(Protocol):
    """What the engine tells about how far it is."""

    def stage(self, name: str, units: int) -> None:
        """A stage of so many units begins."""

    def advance(self) -> None:
        """One unit of it is done."""


class Silent:
    """Tells nobody."""

    def stage(self, name: str, units: int) -> None:
        """Nothing."""

    def advance(self) -> None:
        """Nothing."""


class UnitEngine:
    """Runs stages over the units of one plan, and reads single rows."""

    def __init__(
        self,
        plan: Plan,
        settings: ScanSettings,
        *,
        checkpoint: Checkpoint,
        workers: int,
        progress: StageProgress,
        name: str = "",
    ) -> None:
        """Nothing is read yet.

        Args:
            plan: What is read.
            settings: Of the tests.
            checkpoint: Where finished units are kept.
            workers: Threads.
            progress: Told about stages and units.
            name: Tells the stages of one engine from those of another with the same checkpoint.
        """
        self.plan = plan
        self._name = name
        self.settings = settings
        self._checkpoint = checkpoint
        self._workers = workers
        self._progress = progress
        self.causes = CauseReader(plan, _KEPT_BYTES)
        self._records = FetchedRows()

    def fetch(self, survey: Survey, ordinals: np.ndarray) -> list[Record]:
        """The rows as records, in the order asked for."""
        found = self.readable(survey, ordinals)
        return [found[ordinal] for ordinal in ordinals.tolist()]

    def readable(self, survey: Survey, ordinals: np.ndarray) -> dict[int, Record]:
        """Ordinal to record; rows that were skipped have none."""
        missing = self._records.to_read(ordinals)
        if len(missing):
            where = survey.locate(missing)
            found = fetch_records(self.plan, where, survey.unit_rows.tolist())
            self._records.add(
                {o: found.get(k) for o, k in zip(missing.tolist(), where, strict=True)}
            )
        return self._records.known(ordinals)

    def expect(self, ordinals: np.ndarray) -> None:
        """Rows that will be asked for: the next reading of single rows takes them along."""
        self._records.expect(ordinals)

    def keep_only(self, ordinals: np.ndarray) -> None:
        """Lets go of the single rows that were read, but for these."""
        self._records.keep_only(ordinals, _KEPT_CHARACTERS)

    def map(
        self,
        stage: str,
        name: str,
        units: list[int],
        function: Callable[[int], Columns],
        merge: Callable[[int, Columns], None],
    ) -> None:
        """Runs one stage: what is finished is loaded, the rest is made, and merged in unit order.

        Results wait for their turn, so that merging does not depend on which thread was faster.
        """
        give_back()
        self._progress.stage(f"{name} {self._name}".strip(), len(units))
        stage = f"{self._name}{stage}"
        waiting: dict[int, Columns] = {}
        turn = iter(units)
        expected = next(turn, None)

        def run(unit: int) -> Columns:
            if self._checkpoint.has(stage, unit):
                return self._checkpoint.load(stage, unit)
            columns = function(unit)
            self._checkpoint.save(stage, unit, columns)
            return columns

        for unit, columns in map_unordered(run, units, workers=self._workers):
            waiting[unit] = columns
            self._progress.advance()
            while expected is not None and expected in waiting:
                merge(expected, waiting.pop(expected))
                expected = next(turn, None)
            give_back(_MUCH)
        give_back()

    def survey(self) -> Survey:
        """First pass over all units."""
        sample = self._sample()
        tables = sample.ordinary(stages.profile_tables())
        merger = SurveyMerger(self.settings, self._checkpoint.shelf())
        units = list(range(len(self.plan.units)))
        most = self.settings.most_segments
        self.map(
            "survey",
            "reading",
            units,
            lambda unit: pack(
                stages.survey(self.plan, self.causes, unit, tables, most, merger.thinned)
            ),
            lambda unit, columns: merger.add(unpack(columns)),
        )
        return merger.result(sample)

    def _sample(self) -> CorpusSample:
        """What is ordinary in this corpus: read before anything is judged odd."""
        parts: list[Columns] = []
        self.map(
            "sample",
            "sampling",
            sampled_units(len(self.plan.units)),
            lambda unit: sample_unit(self.plan, unit),
            lambda _, columns: parts.append(columns),
        )
        return merged(parts)
