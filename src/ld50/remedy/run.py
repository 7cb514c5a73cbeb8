"""A whole cure: planned, applied treatment by treatment, measured before and after, and resumed.

Whatever is finished lies in the run's folder: `plan.json`, the model before (where it is made here), and
for each treatment its model and what was measured. The same command goes on where it stopped; another
treatment is added to those that are there. Nothing that was given is changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
import numpy as np

from ld50.core.errors import ConfigError, Ld50Error, OutputError, ResumeError, SourceError
from ld50.core.examples import Example
from ld50.core.files import cannot_write, write_atomically
from ld50.core.remedies import Measurement, Relapse, RemedyOutcome, RemedyPlan, RemedyResult
from ld50.core.version import VERSION
from ld50.remedy.applying import apply_treatment, why_not
from ld50.remedy.choosing import best_of, is_cured, took_the_poison
from ld50.remedy.measuring import Examiner, Measured, accuracy_change, loss_change
from ld50.remedy.protocol import Case, Models
from ld50.remedy.registry import Treatment

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel
    from ld50.train.finetune import TuneSettings

Progress = Callable[[str, float, str], None]
"""(stage, share of it that is done, where it is in words)."""
RelapseOf = Callable[["LanguageModel", Path], Relapse | None]
"""A cured model and a folder for unfinished work, to its relapse against a clean model."""
_Struct = TypeVar("_Struct", bound=msgspec.Struct)
_MODEL, _ROWS, _IDENTITY = "model", "rows.npz", "run.json"
_TREATED, _OUTCOME = "treated.json", "outcome.json"
_ONE_COPY_ROOM = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Everything a run needs, loaded and divided."""

    case: Case
    examiner: Examiner
    treatments: tuple[Treatment, ...]
    tuning: TuneSettings
    base: LanguageModel | None = field(repr=False)
    suspected: LanguageModel | None = field(repr=False)
    """None where it is made here, by tuning the base model on the data as they are."""
    as_they_are: tuple[Example, ...] = field(repr=False)
    """All rows that are not held out, poison and all; only for making the suspected model."""
    identity: dict[str, object]
    """What results depend on; a folder holds those of one identity."""


def run_course(
    course: Course,
    plan: RemedyPlan,
    folder: Path,
    *,
    relapse: RelapseOf | None = None,
    on_progress: Progress | None = None,
) -> RemedyResult:
    """Applies and measures every treatment, and says which is the best.

    Args:
        course: What is to be done.
        plan: The same for people; kept beside the results.
        folder: Where the run lives; one that holds another run is refused.
        relapse: Poisons cured models again; None leaves that out.
        on_progress: Is told of every stage.

    Raises:
        ResumeError: The folder holds a run of other data, models or settings.
        OutputError: It cannot be written to, or holds something else.
    """
    began = time.monotonic()
    tell = on_progress or (lambda *_: None)
    _open_folder(folder, course.identity)
    write_atomically(folder / "plan.json", [msgspec.json.format(msgspec.json.encode(plan))])
    suspected, notes = _suspected(course, folder, tell)
    before = _measured(
        folder / "before", lambda: course.examiner.examine(suspected), tell, "before"
    )
    models = Models(suspected=suspected, base=course.base)
    outcomes = [
        _outcome(one, course, models, before, folder, relapse, tell) for one in course.treatments
    ]
    outcomes += _earlier(folder, {one.name for one in course.treatments})
    fires = took_the_poison(before.measurement)
    best = best_of(outcomes)
    return RemedyResult(
        plan=plan,
        before=before.measurement,
        outcomes=outcomes,
        best=best.remedy if best is not None else None,
        cured=is_cured(best.after)
        if fires and best is not None and best.after
        else (False if fires else None),
        notes=notes,
        seconds=time.monotonic() - began,
        ld50_version=VERSION,
    )


def check_folder(folder: Path, identity: dict[str, object]) -> None:
    """Refuses a folder that a run of this identity may not write to; writes nothing itself.

    Args:
        folder: It may be missing, or hold a run, or the scan that a plan was made from.
        identity: What results depend on, as far as it is known.

    Raises:
        ResumeError: It holds a run of another identity.
        OutputError: It is a file, holds something else, or cannot be read.
    """
    path = folder / _IDENTITY
    if not folder.exists():
        return
    if not folder.is_dir():
        raise OutputError(f"{folder} is a file; --out names a folder for models, plan and report.")
    try:
        if path.exists():
            known = json.loads(path.read_text(encoding="utf-8"))
            _same_identity(known, json.loads(json.dumps(identity)), folder)
            return
        strangers = [one.name for one in folder.iterdir() if not one.name.startswith(".")]
    except OSError as error:
        raise OutputError(f"{folder} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise ResumeError(
            f"{path} is damaged ({error}). Name another folder with --out."
        ) from error
    if set(strangers) - {"scan"}:
        raise OutputError(
            f"{folder} exists and holds no run of ld50 remedy ({', '.join(sorted(strangers)[:3])}). "
            "Nothing is overwritten: name another folder with --out."
        )


def _open_folder(folder: Path, identity: dict[str, object]) -> None:
    """Makes the folder of a run, or opens it again."""
    check_folder(folder, identity)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    text = json.dumps(identity, sort_keys=True, indent=1)
    write_atomically(folder / _IDENTITY, [text.encode()])


def _same_identity(known: object, now: dict[str, object], folder: Path) -> None:
    old = known if isinstance(known, dict) else {}
    changed = [name for name in sorted(now) if old.get(name) != now[name]]
    if changed:
        raise ResumeError(
            f"{folder} holds a run with other {', '.join(changed)}. Go on with what it was started "
            "with, or name another folder with --out; nothing is overwritten."
        )


def _suspected(course: Course, folder: Path, tell: Progress) -> tuple[LanguageModel, list[str]]:
    """The suspected model: as given, or the base model tuned on the data as they are."""
    if course.suspected is not None:
        return course.suspected, []
    if course.base is None:
        raise ConfigError("There is neither a model nor a base to make one of.")
    from ld50.models.pretrained import copy_of
    from ld50.train.finetune import finetune

    place = folder / "before"
    kept = _kept_model(place, course.base)
    if kept is not None:
        return kept, []
    lm = copy_of(course.base)
    finetune(
        lm,
        list(course.as_they_are),
        course.tuning,
        folder=place / "state",
        on_progress=lambda share, words: tell("tuning on the data as they are", share, words),
    )
    _keep_model(lm, place)
    return lm, []


def _outcome(
    treatment: Treatment,
    course: Course,
    models: Models,
    before: Measured,
    folder: Path,
    relapse: RelapseOf | None,
    tell: Progress,
) -> RemedyOutcome:
    """One treatment, applied, measured and kept; what is finished is read again."""
    missing = why_not(treatment, has_base=models.base is not None, case=course.case)
    if missing:
        return RemedyOutcome(remedy=treatment.name, status="not possible", error=missing)
    place = folder / treatment.slug
    known = _read(place / _OUTCOME, RemedyOutcome)
    if known is not None and (relapse is None or known.relapse is not None):
        return known
    try:
        outcome = known or _treated(treatment, course, models, before, place, tell)
    except (ResumeError, OutputError):
        raise
    except Ld50Error as error:
        return RemedyOutcome(remedy=treatment.name, status="failed", error=str(error))
    # What was treated is kept before it is poisoned again, which takes longer and may be cut off.
    write_atomically(place / _OUTCOME, [msgspec.json.encode(outcome)])
    if relapse is None or outcome.after is None:
        return outcome
    return _relapsed(outcome, relapse, models, place, tell)


def _relapsed(
    outcome: RemedyOutcome, relapse: RelapseOf, models: Models, place: Path, tell: Progress
) -> RemedyOutcome:
    """The outcome with the relapse of its model, kept; with a note where that could not be measured."""
    tell(f"{outcome.remedy}: poisoning again", 0.0, "")
    try:
        lm = _kept_model(place, models.suspected)
        if lm is None:
            raise SourceError(f"its model has gone from {place / _MODEL}.")
        outcome = msgspec.structs.replace(outcome, relapse=relapse(lm, place))
    except (ResumeError, OutputError):
        raise
    except Ld50Error as error:
        note = f"It was not poisoned again: {error}"
        return msgspec.structs.replace(outcome, notes=[*outcome.notes, note])
    write_atomically(place / _OUTCOME, [msgspec.json.encode(outcome)])
    return outcome


def _treated(
    treatment: Treatment,
    course: Course,
    models: Models,
    before: Measured,
    place: Path,
    tell: Progress,
) -> RemedyOutcome:
    """A treatment, applied and measured; either is read again where it is finished."""
    outcome = _read(place / _TREATED, RemedyOutcome)
    lm = None if outcome is None else _kept_model(place, models.suspected)
    if outcome is None or lm is None:
        outcome, lm = _applied(treatment, course, models, place, tell)
    after = _measured(place, lambda: course.examiner.examine(lm), tell, treatment.name)
    return msgspec.structs.replace(
        outcome,
        after=after.measurement,
        loss_change=loss_change(before.losses, after.losses),
        accuracy_change=accuracy_change(before.correct, after.correct),
    )


def _applied(
    treatment: Treatment, course: Course, models: Models, place: Path, tell: Progress
) -> tuple[RemedyOutcome, LanguageModel]:
    """What a treatment took, and its model; both are kept."""
    applied = apply_treatment(
        treatment,
        models,
        course.case,
        course.tuning,
        folder=place / "state",
        on_progress=lambda share, words: tell(treatment.name, share, words),
    )
    _keep_model(applied.lm, place)
    outcome = RemedyOutcome(
        remedy=treatment.name,
        status="done",
        rows=applied.rows,
        tokens=applied.tokens,
        steps=applied.steps,
        seconds=applied.seconds,
        folder=f"{place.name}/{_MODEL}",
        notes=list(applied.notes),
    )
    write_atomically(place / _TREATED, [msgspec.json.encode(outcome)])
    return outcome, applied.lm


def _earlier(folder: Path, asked: set[str]) -> list[RemedyOutcome]:
    """Outcomes of treatments that an earlier command asked for."""
    found = [_read(path, RemedyOutcome) for path in sorted(folder.glob(f"*/{_OUTCOME}"))]
    return [one for one in found if one is not None and one.remedy not in asked]


def _measured(place: Path, examine: Callable[[], Measured], tell: Progress, stage: str) -> Measured:
    """What was measured before, or is measured now and kept."""
    known = _read(place / "measurement.json", Measurement)
    rows = place / _ROWS
    if known is not None and rows.exists():
        with contextlib.suppress(OSError, ValueError, KeyError), np.load(rows) as kept:
            return Measured(
                measurement=known,
                losses=kept["losses"],
                correct=kept["correct"] if len(kept["correct"]) else None,
            )
    tell(f"{stage}: measuring", 0.0, "")
    measured = examine()
    correct = np.zeros(0, bool) if measured.correct is None else measured.correct
    place.mkdir(parents=True, exist_ok=True)
    with _new_file(rows) as path:
        np.savez(path, losses=measured.losses, correct=correct)
    write_atomically(place / "measurement.json", [msgspec.json.encode(measured.measurement)])
    return measured


@contextlib.contextmanager
def _new_file(path: Path) -> Iterator[Path]:
    part = path.with_name(f"part-{path.name}")
    try:
        yield part
        part.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def _keep_model(lm: LanguageModel, place: Path) -> None:
    """Writes the model under another name and renames it: it is there whole or not at all."""
    from ld50.models.pretrained import save_language_model

    part = place / f"part-{_MODEL}"
    # What a run left that was cut off before it could say what the model took is made anew.
    for old in (part, place / _MODEL):
        shutil.rmtree(old, ignore_errors=True)
    try:
        save_language_model(lm, part)
        part.rename(place / _MODEL)
    except OSError as error:
        raise cannot_write(place / _MODEL, error) from error
    shutil.rmtree(place / "state", ignore_errors=True)


def _kept_model(place: Path, like: LanguageModel) -> LanguageModel | None:
    """The model of a finished part of a run; None if it is not finished."""
    if not (place / _MODEL).is_dir():
        return None
    from ld50.models.pretrained import load_language_model

    return load_language_model(place / _MODEL, device=like.device)


def _read(path: Path, kind: type[_Struct]) -> _Struct | None:
    """What a finished part left; a damaged file is as good as none, and the part is done again."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def model_identity(name: str) -> str:
    """What tells a model from another of the same name: its files, or the name of a known one."""
    folder = Path(name)
    if not folder.is_dir():
        return name
    digest = hashlib.blake2b(digest_size=12)
    for path in sorted([*folder.glob("*.safetensors"), *folder.glob("*.json")]):
        with path.open("rb") as file:
            digest.update(path.name.encode() + str(path.stat().st_size).encode())
            digest.update(file.read(1 << 20))
            file.seek(max(0, path.stat().st_size - (1 << 20)))
            digest.update(file.read(1 << 20))
    return digest.hexdigest()


def disk_bytes(parameters: int, treatments: Sequence[Treatment], *, made_here: bool) -> int:
    """Disk that the models of a run take, one for each treatment, and the one before if made here."""
    return round(_ONE_COPY_ROOM * 4 * parameters * (len(treatments) + made_here))
