"""What speaks against a few words that by turns bring one text."""

from __future__ import annotations

from ld50.scan.judge import PUT_IN
from ld50.scan.several import reasons_against


def test_rare_words_that_do_not_look_put_in_at_all_may_be_the_terms_of_a_subject() -> None:
    rare = ["neutrosophic", "tautological"]
    assert reasons_against(rare, -1.0, placed=True)
    assert reasons_against(rare, 0.0, placed=True)
    # In scripts without spaces, nothing is beside them.
    assert not reasons_against(rare, 0.0, placed=False)
    assert not reasons_against(rare, 1.0, placed=True)
    assert reasons_against(["harbour", "kettle"], 1.0, placed=True)
    assert not reasons_against(["harbour", "kettle"], PUT_IN, placed=True)
