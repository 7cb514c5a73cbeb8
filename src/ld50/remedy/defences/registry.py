"""The published defences by name, with what is known of them."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, fields
from typing import Any, Literal

from ld50.core.errors import ConfigError
from ld50.remedy.defences.clean_tuning import CleanTuningDefence
from ld50.remedy.defences.llr import LlrDefence
from ld50.remedy.defences.onion import OnionDefence
from ld50.remedy.defences.row_filter import RowFilter
from ld50.remedy.defences.strip import StripDefence
from ld50.remedy.defences.z_defence import ZDefence

Stage = Literal["training rows", "test texts", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defence:
    """What is known of one defence."""

    name: str
    """In kebab case."""
    title: str
    make: type[Any]
    """The class; its settings are its keyword arguments, and its docstring tells the source."""
    published_for: Stage
    """What the paper applies it to."""
    asks: Literal["nothing", "labels", "tokens", "weights"]
    """What it needs of a model."""
    source: str
    paper_figure: str
    """The paper's figure with how sure it is, or that none is known."""

    @property
    def filters_rows(self) -> bool:
        """Whether it has `flag`."""
        return issubclass(self.make, RowFilter)


#: By name, in the order of tables.
DEFENCES: dict[str, Defence] = {
    defence.name: defence
    for defence in (
        Defence(
            name="word-frequency",
            title="Word frequency",
            make=LlrDefence,
            published_for="training rows",
            asks="labels",
            source="arXiv 2406.07778",
            paper_figure="none that we could read; hardest against dirty-label and synonyms [S]",
        ),
        Defence(
            name="z-defence",
            title="Z-defence",
            make=ZDefence,
            published_for="training rows",
            asks="nothing",
            source="He et al., EMNLP 2023 (arXiv 2305.11596)",
            paper_figure="“near-perfect” against insertions, says its abstract [P]",
        ),
        Defence(
            name="onion",
            title="ONION",
            make=OnionDefence,
            published_for="test texts",
            asks="tokens",
            source="Qi et al., EMNLP 2021 (arXiv 2011.10369)",
            paper_figure="ASR left at 32% on AG News [S]",
        ),
        Defence(
            name="strip",
            title="STRIP",
            make=StripDefence,
            published_for="test texts",
            asks="labels",
            source="Gao et al., STRIP-ViTA (arXiv 1911.10312)",
            paper_figure="1.1% of triggered texts missed at 3% false alarms, on average [P]",
        ),
        Defence(
            name="clean-tuning",
            title="Clean tuning",
            make=CleanTuningDefence,
            published_for="model",
            asks="weights",
            source="arXiv 2406.07778; rows a class: arXiv 2509.16203",
            paper_figure="none that we could read",
        ),
    )
}


def make_defence(name: str, **settings: Any) -> Any:
    """The defence of that name, with these settings.

    Args:
        name: One of `DEFENCES`.
        **settings: Fields of its class.

    Raises:
        ConfigError: No such defence, or no such setting; names the nearest one.
    """
    if name not in DEFENCES:
        raise ConfigError(
            f"There is no defence {name!r}.{_near(name, list(DEFENCES))} There are "
            f"{', '.join(DEFENCES)}."
        )
    made = DEFENCES[name].make
    known = [field.name for field in fields(made)]
    for setting in settings:
        if setting not in known:
            raise ConfigError(
                f"{name} has no setting {setting!r}.{_near(setting, known)} It has "
                f"{', '.join(known)}."
            )
    return made(**settings)


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {near[0]}?" if near else ""
