"""One self-contained page: no network, no script, everything from the data escaped.

The page carries a content security policy that forbids everything but its own style sheet, named by
its digest: should a mistake ever let markup from the data through, it would still be inert.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ld50.core.results import ScanResult
from ld50.core.rules import Rule
from ld50.core.version import VERSION

if TYPE_CHECKING:
    import jinja2

    from ld50.report.finding_views import PageLimits


def render_html(
    result: ScanResult,
    *,
    rules: Iterable[Rule] | None = None,
    limits: PageLimits | None = None,
) -> str:
    """The report as one HTML page: same result, same bytes (no clock, no duration).

    Args:
        result: What a scan found, strongest first.
        rules: Documents of the rules, shown beside the findings and as blind spots.
        limits: How much of a large result the page carries; cut-offs are stated on the page.
    """
    from ld50.report.page import page
    from ld50.report.safe_text import plain

    shown = page(result, rules or (), limits)
    summary = shown.result.summary
    return render_page(
        "report.html",
        ["report.css"],
        version=plain(summary.ld50_version, 40),
        page=shown,
        summary=summary,
    )


def render_page(
    template: str, styles: Iterable[str], *, version: str = VERSION, **shown: object
) -> str:
    """A page that extends `base.html`, with its style sheets inside and the policy that names them.

    Args:
        template: Its name.
        styles: Names of style sheets, in the order in which they count.
        version: Of ld50, which made what is shown.
        shown: What the template asks for.
    """
    from markupsafe import Markup

    from ld50.report.safe_text import without_surrogates

    css = "".join(map(style_sheet, styles))
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    text = (
        environment()
        .get_template(template)
        .render(css=Markup(css), policy=policy, version=version, **shown)
    )
    return without_surrogates(text)


@functools.cache
def environment() -> jinja2.Environment:
    """The templates, with escaping always on and unknown names refused."""
    import jinja2

    from ld50.report import wording
    from ld50.report.markup import sentence, visible
    from ld50.report.prose import markdown_html
    from ld50.report.safe_text import plain

    made = jinja2.Environment(
        loader=jinja2.PackageLoader("ld50.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.filters.update(
        visible=visible,
        plain=plain,
        sentence=sentence,
        markdown=markdown_html,
        counted=wording.counted,
        size=wording.byte_size,
        reasons=wording.reasons_in_words,
    )
    return made


@functools.cache
def style_sheet(name: str) -> str:
    """A style sheet of the package as it goes into a page."""
    source, _, _ = environment().loader.get_source(environment(), name)  # type: ignore[union-attr]
    return source
