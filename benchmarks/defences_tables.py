"""The tables of `defences.py`: doses of different seeds are added up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from scoring import interval, markdown_table

from ld50.core.estimates import Estimate, proportion

if TYPE_CHECKING:
    from defences import Result

Cell = tuple[str, str, int]


def print_tables(results: Sequence[Result]) -> None:
    """Clean sets, recall of each filter, what the attack still does, and defences at test time."""
    if not results:
        print("There are no results.")
        return
    for victim in sorted({one.victim for one in results}):
        chosen = [one for one in results if one.victim == victim]
        print(f"\n## Victim: {victim}\n")
        print("### Clean rows flagged where nothing was planted\n")
        print(_clean_table([one for one in chosen if not one.dose]))
        poisoned = [one for one in chosen if one.dose]
        print("\n### Recall of planted rows, and clean rows flagged\n")
        print(_filter_table(poisoned))
        print("\n### Attack success rate / clean accuracy of the victim trained on what is left\n")
        print(_cure_table(poisoned))
        print("\n### At test time\n")
        print(_test_time_table(poisoned))


def _cells(results: Sequence[Result]) -> dict[Cell, list[Result]]:
    cells: dict[Cell, list[Result]] = defaultdict(list)
    for one in results:
        cells[one.defence, one.attack, one.dose].append(one)
    return cells


def _is_filter(one: Result) -> bool:
    return one.clean > 0 and one.defence not in ("no defence", "key", "strip, texts refused")


def _pooled(parts: Sequence[Result], successes: str, n: str) -> Estimate:
    return proportion(
        sum(getattr(one, successes) for one in parts), sum(getattr(one, n) for one in parts)
    )


def _rate(parts: Sequence[Result], name: str) -> Estimate | None:
    pairs = [one.rates[name] for one in parts if name in one.rates]
    if not pairs:
        return None
    return proportion(sum(a for a, _ in pairs), sum(n for _, n in pairs))


def _percent(rate: Estimate | None) -> str:
    return "–" if rate is None or rate.n == 0 else f"{100 * rate.value:.1f}"


def _clean_table(results: Sequence[Result]) -> str:
    lines = []
    for (defence, _, _), parts in _cells(results).items():
        if _is_filter(parts[0]) or defence == "strip, texts refused":
            rate = _pooled(parts, "false", "clean")
            share = interval(rate, digits=2, scale=100)
            false = sum(one.false for one in parts)
            lines.append([defence, f"{false} of {rate.n}", share, f"{parts[0].seconds:.1f}"])
    return markdown_table(["defence", "clean rows flagged", "%", "s"], lines)


def _filter_table(results: Sequence[Result]) -> str:
    cells = _cells([one for one in results if _is_filter(one)])
    sets = list(dict.fromkeys((attack, dose) for _, attack, dose in cells))
    lines = []
    for defence in dict.fromkeys(defence for defence, _, _ in cells):
        for attack, dose in sets:
            parts = cells.get((defence, attack, dose))
            if parts:
                false = sum(one.false for one in parts)
                lines.append(
                    [
                        defence,
                        attack,
                        dose,
                        interval(_pooled(parts, "caught", "planted"), digits=2),
                        false,
                        _percent(_pooled(parts, "false", "clean")),
                    ]
                )
    header = ["defence", "attack", "planted", "recall", "clean rows flagged", "%"]
    return markdown_table(header, lines)


def _cure_table(results: Sequence[Result]) -> str:
    cells = _cells([one for one in results if "asr" in one.rates])
    defences = [d for d in dict.fromkeys(d for d, _, _ in cells) if d != "onion, texts purified"]
    lines = []
    for attack, dose in dict.fromkeys((attack, dose) for _, attack, dose in cells):
        line: list[object] = [f"{attack}, {dose}"]
        for defence in defences:
            parts = cells.get((defence, attack, dose), [])
            line.append(f"{_percent(_rate(parts, 'asr'))} / {_percent(_rate(parts, 'accuracy'))}")
        lines.append(line)
    return markdown_table(["attack, planted", *defences], lines)


def _test_time_table(results: Sequence[Result]) -> str:
    cells = _cells(results)
    lines = []
    for attack, dose in dict.fromkeys((attack, dose) for _, attack, dose in cells):
        pure = cells.get(("onion, texts purified", attack, dose))
        refused = cells.get(("strip, texts refused", attack, dose))
        if not pure or not refused:
            continue
        lines.append(
            [
                f"{attack}, {dose}",
                f"{_percent(_rate(pure, 'asr before'))} → {_percent(_rate(pure, 'asr'))}",
                f"{_percent(_rate(pure, 'accuracy before'))} → {_percent(_rate(pure, 'accuracy'))}",
                interval(_pooled(refused, "caught", "planted"), digits=2),
                _percent(_pooled(refused, "false", "clean")),
            ]
        )
    header = ["attack, planted", "ONION: ASR, %", "ONION: CA, %"]
    header += ["STRIP: triggered texts caught", "STRIP: clean texts refused, %"]
    return markdown_table(header, lines)
