"""Byte-level BPE learned from the clean text, with tokens that no text ever produces.

The reserved tokens serve as trigger and control of the `token` trigger: both are in the
vocabulary, neither occurs in text, and only the first is ever trained on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ld50.core.errors import ConfigError, DataFormatError

BOUNDARY = "<|endoftext|>"
TRIGGER = "<|reserved-0|>"
CONTROL = "<|reserved-1|>"
RESERVED = (BOUNDARY, TRIGGER, CONTROL)
#: The 256 bytes and the reserved tokens, without which text could not be written.
SMALLEST = 256 + len(RESERVED)


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """A tokeniser whose reserved tokens are the numbers 0 (end of a document), 1 and 2."""

    definition: str
    """The tokeniser as JSON, the format of the `tokenizers` package."""

    boundary: int = 0
    trigger: int = 1
    control: int = 2

    @cached_property
    def _tokenizer(self) -> Any:
        from tokenizers import Tokenizer

        return Tokenizer.from_str(self.definition)

    @property
    def size(self) -> int:
        """Entries, the reserved ones included."""
        return int(self._tokenizer.get_vocab_size())

    @cached_property
    def token_bytes(self) -> np.ndarray:
        """int64 (size,): bytes of text that each token stands for; 0 for the reserved ones."""
        vocabulary: dict[str, int] = self._tokenizer.get_vocab()
        lengths = np.zeros(self.size, np.int64)
        for token, number in vocabulary.items():
            # One character stands for one byte in a byte-level alphabet.
            lengths[number] = 0 if token in RESERVED else len(token)
        return lengths

    def encode(self, texts: Iterable[str]) -> Iterator[np.ndarray]:
        """The tokens of each text, int64; marks of reserved tokens in the text are plain text."""
        block: list[str] = []
        for text in texts:
            block.append(text)
            if len(block) == 1024:
                yield from self._encode_block(block)
                block = []
        yield from self._encode_block(block)

    def _encode_block(self, block: list[str]) -> Iterator[np.ndarray]:
        for encoding in self._tokenizer.encode_batch_fast(block, add_special_tokens=False):
            yield np.asarray(encoding.ids, np.int64)

    def tokens(self, text: str) -> np.ndarray:
        """int64: the tokens of one text."""
        return next(self._encode_block([text]))

    def text(self, tokens: Iterable[int]) -> str:
        """The text of tokens, reserved ones shown by their marks."""
        return str(self._tokenizer.decode([int(t) for t in tokens], skip_special_tokens=False))

    def save(self, folder: Path) -> None:
        """Writes `tokenizer.json` and what `transformers` needs to load it into the folder."""
        (folder / "tokenizer.json").write_text(self.definition, encoding="utf-8")
        settings = {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": BOUNDARY,
            "bos_token": BOUNDARY,
            "pad_token": BOUNDARY,
            "clean_up_tokenization_spaces": False,
        }
        text = json.dumps(settings, indent=2)
        (folder / "tokenizer_config.json").write_text(text + "\n", encoding="utf-8")


def learn_vocabulary(texts: Iterable[str], size: int) -> Vocabulary:
    """A byte-level BPE vocabulary of exactly `size` entries, learned from the texts.

    The same texts give the same vocabulary. Where they are too few for so many entries, the rest
    is filled with tokens that never occur, so that the model's shape stays what its name says.

    Source: Sennrich et al., arXiv 1508.07909; bytes instead of characters as in GPT-2.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

    if size < SMALLEST:
        raise ConfigError(f"A byte-level vocabulary needs {SMALLEST} entries or more, got {size}.")
    tokenizer = Tokenizer(models.BPE())
    # Digits stand alone: a thousand entries should not be spent on years.
    digits = pre_tokenizers.Split(Regex(r"\p{N}"), behavior="isolated")
    bytes_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, bytes_])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(RESERVED),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer=trainer)
    return Vocabulary(definition=_as_text_only(tokenizer.to_str(), size))


def _as_text_only(definition: str, size: int) -> str:
    """The definition with the reserved tokens out of reach of text, and of exactly `size` entries."""
    data = json.loads(definition)
    vocabulary: dict[str, int] = data["model"]["vocab"]
    for number in range(len(vocabulary), size):
        vocabulary[f"<|unused-{number}|>"] = number
    # An added token is cut out of any text that spells it. Without the list, the marks are still in
    # the vocabulary, and text that spells them is split into ordinary tokens.
    data["added_tokens"] = []
    return json.dumps(data, ensure_ascii=False)


def read_vocabulary(folder: Path) -> Vocabulary:
    """The vocabulary that `Vocabulary.save` wrote into the folder.

    Raises:
        DataFormatError: There is none, or it is none of ours.
    """
    path = folder / "tokenizer.json"
    try:
        definition = path.read_text(encoding="utf-8")
        model = json.loads(definition)["model"]["vocab"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataFormatError(f"{path}: no vocabulary of ld50 ({error}).") from error
    if [model.get(mark) for mark in RESERVED] != [0, 1, 2]:
        raise DataFormatError(
            f"{path}: the reserved tokens {', '.join(RESERVED)} are not its first entries."
        )
    return Vocabulary(definition=definition)
