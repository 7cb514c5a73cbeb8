"""Quarantine and retrain: the base model is tuned on what is left of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ld50.core.errors import ConfigError
from ld50.core.examples import Example
from ld50.remedy.clean_tuning import kept_rows
from ld50.remedy.protocol import Case, Models, Remedy

if TYPE_CHECKING:
    from ld50.models.pretrained import LanguageModel
    from ld50.train.finetune import TuneSettings


class QuarantineRetrain(Remedy):
    """Tunes the base model on all kept rows; the suspected model is not used.

    Filtering cannot take out of a model what it has learned, so this needs the model before it met the
    data. What the scan missed is trained on again.

    Source: the filter audit that arXiv 2510.07192 calls for; the plainest baseline there is, and the
    one every repair of a trained model must be compared with.
    """

    name = "quarantine-retrain"
    title = "Quarantine and retrain"
    needs_base = True
    default_rows = None

    def does(self, case: Case, rows: int) -> str:
        """One sentence."""
        return (
            f"Leaves {len(case.quarantined):,} rows out and tunes the base model anew on "
            f"{rows:,} others."
        )

    def examples(self, case: Case, rows: int) -> list[Example]:
        """Kept rows, each once unless more are asked for than there are."""
        return kept_rows(case, rows, self.name)

    def begin(self, models: Models) -> LanguageModel:
        """A copy of the base model."""
        from ld50.models.pretrained import copy_of

        return copy_of(base_of(models, self.name))

    def tuning(self, settings: TuneSettings, parameters: int) -> TuneSettings:
        """As the suspected model was made."""
        return settings


def base_of(models: Models, remedy: str) -> LanguageModel:
    """The base model, or a ConfigError that says who needs it."""
    if models.base is None:
        raise ConfigError(
            f"{remedy} needs the model before it met the data; name it with --base (tiny, smollm2, "
            "or a folder)."
        )
    return models.base
