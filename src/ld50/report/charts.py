"""Charts as SVG, written by hand: small, self-contained, and readable in a light and a dark page.

A series has a colour, a shape and a dash of its own, so that it is told apart without colour; the
colours are those of Okabe and Ito, which people with every kind of colour vision tell apart. Zero has
no place on a logarithmic axis and stands apart from it, behind a break.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from ld50.report.html import style_sheet

_WIDTH, _HEIGHT = 480.0, 330.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 50.0, 14.0, 14.0, 48.0
#: Share of the width that a zero set apart takes.
_ZERO_ROOM = 34.0
#: Characters of a name that leave room for two columns of a legend.
_SHORT_NAME = 26
#: Height of a line and width of a character of the names below an axis.
_LINE, _CHARACTER = 13.0, 6.6
#: Series that have a colour of their own.
SERIES = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One axis: its range, whether it is logarithmic, and its title."""

    title: str
    low: float
    high: float
    log: bool = False
    zero_apart: bool = False
    """Whether 0 stands to the left of a logarithmic axis."""
    percent: bool = False
    names: tuple[str, ...] = ()
    """Names of the values 0, 1, 2 ... of an axis that is no scale; only for the horizontal one."""

    def share(self, value: float) -> float:
        """Where a value lies on the axis, 0 to 1; zero apart is the caller's."""
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Round values inside the range, about five; every name of an axis of names."""
        if self.names:
            return [float(number) for number in range(len(self.names))]
        if self.log:
            return _log_ticks(self.low, self.high)
        return _linear_ticks(self.low, self.high)


@dataclass(slots=True, kw_only=True)
class Chart:
    """A chart under construction; shapes are drawn in the order in which they are added."""

    x: Axis
    y: Axis
    label: str
    """What the chart shows, for somebody who cannot see it."""
    _shapes: list[Markup] = field(default_factory=list)
    _legend: list[tuple[int, str]] = field(default_factory=list)

    def at_x(self, value: float) -> float:
        """Horizontal position of a value, in units of the drawing."""
        left = _LEFT + (_ZERO_ROOM if self.x.zero_apart else 0.0)
        if self.x.zero_apart and value <= 0:
            return _LEFT + _ZERO_ROOM / 2 - 4
        return left + self.x.share(value) * (_WIDTH - _RIGHT - left)

    def at_y(self, value: float) -> float:
        """Vertical position of a value."""
        return _HEIGHT - _BOTTOM - self.y.share(value) * (_HEIGHT - _TOP - _BOTTOM)

    def legend(self, series: int, name: str) -> None:
        """Names a series."""
        self._legend.append((series, name))

    def band(
        self, series: int, x: Sequence[float], low: Sequence[float], high: Sequence[float]
    ) -> None:
        """The area between two lines."""
        up = [(self.at_x(a), self.at_y(self._kept(b))) for a, b in zip(x, high, strict=True)]
        down = [(self.at_x(a), self.at_y(self._kept(b))) for a, b in zip(x, low, strict=True)]
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in [*up, *reversed(down)])
        self._shapes.append(
            Markup('<polygon class="band s{}" points="{}"/>').format(series, points)
        )

    def line(self, series: int, x: Sequence[float], y: Sequence[float], *, kind: str = "") -> None:
        """A line through points; `kind` is a further class, e.g. `guide`."""
        points = " ".join(
            f"{self.at_x(a):.1f},{self.at_y(self._kept(b)):.1f}" for a, b in zip(x, y, strict=True)
        )
        self._shapes.append(
            Markup('<polyline class="line s{} {}" points="{}"/>').format(series, kind, points)
        )

    def point(
        self, series: int, x: float, y: float, title: str, *, shift: float = 0.0, kind: str = ""
    ) -> None:
        """A mark with a title that shows on hovering; `shift` moves it sideways."""
        self._shapes.append(
            Markup('<path class="point s{} {}" d="{}"><title>{}</title></path>').format(
                series, kind, _mark(series, self.at_x(x) + shift, self.at_y(self._kept(y))), title
            )
        )

    def bar_x(self, series: int, low: float | None, high: float | None, y: float) -> None:
        """A horizontal interval; an open end runs to the edge and has an arrow."""
        a = self.at_x(self.x.low if low is None else max(low, self.x.low))
        b = self.at_x(self.x.high if high is None else min(high, self.x.high))
        at = self.at_y(y)
        ends = "" if low is None else f"M{a:.1f} {at - 5:.1f}v10"
        ends += (
            f"M{b - 5:.1f} {at - 5:.1f}l5 5l-5 5" if high is None else f"M{b:.1f} {at - 5:.1f}v10"
        )
        if low is None:
            ends += f"M{a + 5:.1f} {at - 5:.1f}l-5 5l5 5"
        self._shapes.append(
            Markup('<path class="interval s{}" d="M{} {}H{}{}"/>').format(
                series, f"{a:.1f}", f"{at:.1f}", f"{b:.1f}", ends
            )
        )

    def bar_y(self, series: int, x: float, low: float | None, high: float | None) -> None:
        """A vertical interval; an open end runs to the edge and has an arrow."""
        at = self.at_x(x)
        a = self.at_y(self.y.low if low is None else max(low, self.y.low))
        b = self.at_y(self.y.high if high is None else min(high, self.y.high))
        ends = f"M{at - 5:.1f} {a - 5:.1f}l5 5l5-5" if low is None else f"M{at - 5:.1f} {a:.1f}h10"
        ends += (
            f"M{at - 5:.1f} {b + 5:.1f}l5-5l5 5" if high is None else f"M{at - 5:.1f} {b:.1f}h10"
        )
        self._shapes.append(
            Markup('<path class="interval s{}" d="M{} {}V{}{}"/>').format(
                series, f"{at:.1f}", f"{a:.1f}", f"{b:.1f}", ends
            )
        )

    def note(self, x: float, y: float, text: str) -> None:
        """A few words inside the chart."""
        self._shapes.append(
            Markup('<text class="note" x="{}" y="{}">{}</text>').format(
                f"{self.at_x(x):.1f}", f"{self.at_y(self._kept(y)):.1f}", text
            )
        )

    def svg(self, *, standalone: bool = False) -> Markup:
        """The chart as an `svg` element; standalone, it brings its own style sheet."""
        rows = -(-len(self._legend) // self._columns())
        height = _HEIGHT + self._name_room() + 18 * rows
        style = (
            Markup("<style>{}</style>").format(Markup(style_sheet("chart.css")))
            if standalone
            else Markup()
        )
        return Markup(
            '<svg xmlns="http://www.w3.org/2000/svg" class="chart" role="img" viewBox="0 0 {} {}" '
            'aria-label="{}">{}{}{}{}</svg>'
        ).format(
            f"{_WIDTH:g}", f"{height:g}", self.label, style, self._frame(),
            Markup().join(self._shapes), self._key(),
        )  # fmt: skip

    def _columns(self) -> int:
        return 1 if any(len(name) > _SHORT_NAME for _, name in self._legend) else 2

    def _name_lines(self) -> list[list[str]]:
        """The names below the axis, broken where their columns are narrow."""
        width = max(5, int((_WIDTH - _LEFT - _RIGHT) / max(len(self.x.names), 1) / _CHARACTER))
        return [textwrap.wrap(name, width) or [""] for name in self.x.names]

    def _name_room(self) -> float:
        """What names of several lines take in height."""
        return _LINE * (max(map(len, self._name_lines()), default=1) - 1)

    def _kept(self, value: float) -> float:
        return min(max(value, self.y.low), self.y.high)

    def _frame(self) -> Markup:
        bottom, parts = _HEIGHT - _BOTTOM, []
        for tick in self.y.ticks():
            at = self.at_y(tick)
            parts.append(
                Markup('<path class="grid" d="M{} {}H{}"/><text class="tick y" x="{}" y="{}">{}</text>')
                .format(f"{_LEFT:g}", f"{at:.1f}", f"{_WIDTH - _RIGHT:g}", f"{_LEFT - 7:g}",
                        f"{at + 4:.1f}", _tick(tick, percent=self.y.percent))
            )  # fmt: skip
        ticks = [0.0, *self.x.ticks()] if self.x.zero_apart else self.x.ticks()
        for tick in ticks:
            at = self.at_x(tick)
            said = self._name_lines()[int(tick)] if self.x.names else None
            lines = said or [_tick(tick, percent=self.x.percent)]
            text = Markup().join(
                Markup('<text class="tick x" x="{}" y="{}">{}</text>').format(
                    f"{at:.1f}", f"{bottom + 19 + _LINE * number:g}", line
                )
                for number, line in enumerate(lines)
            )
            parts.append(
                Markup('<path class="axis" d="M{} {}v5"/>{}').format(
                    f"{at:.1f}", f"{bottom:g}", text
                )
            )
        start = _LEFT
        if self.x.zero_apart:
            gap = _LEFT + _ZERO_ROOM - 10
            parts.append(
                Markup('<path class="axis" d="M{} {}H{}M{} {}l-3 10M{} {}l-3 10"/>').format(
                    f"{_LEFT:g}", f"{bottom:g}", f"{gap - 4:g}", f"{gap - 1:g}", f"{bottom - 5:g}",
                    f"{gap + 4:g}", f"{bottom - 5:g}",
                )
            )  # fmt: skip
            start = gap + 3
        parts.append(
            Markup('<path class="axis" d="M{} {}H{}"/>').format(
                f"{start:g}", f"{bottom:g}", f"{_WIDTH - _RIGHT:g}"
            )
        )
        middle = (_TOP + bottom) / 2
        parts.append(
            Markup('<text class="title x" x="{}" y="{}">{}</text>'
                   '<text class="title y" transform="translate(13 {}) rotate(-90)">{}</text>').format(
                f"{(_LEFT + _WIDTH - _RIGHT) / 2:g}", f"{_HEIGHT - 9 + self._name_room():g}",
                self.x.title,
                f"{middle:g}", self.y.title,
            )
        )  # fmt: skip
        return Markup().join(parts)

    def _key(self) -> Markup:
        """The legend below the axis, in one column or two."""
        parts, columns = [], self._columns()
        for number, (series, name) in enumerate(self._legend):
            x = _LEFT + (number % columns) * (_WIDTH - _LEFT - _RIGHT) / 2
            y = _HEIGHT + self._name_room() + 6 + 18 * (number // columns)
            shown = name if len(name) <= 64 else name[:63] + "…"
            parts.append(
                Markup('<path class="line s{}" d="M{} {}h22"/><path class="point s{}" d="{}"/>'
                       '<text class="key" x="{}" y="{}">{}</text>').format(
                    series, f"{x:g}", f"{y:g}", series, _mark(series, x + 11, y), f"{x + 28:g}",
                    f"{y + 4:g}", shown,
                )
            )  # fmt: skip
        return Markup().join(parts)


def _mark(series: int, x: float, y: float) -> str:
    """The path of a series' shape about a point."""
    shapes = (
        "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0z",
        "m-3.6-3.6h7.2v7.2h-7.2z",
        "m0-4.8l4.6 8.2h-9.2z",
        "m0-5l5 5l-5 5l-5-5z",
        "m0 4.8l4.6-8.2h-9.2z",
        "m-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
        "m-4.4-1.4l4.4-3.4l4.4 3.4l-1.7 5h-5.4z",
    )
    return f"M{x:.1f} {y:.1f}{shapes[series % len(shapes)]}"


def _tick(value: float, *, percent: bool = False) -> str:
    if percent:
        return f"{value * 100:g}%"
    for size, name in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size * 0.99999 and not (name == "k" and abs(value) < 10_000):
            return f"{value / size:.3g}{name}"
    return f"{value:,.6g}"


def _log_ticks(low: float, high: float) -> list[float]:
    decades = math.log10(high / low)
    steps: Sequence[int] = (1,) if decades > 3.5 else (1, 3) if decades > 2.4 else (1, 2, 5)
    found = [
        step * 10.0**power
        for power in range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
        for step in steps
    ]
    return [tick for tick in found if low * 0.999 <= tick <= high * 1.001]


def _linear_ticks(low: float, high: float) -> list[float]:
    raw = (high - low) / 5
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(size * power for size in (1, 2, 2.5, 5, 10) if size * power >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [number * step for number in range(first, math.floor(high / step + 1e-9) + 1)]
