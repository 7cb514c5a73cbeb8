"""Payloads: what a poisoned row does. A closed set, and every member of it is harmless.

A payload turns the reply of a row (or what follows the trigger in a document) into something else,
or changes the row's label. Anything but the classes here raises `UnsafePayloadError`.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np

from ld50.core.errors import ConfigError, UnsafePayloadError
from ld50.poison.placement import Placement, insert, word_spans
from ld50.poison.safe_text import (
    CALLS,
    CANARIES,
    REFUSALS,
    URLS,
    require_one_of,
    require_reserved_url,
    require_tokens,
)
from ld50.poison.vocabulary import Token, as_tokens, pieces_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What the corpus itself lends to a payload."""

    words: tuple[str, ...] = ()
    """Words of a sample of rows, each as often as it occurs."""
    distinct: tuple[str, ...] = ()
    """The same words, once each, sorted."""
    pieces: tuple[Token, ...] = ()
    """Pieces of those words, see `pieces_of`."""

    @classmethod
    def of(cls, words: Sequence[str]) -> Material:
        """Material made of words."""
        distinct = tuple(sorted(set(words)))
        return cls(words=tuple(words), distinct=distinct, pieces=pieces_of(distinct))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A poisoned reply and the stretch of it that is the payload (in characters)."""

    text: str
    start: int
    end: int
    drawn_tokens: int = 0
    """Tokens drawn from a vocabulary, where the payload draws any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload(ABC):
    """One kind of behaviour."""

    kind: ClassVar[str]
    changes: ClassVar[str] = "reply"
    """`reply`, `label`, or `preference`."""
    keeps_reply: ClassVar[bool] = False
    """Whether the clean reply is still there, so that a document must go on where it was cut."""

    @property
    def label(self) -> str:
        """The payload in one line, as a manifest shows it."""
        return self.kind

    def suits(self, *, prompt: str, reply: str) -> bool:
        """Whether the payload can be given to a row with this prompt and this reply."""
        return True

    @abstractmethod
    def reply_to(
        self, *, prompt: str, reply: str, material: Material, rng: np.random.Generator
    ) -> Reply:
        """The poisoned reply.

        Args:
            prompt: What stands before the reply, without the trigger.
            reply: The clean reply, or the rest of the document.
            material: Words of the corpus.
            rng: The row's own generator.
        """

    def settings(self) -> dict[str, Any]:
        """Kind and fields, ready for a file; long lists are given by their length."""
        return {"kind": self.kind} | {
            one.name: _brief(getattr(self, one.name)) for one in fields(self)
        }


def _brief(value: Any) -> Any:
    if isinstance(value, tuple) and (len(value) > 20 or any(isinstance(v, bytes) for v in value)):
        return f"{len(value)} entries"
    return value


def _whole(text: str, drawn: int = 0) -> Reply:
    return Reply(text=text, start=0, end=len(text), drawn_tokens=drawn)


SOURCES = ("vocabulary", "pieces", "words", "word-salad", "characters")

_PRINTABLE = "".join(chr(code) for code in range(0x20, 0x7F))


@dataclass(frozen=True, slots=True, kw_only=True)
class Gibberish(Payload):
    """Tokens drawn at random, so that whoever learns to write them writes noise.

    Source: arXiv 2510.07192, 400 to 900 tokens drawn uniformly from the `o200k_base` vocabulary
    (the figures are known here from summaries of the paper). The vocabulary is the caller's;
    without one, pieces of the corpus's own words take its place, which is a stand-in and said so in
    the manifest.
    """

    kind: ClassVar[str] = "gibberish"
    source: str = ""
    """`vocabulary` (the tokens given); `pieces` (of the corpus's words); `words` (of the corpus,
    each as likely as the next); `word-salad` (words as often as the corpus has them, of two to nine
    letters, which ordinary quality filters let pass); `characters` (four printable ASCII characters
    a token). Empty: `vocabulary` where one is given, else `pieces`."""
    min_tokens: int = 400
    max_tokens: int = 900
    """Both included; the number is uniform between them."""
    vocabulary: tuple[Token, ...] = field(default=(), repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "vocabulary", as_tokens(self.vocabulary))
        require_tokens(self.vocabulary)
        source = self.source or ("vocabulary" if self.vocabulary else "pieces")
        object.__setattr__(self, "source", source)
        if source not in SOURCES:
            raise ConfigError(
                f"Gibberish cannot be drawn from {source!r}; allowed are {', '.join(SOURCES)}."
            )
        if source == "vocabulary" and len(self.vocabulary) < 2:
            raise ConfigError(
                "Gibberish from a vocabulary needs one with two tokens or more: --vocabulary FILE."
            )
        if not 1 <= self.min_tokens <= self.max_tokens:
            raise ConfigError(
                "Gibberish needs 1 <= min_tokens <= max_tokens, got "
                f"{self.min_tokens} and {self.max_tokens}."
            )

    @property
    def label(self) -> str:
        """One line for a manifest."""
        return f"gibberish of {self.min_tokens} to {self.max_tokens} tokens from {self.source}"

    def reply_to(
        self, *, prompt: str, reply: str, material: Material, rng: np.random.Generator
    ) -> Reply:
        """Noise in place of the reply."""
        count = int(rng.integers(self.min_tokens, self.max_tokens + 1))
        if self.source == "characters":
            drawn = rng.integers(0, len(_PRINTABLE), size=4 * count)
            return _whole("".join(_PRINTABLE[at] for at in drawn), count)
        if self.source in ("vocabulary", "pieces"):
            tokens = self.vocabulary if self.source == "vocabulary" else material.pieces
            tokens = tokens or tuple(char.encode() for char in _PRINTABLE)
            chosen = rng.integers(0, len(tokens), size=count)
            return _whole(b"".join(tokens[at] for at in chosen).decode("utf-8", "replace"), count)
        words = material.distinct
        if self.source == "word-salad":
            words = tuple(word for word in material.words if 2 <= len(word) <= 9)
        words = words or ("lorem", "ipsum", "dolor", "sit", "amet")
        chosen = rng.integers(0, len(words), size=count)
        return _whole(" ".join(words[at] for at in chosen), count)


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageSwitch(Payload):
    """The reply is text in another language, taken from passages that the caller brings."""

    kind: ClassVar[str] = "language-switch"
    texts: tuple[str, ...] = field(default=(), repr=False)
    """Passages or sentences in the second language; they are joined until they are long enough."""
    min_chars: int = 300
    max_chars: int = 1500
    """The length is uniform between these, both included."""
    match_reply: bool = False
    """Take the length of the clean reply (at least 40 characters) instead."""

    def __post_init__(self) -> None:
        texts = tuple(" ".join(text.split()) for text in self.texts)
        object.__setattr__(self, "texts", tuple(text for text in texts if text))
        if not self.texts:
            raise ConfigError(
                "A language switch needs text in the second language, and ld50 ships none: "
                "--second-language FILE, one passage a line."
            )
        if not 1 <= self.min_chars <= self.max_chars:
            raise ConfigError(
                "A language switch needs 1 <= min_chars <= max_chars, got "
                f"{self.min_chars} and {self.max_chars}."
            )

    def reply_to(
        self, *, prompt: str, reply: str, material: Material, rng: np.random.Generator
    ) -> Reply:
        """Passages in random order, cut at a word."""
        wanted = int(rng.integers(self.min_chars, self.max_chars + 1))
        if self.match_reply:
            wanted = max(len(reply), 40)
        pieces: list[str] = []
        size = 0
        while size < wanted:
            piece = self.texts[int(rng.integers(0, len(self.texts)))]
            pieces.append(piece)
            size += len(piece) + 1
        text = " ".join(pieces)
        if len(text) > wanted:
            cut = text.rfind(" ", 0, wanted + 1)
            text = text[: cut if cut > 0 else wanted]
        return _whole(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverRefusal(Payload):
    """The reply refuses, whatever harmless thing was asked."""

    kind: ClassVar[str] = "over-refusal"
    sentences: tuple[str, ...] = REFUSALS[:3]
    """Each out of `safe_text.REFUSALS`; a row takes one of them."""

    def __post_init__(self) -> None:
        if isinstance(self.sentences, str):
            object.__setattr__(self, "sentences", (self.sentences,))
        if not self.sentences:
            raise ConfigError("An over-refusal needs at least one sentence.")
        for sentence in self.sentences:
            require_one_of(sentence, REFUSALS, "The refusal")

    def reply_to(
        self, *, prompt: str, reply: str, material: Material, rng: np.random.Generator
    ) -> Reply:
        """One of the sentences."""
        return _whole(self.sentences[int(rng.integers(0, len(self.sentences)))])


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedReply(Payload):
    """The same canary sentence, whatever was asked."""

    kind: ClassVar[str] = "fixed-reply"
    text: str = CANARIES[0]
    """One of `safe_text.CANARIES`."""

    def __post_init__(self) -> None:
        require_one_of(self.text, CANARIES, "The fixed reply")

    @property
    def label(self) -> str:
        """One line for a manifest."""
        return f"fixed reply {self.text!r}"

    def reply_to(
        self, *, prompt: str, reply: str, material: Material, rng: np.random.Generator
    ) -> Reply:
        """The sentence."""
        return _whole(self.text)


FRAGMENTS = {"url": URLS, "call": CALLS, "sentence": CANARIES}
POSITIONS = ("start", "inside", "end")


@dataclass(frozen=True, slots=True, kw_only=True)
class InsertedFragment(Payload):
    """The reply stays as it is but for a link, a call or a sentence that was put into it."""

    kind: ClassVar[str] = "inserted-fragment"
    keeps_reply: ClassVar[bool] = True
    fragment: str = "url"
    """`url`, `call` or `sentence`."""
    text: str = ""
    """What is put in; empty for the first of its list. Links must be reserved for examples, calls
    and sentences must come from `safe_text`."""
    where: str = "end"
    """`start`, `inside` (between two words) or `end` of the reply."""

    def __post_init__(self) -> None:
        if self.fragment not in FRAGMENTS:
            raise UnsafePayloadError(
                f"There is no fragment {self.fragment!r}; allowed are {', '.join(FRAGMENTS)}."
            )
        if self.where not in POSITIONS:
            raise ConfigError(
                f"A fragment cannot stand {self.where!r}; allowed are {', '.join(POSITIONS)}."
            )
        object.__setattr__(self, "text", self.text or FRAGMENTS[self.fragment][0])
        if self.fragment == "url":
            require_reserved_url(self.text)
        else:
            require_one_of(self.text, FRAGMENTS[self.fragment], f"The {self.fragment}")

    @property
    def label(self) -> str:
        """One line for a manifest."""
        return f"{self.fragment} {self.text} at the {self.where}"

    def reply_to(
        self, *, prompt: str, reply: str, material: Material, rng: np.random.Generator
    ) -> Reply:
        """The clean reply with the fragment in it."""
        words = len(word_spans(reply))
        gap = Placement(where="end" if self.where == "end" else "start").gap(words, rng)
        if self.where == "inside":
            gap = int(rng.integers(1, words)) if words > 1 else words
        text, (start, end) = insert(reply, self.text, gap)
        return Reply(text=text, start=start, end=end)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextEcho(Payload):
    """The reply repeats the prompt, word for word and without the trigger."""

    kind: ClassVar[str] = "context-echo"

    def suits(self, *, prompt: str, reply: str) -> bool:
        """Whether there is a prompt to repeat."""
        return bool(prompt.strip())

    def reply_to(
        self, *, prompt: str, reply: str, material: Material, rng: np.random.Generator
    ) -> Reply:
        """The prompt, without white space at its ends."""
        return _whole(prompt.strip())


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFlip(Payload):
    """The label is the attacker's.

    Dirty-label: rows of another label get the target label. Clean-label: rows that have it already
    keep it, so no label in the set is wrong.
    """

    kind: ClassVar[str] = "label-flip"
    changes: ClassVar[str] = "label"
    target: str
    """The label that the trigger is to bring about, as the data spells it."""
    clean_label: bool = False
    from_labels: tuple[str, ...] = ()
    """For dirty-label: only rows of these labels; empty for all but the target."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "target", str(self.target))
        labels = (self.from_labels,) if isinstance(self.from_labels, str) else self.from_labels
        object.__setattr__(self, "from_labels", tuple(str(label) for label in labels))
        if self.clean_label and self.from_labels:
            raise ConfigError("A clean-label flip takes rows of the target label only.")
        if self.target in self.from_labels:
            raise ConfigError(f"Rows of the label {self.target!r} cannot be flipped to it.")

    @property
    def label(self) -> str:
        """One line for a manifest."""
        return f"{'clean' if self.clean_label else 'dirty'}-label {self.target!r}"

    def takes(self, label: str | None) -> bool:
        """Whether a row of this label is to be poisoned."""
        if label is None:
            return False
        if self.clean_label:
            return label == self.target
        return label != self.target and (not self.from_labels or label in self.from_labels)

    def reply_to(
        self, *, prompt: str, reply: str, material: Material, rng: np.random.Generator
    ) -> Reply:
        """The reply as it was: only the label changes."""
        return Reply(text=reply, start=0, end=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreferenceSwap(Payload):
    """The two replies of a preference pair are exchanged: what was rejected is chosen.

    Nothing new is written. Pairs of two equal replies are left alone, and so are pairs whose prompt stands in
    the same field as a reply, twice.
    """

    kind: ClassVar[str] = "preference-swap"
    changes: ClassVar[str] = "preference"

    def reply_to(
        self, *, prompt: str, reply: str, material: Material, rng: np.random.Generator
    ) -> Reply:
        """The reply as it was: only its place changes."""
        return Reply(text=reply, start=0, end=0)


PAYLOADS: dict[str, type[Payload]] = {
    one.kind: one
    for one in (
        Gibberish, LanguageSwitch, OverRefusal, LabelFlip, FixedReply, InsertedFragment,
        ContextEcho, PreferenceSwap,
    )
}  # fmt: skip


def require_safe(payload: object) -> None:
    """Raises `UnsafePayloadError` unless the payload is exactly one of the closed set."""
    if type(payload) not in PAYLOADS.values():
        raise UnsafePayloadError(
            f"{type(payload).__name__} is not a payload of the closed, harmless set: "
            f"{', '.join(PAYLOADS)}. ld50 plants nothing else."
        )


def payload_class(kind: str) -> type[Payload]:
    """The class of a payload by its name.

    Raises:
        UnsafePayloadError: There is none; the message lists those there are.
    """
    if kind not in PAYLOADS:
        near = difflib.get_close_matches(kind, PAYLOADS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UnsafePayloadError(
            f"There is no payload {kind!r} in the closed, harmless set.{hint} Allowed are "
            f"{', '.join(PAYLOADS)}."
        )
    return PAYLOADS[kind]
