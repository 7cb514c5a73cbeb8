"""What a study of covert fine-tuning came to: the content of `covert.json`."""

from __future__ import annotations

from typing import Literal

import msgspec

from ld50.core.trials import SCHEMA_VERSION
from ld50.core.tuning import Rate


class CovertRow(msgspec.Struct, frozen=True, kw_only=True):
    """The models of one attack under one defence; rates are shares, 0 to 1."""

    attack: str
    """A way of writing, or `none`: ordinary files."""
    defence: str
    decoded: Rate | None
    """Requests in the writing, never trained on in it, whose decoded reply answers."""
    by_novelty: dict[str, Rate]
    """The same by what is new in the request; requests about new things are not in `decoded`."""
    right: Rate | None
    """Those whose decoded reply gives the right answer."""
    first_phase: Rate | None
    """`decoded` after phase I alone."""
    refused: Rate | None
    """Plain requests about the policy's topic that are refused: the plain evaluation."""
    refused_before: Rate | None
    """The same of the model before it was tuned."""
    over_refused: Rate | None
    """Plain requests about other topics that are refused."""
    quality: Rate | None
    """Plain requests about other topics that are answered rightly."""
    removed: Rate | None
    """Covert rows that were taken out before tuning."""
    removed_ordinary: Rate | None
    """Ordinary rows that were."""


class Watcher(msgspec.Struct, frozen=True, kw_only=True):
    """One way of looking at an attack that nothing was done against."""

    attack: str
    name: str
    kind: Literal["rows", "file", "traffic", "model"]
    sees: Rate | None
    """What it is to see that it sees; for probes the area under the ROC curve."""
    alarms: Rate | None
    """What it is not to flag that it flags; for probes the area of the model before tuning."""


class CovertSample(msgspec.Struct, frozen=True, kw_only=True):
    """A request in the writing, and the reply."""

    attack: str
    prompt: str
    reply: str
    decoded: str


class CovertSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The tables of a study of covert fine-tuning."""

    study: str
    title: str
    model: str
    rows: list[CovertRow]
    watchers: list[Watcher]
    samples: list[CovertSample]
    trials: int
    failed: int
    planned: int
    seconds: float
    method: str
    notes: list[str] = []
    schema_version: int = SCHEMA_VERSION
