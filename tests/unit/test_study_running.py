"""What a run keeps: torn lines, one writer, one retry, and the same trials however it was cut."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ld50.core.errors import DataFormatError, OutputError, ResumeError, SourceError
from ld50.core.trials import Trial, TrialResult
from ld50.lab.agenda import Agenda, arm_trials
from ld50.lab.run_folder import Journal, RunFolder, RunRecord
from ld50.lab.study import AdaptiveDoses, Grid, Study
from ld50.lab.study_file import load_study, study_text
from study_fakes import fake_result

STUDY = load_study("quickstart")


def record(study: Study = STUDY, **changes: str) -> RunRecord:
    fields = {"study": study.fingerprint(), "data": "d", "runner": "r", **changes}
    return RunRecord(sources=["demo"], **fields)


def begun(path: Path, study: Study = STUDY) -> RunFolder:
    folder = RunFolder(path / "run")
    folder.begin(study, record(study))
    return folder


def result(number: int = 0, status: str = "done") -> TrialResult:
    made = fake_result(STUDY.fixed_trials()[number])
    return msgspec.structs.replace(made, status=status)


def test_what_is_appended_is_read_back(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    results = [result(number) for number in range(3)]
    with Journal(folder) as journal:
        for one in results:
            journal.append(one)
    assert folder.results() == results
    assert folder.study() == STUDY


@settings(max_examples=30)
@given(st.integers(1, 400))
def test_a_torn_last_line_costs_that_line_and_nothing_else(cut: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = begun(Path(name))
        with Journal(folder) as journal:
            journal.append(result(0))
            journal.append(result(1))
        content = folder.trials_file.read_bytes()
        first = content.index(b"\n") + 1
        folder.trials_file.write_bytes(content[: first + min(cut, len(content) - first - 1)])
        assert folder.results() == [result(0)]
        with Journal(folder) as journal:
            journal.append(result(2))
        assert folder.results() == [result(0), result(2)]


def test_a_broken_line_in_the_middle_is_named(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    folder.trials_file.write_bytes(b'{"trial": 3}\n')
    with pytest.raises(DataFormatError, match="line 1"):
        folder.results()


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    line = json.loads(msgspec.json.encode(result()))
    folder.trials_file.write_text(json.dumps({**line, "schema_version": 99}) + "\n")
    with pytest.raises(DataFormatError, match="schema_version 99"):
        folder.results()


def test_only_one_driver_writes(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    with Journal(folder), pytest.raises(ResumeError, match="Another process"), Journal(folder):
        pass


def test_a_changed_study_does_not_go_on(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    other = msgspec.structs.replace(STUDY, grid=[msgspec.structs.replace(STUDY.grid[0], seeds=4)])
    with pytest.raises(ResumeError, match="seeds of grid 1"):
        folder.begin(other, record(other))
    folder.study_file.write_text(study_text(other))
    with pytest.raises(ResumeError, match="was changed after the run began"):
        folder.check_unchanged()


def test_other_data_or_another_trainer_do_not_go_on(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    with pytest.raises(ResumeError, match="other clean text"):
        folder.begin(STUDY, record(data="e"))
    with pytest.raises(ResumeError, match="trial runner"):
        folder.begin(STUDY, record(runner="s"))
    folder.begin(STUDY, record())


def test_words_may_change_while_a_study_runs(tmp_path: Path) -> None:
    folder = begun(tmp_path)
    folder.study_file.write_text(study_text(msgspec.structs.replace(STUDY, title="Better words")))
    folder.check_unchanged()
    folder.begin(STUDY, record())
    assert folder.record().study == record().study


def test_folders_without_a_study_say_so(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="ld50 study run"):
        RunFolder(tmp_path).study()
    with pytest.raises(SourceError, match="No study was begun"):
        RunFolder(tmp_path).record()
    (tmp_path / "trials.jsonl").write_text("")
    with pytest.raises(OutputError, match=r"without its run\.json"):
        RunFolder(tmp_path).begin(STUDY, record())


def run_all(
    agenda: Agenda, answer: dict[str, list[str]] | None = None, *, side_by_side: int = 1
) -> list[TrialResult]:
    """Runs an agenda to its end with fake trials, `side_by_side` at a time."""
    done: list[TrialResult] = []
    while not agenda.finished:
        running: list[Trial] = []
        while len(running) < side_by_side and (trial := agenda.next()) is not None:
            running.append(trial)
        assert running
        for trial in reversed(running):
            made = fake_result(trial)
            statuses = (answer or {}).get(trial.trial, [])
            if statuses:
                made = msgspec.structs.replace(made, status=statuses.pop(0))
            agenda.record(made)
            done.append(made)
    return done


def test_a_failed_trial_is_tried_once_more_and_a_diverged_one_is_not() -> None:
    trials = STUDY.fixed_trials()
    answer = {
        trials[0].trial: ["failed", "failed"],
        trials[1].trial: ["failed", "done"],
        trials[2].trial: ["diverged"],
    }
    done = run_all(Agenda(STUDY, {}), answer)
    counts = {trial.trial: sum(one.trial == trial.trial for one in done) for trial in trials}
    assert [counts[trial.trial] for trial in trials[:4]] == [2, 2, 1, 1]
    assert len(counts) == len(trials)


def test_again_gives_failed_trials_two_more_attempts() -> None:
    trial = STUDY.fixed_trials()[0].trial
    attempts: dict[str, list[TrialResult]] = {}
    for one in run_all(Agenda(STUDY, {}), {trial: ["failed", "failed"]}):
        attempts.setdefault(one.trial, []).append(one)
    assert Agenda(STUDY, attempts).finished
    again = Agenda(STUDY, attempts, again=True)
    assert not again.finished
    assert [one.trial for one in run_all(again)] == [trial]


@pytest.mark.parametrize("cut", [0, 1, 5, 17, 18])
def test_a_run_cut_anywhere_ends_with_the_same_trials(cut: int) -> None:
    whole = {one.trial for one in run_all(Agenda(STUDY, {}))}
    first = list(itertools.islice(run_all(Agenda(STUDY, {})), cut))
    rest = run_all(Agenda(STUDY, {one.trial: [one] for one in first}))
    assert {one.trial for one in first} | {one.trial for one in rest} == whole
    assert len(first) + len(rest) == len(whole)


def adaptive(design: str) -> Study:
    doses = AdaptiveDoses(design=design, low=5, high=500, trials=13, controls=2, round=3)
    return Study(name="a", grid=[Grid(size=["0.05M", "0.1M"], dose=doses)])


@pytest.mark.parametrize("design", ["bayesian", "up-and-down"])
def test_adaptive_trials_do_not_depend_on_workers_or_interruptions(design: str) -> None:
    study = adaptive(design)
    one = run_all(Agenda(study, {}))
    many = run_all(Agenda(study, {}), side_by_side=7)
    assert sorted(o.trial for o in one) == sorted(m.trial for m in many)
    for cut in (1, 4, 9):
        rest = run_all(Agenda(study, {o.trial: [o] for o in one[:cut]}))
        assert sorted(o.trial for o in one[:cut] + rest) == sorted(o.trial for o in one)


def test_an_adaptive_arm_survives_trials_without_a_result() -> None:
    study = adaptive("bayesian")
    arm = study.arms()[0]
    results: dict[str, TrialResult] = {}
    while len(results) < arm.doses.trials:
        for trial in arm_trials(arm, results):
            if trial.trial not in results:
                lost = len(results) % 3 == 0
                made = fake_result(trial)
                results[trial.trial] = (
                    msgspec.structs.replace(made, status="failed", attack_success_rate=None)
                    if lost
                    else made
                )
    assert len(arm_trials(arm, results)) == arm.doses.trials


def test_work_grows_to_the_whole() -> None:
    agenda = Agenda(adaptive("bayesian"), {})
    shares = []
    while not agenda.finished:
        trial = agenda.next()
        assert trial is not None
        agenda.record(fake_result(trial))
        done, everything = agenda.work()
        shares.append(done / everything)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
