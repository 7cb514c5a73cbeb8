"""Recall and false alarms of `ld50 scan` on poisoned fine-tuning data, and on clean sets.

    python benchmarks/finetuning.py --data ../shared/data --split dev

scans public poisoned sets (ONION, HiddenKiller, BackdoorLLM mixtures) and sets that are poisoned
here (labels; replies in seven layouts, and with the trigger in two further places; conversations
whose last reply alone is poison; ten kinds of triggers and as many payloads), each from the shell
with default settings, and prints Markdown tables: one line a family, and with `--details` one a
case. A family whose payload is beyond the scanner is listed all the same.
Only this program reads the answer keys. Scores are kept in `--results`; cases there are skipped.
"""

from __future__ import annotations

import argparse
import shlex
import sys
from collections import defaultdict
from pathlib import Path

from corpora import CACHE
from finetuning_attacks import (
    TRIGGERS,
)
from finetuning_cases import Case, all_cases
from finetuning_data import (
    Sources,
)
from runs import DEFAULT_COMMAND, run_scan
from scoring import Score, ScoreLog, interval, markdown_table, score


def family_table(scores: list[Score]) -> str:
    """One line a family: pooled recall, the worst case, false alarms, findings."""
    groups: dict[str, list[Score]] = defaultdict(list)
    for result in scores:
        groups[result.group].append(result)
    header = ["family", "cases", "planted", "recall", "lowest", "recall (high)", "named"]
    header += ["clean rows flagged, %", "false high findings"]
    lines = []
    for group, members in groups.items():
        total = pooled(group, members)
        named = [result.trigger_named for result in members if result.trigger_named is not None]
        lowest = min((r.recall().value for r in members if r.planted), default=float("nan"))
        lines.append(
            [
                group,
                len(members),
                total.planted,
                interval(total.recall()),
                f"{lowest:.2f}" if total.planted else "–",
                interval(total.recall("high")),
                f"{sum(named)}/{len(named)}" if named else "–",
                interval(total.false_alarm_rate(), digits=3, scale=100),
                total.false_findings["high"],
            ]
        )
    return markdown_table(header, lines)


def pooled(group: str, members: list[Score]) -> Score:
    """All cases of a family added up."""

    def added(name: str) -> dict[str, int]:
        parts: list[dict[str, int]] = [getattr(result, name) for result in members]
        return {level: sum(part[level] for part in parts) for level in parts[0]}

    return Score(
        case=group,
        group=group,
        rows=sum(result.rows for result in members),
        planted=sum(result.planted for result in members),
        caught=added("caught"),
        false_rows=added("false_rows"),
        false_findings=added("false_findings"),
        true_findings=added("true_findings"),
        trigger_named=None,
        rules=(),
    )


def case_table(scores: list[Score]) -> str:
    """One line a case."""
    header = ["case", "planted of rows", "recall", "high", "named", "clean rows flagged"]
    header += ["false findings (h/m/l)", "rules", "s"]
    lines = []
    for result in scores:
        recall, high = result.recall(), result.recall("high")
        lines.append(
            [
                result.case,
                f"{result.planted}/{result.rows}",
                f"{recall.value:.2f}" if result.planted else "–",
                f"{high.value:.2f}" if result.planted else "–",
                {True: "yes", False: "no", None: "–"}[result.trigger_named],
                f"{result.false_rows['low']} ({100 * result.false_alarm_rate().value:.2f}%)",
                "/".join(str(result.false_findings[level]) for level in ("high", "medium", "low")),
                " ".join(result.rules),
                f"{result.seconds:.1f}",
            ]
        )
    return markdown_table(header, lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=sorted(TRIGGERS), default="dev")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--public", type=Path, help="further public sets, for the test split")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--work", type=Path, default=CACHE / "finetuning")
    parser.add_argument("--results", type=Path, help="JSON lines; default: in the work folder")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument(
        "--cases", nargs="*", help="only those whose name or group has one of these"
    )
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scan", default=DEFAULT_COMMAND, help="the command that scans")
    parser.add_argument("--scan-options", default="")
    parser.add_argument("--details", action="store_true", help="one line a case as well")
    parser.add_argument("--keep", action="store_true", help="keep files and scans")
    return parser.parse_args()


def run_case(item: Case, options: argparse.Namespace) -> Score:
    """Makes, scans and scores one case."""
    path, truth = item.make(options.work)
    out = options.work / f"{item.name}.scan"
    run = run_scan([path], out, command=options.scan, options=shlex.split(options.scan_options))
    result = score(out, truth, case=item.name, group=item.group, seconds=run.wall_seconds)
    if path.parent == options.work and not options.keep:
        path.unlink()
    return result


def main() -> None:
    options = arguments()
    if not (options.data / "t0").exists():
        print(f"Left out: the fine-tuning sets are not in {options.data} (--data says where).")
        return
    options.work.mkdir(parents=True, exist_ok=True)
    sources = Sources(
        split=options.split,
        seed=options.seed,
        data=options.data,
        public=options.public,
        cache=options.cache,
    )
    wanted = [
        item
        for item in all_cases(sources)
        if not options.cases or any(p in f"{item.name} {item.group}" for p in options.cases)
    ]
    if options.list:
        print("\n".join(f"{item.group}\t{item.name}" for item in wanted))
        return
    results = options.results or options.work / f"{options.split}-{options.seed}.jsonl"
    log = ScoreLog(results, fresh=options.fresh)
    failed = []
    for item in wanted:
        if item.name in log:
            continue
        try:
            log.add(run_case(item, options))
        except RuntimeError as error:
            failed.append(item.name)
            print(error, file=sys.stderr)
            continue
        latest = log.scores[item.name]
        print(f"{item.name}: {latest.caught}/{latest.planted}", file=sys.stderr, flush=True)
    scores = [log.scores[item.name] for item in wanted if item.name in log]
    if options.details:
        print(case_table(scores) + "\n")
    print(family_table(scores))
    if failed:
        print(f"\nThe scan ended with an error on: {', '.join(failed)}")


if __name__ == "__main__":
    main()
