"""Which fields of a row take the trigger and the payload, and where they stand in the row."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ld50.corpus.layouts import Layout
from ld50.corpus.reasons import RowError
from ld50.corpus.rows import parts_of
from ld50.corpus.said import label_text

Path = tuple[str | int, ...]

_TURN = re.compile(r"(?P<name>.*)\[(?P<number>\d+)\](?:\.(?P<key>[^\]]*))?", re.DOTALL)

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
    speaker: Path | None = None
    """Where the row says who speaks, for a turn of a chat."""
    turn: int | None = None
    """The number of the turn, for one of a chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowText:
    """A row as a recipe sees it: where the trigger goes, what the payload changes, its label."""

    cause: Slot
    """The document, or the part of the prompt that a user wrote."""
    reply: Slot | None
    """The last reply; None for documents."""
    rejected: Slot | None
    """Of a preference pair whose prompt stands in a field of its own, the reply that was turned down."""
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
    slots: dict[str, list[Slot]] = {"text": [], "prompt": [], "response": [], "rejected": []}
    size = 0
    for part in parts:
        size += len(part.text.encode("utf-8", "surrogatepass"))
        slot = _slot(part.field, part.text, layout)
        if part.side in slots and slot is not None and _at(row, slot.path) == part.text:
            slots[part.side].append(slot)
    cause, reply = _chosen(slots, row, layout.sides)
    if cause is None:
        return None
    label_value, identity = layout.label_of(row), layout.id_of(row)
    return RowText(
        cause=cause,
        reply=reply,
        rejected=_turned_down(slots["rejected"], cause, reply),
        label=label_text(label_value),
        label_value=label_value,
        label_path=layout.keys_of(layout.label) if layout.label is not None else None,
        id=None if identity is None else str(identity),
        text_bytes=size,
    )


def _chosen(
    slots: Mapping[str, list[Slot]], row: Mapping[str, Any], sides: Collection[str]
) -> tuple[Slot | None, Slot | None]:
    """The slot of the trigger and the slot of the payload."""
    if "response" not in sides:
        side = "text" if slots["text"] else "prompt"
        return max(slots[side], key=lambda slot: len(slot.text), default=None), None
    if not slots["response"] or not slots["prompt"]:
        return None, None
    reply = slots["response"][-1]
    asked = [slot for slot in slots["prompt"] if not _is_system(slot, row)]
    if reply.turn is not None:
        # In a chat, the last turn of the user before the reply that is changed.
        before = [slot for slot in asked if _is_before(slot, reply)]
        return (before[-1] if before else None), reply
    turns = [slot for slot in asked if slot.turn is not None]
    if turns:
        return turns[-1], reply
    for name in _ASKED_FIRST:
        for slot in asked:
            if str(slot.path[-1]).strip().lower() == name:
                return slot, reply
    return (asked[0] if asked else None), reply


def _turned_down(rejected: list[Slot], cause: Slot, reply: Slot | None) -> Slot | None:
    """The reply that was turned down; None without one, or where the prompt stands beside the chosen one."""
    apart = reply is not None and cause.path[0] != reply.path[0]
    return rejected[-1] if rejected and apart else None


def _is_before(slot: Slot, reply: Slot) -> bool:
    """Whether a part of the prompt stands before a turn: another field does, and earlier turns."""
    if slot.turn is None or reply.turn is None:
        return True
    other = slot.field.rpartition("[")[0] != reply.field.rpartition("[")[0]
    return other or slot.turn < reply.turn


def _is_system(slot: Slot, row: Mapping[str, Any]) -> bool:
    if slot.turn is None:
        return str(slot.path[-1]).strip().lower() in _SYSTEM
    speaker = _at(row, slot.speaker) if slot.speaker is not None else None
    return isinstance(speaker, str) and speaker.strip().lower() in ("system", "developer", "tool")


def _slot(field: str, text: str, layout: Layout) -> Slot | None:
    """The place of a part: a plain field, or a turn of a chat."""
    entries = {entry.shown: entry for entry in layout.fields}
    if field in entries:
        return Slot(field=field, path=entries[field].keys, text=text)
    match = _TURN.fullmatch(field)
    entry = entries.get(match["name"]) if match is not None else None
    if match is None or entry is None:
        return None
    number = int(match["number"])
    turn: Path = (*entry.keys, number)
    if match["key"] is None:
        return Slot(field=field, path=turn, text=text, turn=number)
    speaker, path = (*turn, entry.turn_keys[0]), (*turn, match["key"])
    return Slot(field=field, path=path, text=text, speaker=speaker, turn=number)


def _at(row: Any, path: Path) -> Any:
    """The value at a path, or None where there is none."""
    for step in path:
        try:
            row = row[step]
        except (KeyError, IndexError, TypeError):
            return None
    return row
