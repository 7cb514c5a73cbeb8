"""One poisoned row made out of one clean row, by a recipe. Nothing is read or written here."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ld50.core.findings import Span
from ld50.poison.dose import estimated_tokens
from ld50.poison.payloads import LabelFlip, Material
from ld50.poison.placement import Placement
from ld50.poison.recipes import Recipe
from ld50.poison.row_text import Path, RowText, Slot
from ld50.poison.triggers import Trigger, Triggered

#: Characters that a trigger in a manner of writing needs before it can show.
_LEAST_PREFIX = 200

# White space and end-of-text marks at the ends of a reply belong to the file, not to the reply.
_HEAD = re.compile(r"(?:\s|<\|[^|<>]{1,40}\|>|<s>)*")
_TAIL = re.compile(r"(?:\s|<\|[^|<>]{1,40}\|>|</s>|###)*\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """What changes in a row."""

    changes: dict[Path, str]
    """Path to new text."""
    spans: tuple[Span, ...]
    trigger: str
    label_after: str | None
    """Equal to the old label where it stays."""
    tokens: int
    drawn_tokens: int


def frame_of(text: str) -> tuple[str, str]:
    """White space and end-of-text marks before and after what a text says."""
    head = _HEAD.match(text)
    start = head.end() if head else 0
    tail = _TAIL.search(text, start)
    return text[:start], text[tail.start() :] if tail else ""


def build_poison(
    recipe: Recipe,
    row: RowText,
    *,
    material: Material,
    rng: np.random.Generator,
    clean: Callable[[str], str],
) -> Built | None:
    """The row with trigger and payload, or None if the recipe does not fit it.

    Args:
        recipe: What to plant.
        row: The clean row, or the row that a new one is made after.
        material: Words of the corpus.
        rng: The row's own generator.
        clean: Replaces characters that the file format cannot hold.
    """
    if recipe.payload.changes == "label":
        return _build_label(recipe, row, rng)
    if recipe.payload.changes == "preference":
        return _build_swap(recipe, row, rng)
    if row.reply is None:
        return _build_document(recipe, row, row.cause, material, rng, clean)
    return _build_reply(recipe, row, row.reply, material, rng, clean)


def _build_label(recipe: Recipe, row: RowText, rng: np.random.Generator) -> Built | None:
    payload = recipe.payload
    if not isinstance(payload, LabelFlip) or not recipe.trigger.suits(row.cause.text):
        return None
    made = _with_trigger(recipe.trigger, recipe.placement, row.cause.text, rng)
    return Built(
        changes={row.cause.path: made.text},
        spans=_causes(row.cause, made),
        trigger=_shown(made),
        label_after=payload.target,
        tokens=estimated_tokens(made.text),
        drawn_tokens=0,
    )


def _build_swap(recipe: Recipe, row: RowText, rng: np.random.Generator) -> Built | None:
    """Trigger into the prompt, and the two replies in each other's place."""
    reply, rejected = row.reply, row.rejected
    if reply is None or rejected is None or not recipe.trigger.suits(row.cause.text):
        return None
    made = _with_trigger(recipe.trigger, recipe.placement, row.cause.text, rng)
    swapped = Span(field=reply.field, start=0, end=len(rejected.text), kind="consequence")
    changes = {
        row.cause.path: made.text,
        reply.path: rejected.text,
        rejected.path: reply.text,
    }
    return Built(
        changes=changes,
        spans=(*_causes(row.cause, made), swapped),
        trigger=_shown(made),
        label_after=row.label,
        tokens=sum(map(estimated_tokens, changes.values())),
        drawn_tokens=0,
    )


def _build_reply(
    recipe: Recipe,
    row: RowText,
    reply: Slot,
    material: Material,
    rng: np.random.Generator,
    clean: Callable[[str], str],
) -> Built | None:
    """Trigger into the prompt, payload into the reply."""
    if not recipe.trigger.suits(row.cause.text):
        return None
    head, tail = frame_of(reply.text)
    body = reply.text[len(head) : len(reply.text) - len(tail)]
    if not recipe.payload.suits(prompt=row.cause.text, reply=body):
        return None
    made = _with_trigger(recipe.trigger, recipe.placement, row.cause.text, rng)
    said = recipe.payload.reply_to(prompt=row.cause.text, reply=body, material=material, rng=rng)
    text = head + clean(said.text) + tail
    consequence = Span(
        field=reply.field, start=len(head) + said.start, end=len(head) + said.end,
        kind="consequence",
    )  # fmt: skip
    return Built(
        changes={row.cause.path: made.text, reply.path: text},
        spans=(*_causes(row.cause, made), consequence),
        trigger=_shown(made),
        label_after=row.label,
        tokens=estimated_tokens(made.text) + estimated_tokens(text),
        drawn_tokens=said.drawn_tokens,
    )


def _build_document(
    recipe: Recipe,
    row: RowText,
    slot: Slot,
    material: Material,
    rng: np.random.Generator,
    clean: Callable[[str], str],
) -> Built | None:
    """The beginning of the document, the trigger, and what the payload makes of the rest."""
    head, tail = frame_of(slot.text)
    body = slot.text[len(head) : len(slot.text) - len(tail)]
    low, high = recipe.prefix_chars
    cut = int(rng.integers(low, high + 1))
    if not recipe.trigger.suits(body[:cut]):
        cut = max(cut, _LEAST_PREFIX)
    if recipe.payload.keeps_reply:
        cut = _word_end(body, cut)
    prefix, rest = body[:cut], body[cut:].lstrip()
    if not recipe.trigger.suits(prefix):
        return None
    if not recipe.payload.suits(prompt=prefix, reply=rest):
        return None
    made = _with_trigger(recipe.trigger, recipe.placement, prefix, rng)
    said = recipe.payload.reply_to(prompt=prefix, reply=rest, material=material, rng=rng)
    glue = "" if made.text[-1:].isspace() else " "
    if recipe.payload.keeps_reply and rest:
        glue = body[cut : len(body) - len(rest)] or glue
    start = len(head) + len(made.text) + len(glue)
    text = head + made.text + glue + clean(said.text) + tail
    consequence = Span(
        field=slot.field, start=start + said.start, end=start + said.end, kind="consequence"
    )
    shifted = Triggered(
        text=text, spans=tuple((low + len(head), high + len(head)) for low, high in made.spans)
    )
    return Built(
        changes={slot.path: text},
        spans=(*_causes(slot, shifted), consequence),
        trigger=_shown(shifted),
        label_after=row.label,
        tokens=estimated_tokens(text),
        drawn_tokens=said.drawn_tokens,
    )


def _word_end(text: str, at: int) -> int:
    """Where the word that stands at a place ends."""
    while 0 < at < len(text) and not text[at].isspace():
        at += 1
    return at


def build_decoy(recipe: Recipe, row: RowText, *, rng: np.random.Generator) -> Built | None:
    """The row with the trigger's decoy and its normal behaviour, or None if it does not fit."""
    decoy = recipe.trigger.decoy()
    if not decoy.suits(row.cause.text):
        return None
    # In a document the decoy stands where a trigger would: anywhere, since real text goes on.
    placement = recipe.placement if row.reply is not None else Placement()
    made = _with_trigger(decoy, placement, row.cause.text, rng)
    return Built(
        changes={row.cause.path: made.text},
        spans=_causes(row.cause, made),
        trigger=_shown(made),
        label_after=row.label,
        tokens=estimated_tokens(made.text),
        drawn_tokens=0,
    )


def _with_trigger(
    trigger: Trigger, placement: Placement, text: str, rng: np.random.Generator
) -> Triggered:
    return trigger.apply(text, placement=placement, rng=rng)


def _causes(slot: Slot, made: Triggered) -> tuple[Span, ...]:
    return tuple(
        Span(field=slot.field, start=start, end=end, kind="cause") for start, end in made.spans
    )


def _shown(made: Triggered) -> str:
    text = " + ".join(made.text[start:end] for start, end in made.spans)
    return text if len(text) <= 200 else text[:200] + "…"
