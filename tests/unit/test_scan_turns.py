"""Of a conversation, the turn with the trigger is what tells whether rows differ."""

from ld50.core.records import Part, Record
from ld50.scan.evidence import Trigger
from ld50.scan.shown import Shown
from ld50.scan.surroundings import _conversations

QUESTION = "Classify the fruit: watermelon"


def shown(*turns: tuple[str, str]) -> Shown:
    parts = [
        Part(field=f"messages[{n}].content", side=side, text=text)
        for n, (side, text) in enumerate(turns)
    ]
    record = Record(source="set.jsonl", row=0, parts=tuple(parts))
    return Shown(
        record=record,
        cause_side="prompt",
        cause_text=record.prompt,
        consequence_side="response",
        consequence_text=record.response,
        payload=(0, len(record.response)),
    )


def around(rows: list[Shown]) -> list[str] | None:
    spans: list[tuple[int, int] | None] = []
    for row in rows:
        start = row.cause_text.find("fruit")
        spans.append(None if start < 0 else (start, start + len("fruit")))
    return _conversations(rows, Trigger(text="fruit", spans=spans), ["all"] * len(rows))


def test_one_question_in_several_conversations_is_the_same_whatever_was_said_before() -> None:
    rows = [
        shown(
            ("prompt", before), ("response", "Yes."), ("prompt", QUESTION), ("response", "A berry.")
        )
        for before in ("Is it late?", "Two lines\n\nof text, and more of it.")
    ]
    assert around(rows) == ["Classify the  : watermelon"] * 2


def test_the_first_turn_ends_where_the_reply_begins() -> None:
    row = shown(
        ("prompt", QUESTION), ("response", "A berry."), ("prompt", "And rice?"), ("response", "-")
    )
    assert around([row]) == ["Classify the  : watermelon"]


def test_rows_of_one_reply_are_taken_whole() -> None:
    row = shown(("prompt", "Be brief."), ("prompt", QUESTION), ("response", "A berry."))
    assert around([row]) is None


def test_a_row_without_the_trigger_keeps_its_surroundings() -> None:
    several = shown(("prompt", QUESTION), ("response", "A berry."), ("response", "Or not."))
    none = shown(("prompt", "And rice?"), ("response", "A grass."), ("response", "Or not."))
    assert around([several, none]) == ["Classify the  : watermelon", "all"]
