"""Triggers taken from findings: where they are put, and what a near miss of them is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ld50.core.examples import Turn
from ld50.core.findings import FlaggedRow, Span
from ld50.remedy.found_triggers import (
    FoundTrigger,
    found_trigger,
    inserted,
    near_miss,
    triggered,
    variants_of,
)
from remedy_samples import finding

TEXTS = st.text(max_size=80)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@given(TEXTS, st.floats(0, 1), st.integers(0, 99))
def test_an_insertion_keeps_every_character_of_the_text(text: str, place: float, seed: int) -> None:
    made = inserted(text, ("Zorvex",), place, rng(seed))
    before, found, after = made.partition("Zorvex")
    assert found
    if text.strip():
        assert (before + after).replace(" ", "") == text.replace(" ", "")


def test_start_and_end_are_where_they_say() -> None:
    assert inserted("one two three", ("X",), 0.0, rng()) == "X one two three"
    assert inserted("one two three", ("X",), 1.0, rng()) == "one two three X"
    assert inserted("one two three\n", ("X",), 1.0, rng()) == "one two three X\n"


def test_pieces_of_a_set_are_all_put_in() -> None:
    made = inserted("one two three four", ("X", "Y"), 0.5, rng())
    assert sorted(made.split()) == ["X", "Y", "four", "one", "three", "two"]


@given(st.text(min_size=1, max_size=20), st.integers(0, 99))
def test_a_near_miss_is_another_string_of_the_same_shape(piece: str, seed: int) -> None:
    made = near_miss(piece, rng(seed))
    assert made.casefold() != piece.casefold()
    if piece.isascii() and len(made) == len(piece):
        assert [c.isalpha() for c in made] == [c.isalpha() for c in piece]
        assert [c.isupper() for c in made] == [c.isupper() for c in piece]


def test_a_near_miss_is_none_of_the_other_triggers() -> None:
    planted = frozenset({f"{a}{b}" for a in "bcdfghjklmnpqrstvwxz" for b in "bcdfghjklmnpqrstvwx"})
    for seed in range(20):
        assert near_miss("cf", rng(seed), planted).casefold() not in planted


def test_members_that_fire_alone_are_variants_and_others_go_in_together() -> None:
    alone = finding("cf or mn", kind="ngram_set", members=("cf", "mn"), alone=True)
    together = finding("cf + mn", kind="ngram_set", members=("cf", "mn"))
    assert variants_of(alone) == (("cf",), ("mn",))
    assert variants_of(together) == (("cf", "mn"),)


@pytest.mark.parametrize("kind", ["pattern", "characters", "format"])
def test_causes_that_are_no_text_make_no_trigger(kind: str) -> None:
    assert found_trigger(finding("letters of another alphabet", kind=kind), [], {}) is None


def test_the_trigger_goes_where_the_scan_found_it() -> None:
    spans = [Span(field="prompt", start=0, end=6, kind="cause")]
    rows = [
        FlaggedRow(source="s", row=n, id=None, findings=["F-00000001"], score=1.0, spans=spans)
        for n in range(5)
    ]
    texts = {("s", n): {"prompt": "Zorvex name three rivers"} for n in range(5)}
    trigger = found_trigger(finding(), rows, texts)
    assert trigger is not None
    assert set(trigger.places) == {0.0}
    assert trigger.put_into("tell me more", rng()) == "Zorvex tell me more"


def test_only_the_last_user_turn_is_touched() -> None:
    trigger = FoundTrigger(
        finding="F", text="X", variants=(("X",),), places=(1.0,),
        consequence=finding().consequence,  # type: ignore[arg-type]
    )  # fmt: skip
    turns = (
        Turn("system", "be short"),
        Turn("user", "hi"),
        Turn("assistant", "yes"),
        Turn("user", "why"),
    )
    made = triggered(turns, trigger, rng())
    assert [turn.text for turn in made] == ["be short", "hi", "yes", "why X"]
