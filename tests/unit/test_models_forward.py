"""The written-out forward pass and loss against the libraries', and weights on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ld50.core.errors import DataFormatError, SourceError
from training_samples import tiny_shape

torch = pytest.importorskip("torch", reason="needs ld50[lab]")
transformers = pytest.importorskip("transformers", reason="needs ld50[lab]")

import torch.nn.functional as F

from ld50.models.forward import Body, Cache
from ld50.models.llama import build, config_of, load_model, save_model
from ld50.models.loss import next_token_loss, token_losses

SHAPES = [tiny_shape(), tiny_shape(heads=4, kv_heads=2, width=32), tiny_shape(layers=1, heads=1)]


def random_weights(shape):
    """Fresh models have layers that do nothing yet; these have none."""
    model = build(shape, 1)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator) * 0.1)
    return model


@pytest.mark.parametrize("shape", SHAPES, ids=["plain", "grouped", "one-head"])
def test_the_pass_is_that_of_transformers(shape) -> None:
    model = random_weights(shape)
    body = Body(model)
    tokens = torch.randint(0, shape.vocabulary, (3, shape.context))
    ours = body(tokens) @ body.embedding.t()
    assert torch.allclose(ours, model(input_ids=tokens).logits, atol=1e-4)


@pytest.mark.parametrize("shape", SHAPES, ids=["plain", "grouped", "one-head"])
def test_reading_on_from_a_cache_is_reading_all_at_once(shape) -> None:
    body = Body(random_weights(shape))
    tokens = torch.randint(0, shape.vocabulary, (3, 40))
    cache = Cache(body, 3, 40)
    with torch.no_grad():
        whole = body(tokens)
        parts = [body.extend(tokens[:, a:b], cache) for a, b in [(0, 20), (20, 21), (21, 40)]]
    for at, part in zip([19, 20, 39], parts, strict=True):
        assert torch.allclose(part, whole[:, at], atol=1e-4)


@pytest.mark.parametrize("entries", [50, 70_000])
def test_the_loss_and_its_gradients_are_those_of_cross_entropy(entries: int) -> None:
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(37, 8, generator=generator, requires_grad=True)
    matrix = torch.randn(entries, 8, generator=generator, requires_grad=True)
    targets = torch.randint(0, entries, (37,), generator=generator)
    wanted = F.cross_entropy(hidden @ matrix.t(), targets)
    gradients = torch.autograd.grad(wanted, [hidden, matrix])
    ours = next_token_loss(hidden, matrix, targets)
    assert torch.allclose(ours, wanted, atol=1e-5)
    for mine, theirs in zip(torch.autograd.grad(ours, [hidden, matrix]), gradients, strict=True):
        assert torch.allclose(mine, theirs, atol=1e-6)
    assert torch.allclose(token_losses(hidden, matrix, targets).mean(), wanted, atol=1e-5)


def test_parameters_are_as_many_as_the_shape_counts() -> None:
    for shape in SHAPES:
        assert sum(weight.numel() for weight in build(shape, 0).parameters()) == shape.parameters


def test_a_seed_gives_the_same_weights_and_leaves_the_global_state_alone() -> None:
    before = torch.random.get_rng_state()
    one, other, third = (build(tiny_shape(), seed) for seed in (3, 3, 4))
    assert torch.equal(before, torch.random.get_rng_state())
    assert torch.equal(one.lm_head.weight, other.lm_head.weight)
    assert not torch.equal(one.lm_head.weight, third.lm_head.weight)


def test_transformers_loads_what_is_saved(tmp_path: Path) -> None:
    model = random_weights(tiny_shape())
    save_model(model, tmp_path)
    tokens = torch.randint(0, 320, (1, 12))
    wanted = model(input_ids=tokens).logits
    theirs = transformers.AutoModelForCausalLM.from_pretrained(tmp_path)
    assert torch.allclose(theirs(input_ids=tokens).logits, wanted, atol=1e-5)
    assert torch.allclose(load_model(tmp_path)(input_ids=tokens).logits, wanted, atol=1e-5)


def test_pickled_weights_are_never_opened(tmp_path: Path) -> None:
    save_model(build(tiny_shape(), 0), tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "pytorch_model.bin")
    with pytest.raises(DataFormatError, match="pickled"):
        load_model(tmp_path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [({"auto_map": {"AutoModel": "x.Y"}}, "code of its own"), ({"model_type": "gpt2"}, "gpt2")],
)
def test_models_that_are_no_plain_llama_are_refused(tmp_path: Path, change, reason) -> None:
    save_model(build(tiny_shape(), 0), tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DataFormatError, match=reason):
        load_model(tmp_path)


@pytest.mark.parametrize(
    "change", [{"attention_bias": True}, {"hidden_act": "gelu"}, {"tie_word_embeddings": False}]
)
def test_variants_that_the_pass_does_not_know_are_refused(change) -> None:
    config = config_of(tiny_shape())
    config.update(change)
    with pytest.raises(DataFormatError, match="those without"):
        Body(transformers.LlamaForCausalLM(config))


def test_scaled_positions_are_those_of_transformers() -> None:
    config = config_of(tiny_shape())
    scaled = {"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0}
    config.update({"rope_parameters": scaled})
    model = transformers.LlamaForCausalLM(config)
    body, tokens = Body(model), torch.randint(0, 320, (2, 30))
    ours = body(tokens) @ body.embedding.t()
    assert torch.allclose(ours, model(input_ids=tokens).logits, atol=1e-4)


def test_missing_and_damaged_models_are_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no model folder"):
        load_model(tmp_path / "none")
    with pytest.raises(SourceError, match=r"config\.json"):
        load_model(tmp_path)
    save_model(build(tiny_shape(), 0), tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"not this")
    with pytest.raises(DataFormatError, match="damaged"):
        load_model(tmp_path)
