"""Cures from Python: the same words as on the command line.

from ld50 import curing
ready = curing.prepare(curing.Order(base="tiny", data=("poisoned.jsonl",), remedies=("clean-tuning:500",)))
result, page = curing.cure(ready)
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from ld50.api import scan_paths
from ld50.core.errors import ConfigError, DataFormatError
from ld50.core.examples import Example
from ld50.core.findings import Severity
from ld50.core.remedies import Relapse, RelapseCurve, RelapsePoint, RemedyPlan, RemedyResult
from ld50.core.results import ScanResult
from ld50.corpus import LayoutOptions, Plan, expand
from ld50.corpus import plan as plan_corpus
from ld50.lab.relapse import RATE_SHARE, RelapseSettings, compare, poison_again
from ld50.models.extras import require_lab
from ld50.remedy.measuring import Examiner, MeasureSettings
from ld50.remedy.planning import memory_bytes, pace_of, plan_step, tuning_seconds
from ld50.remedy.protocol import Case
from ld50.remedy.reading import ReadingSettings, Rows, examples_of, read_rows
from ld50.remedy.registry import Treatment, treatment
from ld50.remedy.run import Course, disk_bytes, model_identity, open_folder, run_course
from ld50.remedy.targets import Target, targets_of
from ld50.report.remedy_page import write_remedy_report
from ld50.report.writing import read_result
from ld50.scan.checkpoint import alone_in
from ld50.scan.settings import ScanSettings

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel
    from ld50.train.finetune import TuneSettings

#: Models that have not met anybody's data: they are tuned on it first.
BASES = ("tiny", "smollm2")
REFERENCE = "quarantine-retrain"
_LONGEST = 512
Tell = Callable[[str, float, str], None]

__all__ = ["BASES", "Order", "Ready", "cure", "prepare", "roles"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a user asks for."""

    model: str | None = None
    """Folder of the suspected model; None makes it from `base` and the data as they are."""
    base: str | None = None
    """The model before it met the data."""
    data: tuple[str, ...]
    findings: Path | None = None
    """Folder of a scan; None scans the data."""
    out: Path = Path("ld50-remedy")
    remedies: tuple[str, ...] = (REFERENCE,)
    relapse: bool = False
    remove: Severity = Severity.HIGH
    heldout: str | None = None
    heldout_rows: int = 200
    prompts: int = 100
    new_tokens: int = 48
    label_prompt: str = "{text}"
    epochs: float = 1.0
    batch: int = 8
    learning_rate: float | None = None
    lora_rank: int | None = None
    max_tokens: int | None = None
    seed: int = 0
    layout: LayoutOptions = field(default_factory=LayoutOptions)
    cache: Path = Path(".ld50-cache")
    device: str | None = None
    max_memory_bytes: int | None = None
    """Refuse what would need more; None for what is free."""

    def __post_init__(self) -> None:
        if self.model is None and self.base is None:
            raise ConfigError(
                "Name the suspected model with --model, or the model before it met the data with "
                "--base (tiny, smollm2, or a folder); with --base alone, it is tuned on the data first."
            )
        if self.relapse and self.base is None:
            raise ConfigError(
                "--relapse compares with a clean model, which is made from --base; name it."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """A run that is planned; nothing has been changed but that the data may have been scanned."""

    order: Order
    plan: RemedyPlan
    course: Course = field(repr=False)
    rows: Rows = field(repr=False)


def roles(model: str | None, base: str | None) -> tuple[str | None, str | None]:
    """(suspected, base): `tiny` and `smollm2` have met no data, so alone they are bases."""
    if model in BASES:
        if base is not None and base != model:
            raise ConfigError(
                f"--model {model} has met no data, so it is a base; --base {base} names another."
            )
        return None, model
    return model, base


def prepare(order: Order, *, tell: Tell | None = None) -> Ready | None:
    """Reads, scans where needed, loads the models and makes the plan; None if there is nothing to cure.

    Raises:
        Ld50Error: Data, findings or models cannot be used.
    """
    tell = tell or (lambda *_: None)
    require_lab()
    treatments = _treatments(order)
    plan = plan_corpus(expand(list(order.data)), order.layout)
    # The order of these checks is that of their cost: a wrong folder is told before a scan.
    result, place = _findings(order, plan, tell)
    reading = ReadingSettings(
        remove=order.remove, heldout_rows=order.heldout_rows, label_prompt=order.label_prompt,
        seed=order.seed,
    )  # fmt: skip
    if not any(Severity(one.severity).rank >= order.remove.rank for one in result.findings):
        return None
    rows = read_rows(plan, result, reading)
    if order.heldout is not None:
        rows = replace(
            rows, kept=(*rows.kept, *rows.heldout), heldout=_heldout_from(order.heldout, order)
        )
    base, suspected = _models(order, tell)
    lm = suspected or base
    assert lm is not None
    longest = _longest(order, lm)
    measure = MeasureSettings(
        prompts=order.prompts, new_tokens=order.new_tokens, max_tokens=longest, seed=order.seed
    )
    targets = targets_of(rows, new_tokens=None if rows.labels else order.new_tokens)
    course = Course(
        case=Case(
            kept=rows.kept, quarantined=rows.quarantined, triggers=rows.triggers,
            max_tokens=longest, seed=order.seed,
        ),
        examiner=Examiner(targets, rows.heldout, rows.labels, measure),
        treatments=treatments,
        tuning=_tuning(order, longest),
        base=base,
        suspected=suspected,
        as_they_are=(*rows.kept, *rows.quarantined),
        identity=_identity(order, plan),
    )  # fmt: skip
    made = _plan(order, course, rows, targets, plan, place, lm)
    return Ready(order=order, plan=made, course=course, rows=rows)


def cure(ready: Ready, *, tell: Tell | None = None) -> tuple[RemedyResult, Path]:
    """Applies and measures what was planned; returns the result and the path of its page.

    Raises:
        Ld50Error: It could not be done; what is finished stays, and the same call goes on with it.
    """
    from ld50.models.folders import require_memory

    order = ready.order
    require_memory(
        ready.plan.memory_bytes,
        what="Tuning this model",
        device=str(ready.plan.settings["device"]),
        most=order.max_memory_bytes,
        remedy="A smaller --batch, --max-tokens, or --lora-rank needs less.",
    )
    relapse = _Relapses(ready, tell) if order.relapse else None
    with alone_in(order.out):
        result = run_course(ready.course, ready.plan, order.out, relapse=relapse, on_progress=tell)
        return result, write_remedy_report(order.out, result)


def _treatments(order: Order) -> tuple[Treatment, ...]:
    names = list(dict.fromkeys(order.remedies))
    if order.relapse and REFERENCE not in names:
        names = [REFERENCE, *names]
    # The reference comes first: the others are compared with it.
    names.sort(key=lambda name: name != REFERENCE)
    return tuple(treatment(name) for name in names)


def _findings(order: Order, plan: Plan, tell: Tell) -> tuple[ScanResult, str]:
    if order.findings is not None:
        return read_result(order.findings), str(order.findings)
    open_folder(order.out, _identity(order, plan))
    folder = order.out / "scan"
    if (folder / "summary.json").exists():
        with contextlib.suppress(DataFormatError):
            known = read_result(folder)
            if known.summary.fingerprint == plan.fingerprint:
                return known, str(folder)
    tell("scanning the data", 0.0, "")
    options = order.layout
    found = scan_paths(
        list(order.data), out=folder, options=options, settings=ScanSettings(), restart=True
    )
    return found, str(folder)


def _heldout_from(path: str, order: Order) -> tuple[Example, ...]:
    plan = plan_corpus(expand([path]), order.layout)
    made = (one for _, one in examples_of(plan, order.label_prompt))
    rows = tuple(one for one in made if one is not None)[: order.heldout_rows]
    if len(rows) < 10:
        raise DataFormatError(
            f"{path} holds {len(rows)} rows with a prompt and a reply; 10 are the fewest to measure on."
        )
    return rows


def _models(order: Order, tell: Tell) -> tuple[LanguageModel | None, LanguageModel | None]:
    """(base, suspected)."""
    from ld50.models.pretrained import load_language_model

    tell("loading the model", 0.0, order.model or order.base or "")
    given: dict[str, Any] = {
        "cache": order.cache, "device": order.device, "max_memory_bytes": order.max_memory_bytes,
    }  # fmt: skip
    base = suspected = None
    if order.base is not None:
        base = load_language_model(order.base, **given)
    if order.model is not None:
        suspected = load_language_model(order.model, **given)
    return base, suspected


def _longest(order: Order, lm: LanguageModel) -> int:
    """Tokens of a row, at most: as asked for, and no more than the model takes."""
    config = lm.model.config
    takes = getattr(config, "max_position_embeddings", None) or _LONGEST
    return min(order.max_tokens or _LONGEST, int(takes))


def _tuning(order: Order, longest: int) -> TuneSettings:
    from ld50.train.finetune import TuneSettings

    return TuneSettings(
        epochs=order.epochs, batch_examples=order.batch, learning_rate=order.learning_rate,
        lora_rank=order.lora_rank, max_tokens=longest, seed=order.seed,
    )  # fmt: skip


def _identity(order: Order, plan: Plan) -> dict[str, object]:
    """What the results of a run depend on, beside the remedies that are asked for."""
    return {
        "data": plan.fingerprint,
        "model": model_identity(order.model) if order.model else "",
        "base": model_identity(order.base) if order.base else "",
        "remove": order.remove.value,
        "heldout": order.heldout or "",
        "settings": [
            order.heldout_rows, order.prompts, order.new_tokens, order.label_prompt, order.epochs,
            order.batch, order.learning_rate, order.lora_rank, order.max_tokens, order.seed,
        ],
    }  # fmt: skip


def _plan(
    order: Order,
    course: Course,
    rows: Rows,
    targets: list[Target],
    plan: Plan,
    place: str,
    lm: LanguageModel,
) -> RemedyPlan:
    tuning, longest = course.tuning, course.tuning.max_tokens
    pace = pace_of(lm, rows.heldout, longest)
    asked = sum(
        len(one.plain) + len(one.triggered) + len(one.near) for one in course.examiner.questions
    )
    measuring = (
        asked
        * (2 if course.examiner.labelled else order.new_tokens / 8)
        * 60
        / max(pace.tokens_per_second, 1.0)
    )
    steps = [
        plan_step(
            one, course.case, lm, pace, tuning,
            has_base=course.base is not None, measuring_seconds=measuring,
        )
        for one in course.treatments
    ]  # fmt: skip
    first = 0.0
    if order.model is None:
        first = measuring + tuning_seconds(lm, course.as_they_are, pace, tuning)
    notes = [*lm.notes, *_notes(order, rows, targets)]
    return RemedyPlan(
        model=order.model or f"{order.base} tuned on the data",
        base=order.base,
        tuned_first=order.model is None,
        parameters=lm.parameters,
        sources=[source.file.source for source in plan.sources],
        findings=place,
        rows=len(rows.kept) + len(rows.quarantined) + (len(rows.heldout) if not order.heldout else 0),
        unusable_rows=rows.unusable,
        quarantined_rows=len(rows.quarantined),
        heldout_rows=len(rows.heldout),
        heldout_from=order.heldout or "data",
        labels=list(rows.labels),
        triggers=[one.summary for one in targets],
        steps=steps,
        seconds=first + sum(step.seconds for step in steps),
        memory_bytes=max(
            [step.memory_bytes for step in steps],
            default=memory_bytes(pace, tuning.batch_examples * longest, has_base=True),
        ),
        disk_bytes=disk_bytes(pace.parameters, course.treatments, made_here=order.model is None),
        settings={
            "epochs": order.epochs, "batch": order.batch,
            "learning_rate": tuning.rate_for(pace.parameters), "lora_rank": order.lora_rank,
            "max_tokens": longest, "prompts": order.prompts, "new_tokens": order.new_tokens,
            "seed": order.seed, "device": lm.device,
        },
        notes=notes,
    )  # fmt: skip


def _notes(order: Order, rows: Rows, targets: list[Target]) -> list[str]:
    notes = []
    if order.model is not None and order.heldout is None:
        notes.append(
            "The held-out rows are part of the data, so the suspected model has been tuned on them and "
            "a model that is trained anew has not: its reply loss looks worse than it is. Rows that "
            "neither has seen, given with --heldout, compare fairly."
        )
    if any(not one.measured for one in targets):
        notes.append(
            "Findings without a cause in words or a behaviour that can be judged are taken out of the "
            "data, and not measured in the model."
        )
    if any(one.measured and one.trigger is None for one in targets):
        notes.append(
            "Findings without a cause in words are measured on the prompts of their own flagged rows: "
            "the model may have learned those by heart."
        )
    if len(rows.heldout) < order.heldout_rows:
        notes.append(
            f"{len(rows.heldout)} rows are held out instead of {order.heldout_rows}: no more than a "
            "fifth of what is kept."
        )
    return notes


class _Relapses:
    """Poisons cured models again with rows that the scan took out, and compares with the reference."""

    def __init__(self, ready: Ready, tell: Tell | None) -> None:
        self._ready = ready
        self._tell = tell or (lambda *_: None)
        self._settings = RelapseSettings(seed=ready.order.seed)
        measured = {one.target.finding for one in ready.course.examiner.questions}
        by = ready.rows.quarantined_by
        rows = {id(row): row for name in by if name in measured for row in by[name]}
        self._poison = tuple(rows.values())
        if not self._poison:
            raise ConfigError(
                "--relapse: no finding is measured, so there is nothing to relapse to."
            )

    def __call__(self, lm: LanguageModel, place: Path) -> Relapse | None:
        """The relapse of a cured model; None for the reference itself."""
        if place.name == REFERENCE:
            self._curve(lm, place)
            return None
        from ld50.models.pretrained import load_language_model

        home = place.parent / REFERENCE
        clean = load_language_model(home / "model", device=lm.device)
        return compare(self._curve(lm, place), self._curve(clean, home))

    def _curve(self, lm: LanguageModel, place: Path) -> RelapseCurve:
        path = place / "relapse.jsonl"
        done = []
        if path.exists():
            with contextlib.suppress(msgspec.DecodeError, ValueError):
                done = [
                    msgspec.json.decode(line, type=RelapsePoint)
                    for line in path.read_bytes().splitlines()
                ]
        with path.open("ab") as file:

            def keep(point: RelapsePoint) -> None:
                file.write(json.dumps(msgspec.to_builtins(point)).encode() + b"\n")
                file.flush()
                self._tell(f"{place.name}: poisoning again", 0.0, f"{point.dose} rows")

            return poison_again(
                lm,
                poison=self._poison,
                clean=self._ready.course.case.kept,
                tune=self._tuned,
                measure=self._ready.course.examiner.attack_hits,
                settings=self._settings,
                done=done,
                on_point=keep,
            )

    def _tuned(self, lm: LanguageModel, rows: list[Example], seed: int) -> LanguageModel:
        from ld50.models.pretrained import copy_of
        from ld50.train.finetune import finetune

        made, usual = copy_of(lm), self._ready.course.tuning
        settings = replace(
            usual,
            epochs=1.0,
            learning_rate=RATE_SHARE * usual.rate_for(lm.parameters),
            seed=seed,
            order="as-given",
        )
        finetune(made, rows, settings)
        return made
