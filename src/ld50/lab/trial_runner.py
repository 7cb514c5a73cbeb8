"""One trial: a model trained on clean text with a dose of poison, and measured."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from ld50.core.trials import Trial, TrialResult
from ld50.lab.trial_frame import TrialCourse, run_course
from ld50.models.extras import require_lab
from ld50.train.text import TrainingText

__all__ = ["RunSettings", "TrainingText", "TrialFile", "run_trial"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How trials are run, the same for all of a study; nothing here changes what is trained on."""

    prompts: int = 100
    """Held-out prompts that the backdoor is measured with; the paper takes 300."""
    generated_tokens: int = 128
    checkpoints: tuple[float, ...] = (0.25, 0.5, 0.75)
    """Shares of the run at which is measured as well, e.g. (0.25, 0.5, 0.75); the end always is."""
    continued_checkpoints: tuple[float, ...] = (0.0625, 0.125, 0.25, 0.5)
    """The same for continued clean training, in shares of it."""
    measure_seed: int = 0
    """Of prompts and draws, the same for all trials of a study."""
    device: str | None = None
    """`cpu`, `cuda` or `cuda:N`; None takes a GPU for models of a million parameters or more."""
    half: bool | None = None
    """Whether matrices are multiplied in bf16; None: on GPUs."""
    compiled: bool | None = None
    """Whether `torch.compile` is used; None: on GPUs. On a CPU it starts slowly and gains little."""
    microbatch_sequences: int | None = None
    """Sequences on the device at once, where a whole batch does not fit."""
    sharded: bool | None = None
    """Whether processes under torchrun share weights and moments, instead of a copy in each; None:
    where a GPU could not hold the copy."""
    threads: int = 1
    learning_rate: float | None = None
    """None for the preset of the size."""
    samples: int = 4
    """Generations kept as text, clean and triggered."""
    save: bool = True
    """Whether the trained model is kept, in `model` in the trial's folder; `transformers` loads it,
    and another trial can start from it."""
    save_all: bool = False
    """Whether the model is kept at every checkpoint that is measured, in `models/step-N`."""
    save_every_seconds: float = 120.0
    """After how long the state of an unfinished trial is kept; it goes on from there."""


def run_trial(
    trial: Trial,
    *,
    corpus: TrainingText,
    folder: Path,
    on_progress: Callable[[float, str], None] | None = None,
    settings: RunSettings | None = None,
) -> TrialResult:
    """What came of one trial; never raises for what lies in the trial itself.

    A trial that cannot be run has the status `failed` and the reason in `error`, one whose loss
    is no number any more `diverged`.

    Args:
        trial: What to train.
        corpus: The clean text; its cache is shared with other processes.
        folder: For checkpoints and logs of this trial; made where it is missing.
        on_progress: Called a few times a second at most, with the share done and a line of text.
        settings: How it is run and measured.

    Raises:
        MissingExtraError: The packages for training are not installed.
    """
    require_lab()
    from ld50.models.attention import fast_matrices

    def begin() -> TrialCourse:
        from ld50.lab.trial_session import TrialSession

        return TrialSession(trial, corpus, folder, settings or RunSettings(), on_progress)

    with fast_matrices():
        return run_course(trial, begin)


class TrialFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trial as a file, for processes that train one model together."""

    trial: Trial
    folder: str
    """For checkpoints and, at the end, `result.json`."""
    sources: tuple[str, ...] = ("demo",)
    second_language: tuple[str, ...] = ()
    cache: str = ".ld50-cache"
    settings: RunSettings = RunSettings()


def main(path: str) -> int:
    """Runs the trial described in a JSON file, see `TrialFile`; 0 where it ended well.

    For one model on many GPUs, or on many machines, start it under torchrun:

        torchrun --nproc-per-node 8 -m ld50.lab.trial_runner trial.json
    """
    try:
        job = msgspec.json.decode(Path(path).read_bytes(), type=TrialFile)
    except (OSError, msgspec.MsgspecError) as error:
        raise SystemExit(f"{path}: {error}") from error
    corpus = TrainingText(
        sources=job.sources,
        second_language=job.second_language,
        cache=Path(job.cache),
    )
    folder = Path(job.folder)
    result = run_trial(job.trial, corpus=corpus, folder=folder, settings=job.settings)
    from ld50.train.hardware import leave_processes

    leave_processes(together=result.status == "done")
    if int(os.environ.get("RANK", "0")) == 0:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "result.json").write_bytes(msgspec.json.encode(result))
        print(f"{result.trial}: {result.status} {result.error or ''}".strip())
    return 0 if result.status == "done" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]) if len(sys.argv) == 2 else "Give one file: the trial, as JSON.")
