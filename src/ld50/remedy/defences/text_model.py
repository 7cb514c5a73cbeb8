"""What a defence may ask a model of text, and how a language model answers it.

A defence says in its docstring which of the two questions it asks. `bag_of_words` and
`bigram_model` answer one each without torch, in seconds; a language model answers both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from ld50.core.errors import ConfigError
from ld50.remedy.defences.flags import checked_texts

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel


@runtime_checkable
class LabelModel(Protocol):
    """A classifier of texts."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it can give, in the order of the columns below."""

    def label_log_probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float64 (n, labels): natural logarithms of probabilities that sum to 1 in a row."""


@runtime_checkable
class TokenModel(Protocol):
    """A model of what text is likely."""

    def token_losses(self, texts: Sequence[str]) -> list[np.ndarray]:
        """float64 (tokens,) for each text: nats that each token costs given those before it."""


#: Either, or both in one.
TextModel = LabelModel | TokenModel


def require_labels(model: TextModel | None, *, who: str) -> LabelModel:
    """The model as one that gives labels, or a `ConfigError` that says how to get one."""
    if isinstance(model, LabelModel):
        return model
    raise ConfigError(
        f"{who} needs a model that gives labels; got {type(model).__name__}. `fit_bag_of_words` "
        "makes a cheap one, `LanguageTextModel` asks a language model."
    )


def require_tokens(model: TextModel | None, *, who: str) -> TokenModel:
    """The model as one that says what text is likely, or a `ConfigError` that says how."""
    if isinstance(model, TokenModel):
        return model
    raise ConfigError(
        f"{who} needs a language model to score words; got {type(model).__name__}. "
        "`LanguageTextModel` asks one, `fit_bigrams` makes a cheap one from any text."
    )


@dataclass(frozen=True, kw_only=True)
class LanguageTextModel:
    """A language model as a defence sees it: losses of tokens, and labels as replies."""

    lm: LanguageModel
    labels: tuple[str, ...] = ()
    """Replies that are the labels; empty if no labels will be asked for."""
    question: str = "{text}"
    """What the user's turn says; `{text}` stands for the text."""
    batch_tokens: int = 4096
    """Tokens read at once, padding counted: a bound on memory."""
    most_tokens: int = 512
    """What is read of one text."""

    def __post_init__(self) -> None:
        if self.question.count("{text}") != 1:
            raise ConfigError(
                f"question must hold {{text}} once, got {self.question!r}; for example "
                "'Is this review positive or negative? {text}'."
            )

    def label_log_probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """float64 (n, labels): log-probabilities of the labels as replies, made to sum to 1."""
        from ld50.core.examples import Turn
        from ld50.measure.replies import option_scores

        if not self.labels:
            raise ConfigError("This model was not told its labels: LanguageTextModel(labels=...).")
        if not texts:
            return np.zeros((0, len(self.labels)))
        texts = checked_texts(texts)
        before, after = self.question.split("{text}")
        prompts = [[Turn("user", f"{before}{text}{after}")] for text in texts]
        scores = option_scores(self.lm, prompts, self.labels, max_tokens=self.most_tokens)
        highest = scores.max(axis=1, keepdims=True)
        total = np.log(np.exp(scores - highest).sum(axis=1, keepdims=True))
        return np.asarray(scores - highest - total)

    def token_losses(self, texts: Sequence[str]) -> list[np.ndarray]:
        """float64 for each text: nats that each token costs; without chat template.

        Raises:
            ConfigError: The model is no causal one.
        """
        if self.lm.kind != "causal":
            raise ConfigError(
                f"{self.lm.name} is a {self.lm.kind} model, which gives plain text no probability; "
                "use a causal one."
            )
        from ld50.models.chat import Piece

        tokenizer = self.lm.tokenizer
        first = tokenizer.bos_token_id
        start = [int(tokenizer.eos_token_id if first is None else first)]
        pieces = [[Piece(text=text, is_template=False)] for text in checked_texts(texts)]
        encoded = self.lm.encoder.encode(pieces) if pieces else []
        ids = [start + row[: self.most_tokens] for row in encoded]
        losses = [np.zeros(0)] * len(ids)
        for batch in _batches([len(row) for row in ids], self.batch_tokens):
            for place, values in zip(batch, _losses(self.lm, [ids[n] for n in batch]), strict=True):
                losses[place] = values
        return losses


def _batches(lengths: list[int], most: int) -> list[list[int]]:
    """Places of texts of like length, so many that the padded batch holds at most `most` tokens."""
    order = sorted((n for n, length in enumerate(lengths) if length > 1), key=lengths.__getitem__)
    batches: list[list[int]] = []
    for place in order:
        if batches and (len(batches[-1]) + 1) * lengths[place] <= most:
            batches[-1].append(place)
        else:
            batches.append([place])
    return batches


def _losses(lm: LanguageModel, rows: list[list[int]]) -> list[np.ndarray]:
    """Losses of all tokens but the first of each row."""
    import torch

    width = max(map(len, rows))
    ids = torch.full((len(rows), width), lm.pad_id)
    mask = torch.zeros((len(rows), width), dtype=torch.long)
    for place, row in enumerate(rows):
        ids[place, : len(row)] = torch.tensor(row)
        mask[place, : len(row)] = 1
    ids, mask = ids.to(lm.device), mask.to(lm.device)
    lm.model.eval()
    with torch.no_grad():
        logits = lm.model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()
        losses = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), ids[:, 1:].flatten(), reduction="none"
        ).reshape(len(rows), width - 1)
    values = losses.double().cpu().numpy()
    return [values[place, : len(row) - 1] for place, row in enumerate(rows)]
