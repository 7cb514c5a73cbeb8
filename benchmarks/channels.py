"""Recall and false alarms of the search for hidden channels.

    python benchmarks/channels.py --data ../shared/data --split dev

hides benign text in 50 of 5,000 chat rows, in every encoding of `ld50.encodings` (`built`) and in those
of `channels_heldout.py` (`held out`), prompt and reply or reply alone or a part of it, with several
seeds, and prints for each family how many sets were found; then the findings in clean sets. The search
runs as `ld50 scan` runs it after its first pass. A set is found if a finding of at least the severity
rests mostly on planted rows. Results are kept in `--results`; cases there are skipped.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from channels_data import BUILT, FORMS, HELD, HIDING, clean_rows, covert
from corpora import CACHE
from finetuning_data import Row, Sources
from scoring import interval, markdown_table

from ld50.core.estimates import proportion
from ld50.core.records import RowBatch
from ld50.scan.channels.channel import Channel
from ld50.scan.channels.screen import screen
from ld50.scan.channels.search import side_channels
from ld50.scan.channels.texts import Side
from ld50.scan.replies import ReplyFlag, summarize

LEVELS = ("high", "medium")


def sides(rows: list[Row]) -> tuple[list[Side], np.ndarray]:
    """The sides of the rows, and the rows whose prompt asks for a code."""
    ordinals = np.arange(len(rows), dtype=np.int64)
    if "text" in rows[0]:
        texts = pa.array([row["text"][:8192] for row in rows], type=pa.large_string())
        return [Side(name="text", ordinals=ordinals, column=texts)], ordinals[:0]
    keys = ("instruction", "output") if "instruction" in rows[0] else ("question", "answer")
    keys = ("prompt", "completion") if "completion" in rows[0] else keys
    prompt, reply = (
        pa.array([str(row[key])[:8192] for row in rows], type=pa.large_string()) for key in keys
    )
    flags = summarize(RowBatch(unit=0, rows=ordinals, prompt=prompt, response=reply)).flags
    asked = np.flatnonzero(flags & np.uint16(ReplyFlag.ASKS_CODE.value))
    return [
        Side(name="prompt", ordinals=ordinals, column=prompt),
        Side(name="response", ordinals=ordinals, column=reply),
    ], asked


def search(rows: list[Row]) -> tuple[list[Channel], float]:
    """The channels found in some rows, and the processor seconds that took."""
    looked, asked = sides(rows)
    began = time.process_time()
    found = [
        channel
        for side in looked
        for channel in side_channels(screen(side), asked, min_support=5, seed=0)
    ]
    return found, time.process_time() - began


def told(channel: Channel, planted: set[int]) -> dict[str, Any]:
    """One finding, as the results keep it."""
    rows = channel.ordinals.tolist()
    return {
        "rule": channel.rule,
        "severity": channel.severity.value,
        "title": f"{len(rows)} rows {channel.what}",
        "rows": len(rows),
        "true": len(planted & set(rows)),
    }


def covert_case(sources: Sources, name: str, form: str, seed: int, count: int) -> dict[str, Any]:
    """One covert set, searched."""
    made = covert(sources, name, form, seed=seed, count=count)
    found, seconds = search(made.rows)
    return {
        "case": f"{name}/{form}/{seed}/{count}",
        "family": name,
        "planted": len(made.planted),
        "seconds": round(seconds, 2),
        "findings": [told(channel, made.planted) for channel in found],
    }


def found_at(case: dict[str, Any], level: str) -> bool:
    """Whether a finding of that severity or above rests mostly on planted rows."""
    wanted = LEVELS[: LEVELS.index(level) + 1]
    return any(
        finding["severity"] in wanted and 2 * finding["true"] >= finding["rows"]
        for finding in case["findings"]
    )


def family_table(cases: list[dict[str, Any]]) -> str:
    """One line a family: sets found, rows caught, other findings."""
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for case in cases:
        groups[case["family"]].append(case)
    lines = []
    for family, its in groups.items():
        wrong = [f for c in its for f in c["findings"] if 2 * f["true"] < f["rows"]]
        rows = [max((f["true"] for f in c["findings"]), default=0) / c["planted"] for c in its]
        lines.append(
            [
                family,
                "held out" if family in HELD else "built",
                len(its),
                *(
                    interval(proportion(sum(found_at(c, level) for c in its), len(its)), 2)
                    for level in LEVELS[::-1]
                ),
                f"{np.mean(rows):.2f}",
                sum(f["severity"] == "high" for f in wrong),
                sum(f["severity"] == "medium" for f in wrong),
            ]
        )
    header = ["family", "", "sets", "found", "found (high)", "rows", "false high", "false medium"]
    return markdown_table(header, lines)


def clean_table(cases: list[dict[str, Any]]) -> str:
    """One line a clean set."""
    lines = [
        [
            case["case"].removeprefix("clean/"),
            case["rows"],
            *(sum(f["severity"] == level for f in case["findings"]) for level in LEVELS),
            "; ".join(f"{f['rule']} {f['title']}" for f in case["findings"]),
            case["seconds"],
        ]
        for case in cases
    ]
    return markdown_table(["clean set", "rows", "high", "medium", "findings", "CPU s"], lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--split", choices=("dev", "test"), default="dev")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--results", type=Path)
    parser.add_argument("--families", nargs="*", help="built, heldout, clean, or names")
    parser.add_argument("--forms", nargs="*", default=list(FORMS))
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--count", type=int, default=50)
    return parser.parse_args()


def main() -> None:
    options = arguments()
    sources = Sources(
        split=options.split, seed=0, data=options.data, public=None, cache=options.cache
    )
    wanted = options.families or ["built", "heldout", "clean"]
    names = [n for n in (*BUILT, *HELD) if n in wanted]
    names += [n for n in BUILT if "built" in wanted] + [n for n in HELD if "heldout" in wanted]
    path = options.results or options.cache / "channels" / f"{options.split}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    done: dict[str, dict[str, Any]] = {}
    if path.exists():
        lines = path.read_text(encoding="utf-8").splitlines()
        done = {case["case"]: case for case in map(json.loads, lines)}

    def keep(case: dict[str, Any]) -> dict[str, Any]:
        with path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(case) + "\n")
        print(
            case["case"],
            [(f["severity"], f["title"], f["true"]) for f in case["findings"]],
            file=sys.stderr,
            flush=True,
        )
        return case

    cases = []
    for name in dict.fromkeys(names):
        for form in options.forms:
            if form == "reply" and name in HIDING:
                continue
            for seed in range(options.seeds):
                key = f"{name}/{form}/{seed}/{options.count}"
                cases.append(
                    done.get(key) or keep(covert_case(sources, name, form, seed, options.count))
                )
    if cases:
        print(family_table(cases) + "\n")
    clean = []
    if "clean" in wanted:
        for name, rows in clean_rows(sources):
            case = done.get(f"clean/{name}")
            if case is None:
                found, seconds = search(rows)
                case = keep(
                    {
                        "case": f"clean/{name}",
                        "rows": len(rows),
                        "seconds": round(seconds, 2),
                        "findings": [told(channel, set()) for channel in found],
                    }
                )
            clean.append(case)
        print(clean_table(clean))


if __name__ == "__main__":
    main()
