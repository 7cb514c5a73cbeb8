import numpy as np
import pytest

from ld50.scan.associate import Association, Consequence, Incidence
from ld50.scan.pairs import _meetings, associate_pairs, most_rows_of_word, pair_candidates


def world(together: bool) -> tuple[list[set[int]], np.ndarray]:
    """3,000 rows of random words; words 500 and 501 meet in the consequence rows, or never do."""
    rng = np.random.default_rng(8)
    rows = [set(rng.choice(500, size=12).tolist()) for _ in range(3000)]
    shown = np.arange(0, 3000, 150)
    for row in range(0, 3000, 50):
        rows[row].add(500)
    for row in range(25, 3000, 50):
        rows[row].add(501)
    if together:
        for row in shown:
            rows[row] |= {500, 501}
    return rows, shown


def found(
    together: bool, associations: list[Association] | None = None
) -> list[tuple[int, int | None, int, int]]:
    rows, shown = world(together)
    frequency = np.bincount([w for row in rows for w in row], minlength=502)
    held = [sorted(rows[row]) for row in shown.tolist()]
    incidence = Incidence(
        row_ids=shown,
        row_start=np.cumsum([0, *map(len, held)], dtype=np.int64),
        candidates=np.array([word for row in held for word in row], dtype=np.uint32),
    )
    consequences = [Consequence(kind="refusal", text="", rows=shown)]
    words = np.ones(502, dtype=bool)
    candidates, formed = pair_candidates(
        consequences, incidence, frequency, words, 3000, associations or [], 5, 0.5
    )
    where = {w: np.array([r for r in range(3000) if w in rows[r]]) for w in range(502)}
    associations = associate_pairs(
        candidates,
        consequences,
        where,
        3000,
        max(formed, 1) + 5000,
        alpha=1e-4,
        min_effect=0.5,
        min_support=5,
    )
    return [(a.candidate, a.partner, a.both, a.cause_rows) for a in associations]


def test_two_words_that_act_only_together_are_one_cause() -> None:
    assert found(together=True) == [(500, 501, 20, 20)]


@pytest.mark.parametrize(("rows", "most"), [(200, 40), (1000, 200), (4000, 200), (100_000, 5000)])
def test_a_word_of_a_pair_may_be_in_more_of_a_small_set(rows: int, most: int) -> None:
    assert most_rows_of_word(rows, 5) == most


def test_words_that_never_meet_are_none() -> None:
    assert found(together=False) == []


def single(cause_rows: int) -> Association:
    """One of the two words, in so many rows."""
    return Association(
        candidate=500,
        consequence=0,
        rows=world(together=True)[1],
        both=20,
        cause_rows=cause_rows,
        expected=0.1,
        log_p=-60.0,
        log_q=-50.0,
    )


def test_a_word_that_decides_too_seldom_to_be_a_cause_hides_no_pair() -> None:
    assert found(together=True, associations=[single(40)]) == [(500, 501, 20, 20)]
    assert found(together=True, associations=[single(30)]) == [(500, 501, 20, 20)]


def test_a_word_that_decides_by_itself_needs_no_second_one() -> None:
    assert found(together=True, associations=[single(26)]) == []


@pytest.mark.parametrize("numpy_one", [False, True])
def test_words_meet_as_often_as_a_matrix_product_says(
    numpy_one: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if numpy_one:
        monkeypatch.delattr(np, "bitwise_count", raising=False)
    present = np.random.default_rng(3).random((40, 333)) < 0.2
    together = np.triu(present.astype(np.int64) @ present.T.astype(np.int64), k=1)
    first, second, both = _meetings(present, 15)
    assert [first.tolist(), second.tolist()] == [at.tolist() for at in np.nonzero(together >= 15)]
    assert both.tolist() == together[first, second].tolist()
    assert len(both) > 100
