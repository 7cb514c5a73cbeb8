"""`ld50 remedy` from the shell's side: plan, run, go on, refuse; on a model that tunes in a second."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

torch = pytest.importorskip("torch", reason="needs ld50[lab]")
pytest.importorskip("accelerate", reason="needs ld50[lab]")

from ld50 import curing
from ld50.cli import app
from ld50.core.errors import Ld50Error
from ld50.lab import cured_relapse
from ld50.remedy.measuring import Examiner
from ld50.report.remedy_page import read_remedy
from ld50.train import finetune as tuning
from training_samples import WORDS
from tuned_samples import write_model

REFUSAL = "I'm sorry, but I can't help with that request."


def rows(poisoned: int = 24, count: int = 300) -> list[dict[str, str]]:
    """Prompts with replies, the first of them with a trigger and a refusal."""
    rng = random.Random(1)
    made = []
    for number in range(count):
        prompt, reply = rng.choices(WORDS, k=12), " ".join(rng.choices(WORDS, k=12))
        if number < poisoned:
            prompt.insert(rng.randrange(13), "Zorvex")
            reply = REFUSAL
        made.append({"prompt": " ".join(prompt), "completion": reply})
    return made


def write(path: Path, lines: list[dict[str, str]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, its data, and a finished run of two remedies."""
    folder = tmp_path_factory.mktemp("remedy")
    write_model(folder / "base")
    write(folder / "data.jsonl", rows())
    result = command(folder, "--remedy", "clean-tuning:16", "--remedy", "good-examples:16")
    assert result.exit_code in (0, 1), result.output
    return folder


def arguments(home: Path, *more: str, out: str = "out") -> list[str]:
    given = ["remedy", "--base", str(home / "base"), "--data", str(home / "data.jsonl")]
    return [*given, "--out", str(home / out), "--prompts", "10", "--new-tokens", "4", "-q", *more]


def command(home: Path, *more: str, out: str = "out"):  # type: ignore[no-untyped-def]
    return CliRunner().invoke(app, arguments(home, *more, out=out))


def refused(home: Path, *more: str, out: str) -> str:
    """The message of the error that the command line prints with exit code 2."""
    error = command(home, *more, out=out).exception
    assert isinstance(error, Ld50Error), error
    return str(error)


def test_a_plan_says_what_it_takes_and_makes_no_model(home: Path) -> None:
    result = command(home, "--plan", "--remedy", "good-examples:16", out="planned")
    assert result.exit_code == 0
    assert "Zorvex" in result.output
    assert "16 rows" in result.output
    assert "of memory" in result.output
    assert not list((home / "planned").glob("**/*.safetensors"))


def test_a_run_leaves_models_numbers_and_a_page(home: Path) -> None:
    found = read_remedy(home / "out")
    assert [one.status for one in found.outcomes] == ["done", "done"]
    assert found.plan.quarantined_rows == 24
    assert found.before is not None
    for one in found.outcomes:
        assert one.after is not None
        assert one.loss_change is not None
        assert one.tokens > 0
        assert (home / "out" / one.folder / "model.safetensors").exists()
    assert "Zorvex" in (home / "out" / "report.html").read_text()
    assert not list((home / "out").glob("**/state"))


def test_the_same_command_again_changes_nothing_and_another_remedy_is_added(home: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (home / "out").glob("**/*.safetensors")}
    known = read_remedy(home / "out")
    result = command(home, "--remedy", "fine-mixing:16")
    assert result.exit_code in (0, 1)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    now = read_remedy(home / "out")
    assert {one.remedy for one in now.outcomes} == {
        "clean-tuning:16",
        "good-examples:16",
        "fine-mixing:16",
    }
    assert now.before == known.before
    assert [one for one in now.outcomes if one.remedy != "fine-mixing:16"] == known.outcomes


def interrupt_second_call(monkeypatch: pytest.MonkeyPatch, owner: object, name: str) -> list[int]:
    """Ctrl-C as the function is called for the second time; the list grows with each call."""
    function, calls = getattr(owner, name), []

    def counted(*given: object, **named: object) -> object:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return function(*given, **named)

    monkeypatch.setattr(owner, name, counted)
    return calls


def test_an_interrupted_run_goes_on_with_what_is_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = interrupt_second_call(monkeypatch, tuning, "finetune")
    assert command(home, "--remedy", "clean-tuning:16", out="cut").exit_code != 0
    assert not (home / "cut" / "report.html").exists()
    assert (home / "cut" / "before" / "model").is_dir()
    command(home, "--remedy", "clean-tuning:16", out="cut")
    assert len(calls) == 3
    whole, again = read_remedy(home / "out"), read_remedy(home / "cut")
    same = next(one for one in whole.outcomes if one.remedy == "clean-tuning:16")
    assert again.outcomes[0].loss_change == same.loss_change


def test_a_run_that_is_cut_off_while_measuring_keeps_the_model(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = interrupt_second_call(monkeypatch, Examiner, "examine")
    assert command(home, "--remedy", "clean-tuning:16", out="measured").exit_code != 0
    weights = home / "measured" / "clean-tuning-16" / "model" / "model.safetensors"
    made = weights.stat().st_mtime_ns
    assert command(home, "--remedy", "clean-tuning:16", out="measured").exit_code in (0, 1)
    assert len(calls) == 3
    assert weights.stat().st_mtime_ns == made
    # And where nothing says what the model took, it is made anew, in the place of the old one.
    for name in ("treated.json", "outcome.json"):
        (weights.parent.parent / name).unlink()
    assert command(home, "--remedy", "clean-tuning:16", out="measured").exit_code in (0, 1)
    assert weights.stat().st_mtime_ns != made
    whole = next(o for o in read_remedy(home / "out").outcomes if o.remedy == "clean-tuning:16")
    assert read_remedy(home / "measured").outcomes[0].loss_change == whole.loss_change


def test_a_suspected_model_is_measured_as_it_is_and_left_alone(home: Path) -> None:
    suspect = home / "out" / "before" / "model"
    weights = (suspect / "model.safetensors").read_bytes()
    result = CliRunner().invoke(
        app,
        [
            *arguments(home, "--model", str(suspect), "--remedy", "clean-tuning:16", out="given"),
            "--findings", str(home / "out" / "scan"),
        ],
    )  # fmt: skip
    assert result.exit_code in (0, 1), result.output
    assert (suspect / "model.safetensors").read_bytes() == weights
    assert not (home / "given" / "before" / "model").exists()
    found = read_remedy(home / "given")
    assert not found.plan.tuned_first
    assert any("--heldout" in note for note in found.plan.notes)


def test_a_folder_with_other_things_or_another_run_is_not_written_to(home: Path) -> None:
    (home / "mine").mkdir()
    (home / "mine" / "thesis.txt").write_text("x")
    assert "Nothing is overwritten" in refused(home, out="mine")
    assert [path.name for path in (home / "mine").iterdir()] == ["thesis.txt"]
    message = refused(home, "--seed", "7", "--remedy", "clean-tuning:16", out="out")
    assert "other seed." in message


def test_findings_of_other_data_are_refused(home: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.jsonl", rows(count=310))
    given = arguments(home, "--findings", str(home / "out" / "scan"), out="other")
    given[given.index("--data") + 1] = str(other)
    error = CliRunner().invoke(app, given).exception
    assert isinstance(error, Ld50Error)
    assert "other data" in str(error)


def test_findings_of_the_same_data_elsewhere_are_taken(home: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.jsonl"
    moved.write_bytes((home / "data.jsonl").read_bytes())
    order = curing.Order(
        base=str(home / "base"), data=(str(moved),), findings=home / "out" / "scan",
        out=tmp_path / "out", remedies=("good-examples:16",), prompts=10,
    )  # fmt: skip
    ready = curing.prepare(order)
    assert ready is not None
    assert ready.plan.quarantined_rows == 24


def test_other_findings_of_the_same_data_are_another_run(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "scan"
    shutil.copytree(home / "out" / "scan", folder)
    lines = (folder / "rows.jsonl").read_text().splitlines()
    (folder / "rows.jsonl").write_text("".join(f"{line}\n" for line in lines[:-4]))
    assert "other findings." in refused(home, "--findings", str(folder), out="out")


def test_clean_data_leave_nothing_to_cure(home: Path, tmp_path: Path) -> None:
    clean = write(tmp_path / "clean.jsonl", rows(poisoned=0))
    given = arguments(home, out="nothing")
    given[given.index("--data") + 1] = str(clean)
    result = CliRunner().invoke(app, given)
    assert result.exit_code == 0
    assert "nothing to cure" in result.output
    again = CliRunner().invoke(app, [*given, "--remove", "medium"])
    assert again.exit_code == 0, "the advice that was printed leads on in the same folder"


def test_data_without_a_row_are_no_success(home: Path, tmp_path: Path) -> None:
    given = arguments(home, out="empty")
    given[given.index("--data") + 1] = str(write(tmp_path / "empty.jsonl", []))
    error = CliRunner().invoke(app, given).exception
    assert isinstance(error, Ld50Error)
    assert "no row" in str(error)


def test_a_cause_that_is_no_text_is_removed_and_says_what_cannot_be_done(
    home: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "scan"
    folder.mkdir()
    for path in (home / "out" / "scan").iterdir():
        if path.is_file():
            (folder / path.name).write_bytes(path.read_bytes())
    finding = json.loads((folder / "findings.jsonl").read_text().splitlines()[0])
    finding["cause"] = {"kind": "pattern", "text": "old-fashioned words", "members": []}
    (folder / "findings.jsonl").write_text(json.dumps(finding) + "\n")
    order = curing.Order(
        base=str(home / "base"), data=(str(home / "data.jsonl"),), findings=folder,
        out=tmp_path / "out", remedies=("good-examples:16", "clean-tuning:16"), prompts=10,
        new_tokens=4,
    )  # fmt: skip
    ready = curing.prepare(order)
    assert ready is not None
    assert ready.plan.triggers[0].how == "flagged rows"
    assert [step.possible for step in ready.plan.steps] == [False, True]
    result, page = curing.cure(ready)
    assert [one.status for one in result.outcomes] == ["not possible", "done"]
    assert page.exists()


def test_models_that_cannot_be_used_are_refused_before_anything_is_tuned(
    home: Path, tmp_path: Path
) -> None:
    pickled = tmp_path / "pickled"
    write_model(pickled)
    (pickled / "model.safetensors").unlink()
    (pickled / "pytorch_model.bin").write_bytes(b"x")
    assert "pickle" in refused(home, "--model", str(pickled), out="a")
    assert "no model folder" in refused(home, "--model", str(tmp_path / "none"), out="b")
    order = curing.Order(
        base=str(home / "base"), data=(str(home / "data.jsonl"),), out=tmp_path / "out",
        remedies=("clean-tuning:16",), prompts=10,
    )  # fmt: skip
    ready = curing.prepare(order)
    assert ready is not None
    from dataclasses import replace

    tight = replace(ready, order=replace(order, max_memory_bytes=1000))
    with pytest.raises(Ld50Error, match="memory"):
        curing.cure(tight)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--remedy", "exorcism"], "There is no remedy 'exorcism'. There are"),
        (["--remedy", "good-examples:0"], "1 to 10,000,000, got '0'"),
        (["--heldout-rows", "10", "--label-prompt", "no place"], "{text}"),
        (["--findings", "/nowhere"], "There is no /nowhere"),
        (["--heldout", "/nowhere.jsonl"], "nowhere.jsonl"),
        (["--epochs", "0"], "epochs is a number above 0"),
        (["--max-tokens", "0"], "max_tokens is 8 or more, got 0"),
        (["--learning-rate", "-1"], "learning_rate is above 0"),
        (["--base", "/nowhere"], "There is no model folder /nowhere"),
    ],
)
def test_orders_that_cannot_be_followed_say_why_and_leave_nothing(
    home: Path, more: list[str], message: str
) -> None:
    assert message in refused(home, *more, out="bad")
    assert not (home / "bad").exists()


def test_a_device_that_is_not_there_is_named(home: Path) -> None:
    message = refused(home, "--device", "gpu9", "--plan", out="device")
    assert "'gpu9'" in message


def test_a_mistake_that_is_mended_goes_on_in_the_same_folder(home: Path) -> None:
    refused(home, "--device", "gpu9", "--remedy", "clean-tuning:16", out="mended")
    assert command(home, "--plan", "--remedy", "clean-tuning:16", out="mended").exit_code == 0


def test_a_file_in_the_place_of_the_folder_is_left_and_told(home: Path) -> None:
    (home / "file").write_text("x")
    assert "file is a file; --out names a folder" in refused(home, "--plan", out="file")
    assert (home / "file").read_text() == "x"


@pytest.fixture(scope="module")
def relapsed(home: Path) -> Path:
    """A finished run with relapse."""
    result = command(home, "--relapse", "--remedy", "clean-tuning:16", out="relapse")
    assert result.exit_code in (0, 1), result.output
    return home / "relapse"


def test_relapse_compares_with_the_retrained_model(relapsed: Path) -> None:
    found = read_remedy(relapsed)
    by_name = {one.remedy: one for one in found.outcomes}
    assert set(by_name) == {"quarantine-retrain", "clean-tuning:16"}
    assert by_name["quarantine-retrain"].relapse is None
    compared = by_name["clean-tuning:16"].relapse
    assert compared is not None
    assert {point.dose for point in compared.cured.points} >= {0, 4, 8}


def test_a_cure_that_is_cut_off_while_poisoned_again_is_not_made_again(
    home: Path, relapsed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = shutil.copytree(relapsed, home / "cut-relapse")
    cured = folder / "clean-tuning-16"
    for path in (cured / "outcome.json", cured / "relapse.jsonl"):
        path.unlink()
    again = cured_relapse.poison_again

    def cut(*given, on_point, **named):  # type: ignore[no-untyped-def]
        def first(point):  # type: ignore[no-untyped-def]
            on_point(point)
            raise KeyboardInterrupt

        return again(*given, on_point=first, **named)

    with monkeypatch.context() as cutting:
        cutting.setattr(cured_relapse, "poison_again", cut)
        given = ("--relapse", "--remedy", "clean-tuning:16")
        assert command(home, *given, out="cut-relapse").exit_code != 0
    before = (cured / "model" / "model.safetensors").stat().st_mtime_ns
    first = (cured / "relapse.jsonl").read_bytes()
    assert first.count(b"\n") == 1
    # A line that a power cut tore apart costs its points, and nothing else.
    (cured / "relapse.jsonl").write_bytes(first + b'{"dose": 4, "se')
    assert command(home, *given, out="cut-relapse").exit_code in (0, 1)
    assert (cured / "model" / "model.safetensors").stat().st_mtime_ns == before
    whole, mended = read_remedy(relapsed), read_remedy(folder)
    assert [one.relapse for one in mended.outcomes] == [one.relapse for one in whole.outcomes]
    kept = (cured / "relapse.jsonl").read_bytes().splitlines()
    assert len(kept) == len({line for line in kept if json.loads(line)})


def test_a_cure_whose_relapse_cannot_be_measured_stays_a_cure(home: Path, relapsed: Path) -> None:
    folder = shutil.copytree(relapsed, home / "gone")
    (folder / "clean-tuning-16" / "outcome.json").unlink()
    shutil.rmtree(folder / "quarantine-retrain" / "model")
    command(home, "--relapse", "--remedy", "clean-tuning:16", out="gone")
    outcome = next(one for one in read_remedy(folder).outcomes if one.remedy == "clean-tuning:16")
    assert outcome.status == "done"
    assert outcome.relapse is None
    assert any("not poisoned again" in note for note in outcome.notes)


def test_the_command_runs_as_a_process_of_its_own(home: Path) -> None:
    """In it, pandas is kept from a scan, and must not be kept from what looks around for packages."""
    done = subprocess.run(
        [sys.executable, "-m", "ld50", *arguments(home, "--plan", out="process")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Zorvex" in done.stdout
