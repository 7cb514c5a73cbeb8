"""The tables of `defences.py`: runs under different seeds are added up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
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
        print("\n### Recall of planted rows with its 95% interval; clean rows flagged\n")
        print(_filter_tables(poisoned))
        print("\n### The victim trained on what is left: attack success rate / clean accuracy, %\n")
        print(_cure_tables(poisoned))
        print("\n### Candidates with the largest effect on the victim, in nats\n")
        print(_candidate_table(chosen))
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


def _candidate_table(results: Sequence[Result]) -> str:
    lines = []
    for one in results:
        if one.strongest:
            told = "; ".join(f"{text} {effect:.1f}" for text, effect in one.strongest)
            lines.append([one.case, one.seed, one.defence, told])
    return markdown_table(["attack, planted", "seed", "defence", "candidates"], lines)


def _filter_tables(results: Sequence[Result]) -> str:
    """A table for each set of attacks that share a dose; a cell is recall and clean rows flagged."""
    cells = _cells([one for one in results if _is_filter(one)])

    def cell(defence: str, attack: str, dose: int) -> str:
        parts = cells.get((defence, attack, dose))
        if not parts:
            return "–"
        recall = interval(_pooled(parts, "caught", "planted"), digits=2)
        false = _pooled(parts, "false", "clean")
        return f"{recall}; {sum(one.false for one in parts)} of {false.n} ({_percent(false)}%)"

    return _by_dose(cells, cell)


def _cure_tables(results: Sequence[Result]) -> str:
    """The same for victims trained afterwards; a cell is ASR / accuracy in percent."""
    cells = _cells([one for one in results if "asr" in one.rates and "asr before" not in one.rates])

    def cell(defence: str, attack: str, dose: int) -> str:
        parts = cells.get((defence, attack, dose), [])
        return f"{_percent(_rate(parts, 'asr'))} / {_percent(_rate(parts, 'accuracy'))}"

    return _by_dose(cells, cell)


def _by_dose(cells: Mapping[Cell, object], cell: Callable[[str, str, int], str]) -> str:
    tables = []
    defences = list(dict.fromkeys(defence for defence, _, _ in cells))
    for dose in dict.fromkeys(dose for _, _, dose in cells):
        attacks = list(dict.fromkeys(attack for _, attack, d in cells if d == dose))
        lines = [[d, *(cell(d, attack, dose) for attack in attacks)] for d in defences]
        tables.append(f"{dose} rows planted\n\n" + markdown_table(["defence", *attacks], lines))
    return "\n\n".join(tables)


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
