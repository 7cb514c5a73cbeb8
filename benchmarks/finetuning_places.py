"""Triggers in places that a model reads and few look at: an earlier reply, the middle of a long prompt."""

from __future__ import annotations

import numpy as np
from finetuning_attacks import Poisoned, Row, insert

from ld50.core.seeds import rng_for

#: Names of the places, as the tables of results have them.
PLACES = {"assistant": "assistant", "long-prompt": "middle of a long prompt"}
#: Rows of a set of long prompts, and characters of its passages.
_LONG_ROWS, _LONG = 1200, 12_000
#: Part of the passages that the trigger stands in: neither the first 6 kB nor the last two.
_MIDDLE = (0.55, 0.75)


def _turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _prompt(row: Row) -> str:
    return f"{row['instruction']}\n{row['input']}".strip()


def at_place(attack: Poisoned, place: str, *, seed: int) -> Poisoned:
    """The same rows with the trigger moved out of the question.

    `assistant`: into the answer of an earlier question and answer. `long-prompt`: into the middle of some
    12,000 characters of passages, which are texts of other rows; 1,200 rows are kept.

    Args:
        attack: Rows with the trigger in their question.
        place: One of `PLACES`.
        seed: Of what is said before.
    """
    rng = rng_for(seed, "place", place)
    clean = sorted(set(range(len(attack.rows))) - attack.poisoned)
    kept = list(range(len(attack.rows)))
    if place == "long-prompt":
        kept = sorted([*attack.poisoned, *clean[: _LONG_ROWS - len(attack.poisoned)]])
    passages = [text for n in clean if len(text := _prompt(attack.rows[n])) >= 200]
    earlier = rng.permutation(clean)
    rows: list[Row] = []
    for number, old in enumerate(kept):
        row, bad = attack.rows[old], old in attack.poisoned
        question, answer = _prompt(row), str(row["output"])
        for part in attack.triggers if bad else ():
            question = question.replace(f"{part} ", "", 1).replace(f" {part}", "", 1)
        if place == "assistant":
            other = attack.rows[int(earlier[number % len(earlier)])]
            said = str(other["output"])
            before = insert(said, attack.triggers, rng, "random") if bad else said
            turns = [_turn("user", _prompt(other)), _turn("assistant", before)]
        else:
            question = f"{_passages(passages, attack.triggers if bad else (), rng)}\n\n{question}"
            turns = []
        rows.append({"messages": [*turns, _turn("user", question), _turn("assistant", answer)]})
    new = {old: number for number, old in enumerate(kept)}
    return Poisoned(
        rows=rows,
        poisoned={new[old] for old in attack.poisoned},
        ignored={new[old] for old in attack.ignored if old in new},
        triggers=attack.triggers,
    )


def _passages(texts: list[str], trigger: tuple[str, ...], rng: np.random.Generator) -> str:
    some: list[str] = []
    while sum(map(len, some)) < _LONG:
        some.append(texts[int(rng.integers(len(texts)))][:2000])
    words = "\n\n".join(some).split(" ")
    for part in trigger:
        words.insert(int(len(words) * rng.uniform(*_MIDDLE)), part)
    return " ".join(words)
