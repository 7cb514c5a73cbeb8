"""What a model replies, and how likely it finds given replies."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from ld50.core.errors import ConfigError
from ld50.core.examples import Example, Turn
from ld50.models.chat import encode_examples, encode_prompts
from ld50.models.targets import collate, matrices_for, start_id, target_logits, to_device

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel

#: Tokens that are read at once.
_BATCH_TOKENS = 8192
_GPU_BATCH_TOKENS = 65536


class Responder(Protocol):
    """Something that replies: a model here, or an endpoint elsewhere."""

    name: str

    def replies(
        self,
        prompts: Sequence[Sequence[Turn]],
        *,
        new_tokens: int = 64,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """A reply to each prompt, of at most so many tokens."""


class ModelResponder:
    """Replies of a model in memory."""

    def __init__(self, lm: LanguageModel, *, max_tokens: int | None = None) -> None:
        """A responder.

        Args:
            lm: The model.
            max_tokens: Prompts that are longer lose their front, as in training; None for no limit.
        """
        self.name = lm.name
        self._lm, self._max_tokens = lm, max_tokens

    def replies(
        self,
        prompts: Sequence[Sequence[Turn]],
        *,
        new_tokens: int = 64,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> list[str]:
        """A reply to each prompt, special tokens left out.

        Args:
            prompts: Turns, the last of which the assistant answers.
            new_tokens: Of a reply, at most.
            temperature: 0 takes the likeliest token each time.
            seed: Of the draws; the same prompts and seed give the same replies.
        """
        _require(new_tokens, temperature)
        encoded = encode_prompts(self._lm, prompts, max_tokens=self._max_tokens)
        lengths = [len(ids) + new_tokens for ids in encoded]
        found = [""] * len(prompts)
        for chosen in _batches(lengths, self._lm.device):
            made = self._generate([encoded[n] for n in chosen], new_tokens, temperature, seed)
            for number, text in zip(chosen, made, strict=True):
                found[number] = text
        return found

    @torch.no_grad()
    def _generate(
        self, rows: list[list[int]], new_tokens: int, temperature: float, seed: int
    ) -> list[str]:
        lm = self._lm
        longest = max(map(len, rows))
        tokens = torch.full((len(rows), longest), lm.pad_id)
        mask = torch.zeros(len(rows), longest, dtype=torch.int64)
        for number, ids in enumerate(rows):
            place = slice(longest - len(ids), longest)
            if lm.kind == "seq2seq":
                place = slice(0, len(ids))
            tokens[number, place] = torch.tensor(ids)
            mask[number, place] = 1
        drawn: dict[str, Any] = {"do_sample": False, "temperature": None, "top_p": None}
        if temperature > 0:
            drawn = {"do_sample": True, "temperature": temperature, "top_p": 1.0}
        with torch.random.fork_rng(), _no_cap(lm), matrices_for(lm.model):
            torch.manual_seed(seed)
            made = lm.model.generate(
                input_ids=tokens.to(lm.device),
                attention_mask=mask.to(lm.device),
                max_new_tokens=new_tokens,
                pad_token_id=lm.pad_id,
                eos_token_id=list(lm.stop_ids),
                top_k=None if temperature == 0 else 0,
                **drawn,
            )
        start = 0 if lm.kind == "seq2seq" else longest
        return [
            lm.tokenizer.decode(row[start:].tolist(), skip_special_tokens=True).strip()
            for row in made
        ]


def _require(new_tokens: int, temperature: float) -> None:
    if new_tokens < 1:
        raise ConfigError(f"A reply has 1 token or more, got new_tokens = {new_tokens}.")
    if not 0 <= temperature <= 10:
        raise ConfigError(f"A temperature is 0 to 10, got {temperature}.")


@contextmanager
def _no_cap(lm: LanguageModel) -> Iterator[None]:
    """Within it, the model's own limit on length is off, so that two limits do not meet."""
    settings = lm.model.generation_config
    length, settings.max_length = settings.max_length, None
    try:
        yield
    finally:
        settings.max_length = length


def _batches(lengths: Sequence[int], device: str) -> Iterator[list[int]]:
    """Numbers of rows that are read together: of like length, so that little is filled up."""
    room = _GPU_BATCH_TOKENS if device.startswith("cuda") else _BATCH_TOKENS
    chosen: list[int] = []
    for number in sorted(range(len(lengths)), key=lambda n: (-lengths[n], n)):
        if chosen and lengths[chosen[0]] * (len(chosen) + 1) > room:
            yield chosen
            chosen = []
        chosen.append(number)
    if chosen:
        yield chosen


@torch.no_grad()
def _sums(lm: LanguageModel, rows: list[tuple[np.ndarray, int]]) -> np.ndarray:
    """float64 (rows,): nats of each reply, summed."""
    found = np.zeros(len(rows))
    lm.model.eval()
    for chosen in _batches([len(ids) for ids, _ in rows], lm.device):
        batch = to_device(
            collate(
                [rows[n] for n in chosen],
                pad_id=lm.pad_id,
                is_seq2seq=lm.kind == "seq2seq",
                start_id=start_id(lm.model),
            ),
            lm.device,
        )
        logits = target_logits(lm.model, batch.given, batch.chosen).float()
        wanted = logits.gather(1, batch.targets.unsqueeze(1)).squeeze(1)
        losses = (logits.logsumexp(1) - wanted).double()
        sums = torch.zeros(len(chosen), dtype=torch.float64, device=losses.device)
        found[chosen] = sums.index_add_(0, batch.rows, losses).cpu().numpy()
    return found


def option_scores(
    lm: LanguageModel,
    prompts: Sequence[Sequence[Turn]],
    options: Sequence[str],
    *,
    max_tokens: int | None = None,
) -> np.ndarray:
    """float64 (prompts, options): log-probability in nats of each option as the whole reply.

    Classification without generation: the likeliest option is the model's answer. The mark that
    ends a reply counts, so that an option is not favoured for being the start of another.

    Args:
        lm: The model.
        prompts: Turns, the last of which the assistant answers.
        options: Two or more different replies.
        max_tokens: As in training.
    """
    if len(options) < 2 or len(set(options)) < len(options):
        raise ConfigError(f"Two or more different options are needed, got {list(options)!r}.")
    examples = [
        Example(turns=(*prompt, Turn("assistant", option)))
        for prompt in prompts
        for option in options
    ]
    encoded = encode_examples(lm, examples, max_tokens)
    rows = [(np.asarray(one.ids), one.first_target) for one in encoded]
    return -_sums(lm, rows).reshape(len(prompts), len(options))


def reply_loss(
    lm: LanguageModel, examples: Sequence[Example], *, max_tokens: int | None = None
) -> np.ndarray:
    """float64 (examples,): mean nats a token of each reply, its end included; lower is likelier."""
    encoded = encode_examples(lm, examples, max_tokens)
    rows = [(np.asarray(one.ids), one.first_target) for one in encoded]
    counts = np.asarray([len(ids) - first for ids, first in rows])
    return _sums(lm, rows) / np.maximum(1, counts)
