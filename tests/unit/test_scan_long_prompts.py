"""Of long prompts, the middle is read in the rows of the rarest consequences."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pytest

from ld50.corpus import plan_table
from ld50.scan import kernels, long_prompts
from ld50.scan.associate import Consequence
from ld50.scan.long_prompts import Middles, long_rows, middle_ngrams, middles
from ld50.scan.rereading import CauseReader
from ld50.scan.stages import PROMPT_HEAD, PROMPT_TAIL

FILLER = "some words that fill a page "


def survey(words: list[int], sample: int = 0) -> Any:
    chat = SimpleNamespace(prompt_words=np.array(words, dtype=np.uint16))
    nothing = SimpleNamespace(ngrams=np.zeros(0, np.uint64), counts=np.zeros(0), rows=sample)
    ordinals = np.arange(len(words), dtype=np.int64)
    return cast(
        Any, SimpleNamespace(chat=chat, chat_ordinals=ordinals, sample=nothing, rows=len(words))
    )


def shown(*rows: int) -> Consequence:
    return Consequence(kind="repeated_reply", text="", rows=np.array(rows, dtype=np.int64))


def test_consequences_of_few_rows_come_first_and_short_prompts_take_no_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(long_prompts, "_MOST_WORDS", 5_000)
    words = [2_000, 100, 2_000, 2_000, 2_000]
    chosen = long_rows([shown(0, 1, 2, 3, 4), shown(0, 1, 2), shown(1)], survey(words))
    assert [(number, rows.tolist()) for number, rows in chosen] == [(1, [0, 2])]


def test_what_lies_between_beginning_and_end_is_read_with_a_margin() -> None:
    text = "a" * PROMPT_HEAD + " in the middle " + "b" * PROMPT_TAIL
    job = plan_table([{"prompt": p, "response": "yes"} for p in ("short", text, text[:8000])])
    rows, texts = middles(CauseReader(job, 0), 0, np.arange(3))
    assert rows.tolist() == [1]
    margin = long_prompts._OVERLAP
    assert texts.to_pylist() == ["a" * margin + " in the middle " + "b" * margin]


def test_ngrams_that_enough_rows_of_one_consequence_share_are_listed() -> None:
    texts = [FILLER + f"number{row} " + ("quindlefarb" if row < 6 else "") for row in range(8)]
    found = Middles(rows=np.arange(8), texts=pa.array(texts, type=pa.large_string()))
    chosen = [(0, np.arange(6)), (1, np.arange(8))]
    rows, hashes = middle_ngrams(found, chosen, np.array([6, 9]), survey([2_000] * 8))
    wanted = kernels.phrase_hashes(pa.array(["quindlefarb", "number1"], type=pa.large_string()))
    assert rows[hashes == wanted[0]].tolist() == [0, 1, 2, 3, 4, 5]
    assert wanted[1] not in hashes
    assert (np.diff(rows) >= 0).all()


def test_what_stands_in_too_few_of_the_middles_is_never_listed() -> None:
    rng = np.random.default_rng(1)
    texts = [" ".join(f"{row}x{n}" for n in rng.integers(0, 10**9, 400)) for row in range(8)]
    texts = [f"{text} quindlefarb" for text in texts]
    column = pa.array(texts, type=pa.large_string())
    listed = long_prompts._listed(column, 6)
    wanted = kernels.phrase_hashes(pa.array(["quindlefarb"], type=pa.large_string()))
    assert (listed.hash == wanted[0]).sum() == 8
    assert len(listed.hash) < 0.1 * len(kernels.ngrams(column, distinct=True).hash)
