"""A study that cannot run is refused before training, with the reason and the nearest valid value."""

from __future__ import annotations

from pathlib import Path

import pytest

from ld50.core.errors import ConfigError
from ld50.lab import checks
from ld50.lab.checks import check_room, check_study
from ld50.lab.hardware import gpu_named, this_machine
from ld50.lab.planning import plan_study
from ld50.lab.study_file import load_study, parse_study

BASE = '[[grid]]\nsize = "0.05M"\n'


def study(text: str):  # type: ignore[no-untyped-def]
    return parse_study(text, where="x")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dose = [-5]", "the nearest valid value is 0"),
        ("dose = [2.4]", "the nearest is 2"),
        ("dose = [inf]", "not a number"),
        ("dose = []", "empty list"),
        ("dose = [50000]", "more poison than data; the most is 4,520"),
        ("dose = [50]\nseeds = 0", "the least is 1"),
        ("dose = [50]\ntokens_per_parameter = 0", "must be above 0"),
        ("dose = [50]\nclean_tokens = 9\ntokens_per_parameter = 10", "not both"),
        ("dose = [50]\ncontinued_share = -1", "the nearest valid value is 0"),
        ("dose = [50]\ncontinued_share = 1\ncontinued_tokens = 1", "not both"),
        ('dose = [50]\nschedule = { kind = "blocks" }', "needs a density"),
        ('dose = [50]\nschedule = { kind = "blocks", density = 1.5 }', "1 is valid"),
        ('dose = [50]\nschedule = { kind = "blocks", density = 0.0 }', "0.05 is valid"),
        ('dose = [50]\nschedule = { kind = "blocks", density = 1, every = 0 }', "every batch"),
        ('dose = [50]\nschedule = { kind = "end", density = 1 }', 'kind = "blocks" only'),
        ('dose = [3]\nschedule = { kind = "end", repeats = 2 }', "the nearest is 4"),
        ('dose = [50]\nschedule = { kind = "end", repeats = 0 }', "the least is 1"),
        ('dose = [4000]\nschedule = { kind = "blocks", density = 0.25 }', "the largest dose is"),
        ('dose = [4000]\nunit = "steps"', "poisoned steps of"),
        ("dose = { low = 50, high = 5 }", "below high"),
        ("dose = { low = 5, high = 50, start = 90 }", "must lie between"),
        ("dose = { low = 5, high = 50, round = 0 }", "the least is 1"),
        ("dose = { low = 5, high = 50, trials = 2, controls = 2 }", "exceed"),
        ('dose = [50]\nstart_from = "/no/such/folder"', "there is no folder"),
        ("dose = [50]\nbatch_sequences = 0", "must be above 0"),
    ],
)
def test_impossible_cells_are_refused_with_a_way_out(text: str, reason: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_study(study(BASE + text))
    assert reason in str(caught.value)


def test_an_unknown_size_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"Did you mean 0.05M"):
        check_study(study('[[grid]]\nsize = "0.05"\ndose = 1'))


def test_a_study_without_grids_is_refused() -> None:
    with pytest.raises(ConfigError, match="nothing to train"):
        check_study(study("title = 'x'"))


def test_a_language_switch_needs_a_language() -> None:
    text = 'data = ["mine.jsonl"]\n[[grid]]\nsize = "0.05M"\ndose = 1\npayload = "language-switch"'
    with pytest.raises(ConfigError, match="second_language"):
        check_study(study(text))


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        check_study(study(BASE + "dose = [-1, 2.5, -3]\nseeds = 0"))
    assert str(caught.value).count("\n  - ") == 4


def test_too_little_memory_names_how_many_fit(tmp_path: Path) -> None:
    plan = plan_study(load_study("quickstart"), this_machine(64))
    with pytest.raises(ConfigError, match=r"--workers \d+ fits"):
        check_room(_with(plan, memory=4 * 10**9), tmp_path)


def test_too_little_disk_is_found_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = plan_study(load_study("quickstart"), this_machine(1))
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(ConfigError, match="Choose another disk"):
        check_room(plan, tmp_path / "not" / "yet" / "there")


def test_short_text_is_told_with_what_it_would_carry(tmp_path: Path) -> None:
    plan = plan_study(load_study("quickstart"), this_machine(1))
    with pytest.raises(ConfigError, match="lower tokens_per_parameter"):
        check_room(plan, tmp_path, clean_tokens=10_000)


def _with(plan, *, memory: int):  # type: ignore[no-untyped-def]
    from dataclasses import replace

    return replace(plan, device=replace(plan.device, memory_bytes=memory))


def test_the_paper_has_72_models_and_is_priced() -> None:
    plan = plan_study(load_study("paper"), gpu_named("h100", 8))
    assert plan.trials == 72
    assert [one.size for one in plan.sizes] == ["600M", "2B", "7B", "13B"]
    assert plan.flops > 1e23
    biggest = plan.sizes[-1]
    assert biggest.devices > 1
    assert biggest.memory_bytes < plan.device.memory_bytes


def test_more_devices_take_less_time_and_the_same_work() -> None:
    study_ = load_study("near-constant")
    one, two = (plan_study(study_, this_machine(count)) for count in (1, 2))
    assert one.device_hours == two.device_hours
    assert one.wall_hours / 2.2 < two.wall_hours < one.wall_hours
    assert one.wall_hours == pytest.approx(one.device_hours)


def test_a_gpu_that_is_not_in_the_table() -> None:
    with pytest.raises(ConfigError, match="Did you mean a100"):
        gpu_named("a100-80")
    assert gpu_named("NVIDIA H100").name == "H100"
