"""What the pages of studies and cures share: how they begin."""

from __future__ import annotations

from dataclasses import dataclass, field

from ld50.report.safe_text import plain

#: Style sheets of a page without charts.
STYLES = ("report.css", "study.css")
#: The same with charts.
CHART_STYLES = ("report.css", "chart.css", "study.css")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameVerdict:
    """What a study or a cure comes to, for somebody who reads one sentence."""

    level: str
    """`clear` or `minor` (an answer), `look` (an answer with a doubt), `stop`, or `nothing` (no
    answer yet), as the style sheet names them."""
    headline: str
    found: str = ""
    """The figure behind it."""
    meaning: list[str]
    """Paragraphs that say how far to trust the headline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FramedPage:
    """What `base.html` needs of a page."""

    verdict: FrameVerdict
    facts: list[tuple[str, str, str]]
    """Name, figure and a remark each: what stands below the verdict."""
    notes: list[str]
    title: str = ""
    about: str = field(default="", repr=False)


def about_text(about: str) -> str:
    """What a study says about itself, as it goes into a page."""
    return plain(" ".join(about.split()), 1200)


def trials_fact(trials: int, planned: int, failed: int) -> tuple[str, str, str]:
    """How far a study without curves is."""
    return "Trials", f"{trials} of {planned}", f"{failed} failed" if failed else "all ended well"
