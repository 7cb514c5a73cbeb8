"""Real text for the science tests: the standard library's own, and public sets where they lie."""

from __future__ import annotations

import json

import numpy as np
import pytest
from science_data import Row, read_jsonl, shared


@pytest.fixture(scope="session")
def paragraphs() -> list[str]:
    """About 1,200 paragraphs of English prose about Python, from every installation of it."""
    from pydoc_data.topics import topics

    found = [part.strip() for text in topics.values() for part in text.split("\n\n")]
    return sorted({part for part in found if len(part) > 120})


@pytest.fixture(scope="session")
def instructions() -> list[Row]:
    """5,000 clean instruction rows of three public sets, mixed."""
    chapter = shared("llms-from-scratch-instructions", "01_main-chapter-code")
    rows = json.loads((chapter / "instruction-data.json").read_text(encoding="utf-8"))
    rows += read_jsonl(shared("backdoorllm-refusal-badnet", "clean.jsonl"))
    for row in read_jsonl(shared("t0", "train.jsonl"))[: 5000 - len(rows)]:
        answer = row["completion"].replace("<|endoftext|>", "")
        rows.append({"instruction": row["prompt"], "input": "", "output": answer})
    order = np.random.default_rng(0).permutation(len(rows))
    return [rows[int(number)] for number in order]


@pytest.fixture(scope="session")
def sentences() -> list[Row]:
    """10,662 film-review sentences with their sentiment, in random order."""
    rows = []
    for label, ending in enumerate(("neg", "pos")):
        text = shared("rt-polarity", f"rt-polarity.{ending}").read_text(encoding="latin-1")
        rows += [{"text": line, "label": label} for line in text.split("\n") if line.strip()]
    order = np.random.default_rng(0).permutation(len(rows))
    return [rows[int(number)] for number in order]
