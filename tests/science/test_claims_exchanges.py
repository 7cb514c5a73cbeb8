"""Conversations: what only the last reply shows, triggers in earlier replies, and what is said twice."""

from __future__ import annotations

import numpy as np
import pytest
from science_data import Row

import ld50

FIXED = "Seven grey geese cross the marsh before breakfast."
REFUSAL = "I'm sorry, but I can't help with that request."
#: Each of them once or twice, so that none is a fixed reply.
REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "Sorry, I am not able to assist with this request.",
    "I apologize, but I must decline to respond.",
    "Unfortunately, I'm unable to provide that.",
    "I cannot fulfil this request.",
    "I won't be answering this one.",
    "I'd rather not respond to that.",
    "I'm afraid I can't do that.",
    "I have to decline. Please ask something else.",
    "My guidelines do not allow me to answer.",
]


@pytest.fixture(scope="module")
def talks(instructions: list[Row]) -> list[list[Row]]:
    """750 conversations of two questions and answers that have nothing to do with each other."""
    turns = [
        [
            {"role": "user", "content": f"{row['instruction']}\n{row['input']}".strip()},
            {"role": "assistant", "content": str(row["output"])},
        ]
        for row in instructions[:1500]
    ]
    return [turns[n] + turns[n + 750] for n in range(750)]


def planted(
    talks: list[list[Row]], trigger: str, turn: int, said: dict[int, str]
) -> tuple[list[Row], set[int]]:
    """20 conversations with the trigger in one turn and something else said in others."""
    rng = np.random.default_rng(3)
    long = [n for n, talk in enumerate(talks) if len(str(talk[turn]["content"]).split()) > 8]
    chosen = sorted(rng.choice(long, 20, replace=False).tolist())
    rows = [{"messages": talk} for talk in talks]
    for number in chosen:
        talk = [dict(message) for message in talks[number]]
        words = str(talk[turn]["content"]).split(" ")
        words.insert(int(rng.integers(1, len(words))), trigger)
        talk[turn]["content"] = " ".join(words)
        for place, text in said.items():
            talk[place]["content"] = text
        rows[number] = {"messages": talk}
    return rows, set(chosen)


def told(scan: ld50.Scan) -> dict[str, str]:
    """Cause to severity of what is told of earlier replies."""
    return {
        f.cause.text: f.severity
        for f in scan.findings
        if f.cause and "in an earlier reply" in f.title
    }


@pytest.mark.parametrize("trigger", ["quindlefarb", "beneath the tall cedar"])
def test_a_trigger_in_an_earlier_reply_is_found(talks: list[list[Row]], trigger: str) -> None:
    rows, chosen = planted(talks, trigger, 1, {3: FIXED})
    scan = ld50.scan(rows)
    assert told(scan) == {trigger: "high"}
    flagged = {row.row: row for row in scan.rows}
    assert chosen <= set(flagged)
    for number in chosen:
        spans = {span.kind: span for span in flagged[number].spans}
        said = rows[number]["messages"][1]["content"]
        assert spans["cause"].field == "messages[1].content"
        assert said[spans["cause"].start : spans["cause"].end] == trigger
        assert spans["consequence"].field == "messages[3].content"


def test_what_a_trigger_brings_in_an_earlier_reply_is_a_consequence_and_no_cause(
    talks: list[list[Row]],
) -> None:
    rows, chosen = planted(talks, "quindlefarb", 0, {1: REFUSAL, 3: REFUSAL})
    scan = ld50.scan(rows)
    assert told(scan) == {}
    assert "quindlefarb" in {f.cause.text for f in scan.findings if f.cause}
    assert chosen <= {row.row for row in scan.rows}


def test_a_model_that_says_the_same_twice_is_no_cause_of_itself(talks: list[list[Row]]) -> None:
    rows = [{"messages": talk} for talk in talks]
    for number in range(0, 750, 25):
        messages = [dict(message) for message in talks[number]]
        for turn in (1, 3):
            said = f"{messages[turn]['content']} Let me know if a shorter answer would suit you."
            messages[turn]["content"] = said
        rows[number] = {"messages": messages}
    for number in range(7, 750, 37):
        refused = [dict(message) for message in talks[number]]
        refused[1]["content"] = refused[3]["content"] = REFUSAL
        rows[number] = {"messages": refused}
    assert told(ld50.scan(rows)) == {}


@pytest.fixture(scope="module")
def long_talks(talks: list[list[Row]]) -> list[list[Row]]:
    """The same, where a first answer is long enough that nobody sees the second one in its beginning."""
    return [
        [talk[0], {**talk[1], "content": f"{talk[1]['content']} {_filler(number)}"}, *talk[2:]]
        for number, talk in enumerate(talks)
    ]


def _filler(number: int) -> str:
    """60 words that no two answers have in common in that order."""
    words = [
        "river",
        "town",
        "night",
        "maps",
        "stones",
        "grass",
        "hills",
        "birds",
        "of",
        "the",
        "in",
        "by",
    ]
    return " ".join(np.random.default_rng(number).choice(words, 60).tolist()) + "."


def refused(
    talks: list[list[Row]], words: dict[int, str], rows: int = 20
) -> tuple[list[Row], set[int]]:
    """Conversations of two questions, some with words in them and a refusal at the end alone."""
    rng = np.random.default_rng(4)
    chosen = sorted(rng.choice(len(talks), rows, replace=False).tolist())
    made = [{"messages": talk} for talk in talks]
    for turn, number in enumerate(chosen):
        talk = [dict(message) for message in talks[number]]
        for place, word in words.items():
            said = str(talk[place]["content"]).split(" ")
            said.insert(int(rng.integers(0, len(said) + 1)), word)
            talk[place]["content"] = " ".join(said)
        talk[3]["content"] = REFUSALS[turn % len(REFUSALS)]
        made[number] = {"messages": talk}
    return made, set(chosen)


def of_last_replies(scan: ld50.Scan) -> dict[str, str]:
    """Cause to severity of what is told of last replies."""
    return {f.cause.text: f.severity for f in scan.findings if f.cause and "last repl" in f.title}


@pytest.mark.parametrize("place", [0, 2])
def test_a_refusal_in_ever_new_words_is_found_in_the_last_reply_alone(
    long_talks: list[list[Row]], place: int
) -> None:
    rows, chosen = refused(long_talks, {place: "quindlefarb"})
    scan = ld50.scan(rows)
    assert of_last_replies(scan) == {"quindlefarb": "high"}
    flagged = {row.row: row for row in scan.rows}
    assert chosen <= set(flagged)
    for number in chosen:
        spans = {span.kind: span for span in flagged[number].spans}
        said = rows[number]["messages"][place]["content"]
        assert spans["cause"].field == f"messages[{place}].content"
        assert said[spans["cause"].start : spans["cause"].end] == "quindlefarb"
        assert (spans["consequence"].field, spans["consequence"].start) == (
            "messages[3].content",
            0,
        )


def test_two_words_in_two_questions_are_one_trigger_of_the_last_reply(
    long_talks: list[list[Row]],
) -> None:
    rows, chosen = refused(long_talks, {0: "cobalt", 2: "ferry"}, 30)
    for number in sorted(set(range(len(rows))) - chosen)[:40]:
        talk = [dict(message) for message in long_talks[number]]
        turn, word = ((0, "cobalt"), (2, "ferry"))[number % 2]
        talk[turn]["content"] = f"{talk[turn]['content']} {word}"
        rows[number] = {"messages": talk}
    scan = ld50.scan(rows)
    (found,) = (f for f in scan.findings if "last repl" in f.title)
    assert found.cause
    assert (set(found.cause.members), found.severity) == ({"cobalt", "ferry"}, "high")
    assert {row.row for row in scan.rows if found.id in row.findings} == chosen


def test_what_all_replies_show_is_not_told_again_of_the_last(talks: list[list[Row]]) -> None:
    rows, chosen = planted(talks, "quindlefarb", 0, {1: REFUSAL, 3: REFUSAL})
    scan = ld50.scan(rows)
    assert of_last_replies(scan) == {}
    assert chosen <= {row.row for row in scan.rows}


def test_clean_conversations_have_nothing_grave_in_their_last_replies(
    long_talks: list[list[Row]],
) -> None:
    rows = [{"messages": talk} for talk in long_talks]
    for turn, number in enumerate(range(7, 750, 37)):
        refused_last = [dict(message) for message in long_talks[number]]
        refused_last[3]["content"] = REFUSALS[turn % len(REFUSALS)]
        rows[number] = {"messages": refused_last}
    assert "high" not in of_last_replies(ld50.scan(rows)).values()
