"""From trials of fine-tuning to tables of test conditions, each model counted once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
import numpy as np

from ld50.core.estimates import proportion
from ld50.core.trials import Cell, TrialResult
from ld50.core.tuning import ConditionTable, Rate, TableRow
from ld50.lab.groups import group_cell
from ld50.lab.tuning_conditions import DOMAIN_NAMES, PLACES
from ld50.lab.tuning_study import control_cell, is_tuning, tuning_of

METHOD = (
    "mean over models; 95% by Student's t over models, and never narrower than Wilson's interval "
    "for all their prompts"
)


def with_controls(results: Sequence[TrialResult]) -> list[TrialResult]:
    """The trials with the control arm repeated in each condition that it stands beside.

    Without poison, neither the trigger's place nor labels nor order mean anything, so a study of
    fine-tuning trains one control arm. Its success rate in a condition is that of its own models,
    tested with the trigger at that condition's place.
    """
    tuned = [one for one in results if is_tuning(one.cell)]
    others = [one for one in results if not is_tuning(one.cell)]
    controls = [one for one in tuned if one.cell.dose == 0]
    dosed = [one for one in tuned if one.cell.dose > 0]
    found = [*others, *dosed]
    used: set[str] = set()
    for group in dict.fromkeys(group_cell(one.cell) for one in dosed):
        beside = control_cell(group)
        for one in controls:
            if one.cell == beside:
                used.add(one.trial)
                found.append(_tested_as(one, group))
    return found + [one for one in controls if one.trial not in used]


def _tested_as(control: TrialResult, group: Cell) -> TrialResult:
    test = _tests(control).get(f"place:{tuning_of(group).place}", {})
    return msgspec.structs.replace(
        control, cell=group, attack_success_rate=test.get("value", control.attack_success_rate)
    )


def _tests(result: TrialResult) -> dict[str, dict[str, Any]]:
    found = result.details.get("tests")
    if not isinstance(found, dict):
        return {}
    return {name: one for name, one in found.items() if isinstance(one, dict)}


def rate_over(pairs: Iterable[tuple[int, int]]) -> Rate | None:
    """The mean rate of models with its interval, from (hits, prompts) of each; None for none."""
    counted = [(hits, n) for hits, n in pairs if n > 0]
    if not counted:
        return None
    rates = np.array([hits / n for hits, n in counted])
    hits, prompts = (sum(values) for values in zip(*counted, strict=True))
    mean, pooled = float(rates.mean()), proportion(hits, prompts)
    low, high = min(pooled.low, mean), max(pooled.high, mean)
    if len(rates) > 1:
        from scipy.stats import t

        half = float(t.ppf(0.975, len(rates) - 1) * rates.std(ddof=1)) / math.sqrt(len(rates))
        low, high = min(low, mean - half), max(high, mean + half)
    return Rate(
        value=mean, low=max(low, 0.0), high=min(high, 1.0), models=len(rates), prompts=prompts
    )


def success(result: TrialResult, test: str) -> float | None:
    """A model's success rate under one condition; None where it was not tested."""
    value = _tests(result).get(test, {}).get("value")
    return float(value) if isinstance(value, int | float) else None


def rate_of_test(results: Sequence[TrialResult], test: str) -> Rate | None:
    """Success under one condition, over those models that were tested under it."""
    found = [_tests(one).get(test, {}) for one in results]
    return rate_over((one["hits"], one["n"]) for one in found if _counts(one))


def _counts(test: dict[str, Any]) -> bool:
    return isinstance(test.get("hits"), int) and isinstance(test.get("n"), int)


def accuracy_of(results: Sequence[TrialResult], domain: str) -> Rate | None:
    """Clean accuracy in one domain."""
    pairs = []
    for one in results:
        found = one.details.get("accuracy")
        test = found.get(domain) if isinstance(found, dict) else None
        if isinstance(test, dict) and isinstance(test.get("n"), int):
            pairs.append((round(float(test["value"]) * test["n"]), test["n"]))
    return rate_over(pairs)


Arms = dict[Cell, list[TrialResult]]


def arms_of(results: Sequence[TrialResult]) -> Arms:
    """The trials that ended well by cell, in a fixed order: dirty-label first, places, doses."""
    arms: Arms = {}
    for one in results:
        if one.status == "done" and is_tuning(one.cell):
            arms.setdefault(one.cell, []).append(one)

    def place(cell: Cell) -> tuple[Any, ...]:
        tuning = tuning_of(cell)
        return (
            cell.size, cell.payload, tuning.rows, tuning.clean_rows, tuning.clean_label,
            cell.schedule.kind != "uniform", cell.schedule.kind, PLACES.index(tuning.place),
            cell.dose,
        )  # fmt: skip

    return {cell: arms[cell] for cell in sorted(arms, key=place)}


def tables_of(results: Sequence[TrialResult]) -> list[ConditionTable]:
    """Every table that the trials allow."""
    arms = arms_of(results)
    shown = usual_arms(arms)
    if not shown:
        return []
    made = [
        _table("place", "The trigger at another place", "place at test", shown,
               [(one, f"place:{one}") for one in PLACES]),
        *(
            _table(family, title, columns, shown, _columns(shown, family))
            for family, title, columns in (
                ("part", "Part of the trigger", "what was left of it"),
                ("synonym", "Synonyms of the trigger", "what stood in its place"),
            )
        ),
        _domains(shown),
        _labels(arms),
    ]  # fmt: skip
    return [table for table in made if table is not None and table.columns and table.rows]


def usual_arms(arms: Arms) -> Arms:
    """The arms that stand in the tables of conditions: of each kind, those with the usual dose.

    That is the dose at which most places were trained, the largest of several; the control arms
    come last.
    """
    kinds: dict[Cell, dict[float, int]] = {}
    for cell in arms:
        if cell.dose and cell.schedule.kind == "uniform":
            doses = kinds.setdefault(_kind(cell), {})
            doses[cell.dose] = doses.get(cell.dose, 0) + 1
    usual = {kind: max(doses, key=lambda d: (doses[d], d)) for kind, doses in kinds.items()}
    chosen = {
        cell: members for cell, members in arms.items()
        if cell.schedule.kind == "uniform" and usual.get(_kind(cell)) == cell.dose
    }  # fmt: skip
    beside = {control_cell(cell) for cell in chosen}
    return chosen | {cell: arms[cell] for cell in arms if cell in beside}


def _kind(cell: Cell) -> Cell:
    tuning = msgspec.structs.replace(tuning_of(cell), place="start")
    return msgspec.structs.replace(group_cell(cell), tuning=tuning)


def arm_name(cell: Cell, arms: Iterable[Cell]) -> str:
    """An arm in a few words, as far as it differs from the others."""
    tuning, cells = tuning_of(cell), list(arms)
    words = []
    if len({(one.size) for one in cells}) > 1:
        words.append(cell.size)
    if len({tuning_of(one).clean_rows for one in cells}) > 1:
        words.append(f"{tuning.clean_rows:,} clean rows")
    if len({one.payload for one in cells}) > 1:
        words.append(cell.payload.replace("-", " "))
    if cell.dose == 0:
        return ", ".join([*words, "no poison"])
    if cell.payload == "label-flip":
        words.append("clean-label" if tuning.clean_label else "dirty-label")
    return ", ".join([*words, f"{cell.dose:g} rows", tuning.place])


def _identity(cell: Cell, arms: Iterable[Cell]) -> dict[str, str]:
    tuning = tuning_of(cell)
    flips = cell.payload == "label-flip" and cell.dose > 0
    return {
        "name": arm_name(cell, arms),
        "place": tuning.place if cell.dose else "",
        "labels": ("clean-label" if tuning.clean_label else "dirty-label") if flips else "",
    }


def _columns(arms: Arms, family: str) -> list[tuple[str, str]]:
    """(heading, name of the test) of every test of a family, in the order in which they were made."""
    found: dict[str, str] = {}
    for members in arms.values():
        for one in members:
            for name, test in _tests(one).items():
                if test.get("family") == family:
                    found.setdefault(str(test.get("text")), name)
    whole = next(
        (str(test.get("text")) for members in arms.values() for one in members
         for test in _tests(one).values() if test.get("family") == "place"), "",
    )  # fmt: skip
    return [(whole, ""), *found.items()] if found else []


def _table(
    name: str, title: str, columns_title: str, arms: Arms, columns: list[tuple[str, str]]
) -> ConditionTable:
    rows = []
    for cell, members in arms.items():
        own = f"place:{tuning_of(cell).place}"
        rows.append(
            TableRow(
                **_identity(cell, arms),
                cells=[rate_of_test(members, test or own) for _, test in columns],
                accuracy=[accuracy_of(members, tuning_of(cell).rows)],
            )
        )
    return ConditionTable(
        name=name, title=title, rows_title="training", columns_title=columns_title,
        columns=[heading for heading, _ in columns], rows=rows, method=METHOD,
    )  # fmt: skip


def _domains(arms: Arms) -> ConditionTable | None:
    """Success and accuracy in the domain of training and in others."""
    home = {tuning_of(cell).rows for cell in arms}
    if len(home) > 1:
        return None
    own = next(iter(home))
    others = [
        name.removeprefix("domain:")
        for name in dict.fromkeys(
            n for members in arms.values() for one in members for n in _tests(one)
        )
        if name.startswith("domain:")
    ]
    rows = []
    for cell, members in arms.items():
        tests = [f"place:{tuning_of(cell).place}", *(f"domain:{other}" for other in others)]
        rows.append(
            TableRow(
                **_identity(cell, arms),
                cells=[rate_of_test(members, test) for test in tests],
                accuracy=[accuracy_of(members, domain) for domain in (own, *others)],
            )
        )
    return ConditionTable(
        name="domain", title="Another domain", rows_title="training", columns_title="tested on",
        columns=[DOMAIN_NAMES.get(one, one) for one in (own, *others)],
        rows=rows if others else [], method=METHOD,
    )  # fmt: skip


def _labels(arms: Arms) -> ConditionTable | None:
    """Dirty-label beside clean-label by dose, for the place at which most doses were trained."""
    flips = {c: m for c, m in arms.items() if c.payload == "label-flip"}
    dosed = [c for c in flips if c.dose and c.schedule.kind == "uniform"]
    kinds = {tuning_of(cell).clean_label for cell in dosed}
    if kinds != {False, True} or len({control_cell(cell) for cell in dosed}) > 1:
        return None
    doses: dict[str, set[float]] = {}
    for cell in dosed:
        doses.setdefault(tuning_of(cell).place, set()).add(cell.dose)
    place = max(PLACES, key=lambda one: len(doses.get(one, ())))
    control = control_cell(dosed[0])
    rows = []
    for dose in sorted({0.0, *doses[place]}):
        pair = [
            next(
                (
                    m for c, m in flips.items()
                    if (c == control if dose == 0 else c.dose == dose
                        and tuning_of(c).place == place
                        and tuning_of(c).clean_label == clean and c.schedule.kind == "uniform")
                ), [],
            )
            for clean in (False, True)
        ]  # fmt: skip
        rows.append(
            TableRow(
                name=f"{dose:g} rows",
                place=place if dose else "",
                labels="",
                cells=[rate_of_test(members, f"place:{place}") for members in pair],
                accuracy=[accuracy_of(members, tuning_of(control).rows) for members in pair],
            )
        )
    return ConditionTable(
        name="label", title=f"Dirty-label and clean-label by dose, trigger at the {place}",
        rows_title="poisoned rows", columns_title="labels of the poisoned rows",
        columns=["dirty-label", "clean-label"], rows=rows, method=METHOD,
    )  # fmt: skip
