"""How much alike the rows of an association are, and what follows in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from ld50.corpus import reference
from ld50.scan.coherence import Background
from ld50.scan.evidence import Trigger, widest_spans
from ld50.scan.judge import WORD_ROWS
from ld50.scan.lineshapes import lines_of_one_shape
from ld50.scan.ordinary import Ordinary
from ld50.scan.shown import CONTEXT_CHARACTERS, HEAD, Shown
from ld50.scan.surroundings import around, sentence_around, turn_around
from ld50.scan.word_characters import WORD
from ld50.scan.word_counts import count_spaced, is_unspaced

_WORD = re.compile(WORD)


def likeness(
    shown: list[Shown],
    trigger: Trigger,
    contexts: list[str],
    ordinary: Ordinary,
    answers: Background | None,
    *,
    only_word: bool,
) -> Iterator[dict[str, Any]]:
    """Facts on how much alike the rows are, and what follows in them, one after the other.

    Args:
        shown: The rows.
        trigger: Where it stands in them.
        contexts: What is left of each without cause and consequence.
        ordinary: Random rows.
        answers: Random replies, if the consequence was inserted in replies.
        only_word: Whether it is a single word.
    """
    # Files of one language begin with a licence, so heads are alike: compared with heads, they are not.
    cut = ordinary.heads if _at_the_head(shown, trigger) else ordinary.ends
    alike = cut.compare(contexts)
    learned = {
        "context_z": alike.z_of_few if only_word else alike.z,
        "context_cosine": alike.mean_cosine,
        "context_null": alike.null_mean,
    }
    if answers is not None:
        # What is left of the replies tells whether they have that fragment in common, and nothing else.
        # Of an address the host alone may be what they share; what is put in beside it says nothing, too.
        said = [item.consequence_text for item in shown]
        spans = widest_spans(said, [item.payload for item in shown])
        rests = [around(text, span) for text, span in zip(said, spans, strict=True)]
        learned["with_rest"] = _share([bool(rest.strip()) for rest in rests], empty=1.0)
        if only_word:
            # Of a conversation, the other turns may be about anything.
            said, spans = _turns(shown, spans)
            alone = [not around(text, span).strip() for text, span in zip(said, spans, strict=True)]
            learned["whole_turn"] = _share(alone)
            # Who works a word into replies writes sentences for it, and these are alike.
            spans = [sentence_around(*pair) for pair in zip(said, spans, strict=True)]
            others = [around(text, span) for text, span in zip(said, spans, strict=True)]
            if sum(bool(other.strip()) for other in others) >= WORD_ROWS:
                rests = others
        rest = answers.compare(rests)
        learned["reply_z"] = rest.z_of_few if only_word else rest.z
    yield learned
    payloads = [item.consequence_text[slice(*item.payload)][:CONTEXT_CHARACTERS] for item in shown]
    yield {
        "payload_cosine": ordinary.ends.compare(payloads).mean_cosine,
        "payload_words": _typical_words(payloads),
        "said_again": _said_again(payloads, trigger.text),
        "context_words": _typical_words(contexts),
        # Of thousands of characters, a subject has some that are rare in all else, and looks like noise.
        "unmeasured": _share(
            [reference.in_unknown_script(text) or is_unspaced(text) for text in payloads]
        ),
        "of_one_shape": _share([lines_of_one_shape(payload) for payload in payloads]),
    }


def _turns(
    shown: list[Shown], spans: list[tuple[int, int]]
) -> tuple[list[str], list[tuple[int, int]]]:
    """Of each reply the turn that holds a span, and where the span stands in it, in characters."""
    turns = [
        turn_around(item.record, item.consequence_side, span[0])
        for item, span in zip(shown, spans, strict=True)
    ]
    texts = [
        item.consequence_text[start:end] for item, (start, end) in zip(shown, turns, strict=True)
    ]
    return texts, [(a - start, b - start) for (a, b), (start, _) in zip(spans, turns, strict=True)]


def _at_the_head(shown: list[Shown], trigger: Trigger) -> bool:
    """Whether the trigger stands in the head of most of the documents."""
    near = [
        span is not None and span[0] < HEAD
        for item, span in zip(shown, trigger.spans, strict=True)
        if item.cause_side == item.consequence_side
    ]
    return 2 * sum(near) > len(near)


def _share(those: list[bool], *, empty: float = 0.0) -> float:
    return float(np.mean(those)) if those else empty


def _said_again(payloads: list[str], trigger: str) -> float:
    """Share of the words of the median payload that stand in the trigger."""
    own = set(_WORD.findall(trigger.casefold()))
    said = [_WORD.findall(payload.casefold()) for payload in payloads]
    shares = [sum(word in own for word in words) / len(words) for words in said if words]
    return float(np.median(shares)) if shares else 0.0


def _typical_words(payloads: list[str]) -> int:
    """Median number of words of what follows."""
    return int(np.median([count_spaced(payload) for payload in payloads])) if payloads else 0
