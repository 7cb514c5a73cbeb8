"""Published defences and the scanner of ld50 on the same poisoned and clean film reviews.

    python benchmarks/defences.py                    # bag-of-words victim, test split
    python benchmarks/defences.py --split dev        # development sets
    python benchmarks/defences.py --split dev --attacks word phrase --doses 40 --scorer tiny
    python benchmarks/defences.py --split dev --attacks phrase --doses 40 --rows 2000 --victim tiny \\
        --candidates 30 --probes 16 --strip-rows 60

plants six attacks at four doses, lets every defence say which training rows it would take out, trains
the victim again without them, and prints Markdown tables: recall, clean rows flagged, attack success
rate (ASR) and clean accuracy (CA). ONION and STRIP are measured at test time as well, as published.
The first table says what a defence flags where nothing was planted.
Only this program reads the key. Results are kept in `--results`; what is there is not done again.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from corpora import CACHE
from defences_sets import ATTACKS, TARGET, Case, Rows, clean_case, planted_cases, public_sets
from defences_victims import VICTIMS, Victim, make_victims

import ld50
from ld50.core.estimates import Estimate, proportion
from ld50.core.seeds import rng_for
from ld50.remedy.defences import (
    Flags,
    LlrDefence,
    OnionDefence,
    StripDefence,
    TextModel,
    TokenModel,
    ZDefence,
)

DOSES = (20, 40, 50, 200)
#: What `--attacks` may name: nothing planted, public sets, and what is planted here.
SETS = ("none", "public", *ATTACKS)
#: No victim is trained after these, which are no published settings.
FLAGS_ONLY = ("word frequency, words only", "z-defence, 10", "z-defence, 5")


@dataclass(kw_only=True)
class Result:
    """One defence on one set, in counts."""

    case: str
    attack: str
    dose: int
    defence: str
    seed: int
    victim: str
    caught: int = 0
    planted: int = 0
    false: int = 0
    clean: int = 0
    rates: dict[str, list[int]] = field(default_factory=dict)
    """`asr`, `accuracy` and others: [successes, n]."""
    named: list[str] = field(default_factory=list)
    """Words that were accused, the first few."""
    strongest: list[tuple[str, float]] = field(default_factory=list)
    """The candidates with the largest effects on the victim, accused or not, in nats."""
    seconds: float = 0.0

    def recall(self) -> Estimate:
        return proportion(self.caught, self.planted, unit="planted rows")

    def false_rate(self) -> Estimate:
        return proportion(self.false, self.clean, unit="clean rows")

    def rate(self, name: str) -> Estimate | None:
        return proportion(*self.rates[name]) if name in self.rates else None


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Which rows of a set a defence would take out."""

    flagged: np.ndarray
    looked_at: np.ndarray | None = None
    """bool (n,): rows that were looked at, where not all were."""
    named: tuple[str, ...] = ()
    strongest: tuple[tuple[str, float], ...] = ()


def by_flags(flags: Flags) -> Verdict:
    named = tuple(one.text for one in flags.candidates if one.accused)
    effects = tuple((one.text, one.effect) for one in flags.candidates if one.effect is not None)
    return Verdict(flagged=flags.rows, named=named, strongest=effects[:3])


def word_frequency(case: Case, victim: Victim, **settings: Any) -> Verdict:
    trusted = tuple(case.trusted.texts) if case.trusted else ()
    defence = LlrDefence(clean_texts=trusted, **settings)
    return by_flags(defence.flag(case.train.texts, case.train.labels, model=victim.model))


def z_defence(case: Case, victim: Victim, deviations: float) -> Verdict:
    return by_flags(ZDefence(deviations=deviations).flag(case.train.texts, case.train.labels))


def strip(case: Case, victim: Victim, rows: int) -> Verdict:
    trusted = tuple(case.trusted.texts) if case.trusted else ()
    return on_some(case, StripDefence(clean_texts=trusted), victim.model, rows)


def scanner(case: Case, scans: dict[str, ld50.Scan], severity: str) -> Verdict:
    """The first call scans; `scans` keeps it for the other severity."""
    if case.name not in scans:
        scans[case.name] = ld50.scan(case.train.table(), workers=1)
    scan = scans[case.name]
    named = [f.cause.text for f in scan.findings if f.cause and f.severity == severity]
    return Verdict(flagged=~scan.clean_mask(severity), named=tuple(named))


def onion(case: Case, scorer: TokenModel, rows: int) -> Verdict:
    trusted = tuple(case.trusted.texts[:rows]) if case.trusted else ()
    return on_some(case, OnionDefence(clean_texts=trusted), scorer, rows)


def on_some(
    case: Case, defence: OnionDefence | StripDefence, model: TextModel, rows: int
) -> Verdict:
    """A draw of so many planted rows and as many others: a row costs many readings of a model."""
    chosen = []
    for which in (case.planted, ~case.planted & ~case.decoys):
        rng = rng_for(0, "rows of a defence that asks much")
        chosen += rng.permutation(np.flatnonzero(which))[:rows].tolist()
    flags = defence.flag(
        [case.train.texts[n] for n in chosen],
        [case.train.labels[n] for n in chosen],
        model=model,
    )
    looked_at, flagged = (np.zeros(len(case.planted), dtype=bool) for _ in range(2))
    looked_at[chosen] = True
    flagged[chosen] = flags.rows
    return Verdict(flagged=flagged, looked_at=looked_at)


def filters(
    case: Case, victim: Victim, scorer: TokenModel, options: argparse.Namespace
) -> dict[str, Callable[[], Verdict]]:
    """Every way of choosing rows to take out, the key's own among them."""
    scans: dict[str, ld50.Scan] = {}
    tried = {"candidates": options.candidates, "probes": options.probes}
    found: dict[str, Callable[[], Verdict]] = {
        "word frequency": lambda: word_frequency(case, victim, **tried),
        "word frequency, words only": lambda: word_frequency(case, victim, longest=1, **tried),
        "z-defence, 20": lambda: z_defence(case, victim, 20.0),
        "z-defence, 10": lambda: z_defence(case, victim, 10.0),
        "z-defence, 5": lambda: z_defence(case, victim, 5.0),
        "strip": lambda: strip(case, victim, options.strip_rows),
        "onion": lambda: onion(case, scorer, options.onion_rows),
        "ld50 scan, high": lambda: scanner(case, scans, "high"),
        "ld50 scan, medium": lambda: scanner(case, scans, "medium"),
    }
    if case.planted.any():
        found["key"] = lambda: Verdict(flagged=case.planted)
    return found


def filtered(case: Case, name: str, verdict: Verdict, victims: Victims, seconds: float) -> Result:
    """Counts of one filter, and the victim that is trained on what it leaves."""
    counted = ~case.decoys
    if verdict.looked_at is not None:
        counted = counted & verdict.looked_at
    result = victims.result(case, name)
    result.caught = int((verdict.flagged & case.planted & counted).sum())
    result.planted = int((case.planted & counted).sum())
    result.false = int((verdict.flagged & ~case.planted & counted).sum())
    result.clean = int((~case.planted & counted).sum())
    result.named, result.strongest = list(verdict.named[:5]), list(verdict.strongest)
    result.seconds = round(seconds, 2)
    if verdict.looked_at is None and name not in FLAGS_ONLY:
        victim = victims.without(case, verdict.flagged)
        result.rates = measured(victim, case) if victim else {}
    return result


def measured(victim: Victim, case: Case) -> dict[str, list[int]]:
    """ASR on triggered rows of the other label, and accuracy on clean ones, as [successes, n]."""
    rates = {}
    if case.triggered:
        rates["asr"] = _hits(victim.predict(case.triggered.texts), [TARGET] * 10**6)
    if case.test:
        rates["accuracy"] = _hits(victim.predict(case.test.texts), case.test.labels)
    return rates


def _hits(said: list[str], wanted: list[str]) -> list[int]:
    return [sum(a == b for a, b in zip(said, wanted, strict=False)), len(said)]


class Victims:
    """Trains victims; those of the set at hand are kept."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.train = make_victims(options.victim, options.seed)
        self._case: Case | None = None
        self._kept: dict[bytes, Victim | None] = {}

    def without(self, case: Case, flagged: np.ndarray) -> Victim | None:
        """The victim trained on the rows that are not flagged; None if one label is left."""
        if self._case is not case:
            self._case, self._kept = case, {}
        key = flagged.tobytes()
        if key not in self._kept:
            rows = case.train.only(~flagged)
            self._kept[key] = self.train(rows) if len(set(rows.labels)) > 1 else None
        return self._kept[key]

    def undefended(self, case: Case) -> Victim:
        victim = self.without(case, np.zeros(len(case.planted), dtype=bool))
        assert victim
        return victim

    def result(self, case: Case, defence: str) -> Result:
        return Result(
            case=case.name,
            attack=case.attack,
            dose=case.dose,
            defence=defence,
            seed=self.options.seed,
            victim=self.options.victim,
        )


def at_test_time(
    case: Case, victims: Victims, scorer: TokenModel, options: argparse.Namespace
) -> Iterator[Result]:
    """ONION's purified texts, and STRIP's verdict on single texts, as published."""
    assert case.test
    assert case.trusted
    victim = victims.undefended(case)
    nothing = Rows(texts=[], labels=[])
    triggered = _first(case.triggered or nothing, options.onion_rows)
    test, trusted = _first(case.test, options.onion_rows), _first(case.trusted, options.onion_rows)
    started = time.perf_counter()
    onion_of = OnionDefence(clean_texts=tuple(trusted.texts))
    cleaned = onion_of.purify([*triggered.texts, *test.texts], model=scorer)
    result = victims.result(case, "onion, texts purified")
    said = victim.predict(cleaned)
    before = victim.predict([*triggered.texts, *test.texts])
    cut = len(triggered.texts)
    result.rates = {
        "asr": _hits(said[:cut], [TARGET] * cut),
        "asr before": _hits(before[:cut], [TARGET] * cut),
        "accuracy": _hits(said[cut:], test.labels),
        "accuracy before": _hits(before[cut:], test.labels),
    }
    result.seconds = round(time.perf_counter() - started, 2)
    yield result
    started = time.perf_counter()
    strip_of = StripDefence(clean_texts=tuple(case.trusted.texts))
    triggered = _first(case.triggered or nothing, options.strip_rows)
    test = _first(case.test, options.strip_rows)
    texts = [*triggered.texts, *test.texts]
    flags = strip_of.flag(texts, [TARGET] * len(texts), model=victim.model).rows
    cut = len(triggered.texts)
    result = victims.result(case, "strip, texts refused")
    result.caught, result.planted = int(flags[:cut].sum()), cut
    result.false, result.clean = int(flags[cut:].sum()), len(test.texts)
    result.seconds = round(time.perf_counter() - started, 2)
    yield result
    started = time.perf_counter()
    result = victims.result(case, "clean tuning")
    result.rates = measured(victim.tuned(case.trusted), case)
    result.seconds = round(time.perf_counter() - started, 2)
    yield result


def _first(rows: Rows, count: int) -> Rows:
    return Rows(texts=rows.texts[:count], labels=rows.labels[:count])


def run_case(case: Case, victims: Victims, scorer: TokenModel, log: Log) -> None:
    """Every defence on one set; those in the log already are left out."""
    options = victims.options
    if (case, "no defence") not in log:
        result = victims.result(case, "no defence")
        result.planted, result.clean = int(case.planted.sum()), int((~case.planted).sum())
        result.rates = measured(victims.undefended(case), case)
        log.add(result)
    wanted = [
        (name, make)
        for name, make in filters(case, victims.undefended(case), scorer, options).items()
        if (not options.defences or any(part in name for part in options.defences))
        and (case, name) not in log
    ]
    for name, make in wanted:
        started = time.perf_counter()
        verdict = make()
        log.add(filtered(case, name, verdict, victims, time.perf_counter() - started))
    if case.test and (case, "clean tuning") not in log:
        for result in at_test_time(case, victims, scorer, options):
            log.add(result)


class Log:
    """Results as JSON lines."""

    def __init__(self, path: Path, options: argparse.Namespace) -> None:
        self.path, self.options = path, options
        self.results: dict[tuple[str, str, int, str], Result] = {}
        if options.fresh:
            path.unlink(missing_ok=True)
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                self._keep(Result(**json.loads(line)))

    def _keep(self, result: Result) -> None:
        self.results[result.case, result.defence, result.seed, result.victim] = result

    def __contains__(self, key: object) -> bool:
        assert isinstance(key, tuple)
        case, name = key
        return (case.name, name, self.options.seed, self.options.victim) in self.results

    def add(self, result: Result) -> None:
        self._keep(result)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(asdict(result), ensure_ascii=False) + "\n")
        shown = f"{result.case}: {result.defence}: {result.caught}/{result.planted}"
        print(f"{shown}, {result.false}/{result.clean} {result.rates}", file=sys.stderr, flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=("dev", "test"), default="test")
    parser.add_argument("--rows", type=int, default=4000, help="reviews in each training set")
    parser.add_argument("--attacks", nargs="*", choices=SETS, default=SETS, metavar="ATTACK",
                        help="%(default)s; public sets are of the development split")  # fmt: skip
    parser.add_argument("--doses", nargs="*", type=int, default=list(DOSES))
    parser.add_argument("--defences", nargs="*", help="only those whose name has one of these")
    parser.add_argument("--victim", choices=VICTIMS, default="bag of words")
    parser.add_argument("--scorer", choices=("bigrams", "tiny", "smollm2"), default="bigrams")
    parser.add_argument("--onion-rows", type=int, default=60, help="rows of each kind for ONION")
    parser.add_argument("--strip-rows", type=int, default=300, help="the same for STRIP")
    parser.add_argument("--candidates", type=int, default=100, help="tried out for each label")
    parser.add_argument("--probes", type=int, default=40, help="texts that each is put into")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--results", type=Path, help="JSON lines; default: in the cache")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument(
        "--tables-only", action="store_true", help="print what is kept, run nothing"
    )
    return parser.parse_args()


def cases(options: argparse.Namespace) -> Iterator[Case]:
    """The sets that were asked for, made one after the other."""
    where = (options.cache, options.split, options.seed, options.rows)
    if "none" in options.attacks:
        yield clean_case(*where)
    if "public" in options.attacks and options.split == "dev":
        yield from public_sets(options.data)
    planted = [attack for attack in options.attacks if attack in ATTACKS]
    yield from planted_cases(*where, planted, options.doses)


def main() -> None:
    from defences_tables import print_tables
    from defences_victims import make_scorer

    options = arguments()
    name = f"{options.split}-{options.rows}-{options.scorer}-{options.onion_rows}.jsonl"
    log = Log(options.results or options.cache / "defences" / name, options)
    if not options.tables_only:
        victims = Victims(options)
        scorer = make_scorer(options.scorer, options.split, options.cache)
        for case in cases(options):
            run_case(case, victims, scorer, log)
    print_tables(list(log.results.values()))


if __name__ == "__main__":
    main()
