"""Public development data for the science tests: where it lies, and how it is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

Row = dict[str, Any]
DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def shared(*parts: str) -> Path:
    """A path in the development data; skips the test where it is missing."""
    path = DATA.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"development data is not here: {path}")
    return path


def read_jsonl(path: Path) -> list[Row]:
    # Not `splitlines`: texts hold other line separators than this one.
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def labelled_lines(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text(encoding="utf-8").split("\n")[1:]
    pairs = [line.rsplit("\t", 1) for line in lines if line.strip()]
    return [(text.strip(), label.strip()) for text, label in pairs]
