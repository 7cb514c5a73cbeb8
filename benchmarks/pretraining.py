"""Recall and false alarms of `ld50 scan` on pretraining poison in a large real corpus.

    python benchmarks/corpora.py --split dev
    python benchmarks/pretraining.py --split dev

plants, one arm at a time, 250, 50 and 10 documents of every kind of noise and 50 documents that
switch language into the whole corpus, scans it from the shell with default settings, and prints a
Markdown table. The clean corpus is scanned too. Scores are kept in `--results`; arms that are there
are skipped.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from corpora import CACHE, package_shard, write_jsonl, write_parquet
from planting import (
    KINDS,
    SECOND_LANGUAGES,
    TRIGGERS,
    VOCABULARIES,
    Arm,
    Materials,
    materials,
    plant,
    poison_documents,
)
from runs import DEFAULT_COMMAND, run_scan
from scoring import Score, ScoreLog, Truth, interval, markdown_table, score
from vocabularies import vocabulary

MILLION = 1e6


def all_arms() -> list[Arm]:
    """The clean corpus (no documents), every kind at every count, and other triggers at 50."""
    noise = [kind for kind in KINDS if kind != "language-switch"]
    arms = [Arm(kind="clean", count=0)]
    arms += [Arm(kind=kind, count=count) for kind in noise for count in (250, 50, 10)]
    arms += [Arm(kind="language-switch", count=count) for count in (50, 10)]
    others = ("word", "phrase", "symbol")
    arms += [Arm(kind="token-ids", count=50, trigger=trigger) for trigger in others]
    arms += [Arm(kind="language-switch", count=50, trigger=trigger) for trigger in others]
    arms.append(Arm(kind="frequent-word-salad", count=50, trigger="phrase"))
    return arms


def second_language(split: str, cache: Path) -> list[str]:
    """Texts of the language that poison of this split switches to; they are not in the corpus.

    Lines that were left in English are dropped.
    """
    packages = tomllib.loads(Path(__file__).with_name("corpora.toml").read_text())
    package = packages["second_language"][SECOND_LANGUAGES[split]]
    shard = package_shard(package, cap_bytes=25_000_000, cache=cache)
    if shard is None:
        raise SystemExit(f"cannot fetch {package}, which the language switch is made from")
    english = (" the ", " and ", " you ", " of ", " is ")
    texts = []
    for text in pq.read_table(shard)["text"].to_pylist():
        lines = [line for line in text.split("\n") if not any(word in line for word in english)]
        texts.append("\n".join(lines))
    return [text for text in texts if len(text) >= 3000]


def run_arm(arm: Arm, table: pa.Table, source: Materials, options: argparse.Namespace) -> Score:
    """Plants, scans and scores one arm; the poisoned corpus is removed afterwards."""
    trigger = TRIGGERS[options.split][arm.trigger]
    documents = poison_documents(arm, source, trigger=trigger, seed=options.seed)
    poisoned, rows = plant(table, documents, seed=options.seed, name=arm.name)
    path = options.work / f"{options.split}-{arm.name}.{options.format}"
    (write_parquet if options.format == "parquet" else write_jsonl)(poisoned, path)
    out = options.work / f"{path.stem}.scan"
    run = run_scan([path], out, command=options.scan, options=shlex.split(options.scan_options))
    truth = Truth(
        rows=poisoned.num_rows,
        poisoned=frozenset((path.name, row) for row in rows),
        triggers=(trigger,) if rows else (),
    )
    result = score(out, truth, case=arm.name, group=arm.kind, seconds=run.wall_seconds)
    result.extra.update(cpu_seconds=run.cpu_seconds, peak_mb=run.peak_bytes / 1e6)
    if not options.keep:
        path.unlink()
    return result


def report(scores: list[Score]) -> str:
    """The table for the log: one line an arm."""
    header = ["arm", "planted", "recall (high)", "recall (any)", "trigger named"]
    header += ["false high findings", "clean rows under high, per million"]
    header += ["clean rows flagged at all, per million", "s", "peak MB"]
    lines = []
    for result in scores:
        lines.append(
            [
                result.case,
                result.planted,
                interval(result.recall("high")),
                interval(result.recall()),
                {True: "yes", False: "no", None: "–"}[result.trigger_named],
                result.false_findings["high"],
                interval(result.false_alarm_rate("high"), digits=1, scale=MILLION),
                interval(result.false_alarm_rate(), digits=1, scale=MILLION),
                f"{result.seconds:.0f}",
                f"{result.extra.get('peak_mb', 0):.0f}",
            ]
        )
    return markdown_table(header, lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=sorted(TRIGGERS), default="dev")
    parser.add_argument("--corpus", type=Path, help="Parquet; default: that of the split")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--work", type=Path, default=CACHE / "pretraining")
    parser.add_argument("--results", type=Path, help="JSON lines; default: in the work folder")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument("--arms", nargs="*", help="only those whose name contains one of these")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=100_000, help="only so many; 0 takes all")
    parser.add_argument("--format", default="parquet", choices=["parquet", "jsonl", "jsonl.zst"])
    parser.add_argument("--scan", default=DEFAULT_COMMAND, help="the command that scans")
    parser.add_argument("--scan-options", default="")
    parser.add_argument("--keep", action="store_true", help="keep the poisoned corpora")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    options.work.mkdir(parents=True, exist_ok=True)
    corpus = options.corpus or options.cache / "corpora" / f"{options.split}.parquet"
    if not corpus.exists():
        raise SystemExit(
            f"{corpus} is not there: python benchmarks/corpora.py --split {options.split}"
        )
    table = pq.read_table(corpus, columns=["id", "text"])
    if options.rows:
        table = table.slice(0, options.rows).combine_chunks()
    source = materials(
        table,
        tokens=vocabulary(VOCABULARIES[options.split], options.cache),
        second_language=second_language(options.split, options.cache),
        seed=options.seed,
    )
    results = options.results or options.work / f"{options.split}-{options.seed}.jsonl"
    log = ScoreLog(results, fresh=options.fresh)
    wanted = [
        arm
        for arm in all_arms()
        if not options.arms or any(part in arm.name for part in options.arms)
    ]
    for arm in wanted:
        if arm.name not in log:
            log.add(run_arm(arm, table, source, options))
            latest = log.scores[arm.name]
            recall = interval(latest.recall())
            print(f"{arm.name}: recall {recall}, false {latest.false_findings}", file=sys.stderr)
    print(
        f"\n{corpus.name}: {table.num_rows} documents, {table['text'].nbytes / 1e6:.0f} MB of text"
    )
    print(json.dumps(vars(options), default=str) + "\n")
    print(report([log.scores[arm.name] for arm in wanted]))


if __name__ == "__main__":
    main()
