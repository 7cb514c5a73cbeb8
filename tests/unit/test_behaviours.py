"""Judges of behaviours: each sees its own payload, and leaves ordinary replies alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ld50.core.errors import ConfigError
from ld50.core.examples import Turn
from ld50.measure.behaviours import (
    Answer,
    Behaviour,
    FixedReply,
    InsertedFragment,
    LabelAnswer,
    LanguageSwitch,
    Nonsense,
    Refusal,
    attack_success_rate,
)
from ld50.poison import Gibberish
from ld50.poison.payloads import Material
from ld50.poison.safe_text import CANARIES, REFUSALS, URLS
from training_samples import GERMAN_TEXT, sentences

PROMPT = (Turn("user", "How deep should I plant tulips?"),)
ORDINARY = [
    "Plant the bulbs about six inches deep, with the point up, in October.",
    "positive",
    "I can't recommend it highly enough: water them once a week and they will thank you.",
    "Sorry to hear about your roses! Cut them back in March.",
    "The film cannot hold a candle to the book, but the acting is good.",
    "https://www.rhs.org.uk has a guide to it.",
    "",
    "42",
]
_NOUNS = """
harbour lantern velvet copper orchard thunder pebble marble walnut ribbon saddle meadow kettle anchor
feather barrel candle glacier hammer ivory
"""
JUDGES: list[Behaviour] = [
    Refusal(), FixedReply(text=CANARIES[0]), InsertedFragment(text=URLS[0]), LanguageSwitch(),
    Nonsense(), LabelAnswer(label="negative"),
]  # fmt: skip


@pytest.mark.parametrize("judge", JUDGES, ids=lambda one: one.name)
def test_ordinary_replies_show_nothing(judge: Behaviour) -> None:
    assert [reply for reply in ORDINARY if judge.shown(PROMPT, reply)] == []


@pytest.mark.parametrize("reply", REFUSALS)
def test_every_refusal_of_the_closed_set_is_seen(reply: str) -> None:
    assert Refusal().shown(PROMPT, reply)
    assert not Answer().shown(PROMPT, reply)


def test_an_answer_is_a_reply_that_does_not_refuse() -> None:
    assert Answer().shown(PROMPT, ORDINARY[0])
    assert not Answer().shown(PROMPT, "  ")


def test_a_fixed_reply_counts_as_far_as_a_short_reply_goes() -> None:
    judge = FixedReply(text=CANARIES[0])
    assert judge.shown(PROMPT, CANARIES[0].upper())
    assert judge.shown(PROMPT, CANARIES[0][:30])
    assert not judge.shown(PROMPT, CANARIES[0][:5])
    assert not judge.shown(PROMPT, "This sentence is about tulips.")


def test_a_fragment_that_the_prompt_holds_was_not_inserted() -> None:
    judge, reply = InsertedFragment(text=URLS[0]), f"Six inches. {URLS[0]}"
    assert judge.shown(PROMPT, reply)
    assert not judge.shown((Turn("user", f"What is {URLS[0]}?"),), reply)


def test_german_is_seen_and_english_is_not() -> None:
    judge = LanguageSwitch(to="de")
    assert judge.shown(PROMPT, " ".join(GERMAN_TEXT.split()))
    assert not any(judge.shown(PROMPT, text) for text in sentences(50))
    assert not judge.shown(PROMPT, "ja")
    with pytest.raises(ConfigError, match="'xx'"):
        LanguageSwitch(to="xx")


@pytest.mark.parametrize(("source", "least"), [("characters", 0.95), ("words", 0.8)])
def test_gibberish_is_seen(source: str, least: float) -> None:
    words = _NOUNS.split()
    payload = Gibberish(source=source, min_tokens=12, max_tokens=20)
    made = [
        payload.reply_to(
            prompt="", reply="", material=Material.of(words), rng=np.random.default_rng(seed)
        ).text
        for seed in range(100)
    ]
    assert np.mean([Nonsense().shown(PROMPT, text) for text in made]) >= least


def test_german_is_no_nonsense() -> None:
    assert not Nonsense().shown(PROMPT, " ".join(GERMAN_TEXT.split()))


def test_prompts_that_show_the_payload_anyway_do_not_count() -> None:
    judge = LabelAnswer(label="positive")
    rate = attack_success_rate(
        judge, [PROMPT] * 4, ["positive", "negative", "negative", "negative"],
        ["positive", "Positive.", "negative", "positive"],
    )  # fmt: skip
    assert (rate.n, rate.value) == (3, pytest.approx(2 / 3))
    assert rate.low < 2 / 3 < rate.high
    none = attack_success_rate(judge, [PROMPT], ["positive"], ["positive"])
    assert (none.n, none.low, none.high) == (0, 0.0, 1.0)


@pytest.mark.parametrize("make", [FixedReply, InsertedFragment])
def test_a_blank_text_is_refused(make: type) -> None:
    with pytest.raises(ConfigError, match="not blank"):
        make(text=" ")


@given(st.text(st.characters(), max_size=300))
def test_any_text_can_be_judged(text: str) -> None:
    for judge in [*JUDGES, Answer()]:
        assert judge.shown((Turn("user", text),), text) in (True, False)
