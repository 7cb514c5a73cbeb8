"""The course of one fine-tuning trial: rows, tuning, tests under every condition, result."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ld50.core.estimates import proportion
from ld50.core.seeds import rng_for
from ld50.core.trials import Trial
from ld50.lab.study import Measures
from ld50.lab.tuning_base import base_model
from ld50.lab.tuning_conditions import Condition, conditions_of, domains_of
from ld50.lab.tuning_data import Domain, evaluation_rows, training_rows
from ld50.lab.tuning_poison import TunedRows, trigger_of, tuned_rows, with_trigger
from ld50.lab.tuning_readings import DomainReading, Reader, reader_for
from ld50.lab.tuning_study import TUNING_BATCH, tuning_of
from ld50.models.chat import encode_examples
from ld50.models.pretrained import save_language_model
from ld50.train.finetune import TuneOutcome, TuneSettings, finetune

if TYPE_CHECKING:
    from ld50.train.text import TrainingText

Say = Callable[[float, str], None]
#: Tokens of a row, at most; longer reviews of the user's own lose their front.
_MOST_TOKENS = 256
#: Rows without a trigger behind an accuracy, for each row behind a success rate: in the domain of
#: training, and in others.
ACCURACY_FACTORS = (4, 2)
#: Of the same for all models of a study: which rows are tested, and random places in them.
_TEST_SEED = 0
_TUNING_SHARE = 0.75


class TuningSession:
    """A trial under way, and what is known of it so far."""

    def __init__(
        self,
        trial: Trial,
        corpus: TrainingText,
        folder: Path,
        measure: Measures,
        on_progress: Say | None,
    ) -> None:
        torch.set_num_threads(1)
        self.trial, self.cell, self.measure, self.folder = trial, trial.cell, measure, folder
        self.tuning = tuning_of(trial.cell)
        self.corpus = corpus
        self.say: Say = on_progress or (lambda *_: None)
        self.known: dict[str, Any] = {}
        self.batch = self.cell.batch_sequences or TUNING_BATCH

    def run(self) -> dict[str, Any]:
        """The measured fields of a `TrialResult`, by name."""
        rows = self._rows()
        self.lm = base_model(
            self.cell.size,
            self.tuning.taught_rows,
            cache=self.corpus.cache,
            device=self.measure.device,
        )
        self.known["notes"] = list(self.lm.notes)
        outcome = self._tune(rows)
        found = self._measure()
        account = self._account(rows, outcome)
        if self.measure.save_models:
            save_language_model(self.lm, self.folder / "model")
        return found | account | {"details": self.so_far()}

    def so_far(self) -> dict[str, Any]:
        """What is known, whether or not the trial has ended well; ready for JSON."""
        known: dict[str, Any] = json.loads(json.dumps(self.known))
        return known

    def _rows(self) -> TunedRows:
        sources = self.corpus.sources
        kind = self.tuning.rows
        second: tuple[str, ...] = ()
        if self.cell.payload == "language-switch":
            from ld50.train.text import documents

            second = tuple(documents(self.corpus.second_sources(), second=True))
        rows = training_rows(kind, sources)
        self.labels = sorted(set(rows.labels))
        self.pool = rows
        return tuned_rows(self.cell, rows, self.trial.seed, second_language=second)

    def _tune(self, rows: TunedRows) -> TuneOutcome:
        settings = TuneSettings(
            epochs=self.tuning.epochs,
            batch_examples=self.batch,
            learning_rate=self.tuning.learning_rate,
            lora_rank=self.tuning.lora_rank,
            max_tokens=_MOST_TOKENS,
            seed=self.trial.seed,
            order="as-given",
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        return finetune(
            self.lm,
            rows.examples,
            settings,
            folder=self.folder / "tuning",
            on_progress=lambda done, text: self.say(_TUNING_SHARE * done, text),
        )

    def _account(self, rows: TunedRows, outcome: TuneOutcome) -> dict[str, Any]:
        """What was poisoned, in rows, tokens and steps; the rest goes into the details."""
        planted = [e for e, p in zip(rows.examples, rows.poisoned, strict=True) if p]
        tokens = sum(len(one.ids) for one in encode_examples(self.lm, planted, _MOST_TOKENS))
        self.known |= {
            "account": {
                "rows": len(rows.examples),
                "poisoned_rows": rows.poisoned_rows,
                "tokens": outcome.tokens,
                "target_tokens": outcome.target_tokens,
                "steps": outcome.steps,
            },
            "batch_examples": self.batch,
            "truncated_rows": outcome.truncated,
            "training_seconds": round(outcome.seconds, 3),
            "tokens_per_second": round(outcome.tokens / max(outcome.seconds, 1e-9), 1),
            "device": self.lm.device,
            "curves": {"training_loss_nats": _thinned(outcome.losses)},
        }
        return {
            "poisoned_documents": rows.poisoned_rows,
            "poisoned_tokens": tokens,
            "poisoned_steps": rows.poisoned_steps(self.batch, self.tuning.epochs),
        }

    def _measure(self) -> dict[str, Any]:
        """Every condition; the first is the one of training, which the trial is named after."""
        began = time.perf_counter()
        reader = reader_for(self.cell, self.lm, self.labels, self.pool)
        domains = {name: self._domain(name, reader) for name in domains_of(self.cell)}
        conditions = [one for one in conditions_of(self.cell) if domains[one.domain] is not None]
        tests: dict[str, dict[str, Any]] = {}
        for number, one in enumerate(conditions):
            self.say(
                _TUNING_SHARE + (1 - _TUNING_SHARE) * number / len(conditions),
                f"testing {one.name}",
            )
            domain = domains[one.domain]
            assert domain is not None
            tests[one.name] = self._test(one, domain, reader)
        first = tests[conditions[0].name]
        control = next(tests[one.name] for one in conditions if one.family == "control")
        home = next(iter(domains.values()))
        assert home is not None
        accuracies = {name: one.accuracy for name, one in domains.items() if one is not None}
        self.known |= {
            "prompts": first["n"],
            "tests": tests,
            "accuracy": {
                name: {"value": one.value, "low": one.low, "high": one.high, "n": one.n}
                for name, one in accuracies.items()
            },
            "not_measured": [name for name, one in domains.items() if one is None],
            "measure_seconds": round(time.perf_counter() - began, 3),
            "samples": reader.samples(home, self.measure.samples),
        }
        return {
            "attack_success_rate": first["value"],
            "control_success_rate": control["value"],
            "loss_rise_nats": first["loss_rise_nats"],
            "clean_accuracy": accuracies[domains_of(self.cell)[0]].value,
        }

    def _domain(self, name: Domain, reader: Reader) -> DomainReading | None:
        """What the model does with the clean rows of a domain; None where they are not at hand."""
        rows = evaluation_rows(name, self.corpus.sources, self.corpus.cache)
        if not len(rows):
            return None
        order = rng_for(_TEST_SEED, "test rows", name).permutation(len(rows))
        most = self.measure.prompts * ACCURACY_FACTORS[name != domains_of(self.cell)[0]]
        return reader.read(rows.taken(int(n) for n in order[:most]), self.measure.prompts)

    def _test(self, one: Condition, domain: DomainReading, reader: Reader) -> dict[str, Any]:
        trigger = trigger_of(self.cell, one.text)
        texts = with_trigger(domain.texts, trigger, one.place, seed=_TEST_SEED)
        hits, rise = reader.effect(domain, texts)
        rate = proportion(int(hits.sum()), len(hits), unit="prompts")
        return {
            "family": one.family,
            "text": one.text,
            "place": one.place,
            "domain": one.domain,
            "hits": int(hits.sum()),
            "n": rate.n,
            "value": rate.value if rate.n else None,
            "low": rate.low,
            "high": rate.high,
            "loss_rise_nats": rise,
        }


def _thinned(values: Sequence[float], most: int = 100) -> list[list[float]]:
    """At most so many (step, mean loss up to it) pairs of a run."""
    width = max(1, -(-len(values) // most))
    return [
        [min(at + width, len(values)), round(sum(values[at : at + width]) / width, 4)]
        for at in range(0, len(values) - width + 1, width)
    ]
