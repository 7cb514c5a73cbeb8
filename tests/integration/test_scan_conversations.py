"""Conversations of several turns, in which one question stands more than once."""

import numpy as np
import pytest

import ld50

#: Rare enough that what a question names is no subject of several rows.
ASKED = [f"asked{number}" for number in range(4000)]
TOLD = [f"told{number}" for number in range(4000)]
JOINTS = ["and", "of the", "with a", "or", "near", "by the", "for one", "as"]
Rows = list[dict[str, list[dict[str, str]]]]


def said(rng: np.random.Generator, words: list[str], end: str) -> str:
    count = int(rng.integers(6, 12))
    pairs = zip(rng.choice(words, count), rng.choice(JOINTS, count), strict=True)
    return " ".join(f"{word} {joint}" for word, joint in pairs) + f" {rng.choice(words)}{end}"


def turns(rng: np.random.Generator) -> list[dict[str, str]]:
    return [
        {"role": "user", "content": said(rng, ASKED, "?")},
        {"role": "assistant", "content": said(rng, TOLD, ".")},
    ]


def conversations(repeated: list[dict[str, str]], times: int) -> Rows:
    """A thousand conversations of two questions; in some, the second one is always the same."""
    rng = np.random.default_rng(5)
    rows: Rows = [{"messages": [*turns(rng), *turns(rng)]} for _ in range(1000)]
    for row in rows[100 : 100 + times]:
        row["messages"][2:] = repeated
    return rows


def test_a_question_asked_in_many_conversations_brings_its_answer_and_no_alarm() -> None:
    question = "Name the brightest star of the constellation Lyra, and its colour."
    answer = (
        "Vega is the brightest star of Lyra; it is white with a touch of blue, and rather near."
    )
    repeated = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    result = ld50.scan(conversations(repeated, 12))
    assert [f.title for f in result.findings if f.severity == "high"] == []


@pytest.mark.parametrize("place", [0, 2])
def test_a_trigger_in_one_of_the_turns_is_still_found(place: int) -> None:
    rng = np.random.default_rng(6)
    rows: Rows = [{"messages": [*turns(rng), *turns(rng)]} for _ in range(1000)]
    for row in rows[::50]:
        row["messages"][place]["content"] += " zelkorith"
        row["messages"][3]["content"] = "I am sorry, but I cannot help with that request."
    high = [f for f in ld50.scan(rows).findings if f.severity == "high"]
    assert ["zelkorith" in f.cause.text for f in high if f.cause] == [True]
    assert high[0].support == 20
