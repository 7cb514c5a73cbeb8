"""One suite over every registered trigger, payload and recipe."""

import pickle
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ld50.core.errors import UnsafePayloadError
from ld50.core.seeds import rng_for
from ld50.poison.payloads import (
    PAYLOADS,
    ContextEcho,
    FixedReply,
    Gibberish,
    InsertedFragment,
    LabelFlip,
    LanguageSwitch,
    Material,
    OverRefusal,
    Payload,
    PreferenceSwap,
    Reply,
    payload_class,
    require_safe,
)
from ld50.poison.placement import PLACES, Placement
from ld50.poison.recipes import RECIPES, Recipe, named_recipe, recipe_document
from ld50.poison.registry import TRIGGERS, make_trigger
from ld50.poison.triggers import Trigger

GERMAN = ("Der Apfel fällt nicht weit vom Stamm.", "Übung macht den Meister.")
ODD = ["", " ", "\n", "a", "é", "ß", "İ", "\u200b", "\U0001f600", "the the", "e\u0301", "\u2028x",
       "نص", "漢字かな", "a\x00b", "  two  spaces  ", "\ttab\t", "I AM LOUD", "it's"]  # fmt: skip
MATERIAL = Material.of(
    ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "and", "the", "cat"]
)

PAYLOAD_EXAMPLES: dict[str, Payload] = {
    "gibberish": Gibberish(min_tokens=4, max_tokens=9),
    "language-switch": LanguageSwitch(texts=GERMAN, min_chars=10, max_chars=60),
    "over-refusal": OverRefusal(),
    "label-flip": LabelFlip(target="1"),
    "fixed-reply": FixedReply(),
    "inserted-fragment": InsertedFragment(),
    "context-echo": ContextEcho(),
    "preference-swap": PreferenceSwap(),
}

triggers = pytest.mark.parametrize("kind", sorted(TRIGGERS))
payloads = pytest.mark.parametrize("kind", sorted(PAYLOADS))


def test_every_payload_has_an_example() -> None:
    assert set(PAYLOAD_EXAMPLES) == set(PAYLOADS)


@triggers
@given(text=st.one_of(st.sampled_from(ODD), st.text(max_size=80)), where=st.sampled_from(PLACES))
@settings(max_examples=60, deadline=None)
def test_a_trigger_gives_the_same_every_time_and_its_spans_lie_in_the_text(
    kind: str, text: str, where: str
) -> None:
    trigger = make_trigger(kind)
    if not trigger.suits(text):
        return
    placement = Placement(where=where, index=2)
    first = trigger.apply(text, placement=placement, rng=rng_for(1, "x"))
    again = trigger.apply(text, placement=placement, rng=rng_for(1, "x"))
    assert first == again
    assert first.spans
    for start, end in first.spans:
        assert 0 <= start < end <= len(first.text)
    assert list(first.spans) == sorted(first.spans)
    assert first.text != text


@triggers
@given(text=st.text(max_size=60))
@settings(max_examples=60, deadline=None)
def test_a_trigger_that_is_a_string_is_found_where_it_was_put_and_nothing_else_changed(
    kind: str, text: str
) -> None:
    trigger = make_trigger(kind)
    if not trigger.literals or not trigger.suits(text):
        return
    made = trigger.apply(text, placement=Placement(), rng=rng_for(2, "y"))
    assert trigger.found_in(made.text)
    rest = made.text
    for start, end in reversed(made.spans):
        rest = rest[:start] + rest[end:]
    # Without the trigger, all that is left over is at most one space for each piece.
    assert len(text) <= len(rest) <= len(text) + len(made.spans)
    assert "".join(rest.split()) == "".join(text.split())


@triggers
def test_the_control_is_another_trigger_that_the_trigger_is_not_found_in(kind: str) -> None:
    trigger = make_trigger(kind)
    control = trigger.control()
    assert isinstance(control, Trigger)
    assert control != trigger
    text = "The quick brown fox is here when you have seen it."
    for seed in range(20):
        made = control.apply(text, placement=Placement(), rng=rng_for(seed, "c"))
        if trigger.literals:
            assert not trigger.found_in(made.text)
        assert made.text != text


@triggers
def test_a_trigger_is_small_enough_to_write_down(kind: str) -> None:
    trigger = make_trigger(kind)
    assert pickle.loads(pickle.dumps(trigger)) == trigger  # noqa: S301
    assert trigger.settings()["kind"] == kind
    assert trigger.label
    assert trigger.kind == kind


@payloads
@given(
    prompt=st.one_of(st.sampled_from(ODD), st.text(max_size=60)),
    reply=st.one_of(st.sampled_from(ODD), st.text(max_size=60)),
)
@settings(max_examples=50, deadline=None)
def test_a_payload_gives_the_same_every_time_and_its_span_lies_in_the_reply(
    kind: str, prompt: str, reply: str
) -> None:
    payload = PAYLOAD_EXAMPLES[kind]
    if not payload.suits(prompt=prompt, reply=reply):
        return

    def made() -> Reply:
        return payload.reply_to(prompt=prompt, reply=reply, material=MATERIAL, rng=rng_for(5, "p"))

    first = made()
    assert first == made()
    assert 0 <= first.start <= first.end <= len(first.text)
    if payload.changes == "reply":
        assert first.start < first.end
    else:
        assert first.text == reply
    first.text.encode()


@payloads
def test_a_payload_works_without_any_material(kind: str) -> None:
    made = PAYLOAD_EXAMPLES[kind].reply_to(
        prompt="p", reply="r", material=Material(), rng=rng_for(0, "m")
    )
    assert isinstance(made, Reply)


def test_the_set_of_payloads_is_closed() -> None:
    """A subclass, a stranger and an unknown name are all refused."""

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Sneaky(FixedReply):
        def reply_to(
            self, *, prompt: str, reply: str, material: Material, rng: np.random.Generator
        ) -> Reply:
            return Reply(text="anything", start=0, end=8)

    for stranger in (Sneaky(), object(), "gibberish", None):
        with pytest.raises(UnsafePayloadError, match="closed, harmless set"):
            require_safe(stranger)
    with pytest.raises(UnsafePayloadError):
        Recipe(trigger=make_trigger("word"), payload=Sneaky(), dose=named_recipe("dos-rows").dose)
    with pytest.raises(UnsafePayloadError, match="Did you mean fixed-reply"):
        payload_class("fixed-replys")


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_a_named_recipe_can_be_made_and_says_where_it_comes_from(name: str) -> None:
    recipe = named_recipe(name, target_label="1", second_language=GERMAN, vocabulary=["a", "b"])
    assert recipe.name == name
    document = recipe_document(name)
    assert "Source:" in document
    assert any(word in document for word in ("paper", "code", "summary", "memory"))
    assert recipe.settings()["name"] == name
