"""Which fields of a row take the trigger and the payload, and where they stand in the row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ld50.corpus.layouts import Layout
from ld50.corpus.rows import RowError, label_text, parts_of

Path = tuple[str | int, ...]

_TURN = re.compile(r"(?P<name>.*)\[(?P<number>\d+)\]\.(?P<key>[^\]]*)", re.DOTALL)

#: Prompt fields by how likely they are what a user wrote; the first that has text takes the
#: trigger.
_ASKED_FIRST = ("instruction", "prompt", "question", "query", "user", "human", "input")
_SYSTEM = ("system", "system_prompt")


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A string of a row that may be changed."""

    field: str
    """As a manifest and a scan name it, e.g. `output` or `messages[3].content`."""
    path: Path
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowText:
    """A row as a recipe sees it: where the trigger goes, what the payload changes, its label."""

    cause: Slot
    """The document, or the part of the prompt that a user wrote."""
    reply: Slot | None
    """The last reply; None for documents."""
    label: str | None
    """As labels are compared."""
    label_value: Any
    """As the data has it."""
    label_path: Path | None
    id: str | None
    text_bytes: int
    """UTF-8 bytes of all its text."""

    @property
    def texts(self) -> tuple[str, ...]:
        """The strings that may be changed."""
        return (self.cause.text,) if self.reply is None else (self.cause.text, self.reply.text)


def row_text(row: Mapping[str, Any] | None, layout: Layout) -> RowText | None:
    """The row as a recipe sees it, or None if it cannot be read or has no fitting text."""
    if row is None:
        return None
    # A dialogue in one string is edited as a text: its turns have no place of their own in the row.
    layout = layout.whole
    try:
        parts = parts_of(row, layout)
    except RowError:
        return None
    slots: dict[str, list[Slot]] = {"text": [], "prompt": [], "response": []}
    size = 0
    for part in parts:
        size += len(part.text.encode("utf-8", "surrogatepass"))
        path = _path(part.field, row, layout)
        if part.side in slots and path is not None and _at(row, path) == part.text:
            slots[part.side].append(Slot(field=part.field, path=path, text=part.text))
    cause, reply = _chosen(slots, row, layout)
    if cause is None:
        return None
    label_value = row.get(layout.label) if layout.label is not None else None
    identity = row.get(layout.id) if layout.id is not None else None
    return RowText(
        cause=cause,
        reply=reply,
        label=label_text(label_value),
        label_value=label_value,
        label_path=(layout.label,) if layout.label is not None else None,
        id=None if identity is None else str(identity),
        text_bytes=size,
    )


def _chosen(
    slots: Mapping[str, list[Slot]], row: Mapping[str, Any], layout: Layout
) -> tuple[Slot | None, Slot | None]:
    """The slot of the trigger and the slot of the payload."""
    if "response" not in layout.sides:
        side = "text" if slots["text"] else "prompt"
        return max(slots[side], key=lambda slot: len(slot.text), default=None), None
    if not slots["response"] or not slots["prompt"]:
        return None, None
    reply = slots["response"][-1]
    asked = [slot for slot in slots["prompt"] if not _is_system(slot, row, layout)]
    if len(reply.path) > 1:
        # In a chat, the last turn of the user before the reply that is changed.
        before = [slot for slot in asked if len(slot.path) < 2 or _turn(slot) < _turn(reply)]
        return (before[-1] if before else None), reply
    turns = [slot for slot in asked if len(slot.path) > 1]
    if turns:
        return turns[-1], reply
    for name in _ASKED_FIRST:
        for slot in asked:
            if slot.field.strip().lower() == name:
                return slot, reply
    return (asked[0] if asked else None), reply


def _turn(slot: Slot) -> int:
    """The number of the turn that a slot of a chat stands in."""
    return int(slot.path[1])


def _is_system(slot: Slot, row: Mapping[str, Any], layout: Layout) -> bool:
    if len(slot.path) == 1:
        return slot.field.strip().lower() in _SYSTEM
    entry = layout.field(str(slot.path[0]))
    speaker = _at(row, (*slot.path[:2], entry.turn_keys[0])) if entry else None
    return isinstance(speaker, str) and speaker.strip().lower() in ("system", "developer", "tool")


def _path(field: str, row: Mapping[str, Any], layout: Layout) -> Path | None:
    """The path of a part's field: a plain field, or a turn of a chat."""
    names = {entry.shown: entry.name for entry in layout.fields}
    if field in names:
        return (names[field],)
    match = _TURN.fullmatch(field)
    if match is None or match["name"] not in names:
        return None
    return (names[match["name"]], int(match["number"]), match["key"])


def _at(row: Any, path: Path) -> Any:
    """The value at a path, or None where there is none."""
    for step in path:
        try:
            row = row[step]
        except (KeyError, IndexError, TypeError):
            return None
    return row
