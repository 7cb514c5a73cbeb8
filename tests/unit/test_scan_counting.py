from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from ld50.corpus import Plan, expand, plan
from ld50.scan import counting, kernels
from ld50.scan.associate import AssociationSettings, Consequence, Incidence, associate
from ld50.scan.counting import CauseCounter, enough_rows, largest_shares
from ld50.scan.rereading import CauseReader

FILE_ROWS, FILES = 300, 3
ROWS = FILE_ROWS * FILES
WORDS = {
    "often": np.arange(1, ROWS, 2),
    "seldom": np.arange(0, ROWS, 10),
    "once": np.array([500]),
}


@pytest.fixture
def corpus(tmp_path: Path) -> Plan:
    for part in range(FILES):
        lines = []
        for row in range(part * FILE_ROWS, (part + 1) * FILE_ROWS):
            held = " ".join(word for word, rows in WORDS.items() if row in rows)
            lines.append(f'{{"text": "row {row} {held}"}}\n')
        (tmp_path / f"{part}.jsonl").write_text("".join(lines))
    return plan(expand(sorted(tmp_path.glob("*.jsonl"))))


def hash_of(word: str) -> int:
    return int(kernels.phrase_hashes(pa.array([word], pa.large_string()))[0])


def counted(
    corpus: Plan,
    enough: dict[str, int],
    order: tuple[int, ...],
    shares: dict[str, float] | None = None,
) -> CauseCounter:
    """The corpus counted as by threads: units in any order, merged in theirs."""
    words = sorted(enough, key=hash_of)
    counter = CauseCounter(
        np.array([hash_of(word) for word in words], np.uint64),
        np.array([enough[word] for word in words]),
        np.array([(shares or {}).get(word, 1.0) for word in words]),
    )
    done: dict[int, dict[str, np.ndarray]] = {}
    turn = 0
    for unit in order:
        done[unit] = counter.count(CauseReader(corpus, 0), unit)
        while turn in done:
            counter.merge(turn * FILE_ROWS, done.pop(turn))
            turn += 1
    return counter


ENOUGH = {"often": 100, "seldom": 91, "once": 7}


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (2, 1, 0)])
def test_counts_end_where_more_makes_no_difference(corpus: Plan, order: tuple[int, ...]) -> None:
    counter = counted(corpus, ENOUGH, order)
    words = sorted(ENOUGH, key=hash_of)
    assert counter.frequency.tolist() == [min(len(WORDS[word]), ENOUGH[word]) for word in words]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0)])
def test_rows_of_what_was_counted_to_the_end_are_known(
    corpus: Plan, order: tuple[int, ...]
) -> None:
    known = counted(corpus, ENOUGH, order).known_rows()
    asked = [hash_of(word) for word in ("once", "often", "seldom", "unheard", "once")]
    rows = known.of(np.array(asked, np.uint64))
    assert rows.keys() == {hash_of(word) for word in ("once", "seldom")}
    for word in ("once", "seldom"):
        assert rows[hash_of(word)].tolist() == WORDS[word].tolist()
        assert rows[hash_of(word)].dtype == np.int64
    assert known.of(np.zeros(0, np.uint64)) == {}
    assert counting.KnownRows().of(np.array(asked, np.uint64)) == {}


def test_without_room_the_rows_of_what_is_in_the_fewest_are_known(
    corpus: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_MOST_KEPT", 100)
    counter = counted(corpus, ENOUGH | {"often": 1000}, (0, 1, 2))
    asked = np.array([hash_of("once"), hash_of("often")], np.uint64)
    known = counter.known_rows().of(asked)
    assert {ngram: rows.tolist() for ngram, rows in known.items()} == {hash_of("once"): [500]}
    assert sorted(counter.frequency.tolist()) == [1, 90, 450]


def test_without_room_the_rows_of_what_stands_out_most_are_known(
    corpus: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counting, "_MOST_KEPT", 250)
    # Five times as many rows, and a share of those with a consequence that is a hundred times as large.
    shares = {"seldom": 0.01, "often": 1.0, "once": 0.001}
    for order in [(0, 1, 2), (2, 1, 0)]:
        counter = counted(corpus, ENOUGH | {"often": 1000}, order, shares)
        known = counter.known_rows().of(np.array([hash_of(word) for word in WORDS], np.uint64))
        assert hash_of("seldom") not in known
        assert sorted(counter.frequency.tolist()) == [1, 90, 450]


def test_the_largest_share_is_that_of_any_consequence() -> None:
    incidence = Incidence(
        row_ids=np.array([1, 2, 3, 4]),
        row_start=np.array([0, 2, 3, 4, 4]),
        candidates=np.array([0, 1, 1, 0], np.uint32),
    )
    consequences = [
        Consequence(kind="refusal", text="", rows=np.array([1, 2, 3, 4])),
        Consequence(kind="refusal", text="", rows=np.array([1])),
        Consequence(kind="refusal", text="", rows=np.array([2, 9])),
    ]
    assert largest_shares(incidence, consequences, 3).tolist() == [1.0, 1.0, 0.0]
    assert largest_shares(incidence, consequences[:1], 3).tolist() == [0.5, 0.5, 0.0]
    assert largest_shares(incidence, [], 3).tolist() == [0.0, 0.0, 0.0]


def test_within_a_unit_what_is_done_is_sorted_out(
    corpus: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = counted(corpus, ENOUGH, (0, 1, 2))
    monkeypatch.setattr(counting, "_SORTED_OUT_BYTES", 1)
    counter = counted(corpus, ENOUGH, (0, 1, 2))
    assert counter.frequency.tolist() == exact.frequency.tolist()
    known = counter.known_rows().of(np.array([hash_of("seldom")], np.uint64))
    assert known[hash_of("seldom")].tolist() == WORDS["seldom"].tolist()


def test_within_a_unit_no_more_pairs_are_kept_than_there_is_room_for(
    corpus: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = counted(corpus, ENOUGH, (0, 1, 2))
    monkeypatch.setattr(counting, "_SORTED_OUT_BYTES", 1)
    monkeypatch.setattr(counting, "_MOST_KEPT", 40)
    counter = counted(corpus, ENOUGH, (0, 1, 2))
    assert counter.frequency.tolist() == exact.frequency.tolist()
    # What is known is whole, and the rarest is.
    for word in WORDS:
        known = counter.known_rows().of(np.array([hash_of(word)], np.uint64))
        if hash_of(word) in known:
            assert known[hash_of(word)].tolist() == WORDS[word].tolist()
    rarest = min(WORDS, key=lambda word: len(WORDS[word]))
    assert hash_of(rarest) in counter.known_rows().of(np.array([hash_of(rarest)], np.uint64))


@pytest.mark.parametrize("seed", range(4))
def test_tests_end_as_with_exact_counts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shown = np.sort(rng.choice(400, 60, replace=False))
    consequence = Consequence(kind="refusal", text="", rows=shown)
    # Of 40 candidates, one in so many of the rows shown, and in more and more of all rows.
    inside = [rng.choice(shown, int(size), replace=False) for size in rng.integers(5, 30, 40)]
    exact = np.array([len(rows) * (1 + at) // 2 for at, rows in enumerate(inside)])
    exact = np.maximum(exact, [len(rows) for rows in inside])
    held = np.array([np.isin(shown, rows) for rows in inside]).T
    incidence = Incidence(
        row_ids=shown,
        row_start=np.append(0, np.cumsum(held.sum(axis=1))),
        candidates=np.nonzero(held)[1].astype(np.uint32),
    )
    hashes = np.arange(40, dtype=np.uint64) << np.uint64(3) | np.uint64(1)
    enough = enough_rows(hashes, incidence, [consequence], 2000, 8)
    assert (enough < exact).any()
    settings = AssociationSettings(alpha=0.01)
    with_exact = associate([consequence], incidence, exact, 2000, settings=settings)
    with_enough = associate(
        [consequence], incidence, np.minimum(exact, enough), 2000, settings=settings
    )
    assert repr(with_exact) == repr(with_enough)
    assert with_exact[0]
