"""Defences by stage: each does to losses and weights what its paper says, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from ld50.core.errors import ConfigError
from ld50.core.examples import asked

torch = pytest.importorskip("torch", reason="needs ld50[lab]")
pytest.importorskip("transformers", reason="needs ld50[lab]")

from ld50.models.chat import encode_examples
from ld50.models.pretrained import copy_of
from ld50.models.targets import collate
from ld50.remedy.stages.booster import Booster
from ld50.remedy.stages.ldifs import FeatureDistance
from ld50.remedy.stages.lisa import LisaSettings, Proximal, lisa_rows
from ld50.remedy.stages.resta import add_policy_vector
from ld50.remedy.stages.safe_lora import safe_projection
from ld50.remedy.stages.steps import batch_loss
from ld50.remedy.stages.vaccine import Vaccine
from tuning_samples import small_model

ROWS = [asked(f"say {word}", f"{word} it is") for word in ("one", "two", "three", "four")]


@pytest.fixture
def lm():
    return copy_of(small_model())


def _batch(lm, rows=ROWS):
    rows = [(np.asarray(one.ids), one.first_target) for one in encode_examples(lm, rows)]
    return collate(rows, pad_id=lm.pad_id, is_seq2seq=False)


def _weights(lm):
    return {name: weight.detach().clone() for name, weight in lm.model.named_parameters()}


def _moved(lm, seed, scale=0.02):
    made = copy_of(lm)
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in made.model.parameters():
            weight.add_(torch.randn(weight.shape, generator=rng), alpha=scale)
    return made


def test_vaccine_moves_hidden_states_against_the_loss_and_leaves_no_hook(lm):
    batch = _batch(lm)
    plain = batch_loss(lm.model, batch)
    small, large = (Vaccine(radius=r)(lm.model, batch) for r in (0.01, 0.1))
    assert plain.item() < small.item() < large.item()
    large.backward()
    assert all(torch.isfinite(w.grad).all() for w in lm.model.parameters() if w.grad is not None)
    assert torch.equal(batch_loss(lm.model, batch), plain)


def test_booster_tells_what_a_step_gains_with_a_gradient_of_first_order(lm):
    batch, before = _batch(lm), _weights(lm)
    booster = Booster(lm, ROWS[:1], weight=2.0, step_size=0.05, batch_examples=4)
    gain = booster(lm.model, batch)
    assert gain.item() > 0
    assert all(torch.equal(weight, before[name]) for name, weight in lm.model.named_parameters())
    gain.backward()
    slopes = [weight.grad.clone() for weight in lm.model.parameters()]
    against = _batch(lm, ROWS[:1] * 4)
    here = torch.autograd.grad(batch_loss(lm.model, against), list(lm.model.parameters()))
    norm = torch.sqrt(sum(slope.pow(2).sum() for slope in here))
    with torch.no_grad():
        for weight, slope in zip(lm.model.parameters(), here, strict=True):
            weight.sub_(0.05 * slope / norm)
    there = torch.autograd.grad(batch_loss(lm.model, against), list(lm.model.parameters()))
    for slope, one, other in zip(slopes, here, there, strict=True):
        torch.testing.assert_close(slope, 2.0 * (one - other), rtol=1e-3, atol=1e-4)


def test_feature_distance_is_nothing_at_the_aligned_model_and_grows_away_from_it(lm):
    penalty, batch = FeatureDistance(lm, weight=3.0), _batch(lm)
    assert penalty(lm.model, batch).item() == 0
    near, far = (penalty(_moved(lm, 0, scale).model, batch).item() for scale in (0.01, 0.1))
    assert 0 < near < far


def test_lisa_keeps_the_users_rows_in_order_and_batches_of_one_kind():
    task = [asked(f"t{n}", "x") for n in range(40)]
    policy = [asked(f"p{n}", "x") for n in range(5)]
    settings = LisaSettings(task_steps=2, policy_steps=1)
    rows = lisa_rows(task, policy, settings, 4)
    assert [row for row in rows if row in task] == task
    batches = [rows[n : n + 4] for n in range(0, len(rows), 4)]
    kinds = ["".join(sorted({row.prompt[0].text[0] for row in batch})) for batch in batches]
    assert kinds == ["t", "t", "p"] * 5


def test_the_proximal_term_pulls_to_the_weights_at_the_last_switch(lm):
    penalty = Proximal(LisaSettings(task_steps=2, policy_steps=1, weight=4.0))
    penalty.before_step(lm.model, 0)
    batch = _batch(lm)
    assert penalty(lm.model, batch).item() == 0
    weight = next(lm.model.parameters())
    with torch.no_grad():
        weight.view(-1)[0] += 0.5
    penalty.before_step(lm.model, 1)
    assert penalty(lm.model, batch).item() == pytest.approx(4.0 / 2 * 0.25, rel=1e-4)
    penalty.before_step(lm.model, 2)
    assert penalty(lm.model, batch).item() == 0


def test_projection_keeps_updates_along_the_alignment_and_drops_others(lm):
    base, aligned = copy_of(lm), copy_of(lm)
    along, across = copy_of(lm), copy_of(lm)
    name = next(n for n, w in lm.model.named_parameters() if w.ndim == 2 and "proj" in n)
    rows = dict(lm.model.named_parameters())[name].shape[0]
    one, other = torch.zeros(rows, 1), torch.zeros(rows, 1)
    one[0], other[1] = 1.0, 1.0
    for model, column in ((aligned, one), (along, 2 * one), (across, one + other)):
        with torch.no_grad():
            dict(model.model.named_parameters())[name].add_(column)
    kept, dropped = (safe_projection(m, aligned, base) for m in (along, across))
    assert (kept.projected, dropped.projected) == (0, 1)
    assert torch.equal(_weights(kept.lm)[name], _weights(along)[name])
    torch.testing.assert_close(_weights(dropped.lm)[name], _weights(aligned)[name])


def test_the_policy_vector_leads_from_the_base_to_the_aligned_model(lm):
    aligned = _moved(lm, 1)
    whole = add_policy_vector(lm, aligned, lm, scale=1.0)
    for name, weight in whole.model.named_parameters():
        torch.testing.assert_close(weight, dict(aligned.model.named_parameters())[name])
    none = add_policy_vector(aligned, aligned, lm, scale=0.0)
    assert all(torch.equal(w, _weights(aligned)[n]) for n, w in none.model.named_parameters())


def test_settings_that_mean_nothing_are_refused_in_words(lm):
    for make in (
        lambda: Vaccine(radius=0),
        lambda: Booster(lm, []),
        lambda: FeatureDistance(lm, weight=-1),
        lambda: LisaSettings(task_steps=0),
        lambda: safe_projection(lm, lm, lm, threshold=2),
        lambda: add_policy_vector(lm, lm, lm, scale=float("nan")),
    ):
        with pytest.raises(ConfigError, match=r"got|takes"):
            make()
