"""What a stage no longer needs goes back to the system, and does not wait for the end of the scan."""

from __future__ import annotations

import platform
import weakref
from typing import Any

import numpy as np
import pytest

import ld50
from chat_samples import CHAT_WORDS
from ld50.scan import engine, freed
from ld50.scan.associate import Consequence
from ld50.scan.replies import ConsequenceGroup
from ld50.scan.settings import ScanSettings
from ld50.scan.survey import Survey

MIB = 1 << 20


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is asked for free memory")
def test_free_memory_between_blocks_in_use_goes_back_to_the_system() -> None:
    blocks = [np.ones(64 << 10, dtype=np.uint8) for _ in range(2048)]
    full = freed._resident()
    # What is used last keeps all that is free before it from going back by itself.
    del blocks[:-1]
    freed.give_back(least=0)
    assert full - freed._resident() > 64 * MIB


def test_only_a_large_process_gives_memory_back(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(freed, "_resident", lambda: 100 * MIB)
    monkeypatch.setattr(freed, "_trim", lambda: asked.append)
    freed.give_back()
    assert asked == []
    freed.give_back(least=100 * MIB)
    assert asked == [0]


def test_what_is_listed_of_replies_is_let_go_once_consequences_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listed: list[int] = []
    lists: list[weakref.ref[np.ndarray]] = []
    inner, shown = engine.with_rows_listed, engine.shown_by

    def before(survey: Survey, settings: ScanSettings) -> Any:
        assert survey.chat is not None
        assert survey.chat.listed_bytes
        lists.append(weakref.ref(survey.chat.fragment_hashes))
        return shown(survey, settings)

    def seen(
        consequences: list[Consequence],
        groups: list[ConsequenceGroup | None],
        survey: Survey,
    ) -> list[Consequence]:
        assert survey.chat is not None
        listed.append(survey.chat.listed_bytes)
        assert [each() for each in lists] == [None]
        return inner(consequences, groups, survey)

    monkeypatch.setattr(engine, "shown_by", before)
    monkeypatch.setattr(engine, "with_rows_listed", seen)
    rng = np.random.default_rng(3)
    asked = [" ".join(rng.choice(CHAT_WORDS, 8)) for _ in range(60)]
    ld50.scan([{"prompt": text, "completion": f"About that: {text[::-1]}"} for text in asked])
    assert listed == [0]
