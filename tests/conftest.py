"""Puts this folder on the import path, so that tests of every kind share samples and fakes."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from report_browser import Browser, browser


def pytest_configure() -> None:
    """Ctrl-C reaches the programs under test, also where a shell started the tests in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module")
def tab() -> Iterator[Browser]:
    """A headless browser, for the tests of one module; they are skipped where there is none."""
    with browser() as opened:
        yield opened
