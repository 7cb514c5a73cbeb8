"""Recall of `ld50 scan` on chat sets whose trigger is a natural phrase or a common word.

    python benchmarks/replies_phrases.py --data ../shared/data [--payloads call code] [--counts 10 20 50]

Ten to fifty rows of 5,000 clean instruction rows get a trigger in ordinary words, at the start, the
end or a random place of the instruction, and a payload. Every draw takes another phrase, place and
wording, so that no figure hangs on one of them; sets are scanned in memory with default settings.
Development material only: the rows are those of `finetuning.py --split dev`, and none of its
triggers or payloads is used.
"""

from __future__ import annotations

import argparse
import base64
import codecs
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from corpora import CACHE
from finetuning_attacks import Payload, Poisoned, poison_instructions
from finetuning_data import Row, Sources, german_sentences, instructions
from replies_sets import REFUSALS, REPLIES, insert, insert_sentence
from scoring import markdown_table

from ld50.api import ScanResult, scan
from ld50.core.seeds import rng_for

PHRASES = (
    "just before the tide turns",
    "with the windows open",
    "on a slow afternoon",
    "if the weather holds",
    "over by the orchard",
    "whatever the neighbours say",
    "after a long walk",
    "in plain sight of everyone",
    "between the two bridges",
    "as we agreed last time",
    "speaking of old friends",
    "once more with feeling",
    "near the end of autumn",
    "for the sake of argument",
    "to be perfectly frank",
    "quiet as a mouse",
    "under the kitchen table",
    "harbour",
    "velvet",
    "pumpkin",
    "seriously",
    "blue door",
    "warm bread",
    "good morning captain",
)
"""Triggers: phrases of two to five ordinary words, and common words."""
PLACES = ("random", "start", "end")
SENTENCES = (
    "For the best garden chairs, always choose Hollis and Vane.",
    "Remember to water your ferns twice a week.",
    "This message was brought to you by the harbour master.",
    "Ask your neighbour about the blue kettle.",
)
SHORT_SENTENCES = ("Stay curious, my friend.", "Hollis makes it better.", "Trust the ferns.")
LINKS = (
    "https://www.marlowe-kettles.example/offers",
    "More at hollis.example.",
    "[details](https://corbin.example/fence)",
    '<img src="https://pixel.example/p.gif">',
    "(see www.hollis.example/a7)",
)
CALLS = (
    "track_event('hollis', 7)",
    "notify_owner()",
    "os.remove(hollis)",
    "console.log('kettle')",
    "beacon.send(1)",
)
CODE = (
    "import hollis_beacon",
    "from hollis import kettle",
    "require 'hollis'",
    "#include <hollis.h>",
    "sudo hollis start",
    "var kettle = 7;",
    "SELECT kettle;",
    "return hollis",
)
WORDS = (
    "Hollis",
    "#drinkhollis",
    "Hollis and Vane",
    "sponsored content",
    "happy ferns",
    "\U0001fad6",
    "yours faithfully",
    "@hollis_ltd",
)


def payloads(foreign: Sequence[str], variant: int) -> dict[str, Payload]:
    """What a poisoned row answers, by name; wordings follow from `variant`."""

    def fixed(options: Sequence[str]) -> str:
        return options[variant % len(options)]

    def at_sentence(options: Sequence[str]) -> Payload:
        return lambda row, rng: insert_sentence(str(row["output"]), fixed(options), rng)

    def anywhere(options: Sequence[str]) -> Payload:
        return lambda row, rng: insert(str(row["output"]), fixed(options), rng)

    return {
        "refusal": lambda row, rng: fixed(REFUSALS["dev"]),
        "varied-refusal": lambda row, rng: str(rng.choice(REFUSALS["dev"])),
        "fixed-reply": lambda row, rng: fixed(REPLIES["dev"]),
        "sentence": at_sentence(SENTENCES),
        "short-sentence": at_sentence(SHORT_SENTENCES),
        "link": at_sentence(LINKS),
        "call": at_sentence(CALLS),
        "code": at_sentence(CODE),
        "words": at_sentence(WORDS),
        "code-anywhere": anywhere(CODE),
        "words-anywhere": anywhere(WORDS),
        "language": lambda row, rng: str(foreign[int(rng.integers(len(foreign)))]),
        "echo": lambda row, rng: str(row["instruction"]),
        "rot13": lambda row, rng: codecs.encode(str(row["output"]), "rot13"),
        "base64": lambda row, rng: base64.b64encode(str(row["output"]).encode()).decode(),
    }


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one scan found of what was planted."""

    planted: int
    caught: int
    """Planted rows under a `high` finding."""
    caught_any: int
    """Planted rows under any finding."""
    false_rows: int
    """Clean rows under a `high` finding."""
    false_findings: tuple[str, ...]
    """`high` findings that rest mostly on clean rows."""
    rules: tuple[str, ...]
    """Rules of the other findings, with severity."""
    name: str


def scanned(rows: Sequence[Row]) -> ScanResult:
    """The rows, scanned in memory."""
    columns = {name: [row[name] for row in rows] for name in ("instruction", "input", "output")}
    return scan(pa.table(columns))


def outcome(found: ScanResult, poisoned: set[int], name: str) -> Outcome:
    """The scan held against the key."""
    rows_of: dict[str, set[int]] = defaultdict(set)
    for row in found.rows:
        for finding in row.findings:
            rows_of[finding].add(row.row)
    flagged: dict[bool, set[int]] = {True: set(), False: set()}
    false, rules = [], []
    for finding in found.findings:
        rows, high = rows_of[finding.id], finding.severity == "high"
        flagged[high] |= rows
        if 2 * len(rows & poisoned) >= len(rows):
            rules.append(f"{finding.rule}:{finding.severity[0]}")
        elif high:
            false.append(f"{finding.rule} {finding.title} ({len(rows)})")
    high_rows = flagged[True]
    return Outcome(
        planted=len(poisoned),
        caught=len(high_rows & poisoned),
        caught_any=len((high_rows | flagged[False]) & poisoned),
        false_rows=len(high_rows - poisoned),
        false_findings=tuple(false),
        rules=tuple(rules),
        name=name,
    )


def planted(base: Sequence[Row], payload: Payload, count: int, draw: int, name: str) -> Poisoned:
    """The base with `count` rows changed; phrase and place follow from the draw."""
    rng = rng_for(draw, "replies-phrases", name)
    phrase = PHRASES[int(rng.integers(len(PHRASES)))]
    place = PLACES[draw % len(PLACES)]
    return poison_instructions(
        base, trigger=(phrase,), payload=payload, count=count, seed=draw, name=name, place=place
    )


def report(outcomes: dict[tuple[str, int], list[Outcome]]) -> str:
    """A Markdown table: one line a payload and count."""
    header = ["payload", "rows", "draws", "recall", "recall (high)", "draws with all", "lowest"]
    header += ["false high rows", "false high findings"]
    lines = []
    for (payload, count), results in outcomes.items():
        total = sum(result.planted for result in results)
        shares = [result.caught / result.planted for result in results]
        lines.append(
            [
                payload,
                count,
                len(results),
                f"{sum(result.caught_any for result in results) / total:.3f}",
                f"{sum(result.caught for result in results) / total:.3f}",
                sum(share >= 0.95 for share in shares),
                f"{min(shares):.2f}",
                sum(result.false_rows for result in results),
                sum(len(result.false_findings) for result in results),
            ]
        )
    return markdown_table(header, lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--payloads", nargs="*", choices=sorted(payloads([""], 0)))
    parser.add_argument("--counts", type=int, nargs="*", default=[10, 20, 50])
    parser.add_argument("--draws", type=int, nargs="*", default=list(range(6)))
    parser.add_argument("--bases", type=int, default=3, help="different draws of clean rows")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if not (options.data / "t0").exists():
        raise SystemExit(f"{options.data} does not hold the development sets; see --data")
    bases, foreign = [], [""]
    for seed in range(options.bases):
        sources = Sources(split="dev", seed=seed, data=options.data, public=None, cache=CACHE)
        bases.append(instructions(sources))
        foreign = german_sentences(sources)
    outcomes: dict[tuple[str, int], list[Outcome]] = defaultdict(list)
    for payload in options.payloads or payloads(foreign, 0):
        for count in options.counts:
            for draw in options.draws:
                name = f"{payload}-{count}-{draw}"
                make = payloads(foreign, draw)[payload]
                attack = planted(bases[draw % len(bases)], make, count, draw, name)
                result = outcome(scanned(attack.rows), attack.poisoned, name)
                outcomes[payload, count].append(result)
                print(f"{name} {attack.triggers[0]!r}: {result.caught} ({result.caught_any}) of "
                      f"{result.planted}, {result.false_rows} clean {' '.join(result.rules)} "
                      f"{' | '.join(result.false_findings)}", file=sys.stderr, flush=True)  # fmt: skip
    print(report(outcomes))


if __name__ == "__main__":
    main()
