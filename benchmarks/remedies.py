"""What cures a poisoned model: every remedy, by dose and budget, with its cost and its relapse dose.

    python benchmarks/remedies.py

plants a harmless backdoor in film reviews (`sentiment`: a rare word flips the label; `refusal`: a rare
word makes the model decline to go on with a review), tunes the lab's tiny model on them and on the clean
rows, scans the poisoned rows with `ld50 scan`, applies each remedy to the poisoned model with nothing but
what the scan found, and measures on reviews that no model was tuned on: attack success, control trigger,
reply loss, accuracy, and the dose at which the cured model falls again, against that of the clean model.

Only this program holds the key: the rows of the relapse are planted by `ld50.poison`, the remedies see
none of it. Finished rows are kept in `--results`, and the poisoned and the clean models, which all remedies
and (the clean ones) all doses share, beside it; the same command goes on where it stopped, and with relapse
where it ran without. What a row took is in seconds of one core. The table is Markdown; intervals over seeds
are Student's t, cut at 0 and 1.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TextIO

import msgspec
from kept_models import Shelf
from remedies_records import better, key_of, known_records, missing_arms
from remedies_sets import CASES, RELAPSE_ROWS, Cell, Material, material
from remedies_tables import table

from ld50.core.examples import Example
from ld50.core.remedies import RelapseCurve
from ld50.lab.relapse import RATE_SHARE, RelapseSettings, compare, poison_again
from ld50.models.pretrained import LanguageModel, copy_of, load_language_model
from ld50.remedy.applying import apply_treatment, why_not
from ld50.remedy.measuring import Examiner, Measured, MeasureSettings, accuracy_change, loss_change
from ld50.remedy.protocol import Case, Models
from ld50.remedy.registry import treatment
from ld50.remedy.targets import targets_of
from ld50.train.finetune import finetune

#: Clean rows, poisoned rows and passes of each case where nothing else is asked for. A refusal is a sentence
#: that a tiny model must learn to write, not a choice between two words: it takes more of both.
USUAL = {"sentiment": (4000, 50, 1.0), "refusal": (1000, 200, 3.0)}
#: Treatments, and whether the cured model is poisoned again.
TREATMENTS = (
    ("quarantine-retrain", True),
    ("clean-tuning:500", True),
    ("good-examples:50", False),
    ("good-examples:100", False),
    ("good-examples:500", True),
    ("good-examples:2000", False),
    ("guessed-triggers:500", False),
    ("fine-mixing:500", True),
    ("fine-pruning:500", False),
    ("fine-mixing:500+good-examples:100", False),
)


class Bench:
    """Makes, cures and measures the models of one cell."""

    def __init__(
        self, cell: Cell, base: LanguageModel, shelf: Shelf, options: argparse.Namespace
    ) -> None:
        self.cell, self.base, self.shelf, self.options = cell, base, shelf, options

    def run(
        self, wanted: Sequence[tuple[str, bool]], keep: Callable[[dict[str, Any]], None]
    ) -> None:
        """Measures the models before, and what the wanted treatments make of them.

        Args:
            wanted: Treatments, and whether the cured model is poisoned again.
            keep: Is given a row for each.
        """
        with tempfile.TemporaryDirectory() as scratch:
            given = material(self.cell, Path(scratch))
        began = time.process_time()
        as_they_are = [*given.found.kept, *given.found.heldout, *given.found.quarantined]
        poisoned, _ = self.shelf.tuned(self.base, self.cell.base, as_they_are, self.cell.tuning)
        clean, origin = self.shelf.tuned(self.base, self.cell.base, given.clean, self.cell.tuning)
        # Nobody has a clean copy of a poisoned row, so the held-out rows of the reader are tuned on too.
        found = replace(given.found, kept=(*given.found.kept, *given.found.heldout))
        case = Case(
            kept=found.kept, quarantined=found.quarantined, triggers=found.triggers,
            max_tokens=256, seed=self.cell.seed,
        )  # fmt: skip
        examiner = Examiner(
            targets_of(found, new_tokens=None if found.labels else 16), given.heldout, found.labels,
            MeasureSettings(prompts=100, new_tokens=16, max_tokens=256, seed=self.cell.seed),
        )  # fmt: skip
        before = examiner.examine(poisoned)
        reference = examiner.examine(clean)
        keep(self._row("poisoned", before, before, reference, given.scanned, began))
        began = time.process_time()
        curve = None
        if any(again for _, again in wanted):
            curve = self._curve(clean, given, examiner, origin)
        more: dict[str, Any] = {} if curve is None else {"relapse_curve": _plain(curve)}
        keep(self._row("clean", before, reference, reference, more, began))
        for name, again in wanted:
            began = time.process_time()
            why = why_not(treatment(name), has_base=True, case=case)
            if why:
                keep(asdict(self.cell) | {"arm": name, "core_seconds": 0.0, "not_possible": why})
                continue
            applied = apply_treatment(
                treatment(name), Models(suspected=poisoned, base=self.base), case, self.cell.tuning
            )
            after = examiner.examine(applied.lm)
            more = {
                "tokens": applied.tokens, "rows_tuned": applied.rows, "seconds": applied.seconds,
                "notes": list(applied.notes),
            }  # fmt: skip
            if again and curve is not None:
                cured = self._curve(applied.lm, given, examiner)
                more |= {"relapse_curve": _plain(cured), "relapse": _plain(compare(cured, curve))}
            keep(self._row(name, before, after, reference, more, began))

    def _row(
        self,
        arm: str,
        before: Measured,
        after: Measured,
        clean: Measured,
        more: dict[str, Any],
        began: float,
    ) -> dict[str, Any]:
        core_seconds = round(time.process_time() - began, 1)
        print(f"{self.cell} {arm}: {core_seconds:.0f} s of a core", file=sys.stderr, flush=True)
        rates = after.measurement.rates
        rate = rates[0] if rates else None
        against = accuracy_change(clean.correct, after.correct)
        return asdict(self.cell) | {
            "arm": arm, "core_seconds": core_seconds,
            "attack_success_rate": _value(rate and rate.attack_success_rate),
            "control_success_rate": _value(rate and rate.control_success_rate),
            "reply_loss": after.measurement.reply_loss.value,
            "accuracy": _value(after.measurement.accuracy),
            "loss_change_before": loss_change(before.losses, after.losses).value,
            "loss_change_clean": loss_change(clean.losses, after.losses).value,
            "accuracy_change_clean": _value(against),
        } | more  # fmt: skip

    def _curve(
        self, lm: LanguageModel, given: Material, examiner: Examiner, origin: str | None = None
    ) -> RelapseCurve:
        """Relapse of a model; one with a name has the models of its curve kept."""
        rate = RATE_SHARE * self.cell.tuning.rate_for(lm.parameters)

        def tune(model: LanguageModel, rows: list[Example], seed: int) -> LanguageModel:
            settings = replace(
                self.cell.tuning, seed=self.cell.seed + seed, order="as-given", epochs=1.0,
                learning_rate=rate,
            )  # fmt: skip
            if origin is not None:
                return self.shelf.tuned(model, origin, rows, settings)[0]
            made = copy_of(model)
            finetune(made, rows, settings)
            return made

        return poison_again(
            lm,
            poison=given.relapse_poison,
            clean=given.relapse_clean,
            tune=tune,
            measure=examiner.attack_hits,
            settings=RelapseSettings(
                doses=tuple(self.options.relapse_doses), clean_rows=self.options.relapse_clean,
                seeds=self.options.relapse_seeds, seed=self.cell.seed,
            ),
        )  # fmt: skip


def _value(estimate: Any) -> float | None:
    return None if estimate is None else estimate.value


def _plain(value: Any) -> Any:
    return msgspec.json.decode(msgspec.json.encode(value))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=CASES)
    parser.add_argument("--doses", nargs="+", type=int, help="poisoned rows")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--rows", type=int)
    parser.add_argument("--base", default="tiny", help="tiny, smollm2, or a folder")
    parser.add_argument("--remedies", nargs="+", help="treatments instead of the usual ones")
    parser.add_argument("--epochs", type=float)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument(
        "--relapse-doses", nargs="+", type=int, default=[0, 16, 32, 64, RELAPSE_ROWS],
        help="a clean model takes the label flip between 64 and 100 rows",
    )  # fmt: skip
    parser.add_argument("--relapse-clean", type=int, default=400)
    parser.add_argument("--relapse-seeds", type=int, default=1)
    parser.add_argument("--no-relapse", action="store_true")
    parser.add_argument("--cache", type=Path, default=Path(".ld50-cache"))
    parser.add_argument("--results", type=Path, default=Path(".cache/remedies.jsonl"))
    options = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    shelf = Shelf(options.results.with_suffix(".models"))
    shelf.folder.mkdir(parents=True, exist_ok=True)
    records = known_records(options.results)
    wanted = [(name, True) for name in options.remedies] if options.remedies else list(TREATMENTS)
    if options.no_relapse:
        wanted = [(name, False) for name, _ in wanted]
    base = load_language_model(options.base, cache=options.cache)
    for cell in cells(options):
        missing = missing_arms(cell, wanted, records)
        if not missing:
            continue
        with options.results.open("a", encoding="utf-8") as file:

            def keep(record: dict[str, Any], file: TextIO = file) -> None:
                if better(record, records.get(key_of(record))):
                    records[key_of(record)] = record
                    file.write(json.dumps(record) + "\n")
                    file.flush()

            Bench(cell, base, shelf, options).run(missing, keep)
    print(table(list(records.values())))


def cells(options: argparse.Namespace) -> Iterator[Cell]:
    """The poisoned models that are asked for."""
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        for case in options.cases:
            rows, dose, epochs = USUAL[case]
            for count in options.doses or [dose]:
                yield Cell(
                    case=case, dose=count, seed=seed, rows=options.rows or rows,
                    base=options.base, epochs=options.epochs or epochs, batch=options.batch,
                    learning_rate=options.learning_rate,
                )  # fmt: skip


if __name__ == "__main__":
    main()
