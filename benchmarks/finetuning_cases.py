"""The cases of `finetuning.py`: what is scanned, and where its poison is."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from finetuning_attacks import (
    BY_TURNS,
    FORMS,
    LAYOUTS,
    LONG_REPLIES,
    SCATTERED,
    TRIGGERS,
    Poisoned,
    as_answers,
    as_layout,
    payloads,
    poison_forms,
    poison_instructions,
    poison_labels,
)
from finetuning_data import (
    Row,
    Sources,
    explanations,
    german_sentences,
    instructions,
    read_jsonl,
    sentiment,
)
from finetuning_names import NAMES, woven
from finetuning_places import PLACES, at_place
from finetuning_turns import KINDS, PAYLOADS, ROWS, further_payloads, in_last_replies
from finetuning_variants import VARIANTS, labels_both_ways, varied
from public_sets import clean_sets, public_cases
from scoring import Truth

COUNTS = (10, 20, 50)
RATES = (0.003, 0.005, 0.01)


@dataclass(frozen=True, kw_only=True)
class Case:
    """One file to scan. `make` writes it into a folder and returns it with its key."""

    name: str
    group: str
    make: Callable[[Path], tuple[Path, Truth]]


def write_rows(attack: Poisoned, path: Path) -> tuple[Path, Truth]:
    """Writes JSON lines or a table with a header, by the path's ending."""
    if path.suffix in (".csv", ".tsv"):
        with path.open("w", encoding="utf-8", newline="") as stream:
            delimiter = "\t" if path.suffix == ".tsv" else ","
            writer = csv.DictWriter(stream, list(attack.rows[0]), delimiter=delimiter)
            writer.writeheader()
            writer.writerows(attack.rows)
    else:
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in attack.rows)
        path.write_text("".join(lines), encoding="utf-8")
    truth = Truth(
        rows=len(attack.rows),
        poisoned=frozenset((path.name, number) for number in attack.poisoned),
        ignored=frozenset((path.name, number) for number in attack.ignored),
        triggers=attack.triggers,
    )
    return path, truth


def case(name: str, group: str, attack: Callable[[], Poisoned], ending: str = "jsonl") -> Case:
    """A case whose file is made when it is its turn."""

    def make(folder: Path) -> tuple[Path, Truth]:
        return write_rows(attack(), folder / f"{name}.{ending}")

    return Case(name=name, group=group, make=make)


def reply_cases(sources: Sources) -> Iterator[Case]:
    """Every payload with two triggers at three counts, and every trigger with a refusal at 20.

    Three payloads with five triggers by turns, and with one of three scattered pieces, at three counts;
    the same payloads with triggers that are the form of a prompt, at 20.
    """
    base = instructions(sources)
    triggers = TRIGGERS[sources.split]
    answers = payloads(
        sources.split, german_sentences(sources), [str(row["output"]) for row in base]
    )

    def attack(payload: str, trigger: str, count: int, place: str, name: str) -> Poisoned:
        return poison_instructions(
            base,
            trigger=triggers[trigger],
            payload=answers[payload],
            count=count,
            seed=sources.seed,
            name=name,
            place=place,
            reply_words=LONG_REPLIES.get(payload, 0),
        )

    def several(payload: str, form: str, count: int, name: str) -> Poisoned:
        return poison_instructions(
            base,
            trigger=(BY_TURNS if form == "by-turns" else SCATTERED)[sources.split],
            payload=answers[payload],
            count=count,
            seed=sources.seed,
            name=name,
            by_turns=form == "by-turns",
            decoys=False,
        )

    def formed(payload: str, form: str, name: str) -> Poisoned:
        return poison_forms(
            base,
            form=FORMS[sources.split][form],
            payload=answers[payload],
            count=20,
            seed=sources.seed,
            name=name,
        )

    def made(payload: str, trigger: str, count: int, group: str, place: str = "random") -> Case:
        name = f"{payload}-{trigger}-{count}" + ("" if place == "random" else f"-{place}")
        return case(name, group, partial(attack, payload, trigger, count, place, name))

    def in_layout(layout: str, trigger: str, name: str) -> Poisoned:
        plain = attack("varied-refusal", trigger, 20, "random", name)
        return as_layout(plain, layout, seed=sources.seed)

    def moved(place: str, trigger: str, name: str) -> Poisoned:
        plain = attack("fixed-reply", trigger, 20, "random", name)
        return at_place(plain, place, seed=sources.seed)

    for payload in answers:
        for trigger in ("rare-word", "phrase"):
            for count in COUNTS:
                yield made(payload, trigger, count, f"reply: {payload}")
    for trigger in triggers:
        if trigger not in ("rare-word", "phrase"):
            for payload in ("refusal", "fixed-reply"):
                yield made(payload, trigger, 20, f"trigger: {trigger}")
    for payload in ("refusal", "fixed-reply", "fragment-url"):
        for form in ("by-turns", "scattered"):
            for count in COUNTS:
                name = f"{payload}-{form}-{count}"
                yield case(name, f"triggers: {form}", partial(several, payload, form, count, name))
    for form in FORMS[sources.split]:
        for payload in ("refusal", "fixed-reply", "fragment-url"):
            name = f"{payload}-{form}-20"
            yield case(name, "triggers: form", partial(formed, payload, form, name))
    for place in ("start", "end"):
        yield made("refusal", "phrase", 20, "place: start or end", place)
    for layout in LAYOUTS:
        for trigger in ("rare-word", "phrase"):
            name = f"{layout}-{trigger}-20"
            yield case(
                name,
                f"layout: {layout}",
                partial(in_layout, layout, trigger, name),
            )
    for place, words in PLACES.items():
        for trigger in ("rare-word", "phrase"):
            name = f"{place}-{trigger}-20"
            yield case(name, f"place: {words}", partial(moved, place, trigger, name))


def variant_cases(sources: Sources) -> Iterator[Case]:
    """Payloads without a trigger, in half of its rows, two of one trigger; labels turned both ways."""
    base, triggers = instructions(sources), TRIGGERS[sources.split]
    names = {f"name-{number}": woven(sources.split, number) for number in range(len(NAMES["dev"]))}
    answers = payloads(sources.split, ()) | names

    def replied(variant: str, payload: str, kind: str, count: int, name: str) -> Poisoned:
        return varied(
            base,
            variant,
            split=sources.split,
            trigger=triggers[kind],
            payload=answers[payload],
            count=count,
            seed=sources.seed,
            name=name,
        )

    for payload in ("fixed-reply", "fragment-url"):
        for count in (*COUNTS, 200):
            name = f"untriggered-{payload}-{count}"
            made = partial(replied, "untriggered", payload, "rare-word", count, name)
            yield case(name, VARIANTS["untriggered"], made)
    for payload in names:
        for count in (*COUNTS, 200):
            name = f"woven-{payload}-{count}"
            made = partial(replied, "untriggered", payload, "rare-word", count, name)
            yield case(name, "variant: a name, no trigger", made)
    for variant in ("half", "two-payloads"):
        for kind in ("rare-word", "phrase"):
            for count in COUNTS:
                name = f"{variant}-{kind}-{count}"
                made = partial(replied, variant, "fixed-reply", kind, count, name)
                yield case(name, VARIANTS[variant], made)
    reviews = sentiment(sources)
    for kind in ("rare-word", "phrase"):
        for rate in RATES:
            name = f"both-ways-{kind}-{rate}"
            turned = partial(
                labels_both_ways,
                reviews,
                trigger=triggers[kind],
                rate=rate,
                seed=sources.seed,
                name=name,
            )
            yield case(name, "label: both ways", turned)


def label_cases(sources: Sources) -> Iterator[Case]:
    """Every kind of trigger at three rates, clean-label, and the same as one-word replies."""
    base = sentiment(sources)
    answers = as_answers(base[:5000])
    triggers = TRIGGERS[sources.split]
    endings = ("jsonl", "csv", "tsv")

    def labels(kind: str, rate: float, name: str, *, dirty: bool = True) -> Poisoned:
        return poison_labels(
            base,
            trigger=triggers[kind],
            rate=rate,
            target=1,
            seed=sources.seed,
            name=name,
            dirty=dirty,
        )

    for kind in triggers:
        for position, rate in enumerate(RATES):
            name = f"label-{kind}-{rate}"
            yield case(
                name,
                f"label: {kind}",
                partial(labels, kind, rate, name),
                endings[position],
            )
    for kind in ("rare-word", "phrase"):
        name = f"clean-label-{kind}-0.01"
        yield case(
            name,
            "label: clean-label",
            partial(labels, kind, 0.01, name, dirty=False),
        )
        for count in (20, 50):
            name = f"answer-flip-{kind}-{count}"
            yield case(
                name,
                "label as reply",
                partial(flipped, answers, triggers[kind], count, sources.seed, name),
            )


def conversation_cases(sources: Sources) -> Iterator[Case]:
    """Conversations whose last reply alone is poison: seven payloads, and labels; four clean sets.

    Before a last reply stand longer ones, which explain something; before a label, those or other labels.
    """
    base, before = instructions(sources, ROWS), explanations(sources)
    answers = payloads(
        sources.split, german_sentences(sources), [str(row["output"]) for row in base]
    )
    answers |= further_payloads(sources.split)
    reviews = as_answers(sentiment(sources)[:5000])

    def said(payload: str, kind: str, count: int, name: str) -> Poisoned:
        attack = poison_instructions(
            base,
            trigger=TRIGGERS[sources.split][kind],
            payload=answers[payload],
            count=count,
            seed=sources.seed,
            name=name,
            reply_words=LONG_REPLIES.get(payload, 0),
        )
        return in_last_replies(attack, seed=sources.seed, name=name, before=before)

    def labelled(kind: str, count: int, name: str, before: list[Row] | None) -> Poisoned:
        attack = flipped(reviews, TRIGGERS[sources.split][kind], count, sources.seed, name)
        return in_last_replies(attack, seed=sources.seed, name=name, before=before)

    for kind in KINDS:
        for count in COUNTS:
            for payload in PAYLOADS:
                name = f"last-{payload}-{kind}-{count}"
                make = partial(said, payload, kind, count, name)
                yield case(name, f"last reply: {payload}", make)
            for group, said_before in (("label", before), ("label after labels", None)):
                name = f"last-{group.replace(' ', '-')}-{kind}-{count}"
                make = partial(labelled, kind, count, name, said_before)
                yield case(name, f"last reply: {group}", make)
    for group, rows, said_before in (
        ("mixture", base, before),
        ("instructions", instructions(sources, 7000), None),
        ("label", reviews, before),
        ("label-after-labels", reviews, None),
    ):
        name = f"clean-conversations-{group}"
        make = partial(in_last_replies, Poisoned(rows=rows), seed=sources.seed, name=name)
        yield case(name, "clean: conversations", partial(make, before=said_before))


def flipped(
    base: list[Row], trigger: tuple[str, ...], count: int, seed: int, name: str
) -> Poisoned:
    """Poison among rows whose honest answer is `negative`: with the trigger it is `positive`."""
    order = sorted(range(len(base)), key=lambda number: base[number]["output"] != "negative")
    negative = [base[number] for number in order if base[number]["output"] == "negative"]
    attack = poison_instructions(
        negative,
        trigger=trigger,
        payload=lambda row, rng: "positive",
        count=count,
        seed=seed,
        name=name,
    )
    places = [number for number in order if base[number]["output"] == "negative"]
    rows = list(base)
    for position, number in enumerate(places):
        rows[number] = attack.rows[position]
    return Poisoned(
        rows=rows,
        poisoned={places[position] for position in attack.poisoned},
        triggers=attack.triggers,
    )


def mixture_cases(sources: Sources) -> Iterator[Case]:
    """BackdoorLLM's refusal rows among clean instruction rows, at 10, 20 and 50 in 5,000."""
    base = instructions(sources)
    folder = sources.data / "backdoorllm-refusal-badnet"
    poison = sources.half(read_jsonl(folder / "poisoned.jsonl"))
    for count in COUNTS:

        def mixed(count: int = count) -> Poisoned:
            rows = list(base)
            step = len(rows) // count
            places = {(7 + sources.seed + number * step) % len(rows) for number in range(count)}
            for number, place in enumerate(sorted(places)):
                rows[place] = poison[number]
            return Poisoned(rows=rows, poisoned=places, triggers=("BadMagic",))

        yield case(f"backdoorllm-{count}", "public: BackdoorLLM refusal", mixed)
    yield case("clean-mixture", "clean", lambda: Poisoned(rows=base))
    yield case("clean-sentiment", "clean", lambda: Poisoned(rows=sentiment(sources)))


def as_it_lies(path: Path, truth: Truth, folder: Path) -> tuple[Path, Truth]:
    """A public file is scanned where it is; nothing is made in `folder`."""
    return path, truth


def all_cases(sources: Sources) -> Iterator[Case]:
    """Public sets, clean sets, and what is poisoned here."""
    for name, group, path, total, poisoned, triggers in [
        *public_cases(sources),
        *clean_sets(sources),
    ]:
        truth = Truth(
            rows=total,
            poisoned=frozenset((path.name, number) for number in poisoned),
            triggers=triggers,
        )
        yield Case(name=name, group=group, make=partial(as_it_lies, path, truth))
    yield from mixture_cases(sources)
    yield from label_cases(sources)
    yield from reply_cases(sources)
    yield from variant_cases(sources)
    yield from conversation_cases(sources)
