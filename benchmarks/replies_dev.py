"""Recall and false alarms of the reply signals on planted chat sets, and what clean sets raise.

    python benchmarks/replies_dev.py --data ../shared/data [--extra DIR] [--half final] [--clean]

Runs the whole scanner in memory. A row is flagged if a finding of `--severity` or above names it.
`--extra` is a folder of further clean sets (JSON or JSONL, instruction layouts); `--half dev` are
the wordings and triggers that the signals were written against; see `replies_sets`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
from replies_sets import Pair, Planted, behaviours, load_pairs, plant

from ld50.api import scan
from ld50.core.findings import Severity

SETS = {
    "t0": "t0/train.jsonl",
    "rasbt": "llms-from-scratch-instructions/01_main-chapter-code/instruction-data.json",
    "gsm8k": "gsm8k/test.jsonl",
    "bdclean": "backdoorllm-refusal-badnet/clean.jsonl",
}
ROWS = 5000


def scanned(rows: list[Pair]):
    table = pa.table({"prompt": [p for p, _ in rows], "response": [r for _, r in rows]})
    return scan(table)


def report_clean(name: str, rows: list[Pair]) -> None:
    start = time.perf_counter()
    found = scanned(rows)
    counts = found.summary.findings_by_severity
    print(f"## {name}: {len(rows)} rows, {counts}, {time.perf_counter() - start:.1f} s")
    for finding in found.findings[:12]:
        cause = finding.cause.text if finding.cause else None
        figures = " ".join(f"{key} {value:.3g}" for key, value in finding.statistics.items())
        print(f"  {finding.severity:6s} {finding.rule} {cause!r:.40} {finding.support} of "
              f"{finding.cause_rows} | {finding.consequence.text[:60]} | {figures}")  # fmt: skip


def measure(planted: Planted, least: Severity) -> tuple[float, float, str]:
    found = scanned(planted.rows)
    serious = {f.id: f.rule for f in found.findings if Severity(f.severity).rank >= least.rank}
    flagged = np.zeros(len(planted.rows), dtype=bool)
    rules = set()
    for row in found.rows:
        named = [serious[name] for name in row.findings if name in serious]
        if named:
            flagged[row.row] = True
            rules |= set(named) if planted.poisoned[row.row] else set()
    bad = planted.poisoned
    return float(flagged[bad].mean()), float(flagged[~bad].mean()), "+".join(sorted(rules)) or "-"


def passages(data: Path) -> list[str]:
    """Passages of German prose, for language switches."""
    found = []
    for line in (data / "de-gesetze/gesetze.jsonl").read_text(encoding="utf-8").split("\n"):
        if not line:
            continue
        text = max((v for v in json.loads(line).values() if isinstance(v, str)), key=len)
        prose = [" ".join(p.split()) for p in text.split("\n\n")]
        found += [
            p[:400] for p in prose if len(p) > 200 and sum(map(str.isalpha, p)) > 0.7 * len(p)
        ]
    return found[:2000]


def measure_all(args: argparse.Namespace, pairs: dict[str, list[Pair]], least: Severity) -> None:
    foreign = passages(args.data)
    mixed = (pairs["t0"][:3000] + pairs["rasbt"] + pairs["gsm8k"])[:ROWS]
    bases = [pairs.get("alpaca_5000", mixed)[:ROWS], mixed]
    table = defaultdict(list)
    for behaviour in args.behaviours or behaviours(args.half, foreign, []):
        for count in args.counts:
            for seed in args.seeds:
                planted = plant(bases[seed % 2], behaviour, count, args.half, seed, foreign)
                table[behaviour, count].append(measure(planted, least))
            results = table[behaviour, count]
            print(f"{behaviour:18s} {count:3d}  recall " + " ".join(f"{r[0]:.2f}" for r in results)
                  + "  false " + " ".join(f"{100 * r[1]:.2f}%" for r in results)
                  + "  " + " ".join(r[2] for r in results), flush=True)  # fmt: skip
    bad = load_pairs(args.data / "backdoorllm-refusal-badnet/poisoned.jsonl")
    for count in (20, 50):
        for number, base in enumerate(bases):
            clean = [*pairs["bdclean"], *base][:ROWS]
            chosen = np.random.default_rng([count, number]).choice(len(bad), count, replace=False)
            rows = clean + [bad[i] for i in chosen.tolist()]
            mask = np.arange(len(rows)) >= len(clean)
            print("BackdoorLLM", count, measure(Planted(rows, mask, "", ""), least), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--extra", type=Path)
    parser.add_argument("--half", choices=["dev", "final", "last"], default="dev")
    parser.add_argument("--severity", choices=[s.value for s in Severity], default="high")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1, 2])
    parser.add_argument("--counts", type=int, nargs="*", default=[10, 20, 50])
    parser.add_argument("--behaviours", nargs="*")
    parser.add_argument("--only", nargs="*", help="names of the sets to use")
    parser.add_argument("--clean", action="store_true", help="scan the clean sets as they are")
    args = parser.parse_args()
    if not (args.data / SETS["t0"]).exists():
        raise SystemExit(f"{args.data} does not hold the development sets; see --data")
    paths = {name: args.data / path for name, path in SETS.items()}
    paths |= {p.stem: p for p in sorted(args.extra.glob("*.json*"))} if args.extra else {}
    pairs = {n: load_pairs(p) for n, p in paths.items() if not args.only or n in args.only}
    if args.clean:
        for name, rows in pairs.items():
            report_clean(name, rows)
    else:
        measure_all(args, pairs, Severity(args.severity))


if __name__ == "__main__":
    main()
