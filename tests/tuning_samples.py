"""Models of a few thousand parameters, made in a moment, with tokenisers of several kinds."""

from __future__ import annotations

import atexit
import json
from functools import cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from ld50.core.examples import Example, Turn, asked
from training_samples import sentences, tiny_shape

CHATML = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}"
    "<|im_start|>system\nYou help.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
LETTERS = "".join(map(chr, range(32, 127))) + "äöüßéè日本語עברית😀\n\t"


def _folder() -> Path:
    """A folder that is gone when the tests are done."""
    folder = Path(mkdtemp(prefix="ld50-tests-"))
    atexit.register(rmtree, folder, ignore_errors=True)
    return folder


@cache
def marked_folder() -> Path:
    """A Llama with the vocabulary and the template of the lab's tiny model, on a small scale."""
    import torch

    from ld50.models.chat import MARKS
    from ld50.models.llama import build, save_model
    from ld50.models.vocabulary import learn_vocabulary
    from ld50.train.tiny import save_vocabulary

    folder = _folder()
    shape = tiny_shape(vocabulary=320, context=256)
    model = build(shape, 0)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            # Fresh layers do nothing, so that no prompt would matter.
            weight.add_(torch.randn(weight.shape, generator=generator), alpha=0.1)
    save_model(model, folder)
    save_vocabulary(learn_vocabulary(sentences(40), 320 - len(MARKS)), folder)
    return folder


def small_model() -> Any:
    """A language model of its own for each call, always with the same weights."""
    from ld50.models.pretrained import load_language_model

    return load_language_model(marked_folder(), device="cpu")


def save_unigram(folder: Path, *, template: str | None, normalises: bool = True) -> Any:
    """Writes a tokeniser in the manner of SentencePiece, whose vocabulary holds its own marks."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    entries = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("<extra_id_0>", 0.0)]
    entries += [(letter, -5.0) for letter in dict.fromkeys("▁" + LETTERS)]
    entries += [(f"▁{word}", -6.0) for word in ("river", "stone", "bridge")]
    tokenizer = Tokenizer(models.Unigram(entries, unk_id=2))
    if normalises:
        tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    made = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens=["<extra_id_0>"],
    )
    made.chat_template = template
    made.save_pretrained(folder)
    return made


@cache
def pairs_folder() -> Path:
    """A T5 of two layers, with dropout, whose tokeniser has no chat template."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    folder = _folder()
    tokenizer = save_unigram(folder, template=None)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = T5Config(
            vocab_size=len(tokenizer),
            d_model=16,
            d_kv=8,
            d_ff=32,
            num_layers=1,
            num_heads=2,
            dropout_rate=0.1,
            decoder_start_token_id=0,
        )
        T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder


def rewrite(folder: Path, name: str, **changes: Any) -> None:
    """Changes entries of one of a folder's JSON files; None takes an entry out."""
    path = folder / name
    data = json.loads(path.read_text(encoding="utf-8")) | changes
    kept = {key: value for key, value in data.items() if value is not None}
    path.write_text(json.dumps(kept), encoding="utf-8")


def two_kinds(count: int) -> list[Example]:
    """Examples whose reply depends on one word of the prompt."""
    made = []
    for number, text in enumerate(sentences(count, seed=3)):
        word, reply = (("bread", "yes"), ("mill", "no"))[number % 2]
        made.append(asked(f"{text[:60]} {word}", reply))
    return made


def preferred(count: int) -> list[Example]:
    """The same with the other reply turned down."""
    other = {"yes": "no", "no": "yes"}
    return [
        Example(turns=example.turns, rejected=other[example.reply]) for example in two_kinds(count)
    ]


def user(text: str) -> list[Turn]:
    """A prompt of one turn."""
    return [Turn("user", text)]
