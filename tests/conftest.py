"""Puts this folder on the import path, so that tests of every kind share samples and fakes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from report_browser import Browser, browser


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    """A headless browser, for the tests of one module; they are skipped where there is none."""
    with browser() as opened:
        yield opened
