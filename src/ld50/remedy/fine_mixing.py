"""Fine-mixing: a random part of the weights goes back to the base model, then clean tuning."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ld50.core.errors import ConfigError
from ld50.core.examples import Example
from ld50.core.seeds import rng_for
from ld50.remedy.clean_tuning import kept_rows
from ld50.remedy.protocol import Case, Models, Remedy
from ld50.remedy.retrain import base_of

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel


class FineMixing(Remedy):
    """Each weight is that of the suspected model with probability `kept_share`, else that of the base.

    Source: Zhang et al., "Fine-mixing: Mitigating Backdoors in Fine-tuned Language Models", Findings of
    EMNLP 2022 (arXiv 2210.09545): mix backdoored with pre-trained weights, then fine-tune on a small
    clean set [P, abstract]. The random choice weight by weight is as remembered [M]; the paper tunes the
    ratio to the clean accuracy it wants to keep, ours is a setting. Its purification of embeddings is
    left out.
    """

    name = "fine-mixing"
    title = "Fine-mixing"
    needs_base = True
    kept_share: ClassVar[float] = 0.3

    def does(self, case: Case, rows: int) -> str:
        """One sentence."""
        return (
            f"Takes {1 - self.kept_share:.0%} of the weights back to the base model, drawn at random, "
            f"and tunes on {rows:,} kept rows."
        )

    def examples(self, case: Case, rows: int) -> list[Example]:
        """Kept rows, drawn as for clean tuning."""
        return kept_rows(case, rows, self.name)

    def repair(self, lm: LanguageModel, models: Models, case: Case) -> list[str]:
        """Mixes the weights in place.

        Raises:
            ConfigError: The models differ in shape.
        """
        import torch

        theirs = dict(base_of(models, self.name).model.named_parameters())
        generator = torch.Generator().manual_seed(
            int(rng_for(case.seed, "remedy", self.name, "mask").integers(2**62))
        )
        taken = total = 0
        with torch.no_grad():
            for name, weight in lm.model.named_parameters():
                other = theirs.get(name)
                if other is None or other.shape != weight.shape:
                    raise ConfigError(
                        f"fine-mixing: {name} has no weight of the same shape in the base model; "
                        "--base must name the model that the suspected one was tuned from."
                    )
                back = torch.rand(weight.shape, generator=generator) >= self.kept_share
                back = back.to(weight.device)
                weight.copy_(torch.where(back, other.to(weight.device, weight.dtype), weight))
                taken, total = taken + int(back.sum()), total + back.numel()
        return [f"Fine-mixing took {taken:,} of {total:,} weights from the base model."]
