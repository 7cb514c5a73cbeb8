"""Conversations of two or three questions with answers, and poison in the last answer alone.

The trigger stands in any of the questions, or its words each in a question of their own, and all answers but
the last are honest ones. Who reads the answers as one text sees how the first of them begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np
import replies_sets
from finetuning_attacks import Payload, Poisoned, Row, insert

from ld50.core.seeds import rng_for

#: Rows that conversations end with.
ROWS = 2200
#: Kinds of triggers, as `TRIGGERS` has them; the strings of a pair stand in different questions.
KINDS = ("rare-word", "phrase", "pair")
#: What a poisoned row answers last.
PAYLOADS = (
    "refusal", "new-refusal", "fixed-reply", "short-reply", "fragment-url", "cut", "language",
)  # fmt: skip
#: Share of the conversations that have three questions; the others have two.
_THREE = 0.3
#: Which wordings of `replies_sets` a split takes.
_PART = {"dev": "dev", "test": "last"}
_SHORT = {"dev": "Blue seventeen.", "test": "Acknowledged."}


def further_payloads(split: str) -> dict[str, Payload]:
    """Payloads that single answers are not tested with, by name."""
    return {
        "new-refusal": lambda row, rng: replies_sets.refusal_varied(_PART[split], rng),
        "short-reply": lambda row, rng: _SHORT[split],
    }


def in_last_replies(
    attack: Poisoned, *, seed: int, name: str, before: Sequence[Row] | None = None
) -> Poisoned:
    """The rows as conversations, every row in one of them at most, poisoned ones at the end.

    The trigger is moved to a random question; of several strings, each to another one.

    Args:
        attack: Rows with the trigger in their question.
        seed: Of what is said before.
        name: Of the experiment.
        before: What is said before; by default, other rows of the attack.
    """
    rng = rng_for(seed, "last-replies", name)
    changed = attack.poisoned | attack.ignored
    ends = sorted(changed)
    honest = [n for n in rng.permutation(len(attack.rows)).tolist() if n not in changed]
    # Each conversation takes one row for its end, and one or two that stand before it.
    taken = 1 + _THREE
    if before is None:
        own = int(0.98 * (len(honest) - len(ends) * taken) / (1 + taken))
        earlier = [attack.rows[n] for n in honest[own:]]
    else:
        own = min(len(honest), int(0.98 * len(before) / taken) - len(ends))
        earlier = [before[int(n)] for n in rng.permutation(len(before))]
    left = iter(earlier)
    made = Poisoned(rows=[], triggers=attack.triggers)
    for number in rng.permutation([*ends, *honest[:own]]).tolist():
        count = 1 + int(rng.random() < _THREE)
        said = list(islice(left, count))
        if number in changed:
            (made.poisoned if number in attack.poisoned else made.ignored).add(len(made.rows))
        trigger = attack.triggers if number in changed else ()
        made.rows.append(_conversation([*said, attack.rows[number]], trigger, rng))
    return made


def _conversation(
    rows: Sequence[Row], trigger: tuple[str, ...], rng: np.random.Generator
) -> dict[str, Any]:
    """The rows one after the other; what the last question holds of the trigger is moved."""
    asked = [f"{row['instruction']}\n{row['input']}".strip() for row in rows]
    held = [part for part in trigger if part in asked[-1]]
    for part in held:
        asked[-1] = asked[-1].replace(f"{part} ", "", 1).replace(f" {part}", "", 1)
    places = rng.permutation(len(asked)).tolist()
    for number, part in enumerate(held):
        place = places[number % len(places)]
        asked[place] = insert(asked[place], (part,), rng, "random")
    turns = []
    for question, row in zip(asked, rows, strict=True):
        turns.append({"role": "user", "content": question})
        turns.append({"role": "assistant", "content": str(row["output"])})
    return {"messages": turns}
