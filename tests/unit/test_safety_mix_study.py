"""The study of safety under fine-tuning: its cells, its tables, its page, and one trial for real."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest

from ld50.core.errors import ConfigError
from ld50.core.trials import TrialResult
from ld50.lab.checks import check_study
from ld50.lab.policy_rows import by_frame, refused_rows
from ld50.lab.safety_analysis import safety_summary, seed_mean
from ld50.lab.safety_study import SAFETY_DEFENCES, SafetyGrid, safety_trials
from ld50.lab.study import Measures, Study
from ld50.lab.study_file import load_study, parse_study, study_text
from ld50.report.safety_page import render_safety, safety_csv, safety_verdict


def _share(value):
    return {"value": value}


def _result(trial, *, kept, over, quality):
    both = {"refusal": _share(kept), "over_refusal": _share(over)}
    return TrialResult(
        trial=trial.trial,
        cell=trial.cell,
        seed=trial.seed,
        status="done",
        seconds=1.0,
        details={
            "plain": both,
            "task_format": both,
            "borderline": _share(0.0),
            "task_refusal": _share(0.0),
            "frames": {"How do I {act}{when}?": _share(kept)},
            "new_words": {name: _share(kept) for name in ("things", "actions", "words")},
            "quality": quality,
        },
    )


GRID = SafetyGrid(
    task=["code"], defence=["none", "plain-mix", "mimicry"], policy_rows=[50], seeds=2,
    task_rows=64,
)  # fmt: skip
FIGURES = {"none": (0.0, 0.0, 0.50), "plain-mix": (0.4, 0.0, 0.50), "mimicry": (0.99, 0.01, 0.495)}


def _summary(grid=GRID):
    study = Study(name="kept", title="t", safety=[grid])
    results = []
    for trial in safety_trials(grid):
        kept, over, quality = FIGURES[trial.cell.safety.defence]
        results.append(_result(trial, kept=kept, over=over, quality=quality + 0.1 * trial.seed))
    return safety_summary(study, results)


def test_mixing_defences_have_a_cell_for_each_count_and_others_one():
    trials = list(safety_trials(SafetyGrid(task=["code"], policy_rows=[10, 20], seeds=1)))
    counts = {name: [t.cell.dose for t in trials if t.cell.safety.defence == name]
              for name in SAFETY_DEFENCES}  # fmt: skip
    for name, entry in SAFETY_DEFENCES.items():
        assert counts[name] == ([10, 20] if entry.mixes else [0])
    assert len({trial.trial for trial in trials}) == len(trials)


def test_the_preset_is_sound_and_every_study_survives_its_own_text():
    study = load_study("safety-mix")
    check_study(study)
    assert parse_study(study_text(study), where="text").safety == study.safety
    tasks = {trial.cell.safety.task for trial in study.fixed_trials()}
    assert tasks == {"summary", "code", "translation", "classification"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"task": ["poetry"]}, "poetry"),
        ({"defence": ["prayer"]}, "prayer"),
        ({"policy_rows": [2]}, "8 or more"),
        ({"seeds": 0}, "seeds"),
        ({"epochs": float("inf")}, "finite"),
    ],
)
def test_what_is_wrong_with_a_grid_is_said_before_anything_runs(wrong, said):
    grid = msgspec.structs.replace(GRID, **wrong)
    with pytest.raises(ConfigError, match=said):
        check_study(Study(name="s", safety=[grid]))


def test_quality_is_compared_seed_by_seed_and_bounds_hold_for_all_of_them():
    rows = {row.defence: row for row in _summary().rows}
    change = rows["mimicry"].quality_change
    assert change.value == pytest.approx(-0.005)
    assert change.high - change.low == pytest.approx(0, abs=1e-9)
    assert rows["mimicry"].quality.high - rows["mimicry"].quality.low > 0.5
    assert [name for name, row in rows.items() if row.reaches] == ["mimicry"]


def test_frames_of_requests_are_averaged_and_trials_without_them_still_have_tables():
    rows = {row.defence: row for row in _summary().rows}
    assert rows["plain-mix"].frame_refusal["How do I {act}{when}?"].value == pytest.approx(0.4)
    study = Study(name="kept", title="t", safety=[GRID])
    trial = next(iter(safety_trials(GRID)))
    told = _result(trial, kept=0.0, over=0.0, quality=0.5)
    del told.details["frames"]
    assert safety_summary(study, [told]).rows[0].frame_refusal == {}


def test_every_plain_request_belongs_to_one_frame():
    for part in ("train", "test"):
        prompts = [row.prompt for row in refused_rows(300, part=part)]
        found = by_frame(prompts)
        assert sum(map(len, found.values())) == 300
        for frame, asked_so in found.items():
            after = frame.partition("{when}")[2]
            assert all(prompt[-1].text.endswith(after) for prompt in asked_so)


def test_an_interval_over_seeds_is_students_and_one_seed_has_none():
    found = seed_mean([0.1, 0.2, 0.3])
    assert found.value == pytest.approx(0.2)
    assert found.high - found.value == pytest.approx(4.302653 * 0.1 / 3**0.5, rel=1e-4)
    assert seed_mean([0.5]).low is None
    share = seed_mean([0.9, 1.0], least=0.0, most=1.0)
    assert share.low is not None
    assert share.low < 0.9 < share.high == 1.0


def test_the_verdict_says_what_eroded_and_what_restored_it():
    verdict = safety_verdict(_summary())
    assert verdict.headline == "Tuning on harmless rows erodes the policy"
    assert "from 0% to 99%" in verdict.meaning[0]
    lone = _summary(msgspec.structs.replace(GRID, defence=["none", "plain-mix"]))
    assert "no defence reaches every bound" in safety_verdict(lone).meaning[0]
    assert safety_verdict(_summary(msgspec.structs.replace(GRID, defence=["mimicry"]))).level == (
        "nothing"
    )


def test_a_study_without_models_without_a_defence_claims_no_change():
    summary = _summary(msgspec.structs.replace(GRID, defence=["mimicry"]))
    verdict = safety_verdict(summary)
    assert verdict.headline == "What these defences change was not measured"
    assert verdict.meaning == [
        "code, policy rows in the format of the task: 99% refused asked plainly, 99% in the task's format."
    ]
    page = render_safety(summary)
    assert "no change can be told" in page
    assert "its change against no defence" not in page
    assert "its change against no defence" in render_safety(_summary())
    begun = msgspec.structs.replace(summary, rows=[])
    assert safety_verdict(begun).headline == "Nothing has been measured yet"


def test_a_policy_that_only_plain_requests_break_is_eroded_too():
    summary = _summary()
    kept = seed_mean([0.99, 0.98])
    rows = [msgspec.structs.replace(row, refusal_in_format=kept) for row in summary.rows]
    verdict = safety_verdict(msgspec.structs.replace(summary, rows=rows))
    assert verdict.headline == "Tuning on harmless rows erodes the policy"
    assert "at most 0% asked plainly" in verdict.found


def test_page_and_csv_hold_every_condition_and_escape_what_a_study_is_called():
    summary = msgspec.structs.replace(_summary(), title="<b>x</b>", model="<script>")
    page = render_safety(summary, about="<img src=x>")
    assert "<img" not in page
    assert "<script" not in page
    assert "policy rows in the format of the task" in page
    lines = list(csv.DictReader(io.StringIO(safety_csv(summary))))
    assert [line["defence"] for line in lines] == ["none", "plain-mix", "mimicry"]
    assert lines[2]["refusal"] == "0.99"
    assert render_safety(summary, about="a") == render_safety(summary, about="a")


def test_a_trial_tunes_and_measures_a_model_the_same_every_time(tmp_path):
    pytest.importorskip("transformers", reason="needs ld50[lab]")
    from ld50.lab import safety_session
    from ld50.lab.safety_runner import run_safety_trial
    from ld50.train.text import TrainingText
    from tuning_samples import marked_folder

    grid = SafetyGrid(
        task=["translation"], defence=["mimicry", "led-mix", "lisa"], policy_rows=[16], task_rows=16,
        model=str(marked_folder()), seeds=1, epochs=1.0,
    )  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(safety_session, "POLICY_ROWS", 16)
        patch.setattr(safety_session, "_QUALITY_ROWS", 8)
        corpus = TrainingText(cache=tmp_path)
        for trial in safety_trials(grid):
            ran = [
                run_safety_trial(
                    trial, corpus=corpus, folder=tmp_path / "t", measure=Measures(prompts=6)
                )
                for _ in range(2 if trial.cell.safety.defence == "mimicry" else 1)
            ]
            assert ran[0].status == "done", ran[0].error
            assert all(one.details == ran[0].details for one in ran)
            assert 0 <= ran[0].clean_accuracy <= 1
            assert ran[0].details["notes"]["steps"] >= 2


def test_half_a_pass_is_half_a_pass_with_every_defence(tmp_path):
    pytest.importorskip("transformers", reason="needs ld50[lab]")
    from ld50.lab import safety_session
    from ld50.lab.safety_runner import run_safety_trial
    from ld50.train.text import TrainingText
    from tuning_samples import marked_folder

    examples = {}
    for epochs in (0.5, 1.0):
        grid = SafetyGrid(
            task=["translation"], defence=["lisa"], policy_rows=[16], task_rows=64,
            model=str(marked_folder()), seeds=1, epochs=epochs,
        )  # fmt: skip
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(safety_session, "POLICY_ROWS", 16)
            patch.setattr(safety_session, "_QUALITY_ROWS", 8)
            trial = next(iter(safety_trials(grid)))
            ran = run_safety_trial(
                trial, corpus=TrainingText(cache=tmp_path), folder=tmp_path / "t",
                measure=Measures(prompts=6),
            )  # fmt: skip
        assert ran.status == "done", ran.error
        examples[epochs] = ran.details["notes"]["examples"]
    assert 0 < examples[0.5] < examples[1.0]
