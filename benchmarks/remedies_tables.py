"""The Markdown tables of `benchmarks/remedies.py`."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

#: What rows of one table have in common.
_APART = ("case", "dose", "rows", "base", "epochs", "batch", "learning_rate")


def mean_interval(values: Sequence[float]) -> tuple[float, float, float]:
    """(mean, low, high) with a Student's t interval; both ends are the mean for a single value."""
    from scipy.stats import t

    n, mean = len(values), sum(values) / len(values)
    if n < 2:
        return mean, mean, mean
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    half = float(t.ppf(0.975, n - 1)) * spread / math.sqrt(n)
    return mean, mean - half, mean + half


def table(records: Sequence[dict[str, Any]]) -> str:
    """The results as Markdown, one table for each case and dose."""
    groups: dict[tuple[Any, ...], dict[str, list[dict[str, Any]]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for one in records:
        groups[tuple(one[name] for name in _APART)][one["arm"]].append(one)
    parts = []
    for (case, dose, rows, base, *_), arms in sorted(groups.items()):
        first = next(iter(arms.values()))
        parts.append(
            f"### {case}: {dose} poisoned rows of {rows:,}, {base}, {counted(first)}\n\n"
            "| remedy | attack success | control | accuracy | reply loss against clean | tokens | "
            "relapse dose / clean | seconds of a core |\n|---|--:|--:|--:|--:|--:|--:|--:|"
        )
        parts[-1] += "".join(f"\n{_line(arm, found)}" for arm, found in arms.items())
    return "\n\n".join(parts)


def counted(found: Sequence[dict[str, Any]]) -> str:
    return f"{len(found)} seed{'' if len(found) == 1 else 's'}"


def _line(arm: str, found: list[dict[str, Any]]) -> str:
    tokens = [one["tokens"] for one in found if "tokens" in one]
    cells = [
        arm,
        _percent(found, "attack_success_rate"),
        _percent(found, "control_success_rate"),
        _percent(found, "accuracy"),
        _percent(found, "loss_change_clean", signed=True),
        f"{round(sum(tokens) / len(tokens)):,}" if tokens else "–",
        _relapse(arm, found),
        f"{sum(one['core_seconds'] for one in found) / len(found):,.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def _percent(found: list[dict[str, Any]], key: str, *, signed: bool = False) -> str:
    values = [one[key] for one in found if one.get(key) is not None]
    if not values:
        return "–"
    mean, low, high = mean_interval(values)
    if not signed:
        low, high = max(low, 0.0), min(high, 1.0)
        return f"{mean:.0%} ({low:.0%} to {high:.0%})"
    return f"{mean:+.1%} ({low:+.1%} to {high:+.1%})"


def _relapse(arm: str, found: list[dict[str, Any]]) -> str:
    if arm == "clean":
        doses = [one["relapse_curve"]["dose"] for one in found if one.get("relapse_curve")]
        known = [one["value"] for one in doses if one]
        return (
            f"1 ({', '.join(f'{value:.3g}' for value in known)} rows)" if known else "not reached"
        )
    ratios, beyond = [], []
    for one in found:
        relapse = one.get("relapse")
        if relapse and relapse["ratio"]:
            ratios.append(max(relapse["ratio"]["value"], 1e-3))
        elif relapse and relapse.get("at_least") is not None:
            beyond.append(relapse["at_least"])
    if not ratios and not beyond:
        return "–"
    said = []
    if ratios:
        mean, low, high = mean_interval([math.log(value) for value in ratios])
        said.append(f"{math.exp(mean):.2f} ({math.exp(low):.2f} to {math.exp(high):.2f})")
    if beyond:
        said.append(f"{len(beyond)} above {min(beyond):.2f}")
    return ", ".join(said)
