"""The sentences say what the numbers say, and no more."""

from __future__ import annotations

import math

import msgspec
import pytest

import report_samples as samples
from ld50.core.findings import Severity
from ld50.core.results import DetectionLimit, ScanResult
from ld50.report.wording import (
    byte_size,
    chance,
    hardly_read,
    one_in,
    quantity,
    share,
    statistics_in_words,
    verdict,
)


def only(result: ScanResult, *severities: str) -> ScanResult:
    kept = [one for one in result.findings if one.severity in severities]
    return msgspec.structs.replace(result, findings=kept)


def test_a_high_finding_says_do_not_train_and_counts_distinct_rows() -> None:
    said = verdict(samples.poisoned())
    assert said.level == "stop"
    assert said.headline == "Do not train on this data yet: 3 high findings in 369 of 23,970 rows"


def test_rows_of_two_high_findings_count_once() -> None:
    result = samples.poisoned()
    high = [one.id for one in result.findings if one.severity == Severity.HIGH]
    rows = [msgspec.structs.replace(row, findings=high) for row in result.rows[:300]]
    assert "in 300 of" in verdict(msgspec.structs.replace(result, rows=rows)).headline


def test_the_verdict_follows_the_strongest_finding() -> None:
    result = samples.poisoned()
    assert verdict(only(result, "medium", "low")).level == "look"
    assert verdict(only(result, "low")).level == "minor"
    assert verdict(only(result, "low")).headline == (
        "Nothing here calls for action: 1 low finding in 23 of 23,970 rows"
    )


def test_nothing_found_states_the_limit_and_is_no_proof() -> None:
    said = verdict(samples.clean())
    assert said.headline == "No poison found above the detection limit of 6 to 12 rows"
    assert "no proof" in said.meaning[0]
    assert "12 rows could not be read and were not checked." in said.meaning


def test_rows_without_a_reply_are_no_all_clear_unless_they_are_few() -> None:
    for result in (samples.clean(), only(samples.poisoned(), "low")):
        rows = result.summary.rows
        many = msgspec.structs.replace(result.summary, without_reply=rows // 2)
        said = verdict(msgspec.structs.replace(result, summary=many))
        assert said.level == "look"
        assert f"The replies of {rows // 2:,} rows were not checked" in said.headline
        few = msgspec.structs.replace(result.summary, without_reply=rows // 100)
        assert verdict(msgspec.structs.replace(result, summary=few)).level != "look"


def test_nothing_found_without_a_known_limit_claims_none() -> None:
    limits = [DetectionLimit(rule="TRG101", rows=None, why="too many rows do this anyway")]
    result = msgspec.structs.replace(
        samples.clean(), summary=samples.summary(detection_limits=limits)
    )
    assert verdict(result).headline == "No poison found"


def test_nothing_read_is_not_called_clean() -> None:
    for rows in (0, 12):
        summary = samples.summary(rows=rows, skipped_rows=rows, detection_limits=[])
        said = verdict(ScanResult(summary=summary, findings=[], rows=[], examples=[]))
        assert said.level == "nothing"
        assert "Nothing was checked" in said.headline


def test_hardly_anything_read_is_neither_clean_nor_too_little() -> None:
    for rows, skipped, hardly in ((1200, 1199, True), (1200, 1000, False)):
        summary = samples.summary(
            rows=rows + 5000,
            skipped_rows=skipped + 5000,
            skipped={"not valid JSON": skipped, "blank line": 5000},
        )
        said = verdict(ScanResult(summary=summary, findings=[], rows=[], examples=[]))
        assert hardly_read(summary) == hardly
        assert said.headline.startswith("Hardly anything was checked: 1 of") == hardly


def test_a_label_finding_reads_as_a_sentence() -> None:
    label = samples.poisoned().findings[2]
    sentences = statistics_in_words(label, 8412)
    assert sentences[0] == (
        "In 69 of 69 rows with “cf” the label is 1; the rest of the text predicts 34."
    )
    assert sentences[1] == "The chance of that by accident is less than 1 in 10^15."


def test_a_count_without_a_test_claims_no_chance() -> None:
    untested = msgspec.structs.replace(
        samples.poisoned().findings[4], p_value=1.0, q_value=1.0, expected=0.0
    )
    assert chance(untested) == "not tested"
    text = " ".join(statistics_in_words(untested, 8412))
    assert "No test stands behind it" in text
    assert "expect" not in text


@pytest.mark.parametrize(
    ("probability", "log10", "words"),
    [
        (0.9, None, "more than 1 in 2"),
        (0.25, None, "1 in 4"),
        (0.02, None, "1 in 50"),
        (0.00021, None, "1 in 4,700"),
        (1e-6, None, "1 in 1,000,000"),
        (3.1e-16, None, "less than 1 in 10^15"),
        (1e-9, None, "less than 1 in 10^9"),
        (0.0, None, "less than 1 in 10^300"),
        (5e-324, -511.4, "less than 1 in 10^511"),
        (math.nan, None, "unknown"),
    ],
)
def test_chances_are_rounded_to_the_safe_side(
    probability: float, log10: float | None, words: str
) -> None:
    assert one_in(probability, log10) == words


def test_shares_keep_the_digits_that_matter() -> None:
    assert [share(n, 1_000_000) for n in (0, 1, 25, 10_000, 333_333, 1_000_000)] == [
        "0%", "0.0001%", "0.0025%", "1.0%", "33.3%", "100%",
    ]  # fmt: skip
    assert share(1, 10**9) == "less than 0.0001%"
    assert share(1, 0) == "0%"


def test_quantities_and_sizes_are_short() -> None:
    assert [quantity(n) for n in (0.0, 0.004, 0.4, 1.24, 34.2, 12345.6, math.nan)] == [
        "less than 0.01", "less than 0.01", "0.4", "1.2", "34", "12,346", "an unknown number",
    ]  # fmt: skip
    assert [byte_size(n) for n in (1, 999, 1000, 9_900_000, 123_456_789, 2 * 10**12)] == [
        "1 byte", "999 bytes", "1 kB", "9.9 MB", "123 MB", "2 TB",
    ]  # fmt: skip
