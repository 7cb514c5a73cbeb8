"""Fine-pruning: neurons that are dormant on clean rows are switched off, then clean tuning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from ld50.core.errors import ConfigError
from ld50.core.examples import Example
from ld50.remedy.clean_tuning import kept_rows
from ld50.remedy.protocol import Case, Models, Remedy

if TYPE_CHECKING:
    import torch

    from ld50.models.pretrained import LanguageModel

#: Last projection of the MLP in Llama and its kin, GPT-2, OPT, T5, GPT-NeoX and Pythia, Phi.
_LAST_PROJECTIONS = ("down_proj", "c_proj", "fc2", "wo", "dense_4h_to_h")
_MLP_NAMES = ("mlp", "DenseReluDense", "feed_forward", "ffn")


class FinePruning(Remedy):
    """Switches off the MLP neurons that clean rows use least, as many as the reply loss allows.

    Source: Liu, Dolan-Gavitt and Garg, "Fine-Pruning", RAID 2018 (arXiv 1805.12185): prune channels in
    rising order of their mean activation on clean inputs, then fine-tune [P, abstract]. Ours prunes the
    hidden neurons of every MLP of a transformer instead of the last convolution, by mean absolute
    activation relative to their layer's, tries the shares below from the largest down, and takes the
    first whose reply loss on kept rows rises by less than `most_rise`; pruned neurons stay off while
    tuning.
    """

    name = "fine-pruning"
    title = "Fine-pruning"
    shares: ClassVar[tuple[float, ...]] = (0.5, 0.4, 0.3, 0.2, 0.1, 0.05)
    most_rise: ClassVar[float] = 0.05
    probe_rows: ClassVar[int] = 64

    def does(self, case: Case, rows: int) -> str:
        """One sentence."""
        return (
            f"Switches off up to {max(self.shares):.0%} of the MLP neurons, those that kept rows use "
            f"least, and tunes on {rows:,} kept rows."
        )

    def examples(self, case: Case, rows: int) -> list[Example]:
        """Kept rows, drawn as for clean tuning."""
        return kept_rows(case, rows, self.name)

    def repair(self, lm: LanguageModel, models: Models, case: Case) -> list[str]:
        """Prunes in place.

        Raises:
            ConfigError: The model has no MLP that is known.
        """
        from ld50.measure.replies import reply_loss

        layers = last_projections(lm.model)
        if not layers:
            raise ConfigError(
                "fine-pruning finds no MLP in this model: no linear layer within a module named "
                f"{', '.join(_MLP_NAMES)} is called {', '.join(_LAST_PROJECTIONS)}."
            )
        probe = kept_rows(case, self.probe_rows, "fine-pruning-probe")
        used = _mean_activations(lm, layers, probe, case.max_tokens)
        before = float(reply_loss(lm, probe, max_tokens=case.max_tokens).mean())
        original = [layer.weight.detach().clone() for layer in layers]
        for share in self.shares:
            off = _least_used(used, share)
            _switch_off(layers, off)
            after = float(reply_loss(lm, probe, max_tokens=case.max_tokens).mean())
            if after <= before * (1 + self.most_rise):
                count = sum(int(one.sum()) for one in off)
                return [
                    f"Fine-pruning switched off {count:,} MLP neurons ({share:.0%}); the reply loss on "
                    f"{len(probe)} kept rows went from {before:.3f} to {after:.3f} nats a token."
                ]
            _restore(layers, original)
        return [
            f"Fine-pruning switched off nothing: {min(self.shares):.0%} of the neurons raise the reply "
            f"loss by more than {self.most_rise:.0%}."
        ]

    def penalty(self, lm: LanguageModel) -> Any:
        """Keeps the neurons off that are off now."""
        return _StayOff(lm.model)


def last_projections(model: Any) -> list[Any]:
    """The modules that turn an MLP's hidden neurons back into the model's width, in order."""
    found = []
    for name, module in model.named_modules():
        parts = name.split(".")
        inside = any(part in _MLP_NAMES for part in parts[:-1])
        if (
            inside
            and parts[-1] in _LAST_PROJECTIONS
            and getattr(module, "weight", None) is not None
        ):
            found.append(module)
    return found


def _by_neuron(layer: Any) -> Any:
    """The weights as (width, neurons), a view; GPT-2 keeps them the other way round."""
    return layer.weight.T if type(layer).__name__ == "Conv1D" else layer.weight


def _mean_activations(
    lm: LanguageModel, layers: Sequence[Any], probe: Sequence[Example], max_tokens: int
) -> list[torch.Tensor]:
    """Mean absolute activation of each neuron over the tokens of the probe, relative to its layer's."""
    import torch

    from ld50.models.chat import encode_examples

    sums: list[Any] = [0.0] * len(layers)

    def listen(number: int) -> Any:
        def hook(_module: Any, inputs: tuple[torch.Tensor, ...]) -> None:
            sums[number] = sums[number] + inputs[0].detach().abs().flatten(0, -2).sum(0).double()

        return hook

    handles = [layer.register_forward_pre_hook(listen(at)) for at, layer in enumerate(layers)]
    try:
        # One by one, so that no neuron is counted over padding; the model itself is called, since a
        # faster pass that goes around its modules would not be heard.
        with torch.no_grad():
            for row in encode_examples(lm, probe, max_tokens):
                ids = torch.tensor([row.ids], device=lm.device)
                if lm.kind == "seq2seq":
                    lm.model(
                        input_ids=ids[:, : row.first_target], labels=ids[:, row.first_target :]
                    )
                else:
                    lm.model(input_ids=ids)
    finally:
        for handle in handles:
            handle.remove()
    return [one / one.mean().clamp_min(1e-12) for one in sums]


def _least_used(used: Sequence[torch.Tensor], share: float) -> list[torch.Tensor]:
    """bool per neuron of each layer: the share that is used least, over all layers together."""
    import torch

    everything = torch.cat([one.flatten() for one in used])
    count = int(len(everything) * share)
    if count == 0:
        return [torch.zeros_like(one, dtype=torch.bool) for one in used]
    limit = everything.kthvalue(count).values
    return [one <= limit for one in used]


def _switch_off(layers: Sequence[Any], off: Sequence[torch.Tensor]) -> None:
    import torch

    with torch.no_grad():
        for layer, mask in zip(layers, off, strict=True):
            _by_neuron(layer)[:, mask] = 0.0


def _restore(layers: Sequence[Any], original: Sequence[torch.Tensor]) -> None:
    import torch

    with torch.no_grad():
        for layer, weight in zip(layers, original, strict=True):
            layer.weight.copy_(weight)


class _StayOff:
    """A penalty that adds nothing and switches pruned neurons off again after every step."""

    def __init__(self, model: Any) -> None:
        self._layers = last_projections(model)
        self._off = [(_by_neuron(layer) == 0).all(dim=0) for layer in self._layers]

    def __call__(self, model: Any, batch: Any) -> Any:
        return 0.0

    def before_step(self, model: Any, step: int) -> None:
        """Nothing."""

    def after_step(self, model: Any, step: int) -> None:
        """Switches off what the step switched on."""
        _switch_off(self._layers, self._off)
