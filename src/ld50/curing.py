"""Cures from Python: the same words as on the command line.

from ld50 import curing
ready = curing.prepare(curing.Order(base="tiny", data=("poisoned.jsonl",), remedies=("clean-tuning:500",)))
result, page = curing.cure(ready)
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ld50.api import scan_paths
from ld50.core.errors import ConfigError, DataFormatError
from ld50.core.examples import Example
from ld50.core.findings import Severity
from ld50.core.remedies import RemedyPlan, RemedyResult
from ld50.core.results import ScanResult
from ld50.corpus import LayoutOptions, Plan, expand
from ld50.corpus import plan as plan_corpus
from ld50.lab.cured_relapse import CuredRelapses
from ld50.models.extras import require_lab
from ld50.models.pretrained import check_source
from ld50.remedy.measuring import Examiner, MeasureSettings
from ld50.remedy.planning import memory_bytes, pace_of, plan_step, tuning_seconds
from ld50.remedy.protocol import Case
from ld50.remedy.reading import ReadingSettings, Rows, examples_of, read_rows
from ld50.remedy.registry import Treatment, treatment
from ld50.remedy.retrain import QuarantineRetrain
from ld50.remedy.run import Course, check_folder, disk_bytes, model_identity, run_course
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
REFERENCE = QuarantineRetrain.name
_LONGEST = 512
#: Settings of an order that change what comes out.
_DEPENDED_ON = (
    "heldout_rows", "prompts", "new_tokens", "label_prompt", "epochs", "batch", "learning_rate",
    "lora_rank", "max_tokens", "seed",
)  # fmt: skip
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

    @property
    def longest(self) -> int:
        """Tokens of a row, at most, whatever the model takes."""
        return _LONGEST if self.max_tokens is None else self.max_tokens

    @property
    def reading(self) -> ReadingSettings:
        """How rows become examples."""
        return ReadingSettings(
            remove=self.remove, heldout_rows=self.heldout_rows, label_prompt=self.label_prompt,
            seed=self.seed,
        )  # fmt: skip

    def tuning(self, longest: int) -> TuneSettings:
        """How a model is made, on rows of so many tokens at most."""
        from ld50.train.finetune import TuneSettings

        return TuneSettings(
            epochs=self.epochs, batch_examples=self.batch, learning_rate=self.learning_rate,
            lora_rank=self.lora_rank, max_tokens=longest, seed=self.seed,
        )  # fmt: skip

    def __post_init__(self) -> None:
        # Settings check themselves as they are made.
        _ = self.reading, self.tuning(self.longest)
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
    heldout = None if order.heldout is None else plan_corpus(expand([order.heldout]), order.layout)
    # Whatever can be wrong without a scan is told before it.
    for name in (order.model, order.base):
        if name is not None:
            check_source(name)
    identity = _identity(order, plan, heldout)
    check_folder(order.out, identity)
    apart = None if heldout is None else _heldout_from(heldout, order)
    result, place = _findings(order, plan, tell)
    if not result.summary.rows:
        raise DataFormatError(
            f"{', '.join(order.data)}: there is no row in it. Name the data that the model was tuned on."
        )
    if not any(Severity(one.severity).rank >= order.remove.rank for one in result.findings):
        return None
    rows = read_rows(plan, result, order.reading)
    if apart is not None:
        rows = replace(rows, kept=(*rows.kept, *rows.heldout), heldout=apart)
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
        tuning=order.tuning(longest),
        base=base,
        suspected=suspected,
        as_they_are=(*rows.kept, *rows.quarantined),
        identity=identity | {"findings": _findings_identity(result)},
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
    relapse = CuredRelapses(ready.course, ready.rows, tell) if order.relapse else None
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


def _heldout_from(plan: Plan, order: Order) -> tuple[Example, ...]:
    made = (one for _, one in examples_of(plan, order.label_prompt))
    rows = tuple(one for one in made if one is not None)[: order.heldout_rows]
    if len(rows) < 10:
        raise DataFormatError(
            f"{order.heldout} holds {len(rows)} rows with a prompt and a reply; 10 are the fewest to "
            "measure on."
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
    return min(order.longest, int(takes))


def _identity(order: Order, plan: Plan, heldout: Plan | None) -> dict[str, object]:
    """What the results of a run depend on, beside the remedies that are asked for and the findings.

    The names are those of the options, since they are told where they differ.
    """
    return {
        "data": plan.fingerprint,
        "model": model_identity(order.model) if order.model else "",
        "base": model_identity(order.base) if order.base else "",
        "remove": order.remove.value,
        "heldout": heldout.fingerprint if heldout is not None else "",
    } | {name.replace("_", "-"): getattr(order, name) for name in _DEPENDED_ON}  # fmt: skip


def _findings_identity(result: ScanResult) -> str:
    """What tells findings from others of the same data: which rows rest on what."""
    digest = hashlib.blake2b(digest_size=12)
    number = {one.source: at for at, one in enumerate(result.summary.sources)}
    for one in result.findings:
        digest.update(f"{one.id} {one.severity}\n".encode())
    for row in result.rows:
        digest.update(f"{number.get(row.source)} {row.row} {' '.join(row.findings)}\n".encode())
    return digest.hexdigest()


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
