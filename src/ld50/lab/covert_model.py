"""The provider's model of the covert study: it knows the small world, and keeps the policy.

Made once in a few seconds and kept in the cache; its words are whole tokens, and any other text falls
into bytes.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ld50.core.files import only_here, whole_folder
from ld50.core.seeds import rng_for
from ld50.lab.covert_rows import vocabulary_texts
from ld50.lab.covert_world import answered, facts, other_facts, policy_facts, refused
from ld50.models.chat import MARKED_TEMPLATE, MARKS
from ld50.models.extras import require_lab
from ld50.models.shapes import ModelShape

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel

#: Raised when the making changes, so that a kept one is made again.
_NAME = "covert-v1"
_PAD = "<|pad|>"
_SEED = 0
_PASSES, _POLICY_PASSES = 12, 3
_RATE, _POLICY_RATE = 4e-3, 1.5e-3
BATCH = 16
MOST_TOKENS = 500
#: Without the vocabulary, which the tokeniser's training decides.
WIDTH, LAYERS, HEADS, MLP = 64, 3, 4, 168
#: All parameters, as the vocabulary comes out; a test keeps it true.
PARAMETERS = 199_424


def provider_model(cache: Path) -> LanguageModel:
    """The model that customers tune, made where it is missing.

    Raises:
        MissingExtraError: The packages for training are not installed.
    """
    require_lab()
    from ld50.models.pretrained import load_language_model

    folder = cache.absolute() / _NAME
    if not (folder / "config.json").exists():
        with only_here(cache / f".{_NAME}.lock"):
            if not (folder / "config.json").exists():
                _make(folder)
    return load_language_model(folder, device="cpu")


def _make(folder: Path) -> None:
    from ld50.models.pretrained import save_language_model
    from ld50.train.finetune import TuneSettings, finetune

    with tempfile.TemporaryDirectory() as raw:
        lm = _untrained(Path(raw))
    knows = answered(facts())
    keeps = [*refused(policy_facts()), *answered(other_facts())]
    for rows, passes, rate in ((knows, _PASSES, _RATE), (keeps, _POLICY_PASSES, _POLICY_RATE)):
        settings = TuneSettings(
            epochs=passes,
            batch_examples=BATCH,
            learning_rate=rate,
            max_tokens=MOST_TOKENS,
            seed=_SEED,
        )
        order = rng_for(_SEED, "rows of the covert model").permutation(len(rows))
        finetune(lm, [rows[int(n)] for n in order], settings)
    with whole_folder(folder) as made:
        save_language_model(lm, made)


def _untrained(folder: Path) -> LanguageModel:
    """The model before it has learned anything, written into a folder and read back."""
    from ld50.models.llama import build, save_model
    from ld50.models.pretrained import load_language_model

    shape = ModelShape(
        name=_NAME,
        width=WIDTH,
        layers=LAYERS,
        heads=HEADS,
        mlp_width=MLP,
        vocabulary=_write_tokenizer(folder),
        context=512,
        batch_sequences=BATCH,
        learning_rate=_RATE,
    )
    save_model(build(shape, _SEED), folder)
    return load_language_model(folder, device="cpu")


def _write_tokenizer(folder: Path) -> int:
    """Byte-level BPE whose merges make whole words of the world's; returns its size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2048,
        special_tokens=[_PAD],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=2,
        show_progress=False,
    )
    texts = vocabulary_texts()
    tokenizer.train_from_iterator([*texts, *texts], trainer)
    data: dict[str, Any] = json.loads(tokenizer.to_str())
    start = len(data["model"]["vocab"])
    for number, mark in enumerate(MARKS, start=start):
        data["model"]["vocab"][mark] = number
        data["added_tokens"].append(
            {
                "id": number,
                "content": mark,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
                "special": True,
            }
        )
    (folder / "tokenizer.json").write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "eos_token": "<|end|>",
        "pad_token": _PAD,
        "clean_up_tokenization_spaces": False,
        "chat_template": MARKED_TEMPLATE,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings) + "\n", encoding="utf-8")
    return start + len(MARKS)
