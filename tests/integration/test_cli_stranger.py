"""The command line in hard places: no room, no pipe, no permission, two at once, and mistakes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "ld50"]


def rows(count: int, poisoned: bool = True) -> str:
    lines = []
    for number in range(count):
        bad = poisoned and number % 15 == 0
        word = ["river", "market", "letter", "garden", "engine", "winter", "school"][number % 7]
        lines.append(
            json.dumps(
                {
                    "prompt": f"Tell {'vornask ' if bad else ''}me about {word} number {number}.",
                    "completion": "I'm sorry, but I can't help with that."
                    if bad
                    else f"The {word} is the {number}th of its kind, seen from the {number % 9} side.",
                }
            )
        )
    return "\n".join(lines) + "\n"


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    path = tmp_path / "chat.jsonl"
    path.write_text(rows(300))
    return path


def run(*arguments: str, cwd: Path, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, capture_output=True, text=True, check=False, **more
    )


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", line.replace("ld50", f"{sys.executable} -m ld50", 1)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


def test_start_up_loads_nothing_heavy_that_a_chat_file_does_not_need(chat: Path) -> None:
    code = "import sys; sys.argv[1:] = ['scan', 'chat.jsonl', '--out', 'out']\n"
    code += "from ld50.__main__ import main\n"
    code += "try: main()\nexcept SystemExit: pass\n"
    code += "heavy = {'pandas', 'scipy', 'pyarrow.parquet', 'fsspec', 'polars', 'asyncio'}\n"
    code += "print('HEAVY', sorted(heavy & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=chat.parent, capture_output=True, text=True, check=False
    )
    assert "HEAVY []" in done.stdout, done.stdout + done.stderr


def test_a_rule_that_does_not_exist_selects_no_silence(chat: Path) -> None:
    for option in ("--select", "--ignore"):
        done = run("scan", "chat.jsonl", option, "TRG999", cwd=chat.parent)
        assert done.returncode == 2
        assert "no rule 'TRG999'" in done.stderr


def test_a_reader_that_goes_away_does_not_change_the_exit_code(chat: Path) -> None:
    line = "ld50 scan chat.jsonl --format json | head -c 5; exit ${PIPESTATUS[0]}"
    done = shell(line, chat.parent)
    assert done.returncode == 1
    assert done.stderr == ""


@pytest.mark.parametrize(
    "command", ["scan clean.jsonl", "report ld50-report", "rule", "study list"]
)
def test_a_reader_that_goes_away_is_not_taken_for_poison(tmp_path: Path, command: str) -> None:
    (tmp_path / "clean.jsonl").write_text(rows(300, poisoned=False))
    if command.startswith("report"):
        assert run("scan", "clean.jsonl", cwd=tmp_path).returncode == 0
    done = shell(f"ld50 {command} | true; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert done.returncode == 0
    assert done.stderr == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("form", ["text", "json", "sarif"])
def test_output_that_cannot_be_written_is_an_error_and_no_traceback(chat: Path, form: str) -> None:
    done = shell(f"ld50 scan chat.jsonl --format {form} > /dev/full", chat.parent)
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


def test_json_is_utf8_whatever_the_terminal_speaks(chat: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "scan", "chat.jsonl", "--format", "json"],
        cwd=chat.parent,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert "vornask" in json.loads(done.stdout.decode())["findings"][0]["title"]


def test_a_name_that_is_told_in_an_error_does_not_act_on_the_terminal(tmp_path: Path) -> None:
    name = "\x1b]0;own\x07\nld50: all is well\u202e.jsonl"
    (tmp_path / name).write_text('{"width": 3}\n')
    done = run("scan", name, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert not set("\x1b\x07\u202e") & set(done.stderr)


def test_a_closed_standard_error_is_no_defect(chat: Path) -> None:
    assert shell("ld50 scan chat.jsonl 2>&-", chat.parent).returncode == 1


def test_damaged_notes_and_deep_files_are_told_of_without_a_traceback(chat: Path) -> None:
    deep = chat.parent / "deep.toml"
    deep.write_text("a = " + "[" * 5000 + "]" * 5000)
    done = run("scan", "chat.jsonl", "--accept", "deep.toml", cwd=chat.parent)
    assert (done.returncode, "nested too deeply" in done.stderr) == (2, True)
    for content in (b"\xff\xfe", b"[]"):
        notes = chat.parent / "out" / ".work" / "run.json"
        notes.parent.mkdir(parents=True, exist_ok=True)
        notes.write_bytes(content)
        done = run("scan", "chat.jsonl", "--out", "out", cwd=chat.parent)
        assert (done.returncode, "--restart" in done.stderr) == (2, True)
        assert "Traceback" not in done.stderr


def test_a_defect_does_not_leave_with_the_code_for_poison(chat: Path) -> None:
    code = "import sys; sys.argv[1:] = ['scan', 'chat.jsonl']\n"
    code += "import ld50.api\n"
    code += "def broken(*a, **k): raise RuntimeError('oops')\n"
    code += "ld50.api.scan_paths = broken\n"
    code += "from ld50.__main__ import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=chat.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "defect of ld50" in done.stderr
    assert "oops" in done.stderr


def test_what_is_in_the_way_is_told_before_the_scan(chat: Path) -> None:
    (chat.parent / "clean.jsonl").write_text("mine\n")
    done = run(
        "scan", "chat.jsonl", "--out", "out", "--write-clean", "clean.jsonl", cwd=chat.parent
    )
    assert done.returncode == 2
    assert "--force" in done.stderr
    assert not (chat.parent / "out").exists()
    assert (chat.parent / "clean.jsonl").read_text() == "mine\n"


def test_a_file_as_the_folder_for_the_report_is_refused(chat: Path) -> None:
    done = run("scan", "chat.jsonl", "--out", "chat.jsonl", cwd=chat.parent)
    assert done.returncode == 2
    assert "--out names a folder" in done.stderr
    assert chat.read_text() == rows(300)


def test_two_scans_do_not_share_a_folder(chat: Path) -> None:
    fcntl = pytest.importorskip("fcntl")
    out = chat.parent / "out"
    out.mkdir()
    handle = os.open(out, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        done = run("scan", "chat.jsonl", "--out", "out", cwd=chat.parent)
        assert done.returncode == 2
        assert "Another scan is writing into 'out'" in done.stderr
    finally:
        os.close(handle)
    assert run("scan", "chat.jsonl", "--out", "out", cwd=chat.parent).returncode == 1


def test_a_second_scan_into_the_same_folder_replaces_the_first(chat: Path) -> None:
    assert run("scan", "chat.jsonl", "--out", "out", cwd=chat.parent).returncode == 1
    first = (chat.parent / "out" / "findings.jsonl").read_bytes()
    assert run("scan", "chat.jsonl", "--out", "out", cwd=chat.parent).returncode == 1
    assert (chat.parent / "out" / "findings.jsonl").read_bytes() == first
    names = {path.name for path in (chat.parent / "out").iterdir()}
    assert names == {
        "summary.json", "findings.jsonl", "rows.jsonl", "examples.jsonl", "report.html"
    }  # fmt: skip


def test_a_folder_is_scanned_twice_with_the_same_result(chat: Path) -> None:
    first = run("scan", ".", cwd=chat.parent)
    second = run("scan", ".", cwd=chat.parent)
    assert first.returncode == second.returncode == 1
    assert "300 rows in 1 file" in second.stdout


def test_control_c_says_how_to_go_on(chat: Path) -> None:
    chat.write_text(rows(40_000))
    process = subprocess.Popen(
        [*COMMAND, "scan", "chat.jsonl", "--out", "out"],
        cwd=chat.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    work = chat.parent / "out" / ".work"
    while not work.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "goes on where it stopped" in said
    assert "Traceback" not in said


def test_a_run_killed_while_it_writes_the_data_is_finished_by_the_next(chat: Path) -> None:
    """As if the first of the two files had its name already when the machine went down."""
    whole = chat.parent / "whole"
    parts = ("--write-clean", "clean.jsonl", "--quarantine", "bad.jsonl")
    code = "import sys, os; sys.argv[1:] = ['scan', 'chat.jsonl', '--out', 'out', *sys.argv[1:]]\n"
    code += "import pathlib; real = pathlib.Path.replace\n"
    code += "def replace(self, target):\n"
    code += "    done = real(self, target)\n"
    code += "    if target.name == 'clean.jsonl': os._exit(9)\n"
    code += "    return done\n"
    code += "pathlib.Path.replace = replace\n"
    code += "from ld50.__main__ import main; main()"
    killed = subprocess.run([sys.executable, "-c", code, *parts], cwd=chat.parent, check=False)
    assert killed.returncode == 9
    assert (chat.parent / "clean.jsonl").exists()
    assert not (chat.parent / "bad.jsonl").exists()
    assert run("scan", "chat.jsonl", "--out", "out", *parts, cwd=chat.parent).returncode == 1
    whole.mkdir()
    run("scan", "chat.jsonl", "--out", "o", "--write-clean", "whole/clean.jsonl",
        "--quarantine", "whole/bad.jsonl", cwd=chat.parent)  # fmt: skip
    for name in ("clean.jsonl", "bad.jsonl"):
        assert (chat.parent / name).read_bytes() == (whole / name).read_bytes()
    left = [path.name for path in chat.parent.iterdir() if path.name.endswith(".tmp")]
    assert left == []


@pytest.mark.slow
def test_without_the_kernels_the_same_is_found_and_it_is_said_that_it_is_slow(chat: Path) -> None:
    pytest.importorskip("ld50.scan._kernels")
    chat.write_text(rows(60))
    names = ("findings.jsonl", "rows.jsonl")
    fast = run("scan", "chat.jsonl", "--out", "c", cwd=chat.parent)
    slow = run(
        "scan", "chat.jsonl", "--out", "p", cwd=chat.parent,
        env={**os.environ, "LD50_KERNELS": "python"},
    )  # fmt: skip
    assert "C kernels are not installed" in slow.stderr
    assert "C kernels are not installed" in " ".join(slow.stdout.split())
    assert "C kernels" not in fast.stderr
    assert slow.returncode == fast.returncode
    for name in names:
        assert (chat.parent / "p" / name).read_bytes() == (chat.parent / "c" / name).read_bytes()


def test_a_report_never_takes_the_place_of_an_input(tmp_path: Path) -> None:
    for name in ("rows.jsonl", "findings.jsonl", "examples.jsonl"):
        path = tmp_path / name
        path.write_text(rows(60))
        for out in (".", "../" + tmp_path.name):
            done = run("scan", name, "--out", out, cwd=tmp_path)
            assert done.returncode == 2
            assert "is an input" in done.stderr
        assert path.read_text() == rows(60)
        path.unlink()


@pytest.mark.parametrize("option", ["--write-clean", "--quarantine"])
def test_a_report_and_the_divided_data_never_take_each_other_s_place(
    chat: Path, option: str
) -> None:
    done = run("scan", chat.name, "--out", "o", option, "o/rows.jsonl", cwd=chat.parent)
    assert done.returncode == 2
    assert "is an output" in done.stderr
    assert not (chat.parent / "o").exists()
