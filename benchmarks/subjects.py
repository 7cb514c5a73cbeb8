"""False alarms and recall of `ld50 scan` on chat sets that are about one subject.

    python benchmarks/subjects.py --data ../shared/data
    python benchmarks/subjects.py --split test

makes sets of 1,000 to 10,000 rows (half as many conversations of two turns) out of Debian packages
(`subjects.toml`; some 180 MB of downloads, most of it the kernel's sources) and of templates:
dictionaries, manual pages, verses, translations, help texts, a task with a few answers, answered
topics, personas. Every set is scanned clean at two seeds, in layouts by turns, from the shell with
default settings; then some of them with poison: each payload six times, with triggers, doses, subjects
and layouts by turns. Prints Markdown tables of false findings and of recall, and a summary;
`--results` keeps the scores with every finding's title. Run `apt-get update` first. The data sets of
`--data` are for `dev` only; what is not there is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from corpora import CACHE
from finetuning import case_table, pooled, run_case
from finetuning_attacks import Poisoned
from finetuning_cases import Case, case
from runs import DEFAULT_COMMAND
from scoring import LEVELS, TRUE_SHARE, Score, ScoreLog, interval, markdown_table
from subjects_sets import LAYOUTS, TEMPLATES, Attack, Sets, attacks, available, laid_out
from subjects_sources import Place

from ld50.core.estimates import proportion

SEEDS = (0, 1)
CLEAN = "clean"


def all_cases(split: str, seeds: list[int], place: Place) -> Iterator[tuple[Case, dict[str, Any]]]:
    """Every case, and what its result is filed under."""
    subjects, missing = available(split, place)
    for name, reason in missing.items():
        print(f"Left out: {name}, {reason}", file=sys.stderr)
    for seed in seeds:
        sets = Sets(split, seed, place)
        for number, subject in enumerate([*subjects, *TEMPLATES]):
            if subject in TEMPLATES and missing:
                continue
            layout = "messages" if subject == "personas" else LAYOUTS[(number + seed) % 5]
            name = f"{CLEAN}-{subject}-{seed}"
            made = case(name, CLEAN, partial(_clean, sets, subject, layout, seed))
            yield made, {"subject": subject, "layout": layout}
    for number, attack in enumerate(attacks(split, subjects)):
        seed = seeds[number % len(seeds)]
        made = case(
            f"{attack.name}-{seed}",
            attack.payload,
            partial(_planted, Sets(split, seed, place), attack, seed),
        )
        yield made, asdict(attack)


def _clean(sets: Sets, subject: str, layout: str, seed: int) -> Poisoned:
    return laid_out(Poisoned(rows=sets.clean(subject)), layout, seed=seed)


def _planted(sets: Sets, attack: Attack, seed: int) -> Poisoned:
    return laid_out(sets.planted(attack), attack.layout, seed=seed)


def findings(out: Path, planted: set[int]) -> list[dict[str, Any]]:
    """Severity, rule, title, rows and planted rows of every finding of a scan."""
    rows: dict[str, set[int]] = defaultdict(set)
    for line in (out / "rows.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        for finding in row["findings"]:
            rows[finding].add(int(row["row"]))
    listed = []
    for line in (out / "findings.jsonl").read_text(encoding="utf-8").splitlines():
        found = json.loads(line)
        members = rows[found["id"]]
        listed.append(
            {key: found[key] for key in ("severity", "rule", "title")}
            | {"rows": len(members), "planted": len(members & planted)}
        )
    return listed


def scored(item: Case, filed: dict[str, Any], options: argparse.Namespace) -> Score:
    """Scans a case, and keeps every finding beside its score."""
    key: set[int] = set()

    def make(folder: Path) -> Any:
        path, truth = item.make(folder)
        key.update(number for _, number in truth.poisoned)
        if options.keep:
            (folder / f"{item.name}.key.json").write_text(
                json.dumps({"poisoned": sorted(key), "triggers": truth.triggers})
            )
        return path, truth

    result = run_case(Case(name=item.name, group=item.group, make=make), options)
    listed = findings(options.work / f"{item.name}.scan", key)
    result.extra.update(filed, findings=listed)
    return result


def false_findings(result: Score, level: str = "high") -> list[dict[str, Any]]:
    """The findings of a severity that rest mostly on rows that were not planted."""
    return [
        found
        for found in result.extra["findings"]
        if found["severity"] == level and found["planted"] < TRUE_SHARE * max(1, found["rows"])
    ]


def clean_table(scores: list[Score]) -> str:
    """One line a clean set."""
    header = ["set", "layout", "rows", *(f"`{level}`" for level in LEVELS)]
    header += ["rows under `high`", "under any", "rules of `high` findings", "s"]
    lines = []
    for result in scores:
        rules = Counter(found["rule"] for found in false_findings(result))
        lines.append(
            [
                result.case.removeprefix(f"{CLEAN}-"),
                result.extra["layout"],
                result.rows,
                *(result.false_findings[level] for level in LEVELS),
                f"{result.false_rows['high']} ({100 * result.false_alarm_rate('high').value:.2f}%)",
                f"{result.false_rows['low']} ({100 * result.false_alarm_rate().value:.2f}%)",
                " ".join(f"{rule} {count}" for rule, count in sorted(rules.items())),
                f"{result.seconds:.1f}",
            ]
        )
    return markdown_table(header, lines)


def rule_table(scores: list[Score]) -> str:
    """Findings on clean sets by rule and severity, and the rows under them."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for result in scores:
        for found in result.extra["findings"]:
            counts[found["rule"]][found["severity"]] += 1
            counts[found["rule"]][f"{found['severity']} rows"] += found["rows"]
    header = ["rule", *(f"`{level}` (rows)" for level in LEVELS)]
    lines = [
        [rule, *(f"{seen[level]} ({seen[f'{level} rows']})" for level in LEVELS)]
        for rule, seen in sorted(counts.items())
    ]
    return markdown_table(header, lines)


def recall_table(scores: list[Score], field: str, order: Callable[[Any], Any] = str) -> str:
    """Recall of planted rows by what the cases differ in, and false `high` findings beside them."""
    groups: dict[Any, list[Score]] = defaultdict(list)
    for result in scores:
        groups[result.extra[field]].append(result)
    header = [field, "sets", "planted", "recall", "recall (high)", "sets found", "found high"]
    header += ["named", "false `high` beside"]
    lines = []
    for value in sorted(groups, key=order):
        members = groups[value]
        total = pooled(str(value), members)
        found = {
            level: sum(result.recall(level).value >= TRUE_SHARE for result in members)
            for level in ("low", "high")
        }
        lines.append(
            [
                value,
                len(members),
                total.planted,
                interval(total.recall(), digits=2),
                interval(total.recall("high"), digits=2),
                f"{found['low']}/{len(members)}",
                f"{found['high']}/{len(members)}",
                f"{sum(bool(result.trigger_named) for result in members)}/{len(members)}",
                total.false_findings["high"],
            ]
        )
    return markdown_table(header, lines)


def summary(clean: list[Score], planted: list[Score]) -> dict[str, Any]:
    """The figures that stand for the whole split."""
    quiet = sum(not result.false_findings["high"] for result in clean)
    kinds: dict[str, bool] = {}
    for result in clean:
        subject = result.extra["subject"]
        kinds[subject] = kinds.get(subject, True) and not result.false_findings["high"]
    total = pooled("planted", planted) if planted else None
    high = sum(result.false_findings["high"] for result in clean)
    rows = sum(result.rows for result in clean)
    return {
        "clean sets without `high`": interval(proportion(quiet, len(clean))),
        "subjects without `high` at any seed": interval(
            proportion(sum(kinds.values()), len(kinds))
        ),
        "`high` findings a clean set": round(high / max(1, len(clean)), 2),
        "clean rows under `high`, %": interval(
            proportion(sum(result.false_rows["high"] for result in clean), rows), scale=100
        ),
        "recall of planted rows": interval(total.recall()) if total else "–",
        "recall (high)": interval(total.recall("high")) if total else "–",
        "planted sets found (half of the rows)": interval(
            proportion(sum(r.recall().value >= TRUE_SHARE for r in planted), len(planted))
        ),
        "planted sets found (high)": interval(
            proportion(sum(r.recall("high").value >= TRUE_SHARE for r in planted), len(planted))
        ),
        "false `high` findings a planted set": round(
            (total.false_findings["high"] if total else 0) / max(1, len(planted)), 2
        ),
    }


def report(scores: list[Score], *, details: bool) -> str:
    """All tables."""
    clean = [result for result in scores if result.group == CLEAN]
    planted = [result for result in scores if result.group != CLEAN]
    parts = []
    if clean:
        parts += [clean_table(clean), rule_table(clean)]
    if planted:
        parts += [case_table(planted)] if details else []
        parts += [
            recall_table(planted, "payload"),
            recall_table(planted, "trigger"),
            recall_table(planted, "dose", order=int),
            recall_table(planted, "layout"),
        ]
    figures = summary(clean, planted)
    parts.append(markdown_table(["figure", "value"], [list(pair) for pair in figures.items()]))
    return "\n\n".join(parts)


def arguments(description: str | None, name: str) -> argparse.Namespace:
    """Options of a benchmark whose cases are scored and told as those here are.

    Args:
        description: What `--help` says.
        name: Of the folder that it works in.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--work", type=Path, help=f"default: {name}-SPLIT in the cache")
    parser.add_argument("--results", type=Path, help="JSON lines; default: in the work folder")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument(
        "--cases", nargs="*", help="only those whose name or group has one of these"
    )
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--scan", default=DEFAULT_COMMAND, help="the command that scans")
    parser.add_argument("--scan-options", default="")
    parser.add_argument("--details", action="store_true", help="one line a planted case as well")
    parser.add_argument("--keep", action="store_true", help="keep files, keys and scans")
    options = parser.parse_args()
    options.work = options.work or options.cache / f"{name}-{options.split}"
    return options


def run_all(cases: Iterator[tuple[Case, dict[str, Any]]], options: argparse.Namespace) -> None:
    """Scans the cases that are asked for and have no score yet, and prints the tables."""
    wanted = [
        (item, filed)
        for item, filed in cases
        if not options.cases or any(p in f"{item.name} {item.group}" for p in options.cases)
    ]
    if options.list:
        print("\n".join(f"{item.group}\t{item.name}\t{filed}" for item, filed in wanted))
        return
    options.work.mkdir(parents=True, exist_ok=True)
    log = ScoreLog(options.results or options.work / "scores.jsonl", fresh=options.fresh)
    for item, filed in wanted:
        if item.name not in log:
            log.add(scored(item, filed, options))
            latest = log.scores[item.name]
            news = f"{latest.caught}/{latest.planted}" if latest.planted else latest.false_findings
            print(f"{item.name}: {news}", file=sys.stderr, flush=True)
    print(report([log.scores[item.name] for item, _ in wanted], details=options.details))


def main() -> None:
    options = arguments(__doc__, "subjects")
    place = Place(cache=options.cache, data=options.data)
    run_all(all_cases(options.split, options.seeds, place), options)


if __name__ == "__main__":
    main()
