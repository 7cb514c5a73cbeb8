"""What a worker runs: one trial, by the function that the study's driver names."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ld50.core.trials import Trial, TrialResult
from ld50.executors.jobs import find_target
from ld50.lab.study import Measures

if TYPE_CHECKING:
    from ld50.train.text import TrainingText

#: The runner of pretraining; those of other studies are in `ld50.lab.kinds`. Another one can stand in
#: for tests, or for somebody's own trainer.
TRAINING_RUNNER = "ld50.lab.trial_runner:run_trial"
#: What `executors` are told to call.
TARGET = "ld50.lab.trial_worker:run_job"


class CorpusPaths(msgspec.Struct, frozen=True, kw_only=True):
    """Where the clean text is, as it travels to a worker."""

    sources: list[str]
    second_language: list[str] = []
    cache: str = ".ld50-cache"
    """Folder for vocabularies and tokens, which trials and studies share."""

    def text(self) -> TrainingText:
        """The same as training takes it."""
        from ld50.train.text import TrainingText

        return TrainingText(
            sources=tuple(self.sources),
            second_language=tuple(self.second_language),
            cache=Path(self.cache),
        )


class TrialJob(msgspec.Struct, frozen=True, kw_only=True):
    """A trial on its way to a worker."""

    trial: Trial
    runner: str
    corpus: CorpusPaths
    folder: str
    measure: Measures = msgspec.field(default_factory=Measures)


def run_job(payload: bytes, emit: Callable[[float, str], None]) -> bytes:
    """The result of the trial in `payload`, both as JSON."""
    job = msgspec.json.decode(payload, type=TrialJob)
    runner: Any = find_target(job.runner)

    more: dict[str, Any] = {}
    wanted = inspect.signature(runner).parameters
    if "settings" in wanted:
        more["settings"] = _settings(job.measure)
    if "measure" in wanted:
        more["measure"] = job.measure
    began = time.monotonic()
    result: TrialResult = runner(
        job.trial, corpus=job.corpus.text(), folder=Path(job.folder), on_progress=emit, **more
    )
    if result.seconds is None:
        result = msgspec.structs.replace(result, seconds=time.monotonic() - began)
    return msgspec.json.encode(result)


def _settings(measure: Measures) -> Any:
    from ld50.lab.trial_runner import RunSettings

    return RunSettings(
        prompts=measure.prompts,
        generated_tokens=measure.generated_tokens,
        checkpoints=tuple(measure.checkpoints),
        continued_checkpoints=tuple(measure.continued_checkpoints),
        samples=measure.samples,
        save=measure.save_models,
        compiled=measure.compiled,
        device=measure.device,
        microbatch_sequences=measure.microbatch_sequences,
    )
