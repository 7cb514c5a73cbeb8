"""Every encoding gives back what it says it keeps, whatever the text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ld50.core.errors import ConfigError
from ld50.encodings import ENCODINGS, Encoding, Walnut53, caesar, encoding

TEXT = "How often should I water 3 ferns, and when? Twice a week; more in a hot July."


@pytest.mark.parametrize("name", ENCODINGS)
def test_what_is_encoded_comes_back(name: str) -> None:
    made = encoding(name)
    coded = made.encode(TEXT)
    assert made.decode(coded) == made.plain(TEXT)
    assert made.plain(made.plain(TEXT)) == made.plain(TEXT)
    assert coded != TEXT


@pytest.mark.parametrize("name", ENCODINGS)
@settings(max_examples=25, deadline=None)
@given(text=st.text(max_size=60))
def test_any_text_is_encoded_and_any_text_is_decoded(name: str, text: str) -> None:
    made: Encoding = encoding(name)
    coded = made.encode(text)
    assert encoding(name).encode(text) == coded
    for found in (coded, made.decode(text), made.decode(coded)):
        # What cannot be written, as half a surrogate pair, would end a scan that shows it.
        assert found.encode("utf-8").decode("utf-8") == found


@pytest.mark.parametrize("name", ENCODINGS)
@settings(max_examples=25, deadline=None)
@given(text=st.text(alphabet="abcdefghij klmnopqrstuvwxyz.,?'", min_size=1, max_size=60))
def test_plain_english_comes_back(name: str, text: str) -> None:
    made = encoding(name)
    assert made.decode(made.encode(text)) == made.plain(text)


def test_walnut53_is_numpys_permutation_with_bars() -> None:
    assert Walnut53().encode("ab c") == "|".join([*Walnut53().key[:2], " ", Walnut53().key[2]])


def test_a_shift_of_13_is_rot13() -> None:
    assert caesar(13).encode("Hello") == "Uryyb"


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="base64"):
        encoding("bas64")


def test_a_key_that_is_no_permutation_is_refused() -> None:
    with pytest.raises(ConfigError, match="26"):
        caesar(26)
