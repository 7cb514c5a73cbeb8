"""Studies as files: short to write, refused with a hint where wrong, the same after a round trip."""

from __future__ import annotations

import importlib
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ld50.core.errors import ConfigError, SourceError
from ld50.core.trials import Schedule
from ld50.lab.checks import check_study
from ld50.lab.kinds import KINDS
from ld50.lab.study import AdaptiveDoses, Grid, Measures, Study
from ld50.lab.study_file import load_study, parse_study, preset_names, study_text
from ld50.study import new_text

SHORT = '[[grid]]\nsize = "0.05M"\ndose = [0, 50]\n'


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_is_sound_and_survives_a_round_trip(name: str) -> None:
    study = load_study(name)
    check_study(study)
    assert study.name == name
    assert study.title
    assert parse_study(study_text(study), where="again") == study


def test_the_commented_study_is_sound() -> None:
    check_study(parse_study(new_text(), where="new"))


def test_short_forms_stand_for_lists() -> None:
    study = parse_study(
        'data = "text/"\n[[grid]]\nsize = "0.05M"\ndose = 50\nschedule = "end"\ntrigger = "text"\n',
        where="x",
    )
    grid = study.grid[0]
    assert study.data == ["text/"]
    assert (grid.size, grid.dose, grid.trigger) == (["0.05M"], [50.0], ["text"])
    assert grid.schedule == [Schedule(kind="end")]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        (SHORT + "dosis = 1\n", "Did you mean 'dose'"),
        ("titel = 'x'\n" + SHORT, "Did you mean 'title'"),
        (SHORT + 'trigger = "tokn"\n', "Did you mean 'token'"),
        (SHORT + 'payload = "giberish"\n', "Did you mean 'gibberish'"),
        (SHORT + 'schedule = "ende"\n', "Did you mean 'end'"),
        (SHORT + "schedule = { kind = 'blocks', densty = 0.5 }\n", "Did you mean 'density'"),
        (SHORT + 'unit = "document"\n', "Did you mean 'documents'"),
        ("[measure]\nprompt = 3\n" + SHORT, "Did you mean 'prompts'"),
        ('[[grid]]\nsize = "0.05M"\ndose = { low = 1, hihg = 2 }\n', "Did you mean 'high'"),
        ('[[grid]]\nsize = "0.05M"\ndose = "many"\n', "dose"),
        ("[[grid]]\ndose = 1\n", "size"),
        ("grid = 3\n", "[[grid]]"),
        ("this is not toml", "not TOML"),
        ("schema_version = 99\n" + SHORT, "Update ld50"),
    ],
)
def test_what_is_wrong_is_named_with_the_nearest_right_thing(text: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_study(text, where="study.toml")
    assert hint in str(caught.value)


def test_an_unknown_name_suggests_a_preset() -> None:
    with pytest.raises(SourceError, match="Did you mean 'quickstart'"):
        load_study("quikstart")


def test_words_about_a_study_do_not_change_its_fingerprint() -> None:
    study = load_study("quickstart")
    renamed = msgspec.structs.replace(study, title="other", about="other")
    longer = msgspec.structs.replace(study, measure=Measures(prompts=7))
    assert renamed.fingerprint() == study.fingerprint()
    assert longer.fingerprint() != study.fingerprint()


def test_a_python_function_makes_a_study(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        "from ld50.study import Study, Grid\n"
        "def study():\n    return Study(name='mine', grid=[Grid(size=['0.05M'], dose=[0.0, 9.0])])\n"
        "def other():\n    return 3\n"
    )
    assert load_study(path).name == "mine"
    assert load_study(f"{path}:study") == load_study(path)
    with pytest.raises(ConfigError, match="returned int"):
        load_study(f"{path}:other")
    with pytest.raises(ConfigError, match="Did you mean 'study'"):
        load_study(f"{path}:studie")


def test_cells_shared_by_grids_are_trained_once() -> None:
    grid = Grid(size=["0.05M"], dose=[0.0, 50.0], seeds=2)
    once, twice = Study(name="a", grid=[grid]), Study(name="a", grid=[grid, grid])
    assert once.fixed_trials() == twice.fixed_trials()
    assert len(once.fixed_trials()) == 4


def test_a_trial_has_the_same_name_wherever_its_cell_stands() -> None:
    wide = Study(name="a", grid=[Grid(size=["0.05M"], dose=[0.0, 10.0, 50.0])])
    narrow = Study(name="b", grid=[Grid(size=["0.05M"], dose=[50.0])])
    names = {trial.trial for trial in wide.fixed_trials()}
    assert {trial.trial for trial in narrow.fixed_trials()} <= names
    assert len(names) == len(wide.fixed_trials())


def test_seeds_by_size_need_every_size() -> None:
    study = Study(name="a", grid=[Grid(size=["0.1M"], dose=[0.0], seeds={"0.05M": 2})])
    with pytest.raises(ConfigError, match="other"):
        study.fixed_trials()


schedules = st.one_of(
    st.builds(Schedule, kind=st.sampled_from(["uniform", "start", "end"])),
    st.builds(
        Schedule,
        kind=st.just("blocks"),
        density=st.floats(0.01, 1),
        every=st.none() | st.integers(1, 50),
    ),
)
doses = st.one_of(
    st.lists(st.integers(0, 10**6).map(float), min_size=1),
    st.builds(
        AdaptiveDoses,
        low=st.floats(0.5, 10),
        high=st.floats(11, 1e6),
        trials=st.integers(4, 40),
        start=st.none() | st.floats(11, 100),
    ),
)
grids = st.builds(
    Grid,
    size=st.lists(st.sampled_from(["0.05M", "0.1M", "13B"]), min_size=1),
    dose=doses,
    unit=st.sampled_from(["documents", "tokens", "steps"]),
    seeds=st.one_of(st.integers(1, 9), st.just({"0.05M": 2, "other": 3})),
    schedule=st.lists(schedules, min_size=1, max_size=3),
    continued_share=st.lists(st.floats(0, 4), max_size=3),
    start_from=st.none() | st.text(st.characters(codec="utf-8"), max_size=20),
)


@given(
    st.builds(
        Study,
        name=st.text(st.characters(codec="utf-8")),
        title=st.text(st.characters(codec="utf-8")),
        grid=st.lists(grids, max_size=3),
    )
)
def test_any_study_survives_a_round_trip(study: Study) -> None:
    assert parse_study(study_text(study), where="again") == study


@pytest.mark.parametrize("key", list(KINDS))
def test_every_kind_of_study_is_known_by_its_tables(key: str) -> None:
    kind = KINDS[key]
    text = {
        "tuning": 'model = "tiny"\nclean_rows = 100\ndose = [0, 5]\n',
        "covert": 'attack = "endspeak"\n',
        "safety": 'task = "code"\n',
    }[key]
    study = parse_study(f"[[{key}]]\n{text}", where="x")
    assert study.kind is kind
    assert {trial.trial for trial in study.fixed_trials()} == {
        trial.trial for trial in kind.trials(getattr(study, key)[0])
    }
    check_study(study)
    module, _, function = kind.runner.partition(":")
    assert callable(getattr(importlib.import_module(module), function))
    assert parse_study('[[grid]]\nsize = "0.05M"\ndose = 0\n', where="x").kind is None


@pytest.mark.parametrize("key", ["covert", "safety"])
def test_kinds_of_studies_are_not_mixed(key: str) -> None:
    mixed = f'[[{key}]]\nseeds = 1\n[[grid]]\nsize = "0.05M"\ndose = 0\n'
    with pytest.raises(ConfigError, match=rf"\[\[grid\]\] and \[\[{key}\]\].*a study each"):
        check_study(parse_study(mixed, where="x"))


@pytest.mark.parametrize(
    ("key", "measure", "says"),
    [
        ("covert", "prompts = 7", "prompts does nothing"),
        ("safety", 'device = "cuda"', "device does nothing"),
        ("safety", "save_models = true", "what counts there: prompts"),
    ],
)
def test_a_way_of_measuring_that_would_do_nothing_is_refused(
    key: str, measure: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        check_study(parse_study(f"[measure]\n{measure}\n[[{key}]]\nseeds = 1\n", where="x"))
    check_study(parse_study("[measure]\nprompts = 7\n[[safety]]\nseeds = 1\n", where="x"))
