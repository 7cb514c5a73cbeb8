from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from ld50.corpus import expand, plan
from ld50.scan import kernels, stages
from ld50.scan.corpus_sample import merged, sample_unit, sampled_units

#: Frequent words in pairs that English hardly has.
JARGON = (
    "people because water before family though school again house during country between state only "
    "number after place while group since world until money above system"
)


def sampled(tmp_path: Path, texts: list[str]) -> kernels.ProfileTables:
    path = tmp_path / "corpus.jsonl"
    path.write_text("".join(f'{{"text": "{text}"}}\n' for text in texts))
    corpus = plan(expand([path]))
    sample = merged([sample_unit(corpus, unit) for unit in range(len(corpus.units))])
    return sample.ordinary(stages.profile_tables())


def salad(text: str, tables: kernels.ProfileTables) -> float:
    column = pa.array([text], pa.large_string())
    return float(kernels.profile(column, tables, stages.profile_settings()).salad_score[0])


def test_what_two_documents_say_is_no_salad(tmp_path: Path) -> None:
    document = f"{JARGON} {JARGON}"
    reference = salad(document, stages.profile_tables())
    assert reference > 40
    assert salad(document, sampled(tmp_path, [document, f"see {document}"])) < 0.5 * reference


def test_what_one_document_says_stays_odd(tmp_path: Path) -> None:
    document = f"{JARGON} {JARGON}"
    tables = sampled(tmp_path, [document, "a document about other things altogether"])
    assert salad(document, tables) == salad(document, stages.profile_tables())


def test_units_are_sampled_evenly_from_the_first_to_the_last() -> None:
    chosen = sampled_units(1000)
    assert chosen[0] == 0
    assert chosen[-1] == 999
    assert len(chosen) == 32
    assert max(np.diff(chosen)) <= 33
    assert sampled_units(3) == [0, 1, 2]


def test_chats_say_nothing_of_pairs_in_documents(tmp_path: Path) -> None:
    path = tmp_path / "chat.jsonl"
    path.write_text('{"prompt": "one two three", "completion": "four five six"}\n' * 3)
    sample = merged([sample_unit(plan(expand([path])), 0)])
    assert len(sample.pairs) == 0
    assert sample.rows == 2
