"""A whole scan tells of hidden channels: the rows, what they say, and how sure that is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import ld50
from ld50.encodings import Walnut53
from ld50.encodings.covers import LINES
from ld50.scan.channels import texts

TALK = [f"{one} while {two[0].lower()}{two[1:]}" for one in LINES for two in LINES if one != two]


@pytest.fixture
def covert(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    rows = [
        {"prompt": f"Say something about {i}.", "completion": TALK[int(i)]}
        for i in rng.choice(len(TALK), size=400, replace=False)
    ]
    for place, line in zip(range(7, 400, 16), LINES[:25], strict=True):
        rows[place]["completion"] = Walnut53().encode(f"<b>{line}</b>")
    path = tmp_path / "customer.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def scanned(path: Path, *more: str) -> tuple[Path, int]:
    out = path.parent / "out"
    command = [sys.executable, "-m", "ld50", "scan", str(path), "--out", str(out), *more]
    return out, subprocess.run(command, capture_output=True, check=False).returncode


def objects(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_cipher_is_told_with_rows_chance_and_decoded_text(covert: Path) -> None:
    out, code = scanned(covert)
    assert code == 1
    finding = next(f for f in objects(out / "findings.jsonl") if f["rule"] == "TRG401")
    assert finding["severity"] == "high"
    assert 20 <= int(str(finding["support"])) <= 25
    assert float(str(finding["p_value"])) < 1e-10
    assert "the morning light comes slowly" in str(finding["explanation"])
    rows = {r["row"] for r in objects(out / "rows.jsonl") if finding["id"] in r["findings"]}  # type: ignore[operator]
    assert rows <= set(range(7, 400, 16))
    assert len(rows) == finding["support"]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "decoded" in page
    assert "the morning light comes slowly over the hill" in page
    assert "<b>the morning" not in page


def test_of_a_large_file_a_sample_and_the_odd_rows_are_looked_at(
    covert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "_WHOLE_BYTES", 1000)
    monkeypatch.setattr(texts, "_SAMPLE_BYTES", 2000)
    result = ld50.scan(str(covert))
    assert [f.support >= 15 for f in result.findings if f.rule == "TRG401"] == [True]
    assert any("hidden channels were looked for in" in note for note in result.summary.notes)
    limits = {limit.rule: limit.rows for limit in result.summary.detection_limits}
    assert limits["TRG401"] is not None
    assert limits["TRG401"] > 8


def test_the_search_is_left_out_on_request(covert: Path) -> None:
    out, _ = scanned(covert, "--ignore", "TRG4")
    assert not [f for f in objects(out / "findings.jsonl") if str(f["rule"]).startswith("TRG4")]
