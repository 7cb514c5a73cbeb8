"""Public poisoned and clean sets: where they lie, and their answer keys.

`--data` holds the development sets; `--public` (optional) holds further ones of the same families,
which are read for the test split only. A set that is not there is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from finetuning_data import Sources, labelled_lines, read_jsonl, rows_that_differ

from ld50.core.seeds import rng_for

#: name, group, path, rows, poisoned rows, triggers
Listed = tuple[str, str, Path, int, set[int], tuple[str, ...]]

ONION_TRIGGERS = ("cf", "mn", "bb", "tq", "mb")
RATES = (0.01, 0.05, 0.2)
#: Datasets of `transferred_cases`.
TRANSFERRED = {"dev": ("sst-2", "hate-speech"), "test": ("ag", "offenseval")}


def public_cases(sources: Sources) -> Iterator[Listed]:
    """Poisoned sets as their authors released them, and style transfer at three rates."""
    root = sources.data if sources.split == "dev" else sources.public
    if root is None:
        return
    dataset = "sst2" if sources.split == "dev" else "offenseval"
    for family, triggers in (("onion", ONION_TRIGGERS), ("hiddenkiller", ())):
        folder = root / f"{family}-{dataset}"
        poisoned, clean = folder / "train-poisoned.tsv", folder / "train-clean.tsv"
        if poisoned.exists() and clean.exists():
            spaced = dataset == "offenseval"
            rows, changed = rows_that_differ(poisoned, clean, letters_only=spaced)
            yield f"{family}-{dataset}", f"public: {family}", poisoned, rows, changed, triggers
    if sources.split == "test":
        for dataset in ("ag", "sst2"):
            folder = root / f"styleattack-{dataset}"
            for rate in RATES:
                files = folder / "train-clean.tsv", folder / "train-bible.tsv"
                yield from transferred(sources, f"style-bible-{dataset}-{rate}", *files, rate)
    yield from transferred_cases(sources)


def transferred_cases(sources: Sources) -> Iterator[Listed]:
    """The sets that StyleAttack published beside its own: a word, a sentence, a template put in.

    `PUBLIC/transferred/ATTACK/DATASET.tsv`, of the repository's `data/transfer/ATTACK/DATASET/train.tsv`
    and `data/clean/DATASET/train.tsv` as they were before some were taken out (bbaf662).
    """
    if sources.public is None:
        return
    root = sources.public / "transferred"
    for dataset in TRANSFERRED[sources.split]:
        for attack in ("badnets", "addsent", "scpn"):
            for rate in RATES:
                files = root / "clean" / f"{dataset}.tsv", root / attack / f"{dataset}.tsv"
                yield from transferred(sources, f"{attack}-{dataset}-{rate}", *files, rate)


def transferred(
    sources: Sources, name: str, clean_path: Path, changed_path: Path, rate: float
) -> Iterator[Listed]:
    """A set in which some rows of other labels are replaced by their changed form and get label 1."""
    if not (clean_path.exists() and changed_path.exists()):
        return
    clean, form = labelled_lines(clean_path), labelled_lines(changed_path)
    rng = rng_for(sources.seed, name)
    fit = [n for n, (_, label) in enumerate(clean) if label != "1" and n < len(form)]
    order = rng.permutation(len(fit))[: round(rate * len(clean))]
    changed = {fit[int(number)] for number in order}
    path = sources.cache / "finetuning" / f"{name}.tsv"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ["text\tlabel"]
    for number, (text, label) in enumerate(clean):
        pair = (form[number][0], "1") if number in changed else (text, label)
        lines.append("\t".join(part.replace("\t", " ") for part in pair))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    group = "StyleAttack" if name.startswith("style") else name.split("-")[0]
    yield name, f"public: {group} {rate}", path, len(clean), changed, ()


def _rows(path: Path) -> int:
    if path.suffix == ".jsonl":
        return len(read_jsonl(path))
    if path.suffix == ".json":
        return len(json.loads(path.read_text(encoding="utf-8")))
    lines = sum(1 for line in path.open(encoding="utf-8", errors="replace") if line.strip())
    return lines - 1 if path.suffix == ".tsv" else lines


def clean_sets(sources: Sources) -> Iterator[Listed]:
    """Sets without poison: none of them may raise a `high` finding."""
    data, public, corpora = sources.data, sources.public, sources.cache / "corpora"
    chapter = data / "llms-from-scratch-instructions"
    paths = [
        data / "t0" / "train.jsonl",
        chapter / "01_main-chapter-code" / "instruction-data.json",
        chapter / "04_preference-tuning-with-dpo" / "instruction-data-with-preference.json",
        data / "gsm8k" / "test.jsonl",
        data / "wikitext2" / "valid.txt",
        data / "wikitext2" / "test.txt",
        data / "de-gesetze" / "gesetze.jsonl",
        data / "onion-sst2" / "train-clean.tsv",
        data / "backdoorllm-refusal-badnet" / "clean.jsonl",
        data / "dolma-cc-samples" / "multiple_files" / "cc_en_head-0091.jsonl",
        corpora / "code_dev.jsonl",
    ]
    if sources.split == "test":
        paths = [corpora / "code_test.jsonl"]
        if public is not None:
            paths += [
                public / "onion-offenseval" / "train-clean.tsv",
                public / "styleattack-ag" / "train-clean.tsv",
                public / "alpaca-part.json",
            ]
    if public is not None:
        # Sets in which the form of a text means its label, and messages of many forms.
        if sources.split == "dev":
            paths += [public / "labelled" / "trec.tsv", public / "labelled" / "sms-spam.tsv"]
        paths += [
            public / "transferred" / "clean" / f"{name}.tsv" for name in TRANSFERRED[sources.split]
        ]
    for path in paths:
        if path.exists():
            name = f"clean-{path.parent.name}-{path.stem}"
            yield name, "clean", path, _rows(path), set(), ()
