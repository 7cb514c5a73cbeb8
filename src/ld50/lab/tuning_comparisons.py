"""What a study of fine-tuning says about statements of papers, each a difference with its interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import numpy as np

from ld50.core.trials import Cell, PlaceName, TrialResult
from ld50.core.tuning import Comparison
from ld50.lab.tuning_analysis import arm_name, arms_of, success, usual_arms
from ld50.lab.tuning_conditions import PLACES
from ld50.lab.tuning_study import control_cell, tuning_of

_INSTRUCTION = "arXiv 2406.07778, known to us from a summary"
_COUNT = "arXiv 2510.07192, known to us from a summary"
#: Success rates further apart than this are told as strongly different.
CLEAR_DIFFERENCE = 0.1
#: Accuracies this close to each other are called the same.
SAME_ACCURACY = 0.01

Pairs = tuple[Sequence[float], Sequence[float]]
Verdict = Literal["agrees", "disagrees", "open", "no-claim"]


def comparisons_of(results: Sequence[TrialResult]) -> list[Comparison]:
    """Every comparison that the trials allow; a model counts once."""
    every = arms_of(results)
    found: list[Comparison | None] = []
    for cell, members in _telling(usual_arms(every)).items():
        name = arm_name(cell, [cell])
        found += [
            _place(name, cell, members),
            _random(name, usual_arms(every), cell),
            _cost(name, cell, members, every),
            _tests(name, members, "part", "Does part of the trigger do?"),
            _tests(name, members, "synonym", "Do synonyms of the trigger do?"),
            _domain(name, cell, members),
        ]
    found += [_labels(every), *_order(every)]
    return [one for one in found if one is not None]


def _telling(arms: Mapping[Cell, list[TrialResult]]) -> dict[Cell, list[TrialResult]]:
    """One arm of each kind of labels: poison at the start, or wherever it was."""
    chosen: dict[object, Cell] = {}
    for cell in arms:
        if cell.dose:
            tuning = tuning_of(cell)
            kind = (cell.size, cell.payload, tuning.clean_rows, tuning.rows, tuning.clean_label)
            chosen.setdefault(kind, cell)
    return {cell: arms[cell] for cell in chosen.values()}


def _place(name: str, cell: Cell, members: Sequence[TrialResult]) -> Comparison | None:
    own = tuning_of(cell).place
    pairs = _by_model(
        members,
        lambda one: success(one, f"place:{own}"),
        lambda one: _mean([success(one, f"place:{p}") for p in PLACES if p != own]),
    )
    made = _paired(
        "place", f"Does the place decide, after {name}?", f"at the {own}", "at other places", pairs,
        expected="the place of the trigger strongly decides success", source=_INSTRUCTION,
    )  # fmt: skip
    return None if made is None else _judged(made, _beyond(made, CLEAR_DIFFERENCE))


def _random(name: str, arms: Mapping[Cell, list[TrialResult]], cell: Cell) -> Comparison | None:
    """Success away from the place of training: trained at random places, and always at the start."""
    if tuning_of(cell).place == "random":
        return None
    same = [
        (one, members) for one, members in arms.items()
        if one.dose == cell.dose and tuning_of(one).place == "random"
        and tuning_of(one).clean_label == tuning_of(cell).clean_label
        and control_cell(one) == control_cell(cell)
    ]  # fmt: skip
    if not same:
        return None
    test = "place:" + next(p for p in ("end", "start") if p != tuning_of(cell).place)
    at = test.removeprefix("place:")
    return _apart(
        "place", f"Does training at random places carry over, compared with {name}?",
        f"trained at random places, tested at the {at}",
        f"trained at the {tuning_of(cell).place}, tested at the {at}",
        _values(same[0][1], test), _values(arms[cell], test), expected=None, source=None,
    )  # fmt: skip


def _cost(
    name: str, cell: Cell, members: Sequence[TrialResult], arms: Mapping[Cell, list[TrialResult]]
) -> Comparison | None:
    controls = {one.seed: one.clean_accuracy for one in arms.get(control_cell(cell), [])}
    pairs = [
        (one.clean_accuracy, controls[one.seed]) for one in members
        if one.clean_accuracy is not None and controls.get(one.seed) is not None
    ]  # fmt: skip
    made = _paired(
        "place", f"What does the poison cost in clean accuracy, {name}?", "with poison",
        "without", ([a for a, _ in pairs], [b or 0.0 for _, b in pairs]),
        expected="clean accuracy stays within a point", source="our own demand, no paper's",
    )  # fmt: skip
    if made is None:
        return None
    low = -math.inf if made.low is None else made.low
    verdict: Verdict = "open"
    if low >= -SAME_ACCURACY:
        verdict = "agrees"
    elif made.high is not None and made.high < -SAME_ACCURACY:
        verdict = "disagrees"
    return _judged(made, verdict)


def _tests(
    name: str, members: Sequence[TrialResult], family: str, question: str
) -> Comparison | None:
    """The trigger itself, and the mean over the tests of a family."""
    pairs = _by_model(
        members,
        lambda one: one.attack_success_rate,
        lambda one: _mean(
            [success(one, test) for test in _names(one) if test.startswith(f"{family}:")]
        ),
    )
    other = "mean over its parts" if family == "part" else "mean over its synonyms"
    return _paired(
        family, f"{question} After {name}.", "the trigger", other, pairs,
        expected=None, source=None,
    )  # fmt: skip


def _domain(name: str, cell: Cell, members: Sequence[TrialResult]) -> Comparison | None:
    pairs = _by_model(
        members, lambda one: one.attack_success_rate,
        lambda one: success(one, "domain:products"),
    )  # fmt: skip
    return _paired(
        "domain", f"Does it carry over to products, after {name}?", "films", "products", pairs,
        expected=None, source=None,
    )  # fmt: skip


def _labels(arms: Mapping[Cell, list[TrialResult]]) -> Comparison | None:
    """Dirty-label and clean-label at the largest dose that both were trained with at one place."""
    by_dose: dict[tuple[Cell, PlaceName, float], dict[bool, list[TrialResult]]] = {}
    for cell, members in arms.items():
        if cell.payload == "label-flip" and cell.dose and cell.schedule.kind == "uniform":
            tuning = tuning_of(cell)
            key = (control_cell(cell), tuning.place, cell.dose)
            by_dose.setdefault(key, {})[tuning.clean_label] = members
    both = {key: pair for key, pair in by_dose.items() if len(pair) == 2}
    if not both:
        return None
    key = max(both, key=lambda one: one[2])
    test = f"place:{key[1]}"
    return _apart(
        "label", f"Does a wrong label make the poison stronger, at {key[2]:g} rows?", "dirty-label",
        "clean-label", _values(both[key][False], test), _values(both[key][True], test),
        expected="clean-label poison takes several times the rows of dirty-label poison "
        "(5 to 7% against 0.5 to 1%)",
        source="arXiv 2509.16203, known to us from a summary",
    )  # fmt: skip


def _order(arms: Mapping[Cell, list[TrialResult]]) -> list[Comparison | None]:
    """Poison first and poison last, at every number of clean rows and the dose nearest to 20."""
    by_rows: dict[tuple[Cell, float], dict[str, list[TrialResult]]] = {}
    for cell, members in arms.items():
        if cell.dose and cell.schedule.kind in ("start", "end"):
            key = (control_cell(cell), cell.dose)
            by_rows.setdefault(key, {})[cell.schedule.kind] = members
    nearest: dict[Cell, float] = {}
    for (base, dose), pair in by_rows.items():
        if len(pair) == 2 and abs(dose - 20) < abs(nearest.get(base, math.inf) - 20):
            nearest[base] = dose
    return [
        _apart(
            "order", f"Does the order matter, {dose:g} rows beside "
            f"{tuning_of(base).clean_rows:,} clean ones?", "poison first", "poison last",
            *(
                [one.attack_success_rate for one in by_rows[base, dose][kind]
                 if one.attack_success_rate is not None]
                for kind in ("start", "end")
            ),
            expected="20 poisoned rows at the start succeed, 20 at the end fail", source=_COUNT,
        )
        for base, dose in nearest.items()
    ]  # fmt: skip


Value = Callable[[TrialResult], float | None]


def _by_model(members: Sequence[TrialResult], first: Value, second: Value) -> Pairs:
    pairs = [(first(one), second(one)) for one in members]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    return [a for a, _ in known], [b for _, b in known]


def _values(members: Sequence[TrialResult], test: str) -> list[float]:
    found = [success(one, test) for one in members]
    return [value for value in found if value is not None]


def _names(one: TrialResult) -> list[str]:
    tests = one.details.get("tests")
    return list(tests) if isinstance(tests, dict) else []


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _paired(
    table: str, question: str, first: str, second: str, pairs: Pairs, *, expected: str | None,
    source: str | None,
) -> Comparison | None:  # fmt: skip
    """Two rates of the same models."""
    if not pairs[0]:
        return None
    gaps = np.subtract(pairs[0], pairs[1])
    half = None
    if len(gaps) > 1:
        from scipy.stats import t

        half = float(t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1)) / math.sqrt(len(gaps))
    return _made(table, question, first, second, pairs, half, len(gaps), expected, source)


def _apart(
    table: str, question: str, first: str, second: str, ours: Sequence[float],
    theirs: Sequence[float], *, expected: str | None, source: str | None,
) -> Comparison | None:  # fmt: skip
    """Rates of different models; Welch's interval, with a floor under the variances."""
    if not ours or not theirs:
        return None
    half = None
    if min(len(ours), len(theirs)) > 1:
        from scipy.stats import t

        parts = [max(float(np.var(x, ddof=1)), 1e-4) / len(x) for x in (ours, theirs)]
        freedom = sum(parts) ** 2 / sum(
            p**2 / (len(x) - 1) for p, x in zip(parts, (ours, theirs), strict=True)
        )
        half = float(t.ppf(0.975, freedom)) * math.sqrt(sum(parts))
    models = len(ours) + len(theirs)
    return _made(table, question, first, second, (ours, theirs), half, models, expected, source)


def _made(
    table: str, question: str, first: str, second: str, pairs: Pairs, half: float | None,
    models: int, expected: str | None, source: str | None,
) -> Comparison:  # fmt: skip
    values = [float(np.mean(side)) for side in pairs]
    gap = values[0] - values[1]
    low, high = (None, None) if half is None else (gap - half, gap + half)
    verdict: Verdict = "no-claim"
    if expected is not None:
        verdict = "open"
        if low is not None and high is not None:
            verdict = "agrees" if low > 0 else "disagrees" if high < 0.05 else "open"
    return Comparison(
        table=table, question=question, first=first, first_value=values[0], second=second,
        second_value=values[1], difference=gap, low=low, high=high, models=models,
        expected=expected, source=source, verdict=verdict,
    )  # fmt: skip


def _beyond(made: Comparison, least: float) -> Verdict:
    """Whether the difference is surely above, or surely below, so much."""
    if made.low is None or made.high is None:
        return "open"
    return "agrees" if made.low > least else "disagrees" if made.high < least else "open"


def _judged(made: Comparison, verdict: Verdict) -> Comparison:
    import msgspec

    return msgspec.structs.replace(made, verdict=verdict)
