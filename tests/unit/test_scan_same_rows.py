"""Which of two cases of the same rows a finding is told of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ld50.scan.assemble import _surprise


def case(log_p: float, *, by_form: bool = False, form: int | None = None) -> Any:
    return SimpleNamespace(
        association=SimpleNamespace(log_p=log_p), facts=SimpleNamespace(by_form=by_form), form=form
    )


def test_a_refusal_says_more_than_that_it_is_short_and_a_phrase_more_than_a_form() -> None:
    """Fifty refusals among 5,000 chat rows, of which three more refuse and one more is short."""
    assert _surprise(case(-200.0)) < _surprise(case(-225.0, by_form=True))
    assert _surprise(case(-200.0)) < _surprise(case(-210.0, form=3))
    assert _surprise(case(-100.0)) > _surprise(case(-225.0, by_form=True))
