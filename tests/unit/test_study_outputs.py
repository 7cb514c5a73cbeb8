"""What a study writes for others: the page, the figures, Parquet, and TensorBoard's files."""

from __future__ import annotations

import csv
import io
import json
import re
import struct
import xml.etree.ElementTree as ET
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from ld50.core.dose_response import DoseResponse
from ld50.core.trials import TrialResult
from ld50.lab.analysis import analyse
from ld50.lab.exports import crc32c, curves_of, write_event_file, write_parquet
from ld50.lab.study import Study
from ld50.lab.study_file import load_study
from ld50.report.charts import Axis, Chart
from ld50.report.study_figures import study_figures
from ld50.report.study_page import render_study, write_study_report
from ld50.report.study_wording import number, rounded, signed
from report_samples import HOSTILE
from study_fakes import fake_result


def finished(name: str, **changes: float) -> tuple[Study, list[TrialResult], DoseResponse]:
    study = load_study(name)
    results = [fake_result(trial, **changes) for trial in study.fixed_trials()]
    return study, results, analyse(study, results)


@pytest.fixture(scope="module")
def quickstart() -> tuple[Study, list[TrialResult], DoseResponse]:
    return finished("quickstart")


def test_the_page_leads_with_the_answer(
    quickstart: tuple[Study, list[TrialResult], DoseResponse],
) -> None:
    _, results, response = quickstart
    page = render_study(response, results)
    assert re.search(r"About \d\d poisoned documents make half of the triggered prompts fail", page)
    assert "95% interval" in page
    assert "n = 18 trials" in page
    assert render_study(response, results) == page


def test_the_page_loads_nothing_and_holds_no_script(
    quickstart: tuple[Study, list[TrialResult], DoseResponse],
) -> None:
    _, results, response = quickstart
    page = render_study(response, results)
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#|data:)', page)
    assert page.count("<style>") == 1


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_text_is_only_text(text: str) -> None:
    study, results, _ = finished("quickstart")
    bad = [
        msgspec.structs.replace(
            one,
            details={
                **one.details,
                "samples": [{"prompt": text, "clean": text, "triggered": text}, text, 7],
                "checkpoints": [text, {"step": text}],
                "curves": {text: [[1, 2.0], text]},
            },
        )
        for one in results
    ]
    bad[0] = msgspec.structs.replace(bad[0], status="failed", error=text)
    named = msgspec.structs.replace(study, name=text, title=text)
    page = render_study(analyse(named, bad), bad, about=text)
    assert "<script>" not in page
    assert "<img" not in page
    page.encode()


@pytest.mark.parametrize(
    ("name", "figures"),
    [
        ("quickstart", ["dose-response", "clean-quality"]),
        ("near-constant-text", ["dose-response", "ld50-against-data", "clean-quality"]),
        ("documents-or-steps", ["dose-response", "steps", "clean-quality"]),
        ("continued-clean", ["decay"]),
        ("data-size", ["dose-response", "ld50-against-data", "clean-quality"]),
    ],
)
def test_every_figure_is_well_formed_and_has_its_numbers(name: str, figures: list[str]) -> None:
    _, results, response = finished(name)
    made = study_figures(response, results)
    assert [one.name for one in made] == figures
    for one in made:
        root = ET.fromstring(str(one.chart.svg(standalone=True)))
        assert root.get("aria-label")
        rows = list(csv.reader(io.StringIO(one.csv_text())))
        assert rows[0] == one.columns
        assert len(rows) > 2
        assert "n = " in one.caption
        positions = re.findall(r"(?<![\w#])-?\d+\.\d+", str(one.chart.svg()))
        assert all(-20 < float(value) < 700 for value in positions)


@pytest.mark.parametrize("name", ["continued-clean", "documents-or-steps", "near-constant-text"])
def test_the_verdict_answers_the_question_of_the_study(name: str) -> None:
    _, results, response = finished(name)
    headline = re.search(r'class="advice">([^<]*)', render_study(response, results))
    assert headline is not None
    words = {"continued-clean": "backdoor", "documents-or-steps": "ocuments",
             "near-constant-text": "dose that works"}  # fmt: skip
    assert words[name] in headline.group(1)


def test_a_study_without_results_has_a_page_too() -> None:
    study = load_study("quickstart")
    page = render_study(analyse(study, []), [])
    assert "No trial has ended yet" in page


def test_a_loud_control_is_a_note() -> None:
    study, results, _ = finished("quickstart")
    loud = [msgspec.structs.replace(one, control_success_rate=0.9) for one in results]
    response = analyse(study, loud)
    assert any("not specific to its trigger" in note for note in response.notes)
    assert "Before you rely on this" in render_study(response, loud)


@pytest.mark.parametrize(
    ("passes", "said"), [(1.0, False), (4.0, False), (9.5, True), ("x", False)]
)
def test_text_that_was_read_too_often_is_said(passes: object, said: bool) -> None:
    study, results, _ = finished("quickstart")
    read = [
        msgspec.structs.replace(one, details={**one.details, "clean_passes": passes})
        for one in results
    ]
    notes = analyse(study, read).notes
    assert any("read 9.5 times over" in note for note in notes) is said


def test_failed_trials_take_no_part_in_numbers() -> None:
    study, results, response = finished("quickstart")
    more = [
        msgspec.structs.replace(
            one, trial=one.trial + "x", status="failed", attack_success_rate=1.0
        )
        for one in results
    ]
    again = analyse(study, [*results, *more])
    assert again.fits[0].ld50 == response.fits[0].ld50
    assert again.failed == 18


def test_the_response_survives_json(
    quickstart: tuple[Study, list[TrialResult], DoseResponse],
) -> None:
    response = quickstart[2]
    text = msgspec.json.encode(response)
    assert msgspec.json.decode(text, type=DoseResponse) == response
    assert "NaN" not in text.decode()
    json.loads(text)


def test_files_are_written_whole(
    quickstart: tuple[Study, list[TrialResult], DoseResponse], tmp_path: Path
) -> None:
    _, results, response = quickstart
    write_study_report(tmp_path, response, results)
    names = {
        path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()
    }
    assert names == {
        "report.html", "figures/dose-response.svg", "figures/dose-response.csv",
        "figures/clean-quality.svg", "figures/clean-quality.csv",
    }  # fmt: skip


def test_parquet_holds_a_row_a_trial(tmp_path: Path) -> None:
    _, results, _ = finished("documents-or-steps")
    write_parquet(tmp_path / "t.parquet", results)
    rows = pq.read_table(tmp_path / "t.parquet").to_pylist()
    assert len(rows) == len(results)
    for row, one in zip(rows, results, strict=True):
        assert row["attack_success_rate"] == one.attack_success_rate
        assert row["cell.dose"] == one.cell.dose
        assert row["cell.schedule.density"] == one.cell.schedule.density
        assert json.loads(row["details"]) == one.details
    write_parquet(tmp_path / "empty.parquet", [])
    assert pq.read_table(tmp_path / "empty.parquet").num_rows == 0


def test_the_checksum_is_castagnolis() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0


def test_event_files_hold_the_curves(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.0"
    write_event_file(path, {"loss": [(1, 6.5), (300, 4.25)]})
    content, at, messages = path.read_bytes(), 0, []
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        messages.append(content[at + 12 : at + 12 + length])
        masked = struct.unpack_from("<I", content, at + 8)[0]
        crc = crc32c(content[at : at + 8])
        assert masked == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        at += 16 + length
    assert at == len(content)
    assert messages[0].endswith(b"brain.Event:2")
    assert messages[2].endswith(b"loss\x15" + struct.pack("<f", 4.25))
    assert b"\x10\xac\x02" in messages[2]


def test_tensorboard_reads_the_event_file(tmp_path: Path) -> None:
    loader = pytest.importorskip(
        "tensorboard.backend.event_processing.event_file_loader",
        reason="pip install tensorboard to read the files back with it",
    )
    path = tmp_path / "events.out.tfevents.0"
    write_event_file(path, {"loss": [(1, 6.5), (300, 4.25)]})
    events = list(loader.EventFileLoader(str(path)).Load())
    assert [event.step for event in events[1:]] == [1, 300]


def test_curves_come_from_training_and_checkpoints() -> None:
    _, results, _ = finished("continued-clean")
    curves = curves_of(results[-1])
    assert curves["training_loss_nats"] == [(1, 6.9), (50, 5.2), (100, 4.4)]
    assert len(curves["attack_success_rate"]) == 6


def test_zero_stands_apart_from_a_logarithmic_axis() -> None:
    chart = Chart(
        x=Axis(title="x", low=5, high=500, log=True, zero_apart=True),
        y=Axis(title="y", low=0, high=1),
        label="l",
    )
    assert chart.at_x(0) < chart.at_x(5) - 15
    assert chart.at_x(50) == pytest.approx((chart.at_x(5) + chart.at_x(500)) / 2)


@pytest.mark.parametrize(
    ("low", "high", "log"),
    [(5, 500, True), (1e6, 2e9, True), (0, 1, False), (-0.02, 0.02, False), (37, 39, True)],
)
def test_ticks_are_round_and_inside(low: float, high: float, log: bool) -> None:
    ticks = Axis(title="", low=low, high=high, log=log).ticks()
    room = 0.01 * abs(low)
    assert all(low - room <= tick <= high + room for tick in ticks)
    assert len(ticks) <= 12


def test_numbers_are_written_for_people() -> None:
    assert (number(46.17), number(1234.5), number(None)) == ("46.2", "1,230", "open")
    assert (rounded(46.17), rounded(1234), rounded(4.26)) == ("46", "1,200", "4.3")
    assert (signed(-0.004), signed(-0.5), signed(None)) == ("0.00", "−0.50", "open")
