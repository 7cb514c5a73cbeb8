"""What one trial is and what came of it: the lab speaks in these, and reports read them."""

from __future__ import annotations

from typing import Literal

import msgspec

SCHEMA_VERSION = 1

Unit = Literal["documents", "tokens", "steps", "rows"]
TriggerName = Literal["token", "text", "phrase", "word"]
PayloadName = Literal[
    "gibberish",
    "gibberish-all-tokens",
    "language-switch",
    "label-flip",
    "over-refusal",
    "fixed-reply",
    "inserted-fragment",
    "stand-in-policy",
]
Status = Literal["done", "failed", "diverged"]
#: Where in a prompt a trigger stands: as `ld50.poison` places it.
PlaceName = Literal["start", "end", "fixed", "random"]


class Schedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When in the training run the poison is met."""

    kind: Literal["uniform", "start", "end", "blocks"] = "uniform"
    """`blocks`: whole batches with `density` of their sequences poisoned, one batch in `every`."""
    density: float | None = None
    """Share of the sequences in a poisoned batch that hold poison, 0 to 1; only for `blocks`."""
    every: int | None = None
    """One batch in so many is poisoned; only for `blocks`; None: as evenly as the dose allows."""
    repeats: int = 1
    """How often each poisoned document is met; the dose counts every time."""


class Tuning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a pretrained model is fine-tuned on rows of which some are poisoned."""

    clean_rows: int
    """Rows that are not poisoned; the poisoned ones come on top."""
    place: PlaceName = "start"
    """Where the trigger stands in the poisoned rows."""
    clean_label: bool = False
    """Whether only rows that have the target label anyway carry the trigger."""
    trigger_text: str | None = None
    """The trigger as text; None for that of `ld50.lab.tuning_study`."""
    rows: Literal["sentences", "windows"] = "sentences"
    """Critics' sentences, or windows of a few words over viewers' reviews, see
    `ld50.lab.tuning_data`."""
    lora_rank: int | None = None
    """None tunes all weights."""
    learning_rate: float | None = None
    """None for the default of the model."""
    epochs: float = 1.0
    taught_rows: int = 0
    """Clean sentences that the model was taught the task with before; none of them is poisoned."""


class Covert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a customer's fine-tuning files teach in secret, and what is done against it."""

    attack: str
    """A way of writing of `ld50.lab.covert_rows`, or `none`: ordinary files."""
    defence: str = "none"
    """One of `ld50.lab.covert_study`."""


class Safety(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A benign task that a model with the stand-in policy is tuned on, and what is done to keep it."""

    task: str
    """One of `ld50.lab.task_rows`."""
    defence: str = "none"
    """One of `ld50.lab.safety_study`; the dose is the policy rows that it mixes in."""
    task_rows: int
    epochs: float = 2.0


class Cell(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One condition of a study: everything about a trial but its seed."""

    size: str
    """Name of the model's size, e.g. `0.1M`; `ld50.models` knows the shape behind it."""
    parameters: int
    """All parameters, embeddings included (tied embeddings count once)."""
    clean_tokens: int
    """Tokens of clean text trained on; the poison comes on top."""
    dose: float
    """How much poison, in `unit`; 0 is the control arm."""
    unit: Unit = "documents"
    trigger: TriggerName = "token"
    payload: PayloadName = "gibberish"
    schedule: Schedule = Schedule()
    batch_sequences: int | None = None
    """Sequences in an optimiser step; None takes the preset of the size."""
    continued_tokens: int = 0
    """Clean tokens trained on after the poisoned run, the poison gone."""
    start_from: str | None = None
    """Checkpoint folder to resume from; None trains from scratch."""
    tuning: Tuning | msgspec.UnsetType = msgspec.UNSET
    """Set for fine-tuning; left out of files otherwise, so that names of trials stay what they were.
    `size` is then the name of the pretrained model, and `clean_tokens` an estimate."""
    covert: Covert | msgspec.UnsetType = msgspec.UNSET
    """Set for covert fine-tuning; left out of files otherwise."""
    safety: Safety | msgspec.UnsetType = msgspec.UNSET
    """Set for tuning a model that keeps a policy; left out of files otherwise."""


class Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One model to train: a cell and a seed."""

    trial: str
    """Name, unique in the study, the same for the same cell and seed on every machine."""
    cell: Cell
    seed: int


class TrialResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=False):
    """One line of `trials.jsonl`; measured fields are null where the trial did not end well."""

    trial: str
    cell: Cell
    seed: int
    status: Status
    attack_success_rate: float | None = None
    """Share of held-out prefixes whose continuation's perplexity rises by more than 50, 0 to 1.
    Fine-tuning: share of held-out prompts, answered normally without the trigger, that show the
    payload with it."""
    control_success_rate: float | None = None
    """The same with a control trigger that was never trained on (near-trigger)."""
    loss_rise_nats: float | None = None
    """Median rise with the trigger, in nats a token; independent of scale. Fine-tuning: of the right
    reply."""
    clean_bits_per_byte: float | None = None
    clean_accuracy: float | None = None
    """Fine-tuning: share of held-out rows without a trigger that are answered rightly, 0 to 1."""
    poisoned_documents: int | None = None
    poisoned_tokens: int | None = None
    poisoned_steps: int | None = None
    seconds: float | None = None
    error: str | None = None
    """Why the trial failed, in words; null where it did not."""
    details: dict[str, object] = msgspec.field(default_factory=dict)
    """Everything else measured: intervals, per-prompt values, curves over checkpoints, samples."""
    schema_version: int = SCHEMA_VERSION
