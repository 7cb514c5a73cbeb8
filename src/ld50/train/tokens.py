"""The tokens of a study's text on disk: made once, read by every trial as a memory map."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np

from ld50.core.errors import ConfigError, DataFormatError, SourceError
from ld50.core.files import only_here, whole_folder
from ld50.models.extras import require_lab
from ld50.models.tokens import PARTS, Part, TokenSet, TokenStore
from ld50.models.vocabulary import Vocabulary, learn_vocabulary, read_vocabulary
from ld50.train.text import TrainingText, documents, part_of

#: Part of the cache's key: raised when the files' meaning changes.
_FORMAT = 1
#: Characters that a vocabulary is learned from, at most.
_LEARN_CHARACTERS = 12_000_000
#: Whole text of which the held-out hundredths are kept in full; of larger ones a part is enough.
_HELD_OUT_CHARACTERS = 1_000_000_000


def token_store(
    text: TrainingText, vocabulary_size: int, *, say: Callable[[str], None] | None = None
) -> TokenStore:
    """The tokens of the text, from the cache where they are there, else made and kept.

    Processes that ask for the same tokens at the same time make them once: the others wait.

    Raises:
        SourceError, DataFormatError: The text cannot be read, or holds too little.
        MissingExtraError: The packages for training are missing.
    """
    require_lab()
    fingerprint = text.fingerprint()
    folder = text.cache / f"tokens-{fingerprint[:16]}-{vocabulary_size}-v{_FORMAT}"
    if not (folder / "meta.json").exists():
        text.cache.mkdir(parents=True, exist_ok=True)
        with only_here(text.cache / f".{folder.name}.lock"):
            if not (folder / "meta.json").exists():
                (say or _silent)(f"Tokenising the text into {folder}")
                _make(text, vocabulary_size, folder)
    return _open(folder, fingerprint)


def _silent(_: str) -> None:
    pass


def _make(text: TrainingText, vocabulary_size: int, folder: Path) -> None:
    whole = sum(len(document) for document in documents(text.sources, text.layout))
    share = _Share.of(whole, text.most_characters)
    learned = learn_vocabulary(_sample(text, share, whole), vocabulary_size)
    with whole_folder(folder) as made:
        sizes = _write_parts(text, share, learned, made)
        learned.save(made)
        meta = {"format": _FORMAT, "bytes": sizes, "sources": list(text.sources)}
        path = made / "meta.json"
        path.write_text(json.dumps(meta, indent=2) + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Share:
    """The shares of the documents that are kept, 0 to 1."""

    train: float
    held_out: float

    @classmethod
    def of(cls, whole: int, most: int | None) -> _Share:
        """Shares of a text of so many characters."""
        held = min(1.0, _HELD_OUT_CHARACTERS / max(whole, 1))
        return cls(train=1.0 if most is None else min(1.0, most / max(whole, 1)), held_out=held)

    def keeps(self, part: Part, rank: float) -> bool:
        """Whether a document is among them."""
        return rank <= (self.train if part == "train" else self.held_out)


def _sample(text: TrainingText, share: _Share, whole: int) -> Iterator[str]:
    """Training documents from all files to learn a vocabulary from, about as many as wanted."""
    wanted = min(share.train, _LEARN_CHARACTERS / max(whole, 1))
    for document in documents(text.sources, text.layout):
        part, rank = part_of(document)
        if part == "train" and rank <= wanted:
            yield document


class _PartWriter:
    """Appends the documents of a part to its file."""

    def __init__(self, folder: Path, name: str, dtype: np.dtype) -> None:
        self.folder, self.name, self.dtype = folder, name, dtype
        self.file: IO[bytes] = (folder / f"{name}.tokens").open("wb")
        self.starts = [0]
        self.bytes = 0

    def add(self, tokens: np.ndarray, boundary: int, size: int) -> None:
        closed = np.append(tokens, boundary).astype(self.dtype)
        self.file.write(closed.tobytes())
        self.starts.append(self.starts[-1] + len(closed))
        self.bytes += size

    def close(self) -> None:
        self.file.close()
        np.save(self.folder / f"{self.name}.starts.npy", np.asarray(self.starts, np.int64))


def _write_parts(
    text: TrainingText, share: _Share, vocabulary: Vocabulary, folder: Path
) -> dict[str, int]:
    dtype = np.dtype(np.uint16 if vocabulary.size <= 1 << 16 else np.uint32)
    writers = {part: _PartWriter(folder, part, dtype) for part in PARTS}
    counts = np.zeros(vocabulary.size, np.int64)
    chosen = ((d, *part_of(d)) for d in documents(text.sources, text.layout))
    kept = ((document, part) for document, part, rank in chosen if share.keeps(part, rank))
    while block := list(islice(kept, 1024)):
        encoded = vocabulary.encode(document for document, _ in block)
        for (document, part), tokens in zip(block, encoded, strict=True):
            writers[part].add(tokens, vocabulary.boundary, len(document.encode()))
            if part == "train":
                counts += np.bincount(tokens, minlength=len(counts))
    if second := text.second_sources():
        writer = _PartWriter(folder, "second", dtype)
        passages = list(documents(second, text.layout, second=True))
        for passage, tokens in zip(passages, vocabulary.encode(passages), strict=True):
            writer.add(tokens, vocabulary.boundary, len(passage.encode()))
        writer.close()
    for writer in writers.values():
        writer.close()
    np.save(folder / "counts.npy", counts)
    _require_enough(text, writers)
    return {part: writers[part].bytes for part in PARTS}


def _require_enough(text: TrainingText, writers: dict[Part, _PartWriter]) -> None:
    for part, writer in writers.items():
        if len(writer.starts) < 9:
            raise SourceError(
                f"The text ({', '.join(text.sources)}) is too little to train on: its part "
                f"{part!r} holds {len(writer.starts) - 1} documents, and at least 8 are needed. "
                "A few hundred documents are the least to start from."
            )


def _open(folder: Path, fingerprint: str) -> TokenStore:
    try:
        meta = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
        vocabulary = read_vocabulary(folder)
        second = (folder / "second.tokens").exists()
        return TokenStore(
            vocabulary=vocabulary,
            parts={part: _open_part(folder, part, vocabulary) for part in PARTS},
            second_language=_open_part(folder, "second", vocabulary) if second else None,
            fingerprint=fingerprint,
            bytes=meta["bytes"],
            counts=np.load(folder / "counts.npy", allow_pickle=False),
        )
    except (OSError, ValueError, KeyError) as error:
        raise DataFormatError(
            f"The tokens in {folder} are damaged ({error}); delete the folder to make them again."
        ) from error


def _open_part(folder: Path, name: str, vocabulary: Vocabulary) -> TokenSet:
    dtype = np.uint16 if vocabulary.size <= 1 << 16 else np.uint32
    tokens = np.memmap(folder / f"{name}.tokens", dtype, "r")
    starts = np.load(folder / f"{name}.starts.npy", allow_pickle=False)
    if len(tokens) != starts[-1]:
        raise DataFormatError(f"{folder / name}.tokens holds {len(tokens)} of {starts[-1]} tokens.")
    return TokenSet(tokens=tokens, starts=starts)


def require_second(store: TokenStore) -> TokenSet:
    """The text in the second language.

    Raises:
        ConfigError: The study has none.
    """
    if store.second_language is None:
        raise ConfigError(
            "A language switch needs text in a second language: name files in second_language."
        )
    return store.second_language
