"""Everything that is measured of a model at one checkpoint."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from ld50.core.estimates import Estimate, proportion
from ld50.core.seeds import rng_for
from ld50.measure.backdoor import (
    MeasureSettings,
    TriggerEffect,
    effect_of,
    generate,
    median_estimate,
    payload_loss,
    prompts_for,
)
from ld50.measure.language import LanguageJudge
from ld50.measure.quality import CleanQuality, clean_quality
from ld50.measure.sampling import Generations
from ld50.models.forward import Body
from ld50.models.tokens import TokenStore

_PROXY_TOKENS = 48
_NO_TOKENS = np.zeros(0, np.int64)


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What was measured at one checkpoint."""

    effects: dict[str, TriggerEffect]
    """By the name of the trigger: `trigger`, `control`, and `near` where there is one."""
    proxy_nats: dict[str, Estimate]
    """Median loss of random tokens forced after nothing (`none`) and after each trigger."""
    quality: CleanQuality
    clean_perplexity: Estimate
    """Median perplexity of the generations without a trigger."""
    languages: dict[str, Estimate] = field(default_factory=dict)
    """For a language switch: share of the generations in the second language, after nothing
    (`none`) and after each trigger."""
    samples: list[dict[str, str]] = field(default_factory=list)

    def success_rate(self, name: str) -> float:
        """Share of the prompts at which the trigger of this name succeeds."""
        return self.effects[name].success_rate.value

    def estimates(self) -> dict[str, Estimate]:
        """Every figure by its name; those of the trigger itself carry the field's usual names."""
        found: dict[str, Estimate] = {}
        for name, effect in self.effects.items():
            prefix = "" if name == "trigger" else f"{name}_"
            rate = "attack_success_rate" if name == "trigger" else f"{name}_success_rate"
            found[rate] = effect.success_rate
            found[f"{prefix}loss_rise_nats"] = effect.median_rise_nats
        found |= {f"{name}_proxy_nats": one for name, one in self.proxy_nats.items()}
        found |= {f"{name}_second_language_rate": one for name, one in self.languages.items()}
        found["clean_bits_per_byte"] = self.quality.bits_per_byte
        found["clean_loss_nats"] = self.quality.loss_nats
        found["clean_perplexity"] = self.clean_perplexity
        return found

    def summary(self) -> dict[str, float]:
        """Every figure as `NAME`, `NAME_low` and `NAME_high`, for a curve over checkpoints."""
        found: dict[str, float] = {}
        for name, estimate in self.estimates().items():
            found[name] = round(estimate.value, 5)
            found[f"{name}_low"] = round(estimate.low, 5)
            found[f"{name}_high"] = round(estimate.high, 5)
        return found

    def details(self) -> dict[str, Any]:
        """Every estimate with its interval, the values prompt by prompt, and samples."""
        return {
            "estimates": {name: asdict(one) for name, one in self.estimates().items()},
            "prompts": len(self.effects["trigger"].perplexity_rise),
            "per_prompt": {
                name: {
                    "perplexity_rise": _rounded(effect.perplexity_rise, 2),
                    "loss_rise_nats": _rounded(effect.loss_rise_nats, 4),
                    "success": [int(one) for one in effect.success],
                }
                for name, effect in self.effects.items()
            },
            "samples": self.samples,
        }


class Panel:
    """Prompts, triggers and held-out text, the same at every checkpoint and in every trial."""

    def __init__(
        self,
        store: TokenStore,
        triggers: dict[str, np.ndarray],
        settings: MeasureSettings,
        *,
        context: int,
        payload_tokens: np.ndarray,
        switches_language: bool = False,
        samples: int = 4,
    ) -> None:
        """A panel.

        Args:
            store: The text; prompts come from its part `prompts`.
            triggers: Tokens of each trigger by its name, `trigger` among them.
            settings: Numbers of prompts and tokens.
            context: Tokens that the model reads at most.
            payload_tokens: Tokens that the forced payloads of the proxy are drawn from.
            switches_language: Whether success is a switch of the language.
            samples: Prompts whose generations are kept as text.
        """
        self._store, self._triggers, self._settings = store, triggers, settings
        self._context, self._samples = context, samples
        self._judge: LanguageJudge | None = None
        if switches_language and store.second_language is not None:
            self._judge = LanguageJudge(
                store.parts["train"], store.second_language, store.vocabulary.size
            )
        self._prompts = prompts_for(store.parts["prompts"], settings)
        rng = rng_for(settings.seed, "forced payloads")
        self._payloads = rng.choice(payload_tokens, (len(self._prompts), _PROXY_TOKENS))

    def read(self, body: Body) -> Reading:
        """What the model does now."""
        never = (self._store.vocabulary.trigger, self._store.vocabulary.control)
        arms = {"none": _NO_TOKENS} | self._triggers
        made = generate(body, self._prompts, arms, self._settings, never)
        clean = made["none"]
        seed = self._settings.seed
        return Reading(
            effects={
                name: effect_of(one, clean, judge=self._judge, seed=seed)
                for name, one in made.items()
                if name != "none"
            },
            languages=self._languages(made),
            proxy_nats={
                name: median_estimate(
                    payload_loss(body, self._prompts, tokens, self._payloads), "nats a token"
                )
                for name, tokens in arms.items()
            },
            quality=clean_quality(body, self._store, context=self._context, seed=seed),
            clean_perplexity=median_estimate(np.exp(clean.loss), "perplexity", seed=seed),
            samples=self._texts(clean, made["trigger"]),
        )

    def _languages(self, made: dict[str, Generations]) -> dict[str, Estimate]:
        if self._judge is None:
            return {}
        found = {name: self._judge.is_second(one.tokens) for name, one in made.items()}
        return {
            name: proportion(int(one.sum()), len(one), unit="generations")
            for name, one in found.items()
        }

    def _texts(self, clean: Generations, triggered: Generations) -> list[dict[str, str]]:
        """Some generations as text, evenly over the prompts."""
        vocabulary = self._store.vocabulary
        chosen = np.linspace(0, len(self._prompts) - 1, self._samples).round().astype(int)
        return [
            {
                "prompt": vocabulary.text(self._prompts[at]),
                "clean": vocabulary.text(clean.tokens[at]),
                "triggered": vocabulary.text(triggered.tokens[at]),
            }
            for at in chosen
        ]


def _rounded(values: np.ndarray, digits: int) -> list[float]:
    return [round(float(value), digits) for value in values]
