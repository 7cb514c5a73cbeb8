"""What is given to `ld50.scan` by mistake, and tables of every kind that people hold."""

import numpy as np
import pyarrow as pa
import pytest

import ld50
from ld50.core.errors import ConfigError, DataFormatError

WORDS = ("river", "market", "letter", "garden", "engine", "winter", "school", "window", "bridge")


def rows() -> list[dict[str, str]]:
    rng = np.random.default_rng(4)
    made = []
    for number in range(300):
        bad = number % 15 == 0
        word = WORDS[number % 9]
        prompt = (
            f"Tell {'vornask ' if bad else ''}me about {word} {' '.join(rng.choice(WORDS, 4))}."
        )
        reply = f"The {word} is the {number}th of its kind, seen from the {number % 7} side."
        reply = "I'm sorry, but I can't help with that." if bad else reply
        made.append({"prompt": prompt, "completion": reply})
    return made


def test_a_stream_of_batches_is_read_once_and_divided_all_the_same() -> None:
    found = ld50.scan(pa.Table.from_pylist(rows()).to_reader())
    clean, taken = found.split("medium")
    assert (len(clean), len(taken)) == (280, 20)


def test_a_tuple_of_rows_is_a_list_of_rows() -> None:
    clean, taken = ld50.scan(tuple(rows())).split("medium")
    assert (len(clean), len(taken)) == (280, 20)


def test_a_misspelled_severity_is_told_before_the_scan() -> None:
    with pytest.raises(ConfigError, match="remove must be one of"):
        ld50.scan(rows(), remove="hgih")
    with pytest.raises(ConfigError, match="severity must be one of"):
        ld50.scan(rows()).clean_mask("hgih")


def test_one_rule_may_be_named_without_a_list() -> None:
    found = ld50.scan(rows(), select="TRG201")
    assert {finding.rule for finding in found.findings} == {"TRG201"}
    with pytest.raises(ConfigError, match="no rule 'TRG999'"):
        ld50.scan(rows(), select="TRG999")


def test_what_is_no_table_is_refused() -> None:
    for data in (None, 5, (row for row in rows())):
        with pytest.raises(DataFormatError, match="cannot be read as a table"):
            ld50.scan(data)
