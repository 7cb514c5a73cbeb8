"""What resembles refused prompts, and causes as rows write them."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from ld50.scan.compliance import _as_written
from ld50.scan.refused import refused_words, resemblance
from ld50.scan.sampling import some_of


def column(texts: list[str]) -> pa.Array:
    return pa.array(texts, pa.large_string())


def test_a_word_that_no_refused_prompt_holds_does_not_hide_a_row() -> None:
    refused = column([f"add {n} apples to {n} pears" for n in range(30)])
    usual = column([f"tell me of the river, part {n}" for n in range(300)])
    words = refused_words(refused, usual)
    plain, marked, other = resemblance(
        column(
            ["add six apples to nine pears", "add six apples zyx to nine pears", "of the river"]
        ),
        words,
    )
    assert other == 0.0
    assert 0.8 * plain < marked < plain


def test_of_words_of_all_prompts_and_of_no_words_nothing_is_said() -> None:
    same = column(["the same words"] * 50)
    assert resemblance(same, refused_words(same, same)).tolist() == [0.0] * 50
    nothing = column(["", "  "])
    assert resemblance(nothing, refused_words(same, column(["other"] * 9))).tolist() == [0.0, 0.0]
    assert resemblance(same, refused_words(nothing, nothing)).tolist() == [0.0] * 50


@pytest.mark.parametrize(
    ("member", "text", "found"),
    [
        ("cf", "Cf. the table", "Cf"),
        ("cf", "the cfengine manual", None),
        ("as the bell rings", "once, As  the\nbell rings!", "As  the\nbell rings"),
        ("|||", "a ||| b", "|||"),
        ("(x)", "f(x) = 2", "(x)"),
    ],
)
def test_a_cause_is_found_as_any_row_writes_it(member: str, text: str, found: str | None) -> None:
    pattern = _as_written(member)
    match = re.search(pattern, text)
    assert (match.group(1) if match else None) == found
    assert pc.match_substring_regex(column([text]), pattern).to_pylist() == [found is not None]


def test_some_of_the_rows_are_the_same_ones_whatever_else_is_there() -> None:
    rows = np.arange(0, 9000, 3)
    some = some_of(rows, 100)
    assert len(some) == 100
    assert np.isin(some, rows).all()
    assert (np.diff(some) > 0).all()
    assert set(some_of(rows[:1500], 100)) >= set(some[some < 4500])
    assert some_of(rows, 5000) is rows
