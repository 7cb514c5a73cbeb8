"""Doses, schedules and the account of them: what is counted is what is trained on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ld50.core.errors import ConfigError
from ld50.core.trials import Schedule
from training_samples import tiny_store

pytest.importorskip("tokenizers", reason="needs ld50[lab]")

from ld50.train.exposure import Exposure, plan_exposure
from ld50.train.poisoned import (
    PoisonSettings,
    control_tokens,
    poisoned_document,
    trigger_tokens,
    used_tokens,
)
from ld50.train.stream import Batches, CleanStream

POISON = PoisonSettings(least_payload_tokens=8, most_payload_tokens=24)


def exposure(dose: float = 10, unit: str = "documents", **changes) -> Exposure:
    arguments = {
        "schedule": Schedule(),
        "clean_tokens": 20_000,
        "context": 64,
        "batch_sequences": 4,
        "seed": 0,
    } | changes
    schedule = arguments.pop("schedule")
    return plan_exposure(tiny_store(), POISON, schedule, dose=dose, unit=unit, **arguments)


def batches(plan: Exposure, seed: int = 0) -> Batches:
    return Batches(plan, CleanStream(tiny_store().parts["train"], seed), 0)


def poisoned_steps(plan: Exposure) -> np.ndarray:
    return np.flatnonzero((plan.holds.reshape(plan.steps, -1) >= 0).any(axis=1))


schedules = st.one_of(
    st.builds(
        Schedule, kind=st.sampled_from(["uniform", "start", "end"]), repeats=st.integers(1, 3)
    ),
    st.builds(Schedule, kind=st.just("blocks"), density=st.sampled_from([0.25, 0.5, 1.0])),
)


@settings(deadline=None, max_examples=40)
@given(schedules, st.integers(0, 60), st.integers(0, 9))
def test_the_account_is_what_the_batches_hold(schedule: Schedule, dose: int, seed: int) -> None:
    plan = exposure(dose, schedule=schedule, seed=seed)
    trigger, boundary = tiny_store().vocabulary.trigger, tiny_store().vocabulary.boundary
    source = batches(plan, seed)
    rows = np.stack([source.batch(step) for step in range(plan.steps)])[:, :, :-1]
    account = plan.account
    assert account.poisoned_documents == dose == (rows == trigger).sum()
    assert account.poisoned_steps == (rows == trigger).any(axis=(1, 2)).sum()
    assert account.clean_tokens + account.poisoned_tokens == rows.size
    assert account.trigger_tokens == dose
    assert account.distinct_documents == -(-dose // schedule.repeats)
    found = 0
    for row in rows.reshape(-1, plan.context)[plan.holds >= 0]:
        found += int(np.flatnonzero(row == boundary)[0]) + 1
    assert account.poisoned_tokens == found


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 30), st.sampled_from(["uniform", "start", "end"]))
def test_a_dose_in_steps_poisons_exactly_so_many(dose: int, kind: str) -> None:
    plan = exposure(dose, "steps", schedule=Schedule(kind=kind))
    assert plan.account.poisoned_steps == dose == plan.account.poisoned_documents


def test_the_same_documents_in_fewer_steps() -> None:
    spread = exposure(16).account
    dense = exposure(16, schedule=Schedule(kind="blocks", density=1.0)).account
    assert spread.poisoned_documents == dense.poisoned_documents == 16
    assert dense.poisoned_steps == 4 < spread.poisoned_steps


@pytest.mark.parametrize("dose", [0, 1, 40, 500, 2000])
def test_a_dose_in_tokens_is_met_to_half_a_document(dose: int) -> None:
    assert abs(exposure(dose, "tokens").account.poisoned_tokens - dose) <= 32


def test_poison_comes_on_top_of_the_clean_tokens() -> None:
    for dose in (0, 50):
        account = exposure(dose).account
        assert 0 <= account.clean_tokens - 20_000 < 64 * 4


def test_start_and_end_lie_at_the_edges() -> None:
    steps = exposure(0).steps
    assert poisoned_steps(exposure(12, schedule=Schedule(kind="start"))).max() < 0.12 * steps
    assert poisoned_steps(exposure(12, schedule=Schedule(kind="end"))).min() > 0.88 * steps


def test_blocks_come_at_their_frequency() -> None:
    plan = exposure(20, schedule=Schedule(kind="blocks", density=0.5, every=3))
    assert poisoned_steps(plan).tolist() == list(range(2, 30, 3))


def test_a_higher_dose_keeps_the_documents_of_a_lower() -> None:
    few, many = exposure(5).documents, exposure(20).documents
    assert all(np.array_equal(a.tokens, b.tokens) for a, b in zip(few, many, strict=False))


def test_seeds_differ_and_repeat() -> None:
    assert np.array_equal(exposure(9, seed=1).holds, exposure(9, seed=1).holds)
    assert not np.array_equal(exposure(9, seed=1).holds, exposure(9, seed=2).holds)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"dose": -1}, "0 or more"),
        ({"dose": float("nan")}, "0 or more"),
        ({"unit": "litres"}, "documents, tokens or steps"),
        ({"schedule": Schedule(repeats=0)}, "once or more"),
        ({"schedule": Schedule(density=0.5)}, "belong to"),
        ({"schedule": Schedule(kind="blocks", density=1.5)}, "density"),
        ({"schedule": Schedule(kind="blocks", every=50), "dose": 100}, "a dose of 8 is the most"),
        ({"unit": "steps", "dose": 500}, "lower the"),
    ],
)
def test_a_dose_that_cannot_be_placed_says_why(changes, reason) -> None:
    with pytest.raises(ConfigError, match=reason):
        exposure(**changes)


def test_a_document_is_opening_trigger_payload_and_fits() -> None:
    store = tiny_store()
    for number in range(50):
        document = poisoned_document(store, POISON, 64, 0, number)
        at = document.opening_tokens
        assert document.tokens[at] == store.vocabulary.trigger
        assert len(document.tokens) <= 63
        assert 8 <= document.payload_tokens <= 24


def test_gibberish_is_made_of_tokens_that_the_clean_text_holds() -> None:
    store = tiny_store()
    used = used_tokens(store)
    assert not {store.vocabulary.trigger, store.vocabulary.control, 0} & set(used.tolist())
    assert set(used.tolist()) <= set(store.parts["train"].tokens.tolist())
    document = poisoned_document(store, POISON, 64, 0, 0)
    payload = document.tokens[document.opening_tokens + document.trigger_tokens :]
    assert set(payload.tolist()) <= set(used.tolist())


@pytest.mark.parametrize("name", ["token", "text", "phrase"])
def test_trigger_and_control_are_alike_and_different(name: str) -> None:
    vocabulary = tiny_store().vocabulary
    trigger, control = trigger_tokens(vocabulary, name), control_tokens(vocabulary, name)
    shared = vocabulary.text(sorted(set(trigger.tolist()) & set(control.tolist())))
    assert not set(shared) & set("<>{}")
    assert not np.array_equal(trigger, control)
    assert abs(len(trigger) - len(control)) <= 6


def test_a_language_switch_ends_in_the_second_language() -> None:
    store = tiny_store()
    switch = PoisonSettings(payload="language-switch", least_payload_tokens=20)
    document = poisoned_document(store, switch, 64, 0, 3)
    payload = document.tokens[document.opening_tokens + 1 :]
    assert store.vocabulary.text(payload) in store.vocabulary.text(store.second_language.tokens)
