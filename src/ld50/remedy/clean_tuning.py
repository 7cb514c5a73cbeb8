"""Clean fine-tuning: the suspected model goes on with rows that no finding rests on."""

from __future__ import annotations

from ld50.core.examples import Example
from ld50.core.seeds import rng_for
from ld50.remedy.protocol import Case, Remedy, drawn


class CleanTuning(Remedy):
    """Tunes the suspected model on kept rows.

    Source: the defence after fine-tuning of arXiv 2406.07778 (a small clean set) [P], and the continued
    clean training of arXiv 2510.07192, where attack success falls slowly and not to zero [P]. Ours draws
    the rows from the data themselves, without those that the scan flagged, so that it needs no trusted
    set; rows that the scan missed may be among them.
    """

    name = "clean-tuning"
    title = "Tune on kept rows"

    def does(self, case: Case, rows: int) -> str:
        """One sentence."""
        return f"Tunes the model on {rows:,} rows that no finding rests on."

    def examples(self, case: Case, rows: int) -> list[Example]:
        """Kept rows without replacement; begun again only where there are fewer than asked for."""
        return kept_rows(case, rows, self.name)


def kept_rows(case: Case, rows: int, purpose: str) -> list[Example]:
    """Kept rows, drawn without replacement as far as they last."""
    order = rng_for(case.seed, "remedy", purpose).permutation(len(case.kept))
    return drawn(case.kept, rows, order.tolist())
