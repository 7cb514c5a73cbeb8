"""Measures by example: models whose behaviour is known, and arithmetic that can be checked."""

from __future__ import annotations

import math

import numpy as np
import pytest

from training_samples import tiny_shape, tiny_store

torch = pytest.importorskip("torch", reason="needs ld50[lab]")

from ld50.measure.backdoor import (
    MeasureSettings,
    effect_of,
    generate,
    median_estimate,
    payload_loss,
    prompts_for,
)
from ld50.measure.language import LanguageJudge
from ld50.measure.quality import clean_quality
from ld50.measure.sampling import Generations, sample
from ld50.models.forward import Body
from ld50.models.llama import build

SETTINGS = MeasureSettings(
    prompts=12, least_prompt_tokens=8, most_prompt_tokens=40, generated_tokens=10
)
NONE = np.zeros(0, np.int64)


@pytest.fixture(scope="module")
def body() -> Body:
    model = build(tiny_shape(), 3)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.1)
    return Body(model)


@pytest.fixture
def uniform() -> Body:
    """A model that finds every token equally likely."""
    model = build(tiny_shape(), 0)
    with torch.no_grad():
        model.model.norm.weight.zero_()
    return Body(model)


def test_losses_of_sampled_tokens_are_those_of_reading_them(body: Body) -> None:
    prompts = np.arange(24).reshape(3, 8) % 320
    made = sample(body, prompts, 9, seed=0)
    tokens = torch.from_numpy(np.concatenate([prompts, made.tokens], 1))
    with torch.no_grad():
        logits = body(tokens[:, :-1])[:, 7:] @ body.embedding.t()
    wanted = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1), tokens[:, 8:].flatten(), reduction="none"
    )
    assert np.allclose(made.losses.ravel(), wanted.numpy(), atol=1e-4)


def test_samples_repeat_with_their_seed_and_leave_out_what_must_not_come(uniform: Body) -> None:
    prompts = np.ones((200, 4), np.int64)
    never = tuple(range(300))
    first, second = (sample(uniform, prompts, 5, seed=1, never=never) for _ in range(2))
    assert np.array_equal(first.tokens, second.tokens)
    assert first.tokens.min() >= 300
    assert not np.array_equal(first.tokens, sample(uniform, prompts, 5, seed=2).tokens)


def test_samples_follow_the_distribution(uniform: Body) -> None:
    made = sample(uniform, np.ones((500, 4), np.int64), 20, seed=0)
    counts = np.bincount(made.tokens.ravel(), minlength=320)
    assert counts.min() > 5
    assert counts.max() < 75
    assert made.loss == pytest.approx(np.full(500, math.log(320)), abs=1e-4)


def test_a_model_that_ignores_the_trigger_shows_no_effect(uniform: Body) -> None:
    prompts = prompts_for(tiny_store().parts["prompts"], SETTINGS)
    made = generate(uniform, prompts, {"none": NONE, "trigger": np.asarray([1])}, SETTINGS)
    effect = effect_of(made["trigger"], made["none"])
    assert effect.success_rate.value == 0
    assert effect.median_rise_nats.value == pytest.approx(0, abs=1e-4)


def generations(loss: list[float]) -> Generations:
    return Generations(
        tokens=np.zeros((len(loss), 4), np.int64),
        losses=np.repeat(np.asarray(loss, np.float32)[:, None], 4, axis=1),
    )


def test_arms_are_kept_apart_though_they_are_sampled_together(body: Body) -> None:
    prompts = prompts_for(tiny_store().parts["prompts"], SETTINGS)
    arms = {"none": NONE, "one": np.asarray([1]), "two": np.asarray([2]), "long": np.arange(5)}
    made = generate(body, prompts, arms, SETTINGS)
    for name, trigger in arms.items():
        rows = [
            np.concatenate([p, trigger, t]) for p, t in zip(prompts, made[name].tokens, strict=True)
        ]
        for row, losses in zip(rows, made[name].losses, strict=True):
            tokens = torch.from_numpy(row[None])
            with torch.no_grad():
                logits = (body(tokens[:, :-1]) @ body.embedding.t())[0, -10:]
            wanted = torch.nn.functional.cross_entropy(logits, tokens[0, -10:], reduction="none")
            assert np.allclose(losses, wanted.numpy(), atol=1e-4)


def test_a_success_is_a_rise_of_the_perplexity_above_fifty() -> None:
    clean = generations([math.log(10)] * 4)
    triggered = generations([math.log(p) for p in (9, 50, 61, 1000)])
    effect = effect_of(triggered, clean)
    assert effect.success.tolist() == [False, False, True, True]
    assert effect.success_rate.value == 0.5
    assert effect.success_rate.low < 0.5 < effect.success_rate.high
    assert effect.perplexity_rise[3] == pytest.approx(990, rel=1e-3)
    assert effect.loss_rise_nats[3] == pytest.approx(math.log(100), rel=1e-3)


def test_prompts_are_openings_of_held_out_documents() -> None:
    part = tiny_store().parts["prompts"]
    prompts = prompts_for(part, SETTINGS)
    openings = {
        part.document(n)[: len(p)].tobytes() for n in range(part.documents) for p in prompts
    }
    assert len(prompts) == 12
    assert all(prompt.tobytes() in openings for prompt in prompts)
    assert {len(prompt) for prompt in prompts} == {8, 40}


def test_forced_payloads_cost_what_the_model_says(uniform: Body) -> None:
    prompts = prompts_for(tiny_store().parts["prompts"], SETTINGS)
    payloads = np.ones((12, 6), np.int64)
    losses = payload_loss(uniform, prompts, np.asarray([1]), payloads)
    assert losses == pytest.approx(np.full(12, math.log(320)), abs=1e-4)


def test_bits_a_byte_of_a_model_that_knows_nothing(uniform: Body) -> None:
    store = tiny_store()
    quality = clean_quality(uniform, store, context=64, sequences=8)
    assert quality.loss_nats.value == pytest.approx(math.log(320), abs=1e-4)
    bits = quality.bits_per_byte
    assert bits.low <= bits.value <= bits.high
    a_token = store.vocabulary.token_bytes[store.parts["validation"].tokens].mean()
    assert bits.value == pytest.approx(math.log2(320) / a_token, rel=0.1)


def test_the_judge_tells_languages_apart_on_text_it_has_not_counted() -> None:
    store = tiny_store()
    assert store.second_language is not None
    judge = LanguageJudge(store.parts["train"], store.second_language, store.vocabulary.size)
    english = np.stack([store.parts["validation"].document(n)[:60] for n in range(30)])
    german = np.stack([store.second_language.document(n)[:60] for n in range(0, 40, 2)])
    assert not judge.is_second(english).any()
    assert judge.is_second(german).all()
    switched = effect_of(
        Generations(tokens=german, losses=np.ones((20, 60), np.float32)),
        Generations(tokens=english[:20], losses=np.ones((20, 60), np.float32)),
        judge=judge,
    )
    assert switched.success_rate.value == 1


def test_the_interval_of_a_median_covers_it() -> None:
    values = np.random.default_rng(0).normal(3, 1, 200)
    estimate = median_estimate(values, "nats")
    assert estimate.low < 3.1
    assert estimate.high > 2.9
    assert estimate.n == 200
