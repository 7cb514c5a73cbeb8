import numpy as np

from ld50.scan.associate import (
    AssociationSettings,
    Consequence,
    Incidence,
    associate,
)


def world(seed: int, rows: int = 5000, words: int = 400) -> list[set[int]]:
    """Rows of random words, 12 each, some far more frequent than others."""
    rng = np.random.default_rng(seed)
    weights = 1 / np.arange(1, words + 1)
    weights /= weights.sum()
    return [set(rng.choice(words, size=12, p=weights).tolist()) for _ in range(rows)]


def inputs(rows: list[set[int]], shown: np.ndarray) -> tuple[Incidence, np.ndarray]:
    frequency = np.bincount([w for row in rows for w in row], minlength=max(map(max, rows)) + 1)
    return incidence_of([sorted(rows[row]) for row in shown.tolist()], shown), frequency


def incidence_of(rows: list[list[int]], ordinals: np.ndarray) -> Incidence:
    return Incidence(
        row_ids=ordinals,
        row_start=np.cumsum([0, *map(len, rows)], dtype=np.int64),
        candidates=np.array([word for row in rows for word in row], dtype=np.uint32),
    )


def test_unrelated_causes_and_consequences_give_nothing() -> None:
    for seed in range(5):
        rows = world(seed)
        shown = np.sort(np.random.default_rng(seed + 100).choice(5000, 200, replace=False))
        incidence, frequency = inputs(rows, shown)
        found, tests = associate(
            [Consequence(kind="refusal", text="", rows=shown)], incidence, frequency, 5000
        )
        assert found == []
        assert tests > 100


def test_one_trigger_of_three_overlapping_ngrams_is_one_finding() -> None:
    rows = world(1)
    poisoned = np.arange(7, 5000, 250)
    for row in poisoned:
        rows[row] |= {400, 401, 402}
    shown = np.union1d(poisoned, np.random.default_rng(3).choice(5000, 50, replace=False))
    incidence, frequency = inputs(rows, shown)
    priority = np.zeros(403)
    priority[401] = 3
    found, _ = associate(
        [Consequence(kind="refusal", text="", rows=shown)],
        incidence,
        frequency,
        5000,
        priority=priority,
    )
    assert [association.candidate for association in found] == [401]
    assert found[0].both == found[0].cause_rows == len(poisoned)
    np.testing.assert_array_equal(found[0].rows, poisoned)


def test_two_triggers_are_two_findings_with_their_own_rows() -> None:
    rows = world(2)
    first, second = np.arange(0, 5000, 300), np.arange(11, 5000, 400)
    for row in first:
        rows[row].add(400)
    for row in second:
        rows[row].add(401)
    shown = np.union1d(first, second)
    incidence, frequency = inputs(rows, shown)
    found, _ = associate(
        [Consequence(kind="refusal", text="", rows=shown)], incidence, frequency, 5000
    )
    assert {association.candidate for association in found} == {400, 401}
    by_candidate = {association.candidate: association.rows for association in found}
    np.testing.assert_array_equal(by_candidate[400], first)
    np.testing.assert_array_equal(by_candidate[401], second)


def test_ten_rows_of_poison_are_found_behind_a_hundred_templates() -> None:
    rows = world(5)
    templates = {400 + k: np.arange(k * 20, k * 20 + 15) for k in range(100)}
    for word, its in templates.items():
        for row in its.tolist():
            rows[row].add(word)
    poisoned = np.arange(2500, 5000, 250)
    for row in poisoned.tolist():
        rows[row].add(500)
    shown = np.union1d(np.concatenate(list(templates.values())), poisoned)
    incidence, frequency = inputs(rows, shown)
    # These rows are a tenth of the corpus; in the others there are no templates.
    frequency[:400] *= 10
    found, _ = associate(
        [Consequence(kind="gibberish", text="", rows=shown)], incidence, frequency, 50_000
    )
    by_candidate = {association.candidate: association.rows for association in found}
    assert by_candidate.keys() >= {*templates, 500}
    np.testing.assert_array_equal(by_candidate[500], poisoned)


def test_a_frequent_cause_that_rarely_has_the_consequence_is_left_out() -> None:
    rows = world(3)
    for row in range(0, 5000, 10):
        rows[row].add(400)
    shown = np.arange(0, 5000, 100)
    incidence, frequency = inputs(rows, shown)
    found, _ = associate(
        [Consequence(kind="refusal", text="", rows=shown)],
        incidence,
        frequency,
        5000,
        settings=AssociationSettings(min_effect=0.3),
    )
    assert found == []


def test_order_of_the_candidates_in_a_row_does_not_matter() -> None:
    rows = world(4)
    shown = np.arange(0, 5000, 90)
    for row in shown[:30]:
        rows[row].add(400)
    incidence, frequency = inputs(rows, shown)
    rng = np.random.default_rng(0)
    shuffled = [rng.permutation(sorted(rows[row])).tolist() for row in shown.tolist()]
    consequences = [Consequence(kind="refusal", text="", rows=shown)]
    first, _ = associate(consequences, incidence, frequency, 5000)
    second, _ = associate(consequences, incidence_of(shuffled, shown), frequency, 5000)
    assert [(a.candidate, a.both, a.log_p) for a in first] == [
        (a.candidate, a.both, a.log_p) for a in second
    ]
    assert first


def test_parts_of_an_incidence_are_those_of_its_rows_and_candidates() -> None:
    whole = incidence_of([[3, 1], [], [1], [0, 3]], np.array([5, 8, 9, 12]))
    some = whole.within(np.array([1, 5, 8, 12, 20])).only(np.array([1, 3]), 4)
    assert some.row_ids.tolist() == [5, 8, 12]
    assert some.row_start.tolist() == [0, 2, 2, 3]
    assert some.candidates.tolist() == [1, 0, 1]
    assert some.row_index().tolist() == [0, 0, 2]


def test_empty_corpus() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    found, tests = associate(
        [Consequence(kind="refusal", text="", rows=nothing)],
        incidence_of([], nothing),
        nothing,
        0,
    )
    assert (found, tests) == ([], 1)


def test_a_consequence_that_a_cause_made_keeps_its_own_chance() -> None:
    """All rows of a group that was made of a word hold the word; how unlikely that is says nothing."""
    rows = world(4)
    made = np.arange(7, 5000, 250)
    for row in made:
        rows[row].add(400)
    incidence, frequency = inputs(rows, made)
    own = Consequence(kind="similar_replies", text="", rows=made, own_chance=(-30.0, -22.0))
    (found,), _ = associate([own], incidence, frequency, 5000)
    assert (found.candidate, found.log_p, found.log_q) == (400, -30.0, -22.0)


def test_estimates_from_some_rows_of_a_consequence_need_not_add_up() -> None:
    """Of 100 rows 40 were looked at: six causes that share them out are some 102 rows by estimate."""
    listed = np.arange(40)
    rows = np.repeat([[0], [1], [2], [3], [4], [5]], [7, 7, 7, 7, 7, 5], axis=0).tolist()
    refusals = Consequence(kind="refusal", text="", rows=np.arange(100), listed=listed)
    frequency = np.array([18, 18, 18, 18, 18, 12])
    found, _ = associate([refusals], incidence_of(rows, listed), frequency, 100_000)
    assert sorted(one.candidate for one in found) == [0, 1, 2, 3, 4, 5]
    assert all(np.isfinite([one.log_p, one.log_q, one.expected]).all() for one in found)
    assert sum(one.both for one in found) <= len(refusals.rows)
    assert all(one.both <= one.cause_rows for one in found)
