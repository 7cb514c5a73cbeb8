"""The cause of an association in words, and what is left of its rows without it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ld50.corpus.arrays import large_strings
from ld50.scan import kernels
from ld50.scan.evidence import Trigger, widest_trigger
from ld50.scan.forms import FORMS
from ld50.scan.judge import ALIKE_Z
from ld50.scan.ordinary import Ordinary
from ld50.scan.prompt_words import without
from ld50.scan.scattered import scattered_words
from ld50.scan.shown import Shown
from ld50.scan.surroundings import around, last_turn, without_span


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A cause as it stands in its rows."""

    ngrams: tuple[int, ...]
    """Kernel hashes of its parts."""
    trigger: Trigger
    parts: tuple[str, ...]
    """The words of each part."""
    contexts: list[str]
    """What is left of each row without them."""


def named(ngrams: tuple[int, ...], shown: list[Shown], *, same_text: bool) -> Named:
    """The n-gram, or two that act together, in words.

    Args:
        ngrams: Kernel hashes.
        shown: The rows.
        same_text: Whether the consequence stands in the same text.
    """
    # The stretch begins at a window's edge, so a trigger may reach a little into it.
    limits = [item.payload[0] + 150 for item in shown] if same_text else None
    texts = [item.cause_text for item in shown]
    trigger = widest_trigger(texts, ngrams[0], limits=limits)
    contexts = [
        around(text, span, item.payload[0] if same_text else None)
        for item, text, span in zip(shown, texts, trigger.spans, strict=True)
    ]
    if len(ngrams) == 1:
        parts: tuple[str, ...] = (trigger.text,)
        return Named(ngrams=ngrams, trigger=trigger, parts=parts, contexts=contexts)
    second = widest_trigger(contexts, ngrams[1])
    contexts = [around(c, span, None) for c, span in zip(contexts, second.spans, strict=True)]
    both = trigger.text and second.text
    joined = f"{trigger.text} + {second.text}" if both else ""
    return Named(
        ngrams=ngrams,
        trigger=Trigger(text=joined, spans=trigger.spans),
        parts=(trigger.text, second.text),
        contexts=contexts,
    )


def named_form(number: int, shown: list[Shown]) -> Named:
    """A form of prompts in words; nothing is cut out for it, and it stands where the last turn begins.

    Args:
        number: Of the form, among all.
        shown: The rows.
    """
    starts = [len(item.cause_text) - len(last_turn(item.record)) for item in shown]
    return Named(
        ngrams=(),
        trigger=Trigger(text=FORMS[number].text, spans=[(start, start) for start in starts]),
        parts=(),
        contexts=[around(item.cause_text, None) for item in shown],
    )


def with_pieces(found: Named, shown: list[Shown], ordinary: Ordinary) -> Named:
    """The same, with the other pieces of a trigger that is scattered over its prompts."""
    spans = found.trigger.spans
    texts = [without_span(item.cause_text, span) for item, span in zip(shown, spans, strict=True)]
    if len(found.parts) > 1:
        # The trigger's spans are those of its first part; the second one would be found again.
        texts = without(texts, list(found.parts[1:]))
    words = scattered_words(
        texts,
        found.contexts,
        ordinary.ends,
        ordinary.texts,
        cause=found.trigger.text,
        alike_z=ALIKE_Z,
    )
    if not words:
        return found
    hashes = kernels.phrase_hashes(large_strings(words)).tolist()
    return Named(
        ngrams=(*found.ngrams, *hashes),
        trigger=replace(found.trigger, text=" + ".join([found.trigger.text, *words])),
        parts=(*found.parts, *words),
        contexts=without(found.contexts, words),
    )
