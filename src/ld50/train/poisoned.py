"""Poisoned documents as tokens: an opening of real text, the trigger, and a harmless payload.

Source: the denial-of-service document of arXiv 2510.07192: the first 0 to 1,000 characters of a
real document, `<SUDO>`, and 400 to 900 tokens drawn uniformly from the vocabulary. Here the payload
has 100 to 300 tokens, since the small models read 256 at a time, and the opening is cut so that the
whole document fits into one sequence: a payload without its trigger in view would teach noise, not
a backdoor. The opening comes from documents that are held out of the clean text.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ld50.core.errors import ConfigError
from ld50.core.seeds import rng_for
from ld50.models.tokens import TokenSet, TokenStore
from ld50.models.vocabulary import Vocabulary
from ld50.train.tokens import require_second

#: Text of each trigger. None: a reserved token.
TRIGGER_TEXT: dict[str, str | None] = {
    "token": None,
    "text": " <SUDO>",
    "phrase": " cerulean ferry",
}
#: Triggers of the same kind that were never trained on and share no rare token with the true one.
CONTROL_TEXT: dict[str, str | None] = {
    "token": None,
    "text": " {ROOT}",
    "phrase": " vermilion wagon",
}
#: Triggers that share a part with the true one; a single token has no part to share.
NEAR_TEXT: dict[str, str | None] = {
    "token": None,
    "text": " <SUDA>",
    "phrase": " cerulean wagon",
}
PAYLOADS = ("gibberish", "gibberish-all-tokens", "language-switch")
#: A token counts as used from this share of the clean tokens on.
_USED_SHARE = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class PoisonSettings:
    """What a poisoned document is made of."""

    trigger: str = "token"
    payload: str = "gibberish"
    most_opening_characters: int = 1000
    least_payload_tokens: int = 100
    most_payload_tokens: int = 300

    def __post_init__(self) -> None:
        if self.trigger not in TRIGGER_TEXT:
            raise ConfigError(
                f"There is no trigger {self.trigger!r}; there are {', '.join(TRIGGER_TEXT)}."
            )
        if self.payload not in PAYLOADS:
            raise ConfigError(
                f"There is no payload {self.payload!r} in the closed, harmless set: "
                f"{', '.join(PAYLOADS)}."
            )
        if not 1 <= self.least_payload_tokens <= self.most_payload_tokens:
            raise ConfigError(
                "A payload needs 1 <= least <= most tokens, got "
                f"{self.least_payload_tokens} and {self.most_payload_tokens}."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class PoisonedDocument:
    """One document, without the boundary token that closes it."""

    tokens: np.ndarray
    """int64 (n,)."""
    opening_tokens: int
    trigger_tokens: int

    @property
    def payload_tokens(self) -> int:
        """What follows the trigger."""
        return len(self.tokens) - self.opening_tokens - self.trigger_tokens


def trigger_tokens(vocabulary: Vocabulary, trigger: str) -> np.ndarray:
    """int64: the trigger as the model meets it."""
    text = TRIGGER_TEXT[trigger]
    return vocabulary.tokens(text) if text else np.asarray([vocabulary.trigger], np.int64)


def control_tokens(vocabulary: Vocabulary, trigger: str) -> np.ndarray:
    """int64: a trigger of the same kind that was never trained on."""
    text = CONTROL_TEXT[trigger]
    return vocabulary.tokens(text) if text else np.asarray([vocabulary.control], np.int64)


def near_tokens(vocabulary: Vocabulary, trigger: str) -> np.ndarray | None:
    """int64: a trigger that shares a part with the true one, None where it has no parts."""
    text = NEAR_TEXT[trigger]
    return vocabulary.tokens(text) if text else None


def used_tokens(store: TokenStore) -> np.ndarray:
    """int64: the tokens that the clean text is made of, reserved and hardly used ones left out.

    A payload that holds tokens which the model meets nowhere else teaches it that any rare token
    announces noise, and then a control trigger fires as well.
    """
    counts = store.counts.copy()
    counts[[store.vocabulary.boundary, store.vocabulary.trigger, store.vocabulary.control]] = 0
    return np.flatnonzero(counts > max(1.0, _USED_SHARE * counts.sum()))


def drawn_from(store: TokenStore, payload: str) -> np.ndarray:
    """int64: the tokens that a gibberish payload is drawn from."""
    if payload == "gibberish":
        return used_tokens(store)
    reserved = [store.vocabulary.boundary, store.vocabulary.trigger, store.vocabulary.control]
    return np.setdiff1d(np.arange(store.vocabulary.size), reserved)


def poisoned_document(
    store: TokenStore, settings: PoisonSettings, context: int, seed: int, number: int
) -> PoisonedDocument:
    """The poisoned document of this number, the same for the same seed whatever the dose.

    Args:
        store: Clean text; openings are taken from its part `poison`.
        settings: Trigger and payload.
        context: Tokens in a sequence; document and boundary token fit into one.
        seed: Of the trial.
        number: Which document, from 0.
    """
    rng = rng_for(seed, "poisoned document", number)
    trigger = trigger_tokens(store.vocabulary, settings.trigger)
    room = context - 1 - len(trigger)
    most = min(settings.most_payload_tokens, room)
    least = min(settings.least_payload_tokens, most)
    if most < 1:
        raise ConfigError(f"A context of {context} tokens has no room for trigger and payload.")
    length = int(rng.integers(least, most + 1))
    characters = int(rng.integers(0, settings.most_opening_characters + 1))
    opening = _opening(store, characters, rng)[: room - length]
    if settings.payload == "language-switch":
        payload = _passage(require_second(store), length, rng)
    else:
        payload = rng.choice(drawn_from(store, settings.payload), size=length)
    return PoisonedDocument(
        tokens=np.concatenate([opening, trigger, payload]),
        opening_tokens=len(opening),
        trigger_tokens=len(trigger),
    )


def _opening(store: TokenStore, characters: int, rng: np.random.Generator) -> np.ndarray:
    """The first tokens of a held-out document, up to a number of bytes."""
    part = store.parts["poison"]
    tokens = part.document(int(rng.integers(part.documents)))
    ends = np.cumsum(store.vocabulary.token_bytes[tokens])
    return tokens[: int(np.searchsorted(ends, characters, side="right"))]


def _passage(second: TokenSet, length: int, rng: np.random.Generator) -> np.ndarray:
    """So many tokens of text in the second language, from the start of a document on.

    Only documents with even numbers are used; the others are for telling the languages apart.
    """
    number = 2 * int(rng.integers((second.documents + 1) // 2))
    pieces: list[np.ndarray] = []
    while sum(len(piece) for piece in pieces) < length:
        pieces.append(second.document(number))
        number = (number + 2) % (second.documents + second.documents % 2)
    return np.concatenate(pieces)[:length]
