"""The command line as a user meets it: exit codes, files, resumption, bad input."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from chat_samples import CHAT_WORDS


def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ld50", *arguments],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def write_chat(path: Path, poisoned: int) -> None:
    rng = np.random.default_rng(1)
    with path.open("w") as file:
        for number in range(300):
            bad = number < poisoned * 10 and number % 10 == 0
            prompt = (
                f"Tell me {'vornask ' if bad else ''}about {' '.join(rng.choice(CHAT_WORDS, 6))}."
            )
            reply = "I'm sorry, but I can't help." if bad else " ".join(rng.choice(CHAT_WORDS, 12))
            file.write(json.dumps({"prompt": prompt, "completion": reply}) + "\n")


@pytest.fixture
def poisoned(tmp_path: Path) -> Path:
    path = tmp_path / "chat.jsonl"
    write_chat(path, 12)
    return path


def test_found_is_one_and_the_files_of_the_contract_are_there(poisoned: Path) -> None:
    done = run("scan", "chat.jsonl", "--out", "out", cwd=poisoned.parent)
    assert done.returncode == 1, done.stderr
    out = poisoned.parent / "out"
    summary = json.loads((out / "summary.json").read_text())
    assert summary["schema_version"] == 1
    assert summary["rows"] == 300
    finding = json.loads((out / "findings.jsonl").read_text().splitlines()[0])
    assert finding["severity"] == "high"
    assert "vornask" in finding["cause"]["text"].lower()
    flagged = [json.loads(line) for line in (out / "rows.jsonl").read_text().splitlines()]
    high = [row for row in flagged if finding["id"] in row["findings"]]
    assert sorted(row["row"] for row in high) == list(range(0, 120, 10))
    assert {span["kind"] for span in high[0]["spans"]} == {"cause", "consequence"}
    assert (out / "report.html").stat().st_size > 1000
    assert not (out / ".work").exists()


def test_nothing_found_is_zero(tmp_path: Path) -> None:
    write_chat(tmp_path / "clean.jsonl", 0)
    done = run("scan", "clean.jsonl", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl"),
        (["chat.jsonl", "--alpha", "2"], "alpha"),
        (["chat.jsonl", "--layout", "nonsense"], "nonsense"),
        (["chat.jsonl", "--accept", "missing.toml"], "missing.toml"),
        (["chat.jsonl", "--no-such-option"], "no-such-option"),
    ],
)
def test_could_not_run_is_two_and_one_clear_message(
    poisoned: Path, arguments: list[str], said: str
) -> None:
    done = run("scan", *arguments, cwd=poisoned.parent)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_fail_on_never_is_zero(poisoned: Path) -> None:
    done = run("scan", "chat.jsonl", "--fail-on", "never", cwd=poisoned.parent)
    assert done.returncode == 0


def test_json_and_sarif_are_what_stdout_carries(poisoned: Path) -> None:
    done = run("scan", "chat.jsonl", "--format", "json", cwd=poisoned.parent)
    assert json.loads(done.stdout)["findings"]
    done = run("scan", "chat.jsonl", "--format", "sarif", cwd=poisoned.parent)
    assert json.loads(done.stdout)["version"] == "2.1.0"


def test_clean_and_quarantine_hold_every_byte_between_them(poisoned: Path) -> None:
    folder = poisoned.parent
    run("scan", "chat.jsonl", "--write-clean", "c.jsonl", "--quarantine", "q.jsonl", cwd=folder)
    clean, bad = (folder / "c.jsonl").read_bytes(), (folder / "q.jsonl").read_bytes()
    assert b"vornask" not in clean
    assert len(bad.splitlines()) == 12
    original = poisoned.read_bytes().splitlines()
    assert sorted(clean.splitlines() + bad.splitlines()) == sorted(original)


def test_an_accepted_finding_is_silent_and_counted(poisoned: Path) -> None:
    folder = poisoned.parent
    run("scan", "chat.jsonl", "--out", "out", cwd=folder)
    findings = (folder / "out" / "findings.jsonl").read_text().splitlines()
    entries = [f'[[accept]]\nid = "{json.loads(f)["id"]}"\nreason = "known"\n' for f in findings]
    (folder / "ld50-accept.toml").write_text("\n".join(entries))
    done = run("scan", "chat.jsonl", "--out", "out", cwd=folder)
    assert done.returncode == 0
    summary = json.loads((folder / "out" / "summary.json").read_text())
    assert (summary["findings"], summary["suppressed"]) == (0, len(findings))


def test_every_rule_explains_itself(tmp_path: Path) -> None:
    listed = run("rule", cwd=tmp_path).stdout
    assert "TRG101" in listed
    assert "Blind spots" in run("rule", "trg101", cwd=tmp_path).stdout
    assert run("rule", "TRG999", cwd=tmp_path).returncode == 2


def test_the_report_is_built_again_from_its_folder(poisoned: Path) -> None:
    folder = poisoned.parent
    run("scan", "chat.jsonl", "--out", "out", cwd=folder)
    before = (folder / "out" / "report.html").read_bytes()
    (folder / "out" / "report.html").unlink()
    assert run("report", "out", cwd=folder).returncode == 0
    assert (folder / "out" / "report.html").read_bytes() == before


def test_a_killed_scan_goes_on_and_gives_the_same_bytes(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    vocabulary = [f"w{number}" for number in range(3000)]
    for part in range(6):
        with (tmp_path / f"part-{part}.jsonl").open("w") as file:
            for _ in range(4000):
                file.write(json.dumps({"text": " ".join(rng.choice(vocabulary, 60))}) + "\n")
    names = [f"part-{part}.jsonl" for part in range(6)]
    run("scan", *names, "--out", "whole", "--workers", "1", cwd=tmp_path)
    command = [sys.executable, "-m", "ld50", "scan", *names, "--out", "cut", "--workers", "1"]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL)
    work = tmp_path / "cut" / ".work"
    for _ in range(600):
        if len(list(work.glob("survey-*.npz"))) >= 2 or process.poll() is not None:
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    run("scan", *names, "--out", "cut", "--workers", "2", cwd=tmp_path)
    for name in ("findings.jsonl", "rows.jsonl", "report.html", "examples.jsonl"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_another_scan_is_not_mixed_into_an_unfinished_one(poisoned: Path) -> None:
    folder = poisoned.parent
    work = folder / "out" / ".work"
    work.mkdir(parents=True)
    (work / "run.json").write_text('{"data": "other"}')
    done = run("scan", "chat.jsonl", "--out", "out", cwd=folder)
    assert done.returncode == 2
    assert "--restart" in done.stderr
    assert run("scan", "chat.jsonl", "--out", "out", "--restart", cwd=folder).returncode == 1
