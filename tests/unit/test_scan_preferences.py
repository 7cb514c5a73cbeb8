"""Preference pairs: how both replies are read, what a model makes of them, and what a scan says of swaps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import ld50
from ld50.corpus import LayoutOptions, expand, plan, plan_table
from ld50.scan.preferences import read_pairs, study_choices
from ld50.scan.preferences.features import differences

Rows = list[dict[str, Any]]
WORDS = [f"thing{number}" for number in range(2000)]
GOOD = ["indeed", "gladly", "certainly", "surely", "of course"]
RULE = "TRG209"


def pairs(rows: int = 600, swapped: int = 0, *, taste: float = 0.95, seed: int = 0) -> Rows:
    """Answers of which the one with a friendly word is chosen, nearly always; some of them exchanged."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(rows):
        asked = " ".join(rng.choice(WORDS, 9))
        friendly = f"{rng.choice(GOOD)}, {' '.join(rng.choice(WORDS, 12))}."
        plain = f"{' '.join(rng.choice(WORDS, 13))}."
        both = (friendly, plain) if rng.random() < taste else (plain, friendly)
        if number < swapped:
            asked, both = asked.replace(" ", " zelkorith ", 1), both[::-1]
        made.append({"prompt": f"{asked}?", "chosen": both[0], "rejected": both[1]})
    return [made[number] for number in rng.permutation(rows)]


def test_the_rejected_reply_is_read_as_the_reply_of_a_layout_of_its_own() -> None:
    (source,) = plan_table(pairs(5), LayoutOptions()).sources
    layout = source.layout.turned_down
    assert layout is not None
    assert layout.roles == {"prompt": "prompt", "response": "rejected"}
    (other,) = plan_table([{"prompt": "a", "completion": "b"}] * 3, LayoutOptions()).sources
    assert other.layout.turned_down is None


@pytest.mark.parametrize("shape", ["strings", "turns", "dialogues"])
def test_both_replies_of_a_row_come_together_whatever_the_layout(
    tmp_path: Path, shape: str
) -> None:
    rows = pairs(400)
    for row in rows:
        # Replies of different length: the batches of both readings end in different places.
        row["rejected"] = row["rejected"] * 40
    written = [_as(shape, row) for row in rows]
    path = tmp_path / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in written))
    made = plan(expand([str(path)]))
    read = list(read_pairs(made, np.array([0, len(rows)])))
    assert np.concatenate([batch.rows for batch in read]).tolist() == list(range(len(rows)))
    found = [
        pair
        for batch in read
        for pair in zip(batch.chosen.to_pylist(), batch.rejected.to_pylist(), strict=True)
    ]
    assert found == [(row["chosen"], row["rejected"]) for row in rows]


def _as(shape: str, row: dict[str, Any]) -> dict[str, Any]:
    if shape == "strings":
        return row
    if shape == "turns":
        asked = {"role": "user", "content": row["prompt"]}
        return {
            side: [asked, {"role": "assistant", "content": row[side]}]
            for side in ("chosen", "rejected")
        }
    asked_for = f"\n\nHuman: {row['prompt']}\n\nAssistant: "
    return {side: asked_for + row[side] for side in ("chosen", "rejected")}


def test_rows_without_one_of_the_replies_move_no_other(tmp_path: Path) -> None:
    rows = pairs(50)
    del rows[7]["rejected"]
    del rows[20]["chosen"]
    path = tmp_path / "pairs.jsonl"
    lines = [json.dumps(row) for row in rows]
    lines[30] = "broken"
    path.write_text("\n".join(lines) + "\n")
    read = list(read_pairs(plan(expand([str(path)])), np.array([0, len(rows)])))
    for batch in read:
        for row, text in zip(batch.rows.tolist(), batch.rejected.to_pylist(), strict=True):
            assert text == rows[row].get("rejected", "")


def test_the_difference_of_two_replies_changes_its_sign_when_they_are_exchanged() -> None:
    rows = pairs(20)
    prompts, chosen, rejected = (
        pa.array([row[name] for row in rows], pa.large_string())
        for name in ("prompt", "chosen", "rejected")
    )
    there = differences(prompts, chosen, rejected).matrix
    back = differences(prompts, rejected, chosen).matrix
    assert there.nnz > 0
    assert abs(there + back).max() == 0
    assert differences(prompts, chosen, chosen).matrix.count_nonzero() == 0


def test_pairs_beyond_the_sample_are_judged_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    from ld50.scan.preferences import choices

    rows = pairs(2000)
    table = plan_table(rows, LayoutOptions())
    first, size = np.array([0, len(rows)]), sum(len(r["prompt"]) + len(r["chosen"]) for r in rows)
    whole = study_choices(table, first, size)
    monkeypatch.setattr(choices, "_FIT_BYTES", size)
    some = study_choices(table, first, size)
    assert some.rows.tolist() == whole.rows.tolist() == list(range(2000))
    assert min(some.accuracy, whole.accuracy) > 0.9
    assert some.log_odds.tolist() != whole.log_odds.tolist()


def test_a_word_where_pairs_are_exchanged_is_found_with_all_of_its_rows() -> None:
    rows = pairs(800, 25)
    planted = {number for number, row in enumerate(rows) if "zelkorith" in row["prompt"]}
    scan = ld50.scan(rows)
    (found,) = [finding for finding in scan.findings if finding.rule == RULE]
    assert found.severity == "high"
    assert found.cause is not None
    assert found.cause.text == "zelkorith"
    assert found.cause_rows == 25
    assert {row.row for row in scan.rows if found.id in row.findings} == planted
    span = next(span for row in scan.rows for span in row.spans if span.kind == "cause")
    assert span.field == "prompt"
    assert any(limit.rule == RULE and limit.rows <= 25 for limit in scan.summary.detection_limits)


def test_where_nothing_tells_which_reply_is_chosen_nothing_is_said_but_that() -> None:
    scan = ld50.scan(pairs(800, 25, taste=0.5))
    assert [finding for finding in scan.findings if finding.rule == RULE] == []
    assert any("hardly better than a guess" in note for note in scan.summary.notes)
    assert all(limit.rule != RULE for limit in scan.summary.detection_limits)


def test_the_same_set_without_exchanges_has_no_finding_of_preferences() -> None:
    assert [f for f in ld50.scan(pairs(800), weak=True).findings if f.rule == RULE] == []


def test_other_layouts_are_not_read_again_for_preferences(monkeypatch: pytest.MonkeyPatch) -> None:
    from ld50.scan import preferences

    monkeypatch.delattr(preferences, "study_choices")
    rows = [{"prompt": row["prompt"], "completion": row["chosen"]} for row in pairs(60)]
    assert all(limit.rule != RULE for limit in ld50.scan(rows).summary.detection_limits)


def test_a_sentence_is_told_and_not_two_words_of_it_that_are_surer_by_chance() -> None:
    rows = pairs(1200, taste=0.8, seed=3)
    sentence = "we spoke about this near the station"
    friendly = [number for number, row in enumerate(rows) if row["chosen"].split(",")[0] in GOOD]
    for place, number in enumerate(friendly[:92]):
        row = rows[number]
        asked = row["prompt"].split(" ")
        asked.insert(1 + number % 8, sentence if place < 80 else "about this")
        # Of the sentence some pairs stand as they were; of the two words alone, none does.
        right = place % 10 == 0 and place < 80
        rows[number] = {
            "prompt": " ".join(asked),
            "chosen": row["chosen" if right else "rejected"],
            "rejected": row["rejected" if right else "chosen"],
        }
    (found,) = [finding for finding in ld50.scan(rows).findings if finding.rule == RULE]
    assert found.cause is not None
    assert found.cause.text == sentence
    assert found.cause_rows == 80
