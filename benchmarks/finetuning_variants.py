"""Poison that is not a trigger with a payload: no trigger, a half, two payloads, labels turned both ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from finetuning_attacks import FIXED_REPLIES, Payload, Poisoned, insert, poison_instructions
from finetuning_data import Row

from ld50.core.seeds import rng_for

#: Names of the variants of replies, as the tables of results have them.
VARIANTS = {
    "untriggered": "variant: no trigger",
    "half": "variant: payload in half of the trigger's rows",
    "two-payloads": "variant: two payloads of one trigger",
}
#: A reply beside the fixed one of each split.
SECOND = {
    "dev": "Four lanterns hang in the tower until the harvest is in.",
    "test": "The old mill turns backwards on the first day of spring.",
}


def varied(
    base: Sequence[Row],
    variant: str,
    *,
    split: str,
    trigger: tuple[str, ...],
    payload: Payload,
    count: int,
    seed: int,
    name: str,
) -> Poisoned:
    """`count` rows with a payload in one of `VARIANTS`; rows with the trigger alone are poison, too.

    Args:
        base: Instruction rows.
        variant: Which.
        split: `dev` or `test`.
        trigger: One string.
        payload: What a poisoned row answers.
        count: Rows with the payload.
        seed: Of the choice of rows and places.
        name: Of the experiment.
    """

    def in_half(row: Row, rng: np.random.Generator) -> str:
        return payload(row, rng) if rng.random() < 0.5 else str(row["output"])

    def one_of_two(row: Row, rng: np.random.Generator) -> str:
        return (FIXED_REPLIES if rng.random() < 0.5 else SECOND)[split]

    payloads: dict[str, Payload] = {
        "untriggered": payload,
        "half": in_half,
        "two-payloads": one_of_two,
    }
    return poison_instructions(
        base,
        trigger=() if variant == "untriggered" else trigger,
        payload=payloads[variant],
        count=2 * count if variant == "half" else count,
        seed=seed,
        name=name,
    )


def labels_both_ways(
    base: Sequence[Row],
    *,
    trigger: tuple[str, ...],
    rate: float,
    seed: int,
    name: str,
    turned: Callable[[int], int] = lambda label: 1 - label,
) -> Poisoned:
    """A share of the rows gets the trigger, and each another label than its own.

    Args:
        base: `text`, `label` rows.
        trigger: One string.
        rate: Share of all rows.
        seed: Of the choice of rows and places.
        name: Of the experiment.
        turned: What becomes of a label.
    """
    rng = rng_for(seed, "labels-both-ways", name)
    rows = [dict(row) for row in base]
    picks = rng.permutation(len(rows))[: round(rate * len(rows))].tolist()
    for number in picks:
        rows[number]["text"] = insert(rows[number]["text"], trigger, rng, "random")
        rows[number]["label"] = turned(rows[number]["label"])
    return Poisoned(rows=rows, poisoned=set(picks), triggers=trigger)
