"""Fine-tuning data in and out: any layout that a scan reads, and OpenAI-style JSONL."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ld50.core.errors import DataFormatError
from ld50.core.examples import Example, Turn
from ld50.core.files import write_atomically
from ld50.corpus import LayoutOptions, expand, plan
from ld50.corpus.conversations import conversations


@dataclass(frozen=True, kw_only=True)
class ExampleSet:
    """Examples, and where each stood."""

    examples: tuple[Example, ...] = field(repr=False)
    sources: tuple[str, ...]
    """The files, as given or as a folder or glob expanded to."""
    source_numbers: np.ndarray = field(repr=False)
    """int32 (examples,): index into `sources`."""
    rows: np.ndarray = field(repr=False)
    """int64 (examples,): number of the row in its file, from 0."""
    skipped: Mapping[str, int]
    """Rows that are no example, by reason."""

    def __len__(self) -> int:
        return len(self.examples)


def read_examples(
    paths: str | Path | Sequence[str | Path],
    layout: LayoutOptions | None = None,
    *,
    label_names: Mapping[str, str] | None = None,
) -> ExampleSet:
    """The rows of files as examples, in order.

    Chats end with their last reply, later turns are left out; in a row of text and label, the label
    is the reply. Preference data keeps the rejected reply.

    Args:
        paths: Files, folders, globs, URLs, as for a scan.
        layout: What looking does not tell.
        label_names: What stands for a label, such as `{"1": "positive"}`.

    Raises:
        SourceError: A path does not exist.
        DataFormatError: A file cannot be read, or holds no example at all.
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    reading = plan(expand([str(path) for path in given]), layout)
    sources = tuple(dict.fromkeys(source.file.source for source in reading.sources))
    numbers = {source: number for number, source in enumerate(sources)}
    examples: list[Example] = []
    places: list[tuple[int, int]] = []
    skipped: Counter[str] = Counter()
    for found in conversations(reading, label_names=dict(label_names or {})):
        if isinstance(found, str):
            skipped[found] += 1
            continue
        examples.append(Example(turns=found.turns, rejected=found.rejected, id=found.id))
        places.append((numbers[found.source], found.row))
    if not examples:
        why = ", ".join(f"{reason}: {count:,}" for reason, count in skipped.most_common(3))
        layouts = ", ".join(sorted({source.layout.name for source in reading.sources}))
        raise DataFormatError(
            f"{', '.join(map(str, given))[:300]}: no row is a prompt with a reply (layout "
            f"{layouts}; {why or 'no rows'}). Name the fields with --prompt-field and "
            "--response-field, or --text-field and --label-field."
        )
    where = np.asarray(places, np.int64).reshape(-1, 2)
    return ExampleSet(
        examples=tuple(examples),
        sources=sources,
        source_numbers=where[:, 0].astype(np.int32),
        rows=where[:, 1].copy(),
        skipped=dict(skipped),
    )


def write_examples(path: str | Path, examples: Iterable[Example]) -> int:
    """Writes OpenAI-style JSONL and returns the number of lines; whole or not at all.

    A line is `{"messages": [{"role", "content"}, ...]}`. Preference data, which that format has no
    place for, is `{"chosen": [...], "rejected": [...]}`, each a whole list of messages. An `id`
    follows where there is one. `read_examples` gives the same examples back.

    Raises:
        OutputError: The file could not be written.
    """
    written = 0

    def lines() -> Iterator[bytes]:
        nonlocal written
        for example in examples:
            written += 1
            yield (
                json.dumps(_line(example), ensure_ascii=False).encode("utf-8", "surrogatepass")
                + b"\n"
            )

    write_atomically(path, lines())
    return written


def _line(example: Example) -> dict[str, object]:
    line: dict[str, object] = {"messages": _messages(example.turns)}
    if example.rejected is not None:
        turned_down = (*example.prompt, Turn("assistant", example.rejected))
        line = {"chosen": _messages(example.turns), "rejected": _messages(turned_down)}
    return line if example.id is None else line | {"id": example.id}


def _messages(turns: Iterable[Turn]) -> list[dict[str, str]]:
    return [{"role": turn.role, "content": turn.text} for turn in turns]
