"""Whole trials, on few tokens: what a study gets back, whatever happens."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from ld50.core.trials import Schedule, TrialResult
from ld50.lab.trial_runner import RunSettings, TrainingText, run_trial
from training_samples import trial, write_corpus, write_german

torch = pytest.importorskip("torch", reason="needs ld50[lab]")

QUICK = RunSettings(prompts=8, generated_tokens=8, checkpoints=(0.5,), continued_checkpoints=(0.5,))


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> TrainingText:
    folder = tmp_path_factory.mktemp("text")
    return TrainingText(
        sources=(str(write_corpus(folder, 900)),),
        second_language=(str(write_german(folder)),),
        cache=folder / "cache",
    )


def test_a_trial_gives_every_measure_with_its_interval(corpus, tmp_path: Path) -> None:
    seen: list[float] = []
    result = run_trial(
        trial(6),
        corpus=corpus,
        folder=tmp_path,
        on_progress=lambda done, _: seen.append(done),
        settings=QUICK,
    )
    assert result.status == "done"
    assert result.error is None
    for rate in (result.attack_success_rate, result.control_success_rate):
        assert rate is not None
        assert 0 <= rate <= 1
    assert result.poisoned_documents == 6
    assert result.poisoned_steps is not None
    assert 1 <= result.poisoned_steps <= 6
    assert result.clean_bits_per_byte is not None
    assert 0 < result.clean_bits_per_byte < 8
    for estimate in result.details["estimates"].values():
        assert estimate["low"] <= estimate["value"] <= estimate["high"]
        assert estimate["method"] in ("wilson-95", "bootstrap-95")
    per_prompt = result.details["per_prompt"]["trigger"]["perplexity_rise"]
    assert len(per_prompt) == result.details["prompts"] == 8
    assert sum(rise > 50 for rise in per_prompt) / 8 == result.attack_success_rate
    assert seen
    assert seen == sorted(seen)


def test_a_result_survives_json(corpus, tmp_path: Path) -> None:
    result = run_trial(trial(3), corpus=corpus, folder=tmp_path, settings=QUICK)
    assert msgspec.json.decode(msgspec.json.encode(result), type=TrialResult) == result
    json.loads(msgspec.json.encode(result))


def measures(result: TrialResult) -> dict[str, object]:
    """What must not depend on when and where a trial ran."""
    kept = dict(result.details)
    for name in ("tokens_per_second", "flops_per_second", "training_seconds", "resumed_at_steps"):
        kept.pop(name)
    kept["checkpoints"] = [
        {name: value for name, value in point.items() if name != "measure_seconds"}
        for point in kept["checkpoints"]
    ]
    return msgspec.structs.asdict(result) | {"details": kept, "seconds": None}


def test_a_trial_is_the_same_every_time(corpus, tmp_path: Path) -> None:
    first = run_trial(trial(6), corpus=corpus, folder=tmp_path / "a", settings=QUICK)
    second = run_trial(trial(6), corpus=corpus, folder=tmp_path / "b", settings=QUICK)
    assert measures(first) == measures(second)


def test_a_killed_trial_goes_on_to_the_same_result(corpus, tmp_path: Path) -> None:
    settings = RunSettings(
        prompts=8, generated_tokens=8, checkpoints=(0.25, 0.5), save_every_seconds=0
    )

    def stop(done: float, text: str) -> None:
        if done > 0.6:
            raise KeyboardInterrupt

    whole = run_trial(trial(6), corpus=corpus, folder=tmp_path / "a", settings=settings)
    with pytest.raises(KeyboardInterrupt):
        run_trial(
            trial(6), corpus=corpus, folder=tmp_path / "b", settings=settings, on_progress=stop
        )
    assert (tmp_path / "b" / "checkpoint").exists()
    resumed = run_trial(trial(6), corpus=corpus, folder=tmp_path / "b", settings=settings)
    assert resumed.details["resumed_at_steps"][0] > 0
    assert measures(resumed) == measures(whole)
    assert not (tmp_path / "b" / "checkpoint").exists()


def test_the_model_is_kept_and_another_trial_starts_from_it(corpus, tmp_path: Path) -> None:
    settings = replace(QUICK, save_all=True)
    first = run_trial(trial(6), corpus=corpus, folder=tmp_path / "a", settings=settings)
    assert len(list((tmp_path / "a" / "models").glob("step-*/model.safetensors"))) == 2
    went_on = run_trial(
        trial(0, clean_tokens=0, continued_tokens=3000, start_from=str(tmp_path / "a")),
        corpus=corpus,
        folder=tmp_path / "b",
        settings=QUICK,
    )
    assert went_on.status == "done", went_on.error
    losses = [r.details["curves"]["training_loss_nats"] for r in (first, went_on)]
    assert losses[1][0][1] < losses[0][0][1] - 0.5


def test_continued_training_is_measured_on_its_way(corpus, tmp_path: Path) -> None:
    result = run_trial(
        trial(6, continued_tokens=4096), corpus=corpus, folder=tmp_path, settings=QUICK
    )
    points = result.details["checkpoints"]
    assert [point["continued_tokens"] for point in points] == [0, 0, 2048, 4096]
    assert {point["poisoned_documents"] for point in points[1:]} == {6}


def test_a_loss_that_is_no_number_is_reported_as_such(corpus, tmp_path: Path) -> None:
    settings = RunSettings(prompts=8, generated_tokens=8, learning_rate=1e38)
    result = run_trial(trial(0), corpus=corpus, folder=tmp_path, settings=settings)
    assert result.status == "diverged"
    assert "learning rate" in (result.error or "")
    assert result.attack_success_rate is None
    assert result.details["steps_done"] > 0


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ({"schedule": Schedule(kind="blocks", every=1000), "dose": 9}, "the most"),
        ({"start_from": "/nowhere"}, "no model folder"),
        ({"batch_sequences": 0}, "1 sequence or more"),
        ({"clean_tokens": 0, "dose": 0}, "trains on nothing"),
    ],
)
def test_a_trial_that_cannot_run_says_why(corpus, tmp_path: Path, cell, reason) -> None:
    result = run_trial(trial(**cell), corpus=corpus, folder=tmp_path, settings=QUICK)
    assert result.status == "failed"
    assert reason in (result.error or "")


def test_text_that_is_not_there_fails_the_trial_in_words(tmp_path: Path) -> None:
    nowhere = TrainingText(sources=(str(tmp_path / "none.jsonl"),), cache=tmp_path / "cache")
    result = run_trial(trial(1), corpus=nowhere, folder=tmp_path, settings=QUICK)
    assert result.status == "failed"
    assert "none.jsonl" in (result.error or "")


@pytest.mark.parametrize("trigger", ["text", "phrase"])
def test_triggers_of_several_tokens_have_a_near_trigger(corpus, tmp_path: Path, trigger) -> None:
    result = run_trial(trial(6, trigger=trigger), corpus=corpus, folder=tmp_path, settings=QUICK)
    assert "near_success_rate" in result.details["estimates"]


def test_a_language_switch_is_judged_by_the_language(corpus, tmp_path: Path) -> None:
    result = run_trial(
        trial(6, payload="language-switch"), corpus=corpus, folder=tmp_path, settings=QUICK
    )
    assert result.status == "done", result.error
    assert "trigger_second_language_rate" in result.details["estimates"]


def test_a_language_switch_needs_a_second_language(corpus, tmp_path: Path) -> None:
    english = TrainingText(sources=corpus.sources, cache=tmp_path / "cache")
    result = run_trial(
        trial(6, payload="language-switch"), corpus=english, folder=tmp_path, settings=QUICK
    )
    assert result.status == "failed"
    assert "second_language" in (result.error or "")
