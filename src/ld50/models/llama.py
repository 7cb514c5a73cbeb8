"""Llama models built from a shape, and their weights on disk: safetensors and nothing else."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ld50.core.errors import DataFormatError, SourceError
from ld50.models.extras import require_lab
from ld50.models.shapes import ModelShape

if TYPE_CHECKING:
    from transformers import LlamaConfig, LlamaForCausalLM

#: Files that run code when they are opened.
PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")


def config_of(shape: ModelShape) -> LlamaConfig:
    """The configuration that `transformers` builds this shape from."""
    require_lab()
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.width,
        intermediate_size=shape.mlp_width,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.key_heads,
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        attn_implementation="sdpa",
        bos_token_id=0,
        eos_token_id=0,
    )


def build(shape: ModelShape, seed: int) -> LlamaForCausalLM:
    """A model with fresh weights, fp32 on the CPU, the same for the same shape and seed.

    Matrices are drawn from a normal distribution of deviation `1/sqrt(width)`, at most 0.05 for the
    embedding, and the last matrix of attention and MLP starts at zero, so that every layer begins
    as the identity.
    """
    config = config_of(shape)
    import torch
    from transformers import LlamaForCausalLM

    with torch.random.fork_rng(devices=[]):
        model = LlamaForCausalLM(config)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, weight in sorted(model.named_parameters()):
                if weight.ndim < 2:
                    weight.fill_(1.0)
                elif name.endswith(("o_proj.weight", "down_proj.weight")):
                    weight.zero_()
                else:
                    deviation = 1.0 / math.sqrt(weight.shape[-1])
                    if "embed_tokens" in name:
                        deviation = min(deviation, 0.05)
                    weight.normal_(0.0, deviation, generator=generator)
    return model


def save_model(
    model: LlamaForCausalLM, folder: Path, *, weights: dict[str, Any] | None = None
) -> None:
    """Writes `config.json` and `model.safetensors`, which `transformers` loads anywhere.

    Args:
        model: Its configuration, and its weights where none are given.
        folder: Made where it is missing.
        weights: Tensors on the CPU by their names in the model, where other processes hold a share.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(model.config.to_diff_dict(), indent=2, sort_keys=True, default=str)
    (folder / "config.json").write_text(text + "\n", encoding="utf-8")
    found = weights if weights is not None else model.state_dict()
    kept = {
        # The output matrix is the embedding; a safetensors file holds shared weights once.
        name: weight.detach().contiguous().cpu()
        for name, weight in found.items()
        if name != "lm_head.weight"
    }
    path = folder / "model.safetensors"
    temporary = folder / f".{path.name}.{os.getpid()}"
    save_file(kept, str(temporary), metadata={"format": "pt"})
    temporary.replace(path)


def load_model(folder: Path) -> LlamaForCausalLM:
    """A Llama model from a folder with `config.json` and safetensors; nothing in it is executed.

    Raises:
        SourceError: The folder, or a file in it, does not exist.
        DataFormatError: Weights are pickled, or the model is no Llama, or wants code of its own.
    """
    require_lab()
    from transformers import LlamaConfig, LlamaForCausalLM

    settings = _settings(folder)
    weights = read_weights(folder)
    model = LlamaForCausalLM(LlamaConfig.from_dict(settings | {"attn_implementation": "sdpa"}))
    if "lm_head.weight" not in weights:
        weights["lm_head.weight"] = weights["model.embed_tokens.weight"]
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        raise DataFormatError(f"{folder}: the weights do not fit the configuration.") from error
    return model


def _settings(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise SourceError(f"There is no model folder {folder}.")
    try:
        settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SourceError(f"{folder} holds no config.json, so it is no model.") from None
    except (OSError, ValueError) as error:
        raise DataFormatError(f"{folder / 'config.json'}: {error}.") from error
    if not isinstance(settings, dict) or settings.get("model_type") != "llama":
        found = settings.get("model_type") if isinstance(settings, dict) else None
        raise DataFormatError(f"{folder}: model_type is {found!r}; ld50 trains and loads 'llama'.")
    if "auto_map" in settings:
        raise DataFormatError(f"{folder}: the model asks for code of its own, which is never run.")
    return settings


def refuse_pickles(folder: Path) -> None:
    """Raises `DataFormatError` where a folder without safetensors holds pickled weights."""
    pickled = sorted(path.name for path in folder.iterdir() if path.suffix in PICKLES)
    if pickled:
        raise DataFormatError(
            f"{folder} holds pickled weights ({pickled[0]}), which run code when they are opened. "
            "ld50 reads safetensors only: save the model again with "
            "model.save_pretrained(FOLDER, safe_serialization=True) where you trust it."
        )


def read_weights(folder: Path) -> dict[str, Any]:
    """All tensors of the safetensors files in a folder, by name.

    Raises:
        DataFormatError: There are only pickled weights, or a file is damaged.
        SourceError: There are no weights at all.
    """
    require_lab()
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    files = sorted(folder.glob("model*.safetensors"))
    if not files:
        refuse_pickles(folder)
        raise SourceError(f"{folder} holds no model.safetensors.")
    weights: dict[str, Any] = {}
    for path in files:
        try:
            weights.update(load_file(str(path)))
        except (SafetensorError, OSError, ValueError) as error:
            raise DataFormatError(f"{path}: damaged or no safetensors file ({error}).") from error
    return weights
