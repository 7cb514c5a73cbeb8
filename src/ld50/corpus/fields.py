"""The nouns of layouts: fields with their roles, and what a user may say."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ld50.core.errors import ConfigError
from ld50.corpus.fieldnames import CALL_KEYS, CONTEXT_NAMES, plain
from ld50.corpus.nested import Keys, held_in

#: Names that `--layout` takes beside those of the fields.
LAYOUT_NAMES = (
    "text",
    "text+label",
    "prompt/completion",
    "instruction/input/output",
    "messages",
    "conversations",
    "question/answer",
    "chosen/rejected",
    "dialogue",
    "lines",
    "document",
)


#: Roles of turns of which the model's last is the response; rows in which it speaks once are left out. The
#: prompt is what it said before (`exchange`), what the others said before (`last`), or other fields.
LAST_ROLES = ("exchange", "last", "last-response")


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field that is read, and what it stands for."""

    name: str
    """As it stands in the data, stray white space included; with dots between the keys of `path`."""
    role: str
    """`text`, `prompt`, `response`, `rejected`, `chat` (turns of both sides), or one of `LAST_ROLES`."""
    shape: str = "string"
    """`string`, or `turns` for a list of turns."""
    turn_keys: tuple[str, str] = ("role", "content")
    """For turns: the keys of the speaker and of what is said."""
    also: tuple[str, ...] = ()
    """For turns: other keys that hold a part of what is said, of `THOUGHT_KEYS`; strings only."""
    calls: tuple[str, ...] = CALL_KEYS
    """For turns: keys that hold calls of tools. Always read: the first rows need not have any."""
    reply_role: str | None = None
    """For turns without a known role of a model: the role that answers, as `speakers.folded` has it."""
    path: Keys = ()
    """For a field within objects of the row: the keys that lead there, such as `body`, `messages`."""
    tree: str | None = None
    """For turns: the key under which each lists its answers, where the field holds the first turn only."""
    alternating: bool = False
    """For turns: a list of strings, which user and model say in turn; the user begins."""
    marks: str | None = None
    """For strings that hold a whole dialogue each: how it is written out, one of `dialogues.STYLES`."""

    @property
    def keys(self) -> Keys:
        """The keys that lead to it from the row."""
        return self.path or (self.name,)

    @property
    def key(self) -> str:
        """Its own key, which says what it is."""
        return self.keys[-1]

    @property
    def shown(self) -> str:
        """The name as a report shows it."""
        return self.name.strip() or self.name

    @property
    def spoken(self) -> bool:
        """Whether it holds turns, as a list or written out."""
        return self.shape == "turns" or self.marks is not None

    @property
    def of_system(self) -> bool:
        """Whether it holds what says how the model is to behave."""
        return plain(self.key) in CONTEXT_NAMES

    @property
    def said_keys(self) -> tuple[str, ...]:
        """The keys of a turn that together hold what it says, in order."""
        return (*self.also, self.turn_keys[1], *self.calls)

    @property
    def alone(self) -> str:
        """Who says what stands there without a word of who does: a string in place of turns."""
        return "assistant" if self.role in ("response", "rejected") else "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The fields of a row by role, in the order in which they are joined."""

    name: str
    """E.g. `text`, `text+label`, `messages`, `instruction/input/output`."""
    fields: tuple[Field, ...] = field(default=())
    label: str | None = None
    id: str | None = None
    label_path: Keys = ()
    """As `Field.path`, of the label."""
    id_path: Keys = ()

    def keys_of(self, name: str) -> Keys:
        """The keys that lead to the field of that name, to the label or to the id."""
        entry = self.field(name)
        if entry is not None:
            return entry.keys
        if name == self.label:
            return self.label_path or (name,)
        return (self.id_path if name == self.id else ()) or (name,)

    def outermost(self, names: Iterable[str]) -> list[str]:
        """The fields of a row in which those of some names lie, each once, in order."""
        return list(dict.fromkeys(self.keys_of(name)[0] for name in names))

    def label_of(self, row: object) -> Any:
        """What a row holds as its label; None if there is none."""
        return None if self.label is None else held_in(row, self.keys_of(self.label))

    def id_of(self, row: object) -> Any:
        """What a row holds as its own name; None if there is none."""
        return None if self.id is None else held_in(row, self.keys_of(self.id))

    @property
    def roles(self) -> dict[str, str]:
        """Role to field names, for people: `{"prompt": "instruction, input", ...}`."""
        shown: dict[str, list[str]] = {}
        for entry in self.fields:
            role = "prompt, response" if entry.role == "chat" else entry.role
            shown.setdefault(role, []).append(entry.shown)
        roles = {role: ", ".join(names) for role, names in shown.items()}
        if self.label is not None:
            roles["label"] = self.label.strip()
        if self.id is not None:
            roles["id"] = self.id.strip()
        return roles

    @property
    def notes(self) -> tuple[str, ...]:
        """What was guessed of the roles of turns, for people."""
        shown = [entry for entry in self.fields if entry.role != "rejected"]
        guessed = tuple(
            f"what {entry.reply_role!r} says in {entry.shown} is read as the reply: no role there has "
            "a name that is known for a model, and this one has the last word"
            for entry in shown
            if entry.reply_role is not None
        )
        split = tuple(
            f"{entry.shown} holds dialogues, read as prompts and replies by their marks ({entry.marks}); "
            f"--text-field {entry.shown} reads it as plain text"
            for entry in shown
            if entry.marks is not None
        )
        in_turn = tuple(
            f"{entry.shown} holds lists of strings, read as what user and model say in turn"
            for entry in shown
            if entry.alternating
        )
        return guessed + split + in_turn

    @property
    def sides(self) -> frozenset[str]:
        """Sides that rows of this layout have: of `text`, `prompt`, `response`, `rejected`."""
        sides = set()
        for entry in self.fields:
            both = entry.role in ("chat", "exchange", "last")
            if both or (entry.spoken and entry.role == "response"):
                sides |= {"prompt", "response"}
            elif entry.role == "last-response":
                sides.add("response")
            else:
                sides.add(entry.role)
        return frozenset(sides)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of every field that is read, `id` excepted; each once, in order."""
        names = [entry.name for entry in self.fields]
        if self.label is not None:
            names.append(self.label)
        return tuple(dict.fromkeys(names))

    @property
    def needed(self) -> tuple[str, ...]:
        """Of `columns`, those that a row batch is made of: all but the rejected replies."""
        rejected = {entry.name for entry in self.fields if entry.role == "rejected"}
        return tuple(name for name in self.columns if name not in rejected)

    @property
    def turned_down(self) -> Layout | None:
        """The same rows with the rejected reply as the response; None if there is none.

        The prompt is that of other fields, or of the turns before that reply.
        """
        rejected = next((entry for entry in self.fields if entry.role == "rejected"), None)
        if rejected is None:
            return None
        prompts = (entry for entry in self.fields if entry.role == "prompt")
        reply = dataclasses.replace(rejected, role="response")
        return dataclasses.replace(self, fields=(*prompts, reply), label=None)

    @property
    def exchanges(self) -> Layout | None:
        """The same rows by what the model says in them: its last reply against its earlier ones.

        None if there are no turns, or replies in other fields as well. A row in which it speaks once has
        none of the fields.
        """
        turns = self._conversation
        if turns is None:
            return None
        exchange = dataclasses.replace(turns, role="exchange")
        return dataclasses.replace(self, fields=(exchange,), label=None)

    @property
    def last_replies(self) -> Layout | None:
        """The same rows with the model's last reply alone as the response, and no prompt after it.

        None, and rows without any of the fields, as in `exchanges`.
        """
        turns = self._conversation
        if turns is None:
            return None
        # As of all replies: turns of a response say nothing that a field of the prompt says.
        alone = turns.role == "response" and any(entry.role == "prompt" for entry in self.fields)
        last = dataclasses.replace(turns, role="last-response" if alone else "last")
        fields = tuple(last if entry is turns else entry for entry in self.fields)
        return dataclasses.replace(self, fields=fields, label=None)

    @property
    def _conversation(self) -> Field | None:
        """The turns that hold all replies, if there is one such field."""
        replies = [entry for entry in self.fields if entry.role in ("chat", "response")]
        return replies[0] if len(replies) == 1 and replies[0].spoken else None

    @property
    def whole(self) -> Layout:
        """The same fields by what stands in one place: dialogues in one string are left in one piece, and
        a turn is what its own key holds."""
        fields = (
            dataclasses.replace(entry, also=(), calls=())
            if entry.marks is None
            else dataclasses.replace(
                entry, marks=None, role="text" if entry.role == "chat" else entry.role
            )
            for entry in self.fields
        )
        return dataclasses.replace(self, fields=tuple(fields))

    def field(self, name: str) -> Field | None:
        """The field of that name, or None."""
        return next((entry for entry in self.fields if entry.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class LayoutOptions:
    """What the user says about the layout; everything left None is found by looking."""

    layout: str | None = None
    """One of `LAYOUT_NAMES`."""
    text_field: str | None = None
    """Field of the document; several are separated by commas."""
    prompt_field: str | None = None
    response_field: str | None = None
    label_field: str | None = None
    input_format: str | None = None
    """Read every file as this format, whatever its name."""

    def __post_init__(self) -> None:
        if self.layout is not None and self.layout not in LAYOUT_NAMES:
            near = difflib.get_close_matches(self.layout, LAYOUT_NAMES, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ConfigError(
                f"--layout {self.layout!r} is not known.{hint} It may be {', '.join(LAYOUT_NAMES)}."
            )
        if self.text_field and (self.prompt_field or self.response_field):
            raise ConfigError(
                "--text-field cannot stand beside --prompt-field or --response-field: a row is "
                "either a document or a prompt with a response."
            )


#: Of a file without rows.
EMPTY = Layout(name="empty")

#: Of a file with rows of which none can be read; they are all counted as skipped.
UNREADABLE = Layout(name="unreadable")
