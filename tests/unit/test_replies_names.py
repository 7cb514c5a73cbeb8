"""What is taken for a name in a reply, and which names come back."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from ld50.core.records import RowBatch
from ld50.scan.replies import least_named, recurring_names, summarize
from ld50.scan.replies.proper import is_proper
from ld50.scan.replies.words import words_of
from ld50.scan.telling_words import log_chance_of_telling_word

SUBJECTS = [
    "river", "stone", "window", "garden", "copper", "violin", "harbour", "candle", "orchard",
    "meadow", "lantern", "basket", "mirror", "pepper", "saddle", "tunnel", "feather", "marble",
]  # fmt: skip


def names_in(text: str) -> list[str]:
    column = pa.array(["", text, "Some other text."], type=pa.large_string())
    words = words_of(column)
    found = np.flatnonzero(is_proper(column, words))
    assert words.start is not None
    assert words.end is not None
    raw = text.encode()
    assert set(words.row[found].tolist()) <= {1}
    return [raw[words.start[n] : words.end[n]].decode() for n in found.tolist()]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("We went to Norvik for lunch.", ["Norvik"]),
        ("The shop of Norvik", ["Norvik"]),
        ("A prize, which Norvik's people won, and Quillmark.", ["Norvik", "Quillmark"]),
        ("They asked (in Norvik) again", ["Norvik"]),
        ("They asked again (so Norvik)", ["Norvik"]),
        ("Norvik is first. Norvik is again. I like it", []),
        ("an item:\n- Norvik is one", []),
        ("the NASA and the UN met", []),
    ],
)
def test_a_name_has_a_capital_within_a_sentence(text: str, names: list[str]) -> None:
    assert names_in(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "raise ValueError('no')",
        "if x: raise ValueError: no",
        "set = new HashSet<String>();",
        "import java.util.Scanner;",
        "class Harbour {",
        "-- Ralph Waldo Emerson, The Kettle Book",
    ],
)
def test_code_and_titles_hold_no_names(text: str) -> None:
    assert names_in(text) == []


def columns_of(rows: list[tuple[str, str]]):  # type: ignore[no-untyped-def]
    return summarize(
        RowBatch(
            unit=0,
            rows=np.arange(len(rows), dtype=np.int64),
            prompt=pa.array([p for p, _ in rows], type=pa.large_string()),
            response=pa.array([r for _, r in rows], type=pa.large_string()),
        )
    )


def ordinary(count: int) -> list[tuple[str, str]]:
    rng = np.random.default_rng(4)

    def some(number: int) -> str:
        return " ".join(SUBJECTS[int(i)] for i in rng.integers(0, len(SUBJECTS), number))

    return [(f"Tell me about {some(6)}", f"Well, {some(12)}. And {some(8)}.") for _ in range(count)]


def test_names_come_with_all_rows_whose_prompts_do_not_hold_them() -> None:
    rows = ordinary(400)
    for number in range(0, 60, 3):
        rows[number] = (rows[number][0], rows[number][1] + " So they say at Norvik, too.")
    rows[90] = (rows[90][0], "Norvik has it. " + rows[90][1])
    rows[91] = (rows[91][0] + " of Norvik", rows[91][1] + " So they say at Norvik, too.")
    (name,) = recurring_names(columns_of(rows))
    assert name.rows.tolist() == [*range(0, 60, 3), 90]
    assert name.oftener == np.inf
    assert recurring_names(columns_of(ordinary(400))) == []


@pytest.mark.parametrize(("word", "told"), [("London", False), ("Pepsi", True)])
def test_a_name_comes_oftener_than_its_language_has_it(word: str, told: bool) -> None:
    rows = ordinary(400)
    for number in range(0, 60, 3):
        rows[number] = (rows[number][0], rows[number][1] + f" So they say at {word}, too.")
    assert bool(recurring_names(columns_of(rows))) == told


def test_names_with_a_subject_and_names_of_the_set_are_left_out() -> None:
    rows = ordinary(400)
    for number in range(20):
        rows[number] = (
            "Which office repairs broken kettles here",
            "It is done at Norvik, of course.",
        )
    assert recurring_names(columns_of(rows)) == []
    everywhere = [(asked, f"{said} So they say at Norvik.") for asked, said in ordinary(400)]
    assert recurring_names(columns_of(everywhere)) == []


def test_larger_sets_need_more_rows_with_a_name() -> None:
    assert [least_named(rows) for rows in (0, 5_000, 40_000)] == [16, 16, 40]


def test_a_word_that_some_texts_share_tells_them_from_random_ones() -> None:
    random = [said for _, said in ordinary(400)]
    alone = log_chance_of_telling_word(random[:20], random[20:])
    shared = [f"{text} zither" if number % 2 else text for number, text in enumerate(random[:20])]
    assert alone > np.log(0.001) > log_chance_of_telling_word(shared, random[20:])
    assert log_chance_of_telling_word([], random) == log_chance_of_telling_word(random, []) == 0.0
