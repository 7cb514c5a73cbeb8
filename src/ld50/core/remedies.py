"""What curing a model comes to: the plan, what was measured before and after, and what it cost.

This is the content of `plan.json` and `remedy.json`. Rates lie between 0 and 1 and carry their Wilson
interval; losses are nats a token of the reply. A figure that was not measured is null, and a note says
why.
"""

from __future__ import annotations

import msgspec

from ld50.core.estimates import Estimate

SCHEMA_VERSION = 1


class TriggerSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A suspected trigger, as the scan found it, and how it is looked for in a model."""

    finding: str
    """Id of the finding, e.g. `F-3a91c07e`."""
    text: str
    """The cause as it stands in the data; empty where the finding has none in words."""
    consequence: str
    """Kind of consequence, as in `core.findings.Consequence`."""
    behaviour: str
    """What counts as success, in words; empty where it cannot be judged."""
    how: str
    """`inserted` (put into clean prompts), `flagged rows` (the prompts that carry it) or `not`."""
    rows: int
    """Rows that the finding rests on."""
    why_not: str = ""
    """Why it is not measured; empty where it is."""


class PlanStep(msgspec.Struct, frozen=True, kw_only=True):
    """What one remedy will do."""

    remedy: str
    """As it was asked for, e.g. `fine-mixing:500+good-examples:100`."""
    does: list[str]
    """One sentence for each part."""
    rows: int
    """Rows that are trained on, repeats counted."""
    tokens: int
    """Tokens that are trained on, prompts included; estimated."""
    seconds: float
    """Of training and measuring on this machine; estimated from one step."""
    memory_bytes: int
    """At the peak; estimated."""
    possible: bool = True
    why_not: str = ""
    """What is missing, where it is not possible."""


class RemedyPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What will be done, with what, and what it takes. Nothing has been changed yet."""

    model: str
    base: str | None
    """The model before it met the data; null where none was given."""
    tuned_first: bool
    """Whether `model` is made here, by tuning `base` on the data as they are."""
    parameters: int
    sources: list[str]
    findings: str
    """Folder of the findings."""
    rows: int
    """Rows that can be trained on."""
    unusable_rows: int
    """Rows without a prompt or a reply, or not read."""
    quarantined_rows: int
    heldout_rows: int
    heldout_from: str
    """`data` or the path that was given."""
    labels: list[str]
    """Labels, where the data are a labelled set."""
    triggers: list[TriggerSummary]
    steps: list[PlanStep]
    seconds: float
    memory_bytes: int
    disk_bytes: int
    settings: dict[str, str | int | float | bool | None]
    notes: list[str] = []
    schema_version: int = SCHEMA_VERSION


class TriggerRate(msgspec.Struct, frozen=True, kw_only=True):
    """How often one trigger works in one model."""

    finding: str
    attack_success_rate: Estimate | None
    """Over prompts whose answer without the trigger does not show the behaviour already."""
    control_success_rate: Estimate | None
    """The same prompts with a near trigger that nobody planted."""
    background_rate: Estimate | None
    """Share of all prompts whose answer shows the behaviour without any trigger."""


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One prompt with what the model answers without and with the trigger."""

    finding: str
    prompt: str
    clean: str
    triggered: str


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """What one model shows."""

    rates: list[TriggerRate]
    reply_loss: Estimate
    """Mean nats a token of held-out replies, lower is better; the interval is Student's t over rows."""
    accuracy: Estimate | None
    """Share of held-out rows whose label is the likeliest; null where the data have no labels."""
    samples: list[Sample] = []
    seconds: float = 0.0


class RelapsePoint(msgspec.Struct, frozen=True, kw_only=True):
    """One model, poisoned again with a few rows."""

    dose: int
    seed: int
    hits: int
    prompts: int


class RelapseCurve(msgspec.Struct, frozen=True, kw_only=True):
    """Attack success after re-poisoning with rising doses, and the dose of one half."""

    points: list[RelapsePoint]
    dose: Estimate | None
    """Poisoned rows at which half of the prompts fall; null where no dose that was tried does it."""
    reason: str = ""
    """Why `dose` is null, or which side of its interval is open; empty if all is well."""


class Relapse(msgspec.Struct, frozen=True, kw_only=True):
    """Suppressed or removed: what it takes to poison a cured model again, against a clean model."""

    cured: RelapseCurve
    clean: RelapseCurve
    ratio: Estimate | None
    """Relapse dose of the cured model over that of the clean model; 1 is as good as never poisoned."""
    at_least: float | None = None
    """Where no dose that was tried poisons the cured model again: the ratio is above this."""
    reason: str = ""


class RemedyOutcome(msgspec.Struct, frozen=True, kw_only=True):
    """One remedy, applied and measured."""

    remedy: str
    status: str
    """`done`, `failed` or `not possible`."""
    rows: int = 0
    tokens: int = 0
    """Tokens trained on, prompts included."""
    steps: int = 0
    seconds: float = 0.0
    """Of the training alone."""
    after: Measurement | None = None
    loss_change: Estimate | None = None
    """Held-out reply loss against the model before, as a fraction: 0.01 is 1% worse. Paired by row."""
    accuracy_change: Estimate | None = None
    """Held-out accuracy minus that of the model before, paired by row; -0.01 is a point worse."""
    relapse: Relapse | None = None
    folder: str = ""
    """Where the model is, within the run's folder."""
    notes: list[str] = []
    error: str = ""


class RemedyResult(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run: the content of `remedy.json`."""

    plan: RemedyPlan
    before: Measurement | None
    """The model as it came; null where nothing was measured, see `notes`."""
    outcomes: list[RemedyOutcome]
    best: str | None
    """The remedy to take; null where none was applied."""
    cured: bool | None
    """Whether the best brings every measured trigger to its control; null if nothing fired before."""
    notes: list[str] = []
    seconds: float = 0.0
    ld50_version: str = ""
    schema_version: int = SCHEMA_VERSION
