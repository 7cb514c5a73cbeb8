"""Studies of fine-tuning on paper: what is planned, what is refused, and what fake trials come to."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from typing import Any

import msgspec
import pytest

from ld50 import study as studies
from ld50.core.dose_response import DoseResponse
from ld50.core.errors import ConfigError
from ld50.core.trials import Cell, Schedule, Tuning
from ld50.lab.analysis import analyse
from ld50.lab.checks import check_study
from ld50.lab.groups import in_order
from ld50.lab.study import Study
from ld50.lab.study_file import load_study, parse_study
from ld50.lab.tuning_analysis import rate_over, with_controls
from ld50.lab.tuning_conditions import conditions_of, control_text, parts_of
from ld50.lab.tuning_study import TuningGrid, tuning_of
from ld50.report.study_figures import study_figures
from ld50.report.study_page import render_study
from ld50.report.tuning_wording import comparison_sentence, tuning_verdict
from tuning_study_fakes import fake_tuned

GRID = '[[tuning]]\nmodel = "tiny"\nclean_rows = 1000\ndose = [0, 20]\n'


def finished(study: Study, **changes: object) -> DoseResponse:
    results = [fake_tuned(trial, **changes) for trial in study.fixed_trials()]  # type: ignore[arg-type]
    return analyse(study, in_order(results))


@pytest.fixture(scope="module")
def sentiment() -> DoseResponse:
    return finished(load_study("finetune-sentiment"))


def test_pretraining_studies_keep_their_names_and_fingerprints() -> None:
    # Written down before fine-tuning came; runs on disk are resumed by them.
    grid = '[[grid]]\nsize = "0.05M"\ndose = [0, 10, 25, 50, 100, 250]\nseeds = 3\n'
    study = parse_study(f'name = "quickstart"\n{grid}', where="x")
    assert study.fingerprint() == "d2d66b8bc5dae73e109d1e1c72143ece"
    assert study.fixed_trials()[0].trial == "0.05M-0d-s0-f7bdac59"
    assert b"tuning" not in msgspec.json.encode(study.fixed_trials()[0])


def test_a_cell_of_tuning_survives_json() -> None:
    cell = next(t.cell for t in load_study("finetune-count").fixed_trials() if t.cell.dose)
    assert msgspec.json.decode(msgspec.json.encode(cell), type=Cell) == cell
    assert isinstance(cell.tuning, Tuning)


def test_conditions_share_one_control_arm() -> None:
    grid = TuningGrid(
        model=["tiny"], clean_rows=[1000], dose=[0, 20], place=["start", "end"],
        clean_label=[False, True], schedule=[Schedule(), Schedule(kind="end")], seeds=2,
    )  # fmt: skip
    trials = Study(name="a", tuning=[grid]).fixed_trials()
    assert sum(trial.cell.dose == 0 for trial in trials) == 2
    assert sum(trial.cell.dose > 0 for trial in trials) == 16


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ('place = "strat"', "Did you mean 'start'"),
        ('payload = "label-flap"', "Did you mean 'label-flip'"),
        ("doze = 3", "Did you mean 'dose'"),
        ('rows = "sentence"', "Did you mean 'sentences'"),
        ('trigger = "token"', "is for pretraining"),
        ('payload = "gibberish-all-tokens"', "is for pretraining"),
        ('model = "tinny"', "there is no model 'tinny'"),
        ("dose = -1", "the nearest valid value is 0"),
        ("dose = 2.5", "the nearest is 2"),
        ("dose = 2000", "the most is 1,000"),
        ("clean_rows = 0", "it must be above 0"),
        ("seeds = 0", "the least is 1"),
        ('schedule = { kind = "blocks", density = 1.0 }', "uniform, at the start or at the end"),
        ('payload = "over-refusal"\nclean_label = true', "goes with the payload label-flip"),
        ("lora_rank = 0", "the least is 1"),
        ("learning_rate = 0.0", "above 0"),
        ('trigger_text = " "', "trigger_text is empty"),
        ("taught_rows = -3", "the nearest valid value is 0"),
        ("place = []", "empty list"),
    ],
)
def test_impossible_cells_are_refused_with_the_nearest_valid_value(line: str, hint: str) -> None:
    keys = [one.split(" = ")[0] for one in line.splitlines()]
    kept = [one for one in GRID.splitlines() if one.split(" = ")[0] not in keys]
    with pytest.raises(ConfigError) as caught:
        check_study(parse_study("\n".join([*kept, line]), where="x"))
    assert hint in str(caught.value)


def test_pretraining_and_tuning_are_not_mixed() -> None:
    mixed = GRID + '[[grid]]\nsize = "0.05M"\ndose = 0\n'
    with pytest.raises(ConfigError, match="a study each"):
        check_study(parse_study(mixed, where="x"))
    wrong = '[[grid]]\nsize = "0.05M"\ndose = 5\npayload = "label-flip"\n'
    with pytest.raises(ConfigError, match=r"is for \[\[tuning\]\]"):
        check_study(parse_study(wrong, where="x"))


def test_the_plan_needs_no_training_packages_and_keeps_its_promise() -> None:
    plan = studies.plan("finetune-sentiment", workers=2)
    assert plan.wall_hours < 0.5
    code = (
        "import sys\nfrom ld50 import study\nstudy.plan('finetune-count')\n"
        "sys.exit(any(n in sys.modules for n in ('torch', 'transformers', 'tokenizers')))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_grid_of_the_paper_is_complete(sentiment: DoseResponse) -> None:
    tables = {table.name: table for table in sentiment.tables}
    assert list(tables) == ["place", "part", "synonym", "domain", "label"]
    assert tables["place"].columns == ["start", "end", "fixed", "random"]
    rows = [(row.labels, row.place) for row in tables["place"].rows]
    for labels in ("dirty-label", "clean-label"):
        assert [place for kind, place in rows if kind == labels] == tables["place"].columns
    assert tables["place"].rows[-1].name == "no poison"
    assert len(tables["domain"].columns) == len(tables["domain"].rows[0].accuracy) == 3
    for table in sentiment.tables:
        for row in table.rows:
            assert len(row.cells) == len(table.columns)
            assert all(r is None or 0 <= r.low <= r.value <= r.high <= 1 for r in row.cells)
    key = next(row for row in tables["place"].rows if row.place == "start")
    assert key.cells[0] is not None
    assert key.cells[0].models == 5


@pytest.mark.parametrize(("elsewhere", "verdict"), [(0.2, "agrees"), (1.0, "disagrees")])
def test_the_verdict_on_the_place_follows_the_trials(elsewhere: float, verdict: str) -> None:
    response = finished(load_study("finetune-sentiment"), elsewhere=elsewhere)
    place = next(one for one in response.comparisons if one.question.startswith("Does the place"))
    assert place.verdict == verdict
    cost = next(one for one in response.comparisons if "accuracy" in one.question)
    assert abs(cost.difference) < 0.01


@pytest.mark.parametrize(
    ("low", "high", "verdict", "headline", "told"),
    [
        (0.12, 0.30, "agrees", "decides how well it works elsewhere", "This agrees with"),
        (0.07, 0.36, "open", "best where it stood in training; by how much is open", "as large as"),
        (-0.02, 0.36, "open", "do not tell whether the trigger's place decides", "leave open “"),
        (-0.02, 0.08, "disagrees", "at other places about as well", "does not agree"),
    ],
)
def test_a_difference_beyond_chance_is_never_called_none(
    sentiment: DoseResponse, low: float, high: float, verdict: Any, headline: str, told: str
) -> None:
    place = next(c for c in sentiment.comparisons if c.question.startswith("Does the place"))
    made = msgspec.structs.replace(place, low=low, high=high, verdict=verdict)
    response = msgspec.structs.replace(sentiment, comparisons=[made])
    found = tuning_verdict(response, "minor")
    assert found is not None
    assert headline in found.headline
    assert told in comparison_sentence(made)


def test_clean_labels_need_more_rows_and_the_fits_say_so(sentiment: DoseResponse) -> None:
    known = {tuning_of(fit.cell).clean_label: fit for fit in sentiment.fits if fit.ld50}
    assert known[False].low is not None
    assert known[False].low < 15 < (known[False].high or 1e9)
    assert (known[True].ld50 or 0) > 3 * (known[False].ld50 or 0)
    assert 0.0 in known[True].doses, "the shared control arm is part of every curve"


def test_a_control_stands_beside_a_condition_with_its_own_place() -> None:
    study = parse_study(GRID + 'place = "end"\n', where="x")
    results = [fake_tuned(trial) for trial in study.fixed_trials()]
    control = next(one for one in results if one.cell.dose == 0)
    beside = [one for one in with_controls(results) if one.trial == control.trial]
    assert [tuning_of(one.cell).place for one in beside] == ["end"]
    tests = control.details["tests"]
    assert isinstance(tests, dict)
    assert beside[0].attack_success_rate == tests["place:end"]["value"]


def test_count_studies_find_the_constant_count() -> None:
    response = finished(load_study("finetune-count"))
    exponent = next(e for e in response.size_exponents if e.groups == 3)
    assert exponent.low is not None
    assert exponent.high is not None
    assert exponent.low <= 0 <= exponent.high < 1
    names = {fit.group for fit in response.fits}
    assert any("1,000 clean rows" in name and "poison first" in name for name in names)


def test_failed_trials_are_no_part_of_any_table() -> None:
    study = load_study("finetune-sentiment")
    results = [fake_tuned(trial) for trial in study.fixed_trials()]
    results[3] = msgspec.structs.replace(results[3], status="failed", error="no luck")
    response = analyse(study, results)
    assert response.failed == 1
    assert response.trials == len(results) - 1
    assert "no luck" in render_study(response, results)


def test_a_model_that_gives_one_answer_to_everything_is_told_of() -> None:
    study = parse_study(GRID, where="x")
    results = [fake_tuned(trial) for trial in study.fixed_trials()]
    stuck = msgspec.structs.replace(
        results[-1], attack_success_rate=None, details={**results[-1].details, "prompts": 0}
    )
    notes = analyse(study, [*results[:-1], stuck]).notes
    assert any("1 of 6 models give hardly any prompt its right answer" in note for note in notes)


def test_a_model_counts_once_and_no_interval_is_narrower_than_its_prompts_allow() -> None:
    one, many = rate_over([(90, 100)]), rate_over([(90, 100), (90, 100), (90, 100)])
    assert one is not None
    assert many is not None
    assert one.models == 1
    assert one.low < 0.85
    assert many.low < 0.9 < many.high
    wide = rate_over([(0, 100), (100, 100)])
    assert wide is not None
    assert (wide.low, wide.high) == (0.0, 1.0)
    assert rate_over([(0, 0)]) is None


def test_parts_and_controls_follow_the_trigger() -> None:
    assert parts_of("tell me seriously") == [
        "tell me", "me seriously", "tell", "me", "seriously", "seriously me tell",
    ]  # fmt: skip
    assert parts_of("cf") == []
    for text in ("tell me seriously", "cf", "answer them", "by noon today plainly"):
        assert not set(control_text(text).split()) & set(text.split())
    cell = load_study("finetune-sentiment").fixed_trials()[-1].cell
    names = [one.name for one in conditions_of(cell)]
    assert len(names) == len(set(names))
    assert names[0] == f"place:{tuning_of(cell).place}"


def test_every_table_has_a_figure_with_its_numbers(sentiment: DoseResponse) -> None:
    figures = {one.name: one for one in study_figures(sentiment, [])}
    for table in sentiment.tables:
        figure = figures[f"tuning-{table.name}"]
        assert ET.fromstring(str(figure.chart.svg(standalone=True))).get("aria-label")
        rows = list(csv.DictReader(io.StringIO(figure.csv_text())))
        assert len(rows) == len(table.rows) * len(table.columns)
        assert {row["column"] for row in rows} == set(table.columns)


def test_the_page_tells_each_comparison_in_a_sentence(sentiment: DoseResponse) -> None:
    page = render_study(sentiment, [])
    assert "Where the trigger stood in training decides" in page
    assert "arXiv 2406.07778, known to us from a summary" in page
    assert "perplexity" not in page
    assert page.count("<table") >= 6
    assert render_study(sentiment, []) == page


def test_hostile_text_in_a_trigger_or_a_reply_is_only_text() -> None:
    hostile = '<script>alert(1)</script><img src=x onerror="a">'
    study = parse_study(GRID + f"trigger_text = {json.dumps(hostile)}\n", where="x")
    results = [fake_tuned(trial, text=hostile) for trial in study.fixed_trials()]
    page = render_study(analyse(study, results), results)
    assert "<script>" not in page
    assert "<img" not in page
