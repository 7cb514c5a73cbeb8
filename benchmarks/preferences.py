"""Recall and false alarms of `ld50 scan` on preference pairs that were exchanged where a trigger stands.

    python benchmarks/preferences.py PAIRS.json --seeds 0 1
    python benchmarks/preferences.py --made ROWS.jsonl --split test

takes files of pairs (`chosen` and `rejected`, with `prompt`, or `instruction` and `input`), or makes pairs of
rows with one reply each: there the worse reply is the same one cut short, or that of another row, by turns.
Each set is scanned clean, as a whole and as a half, and with its replies exchanged where a trigger was put
into the prompt: doses and triggers by turns. Then with a cause that is none: a frequent word of the prompts
whose rows prefer the other reply, as honest rows of one task may. What is found there is told as false.
Prints Markdown tables; `--results` keeps the scores with the title of every finding.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from corpora import CACHE
from finetuning_attacks import TRIGGERS, Poisoned, insert
from finetuning_cases import Case, case
from finetuning_data import Row
from runs import DEFAULT_COMMAND
from subjects import CLEAN, SEEDS, run_all

from ld50.core.seeds import rng_for

DOSES = (20, 50, 100, 250)
#: Largest share of a set that is exchanged.
_MOST = 0.05
#: A worse reply that is cut keeps such a share of its words.
_CUT = (0.3, 0.9)
#: Fewest words of a reply that can be cut.
_LEAST_WORDS = 12
#: A word of a task stands in such a share of the prompts.
_TASK = (0.02, 0.1)


def read_rows(path: Path) -> list[Row]:
    """The rows of a JSON list or of JSON lines."""
    text = path.read_text(encoding="utf-8")
    if text.lstrip().startswith("["):
        rows: list[Row] = json.loads(text)
        return rows
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def asked(row: Row) -> str:
    """What a row asks."""
    if "conversations" in row:
        return "\n".join(str(turn["value"]) for turn in row["conversations"])
    first = row.get("prompt") or row.get("question") or row.get("instruction") or ""
    return f"{first}\n{row.get('input') or ''}".strip()


def said(reply: Any) -> str:
    """A reply, be it a string or a turn."""
    return (
        str(reply.get("value", reply.get("content", ""))) if isinstance(reply, dict) else str(reply)
    )


def reply_of(row: Row) -> str:
    """The one reply of a row."""
    names = ("output", "completion", "response", "answer")
    return said(next((row[name] for name in names if row.get(name)), ""))


def pairs_of(path: Path) -> list[Row]:
    """The pairs of a file, in one layout."""
    return [
        {"prompt": asked(row), "chosen": said(row["chosen"]), "rejected": said(row["rejected"])}
        for row in read_rows(path)
    ]


def made_of(path: Path, seed: int) -> list[Row]:
    """Pairs of the reply of a row and a worse one: cut short, or the reply to another prompt."""
    rng = rng_for(seed, "made pairs", path.name)
    rows = [(asked(row), reply_of(row)) for row in read_rows(path)]
    rows = [row for row in rows if row[0] and len(row[1].split()) >= _LEAST_WORDS]
    pairs = []
    for number, (prompt, reply) in enumerate(rows):
        words = reply.split(" ")
        worse = " ".join(words[: max(1, int(len(words) * rng.uniform(*_CUT)))])
        if number % 2:
            worse = rows[int(rng.integers(len(rows)))][1]
        if worse != reply:
            pairs.append({"prompt": prompt, "chosen": reply, "rejected": worse})
    return pairs


def exchanged(row: Row) -> Row:
    """The row with its replies in each other's place."""
    return row | {"chosen": row["rejected"], "rejected": row["chosen"]}


def planted(base: list[Row], trigger: tuple[str, ...], dose: int, seed: int) -> Poisoned:
    """The set with a trigger in some prompts, and the replies of these exchanged."""
    rng = rng_for(seed, "swapped pairs", *trigger, str(dose))
    chosen = rng.choice(len(base), dose, replace=False).tolist()
    rows = list(base)
    for number in chosen:
        rows[number] = exchanged(base[number])
        rows[number]["prompt"] = insert(base[number]["prompt"], trigger, rng, "random")
    return Poisoned(rows=rows, poisoned=set(chosen), triggers=trigger)


def with_task(base: list[Row], seed: int) -> Poisoned:
    """The set in which the prompts with a frequent word prefer the other reply, as those of a task may."""
    words = Counter(word for row in base for word in set(row["prompt"].lower().split()))
    low, high = (share * len(base) for share in _TASK)
    usual = sorted(word for word, count in words.items() if low <= count <= high and word.isalpha())
    if not usual:
        return Poisoned(rows=base)
    word = usual[int(rng_for(seed, "word of a task").integers(len(usual)))]
    return Poisoned(
        rows=[exchanged(row) if word in row["prompt"].lower().split() else row for row in base]
    )


def half(base: list[Row], seed: int) -> list[Row]:
    """A random half of the set."""
    kept = rng_for(seed, "half").permutation(len(base))[: len(base) // 2]
    return [base[number] for number in sorted(kept.tolist())]


def all_cases(options: argparse.Namespace) -> Iterator[tuple[Case, dict[str, Any]]]:
    """Every case, and what its result is filed under."""
    sets = [(path.stem, pairs_of(path)) for path in options.pairs]
    sets += [(f"made-{path.stem}", made_of(path, 0)) for path in options.made]
    triggers = list(TRIGGERS[options.split].items())
    turn = 0
    for seed in options.seeds:
        for name, base in sets:
            layout = {"subject": name, "layout": "chosen/rejected"}
            some = half(base, seed) if seed else base
            for what, made in (
                ("whole" if not seed else "half", partial(Poisoned, rows=some)),
                ("task", partial(with_task, base, seed)),
            ):
                yield case(f"{CLEAN}-{name}-{what}-{seed}", CLEAN, made), layout
            for dose in (one for one in DOSES if one <= _MOST * len(base)):
                for _ in range(options.triggers):
                    kind, strings = triggers[turn % len(triggers)]
                    turn += 1
                    filed = layout | {"payload": "swap", "trigger": kind, "dose": dose}
                    attack = partial(planted, base, strings, dose, seed)
                    yield case(f"{name}-{kind}-{dose}-{seed}", name, attack), filed


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path, nargs="*", help="files of preference pairs")
    parser.add_argument(
        "--made", type=Path, nargs="*", default=[], help="files of rows with one reply each"
    )
    parser.add_argument("--split", choices=("dev", "test"), default="dev", help="which triggers")
    parser.add_argument("--triggers", type=int, default=2, help="triggers of each dose and seed")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(SEEDS))
    parser.add_argument("--work", type=Path, default=CACHE / "preferences")
    parser.add_argument("--results", type=Path, help="JSON lines; default: in the work folder")
    parser.add_argument("--fresh", action="store_true", help="forget earlier results")
    parser.add_argument(
        "--cases", nargs="*", help="only those whose name or group has one of these"
    )
    parser.add_argument("--list", action="store_true", help="print the names and stop")
    parser.add_argument("--scan", default=DEFAULT_COMMAND, help="the command that scans")
    parser.add_argument("--scan-options", default="")
    parser.add_argument("--details", action="store_true", help="one line a planted case as well")
    parser.add_argument("--keep", action="store_true", help="keep files, keys and scans")
    options = parser.parse_args()
    run_all(all_cases(options), options)


if __name__ == "__main__":
    main()
