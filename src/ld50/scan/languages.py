"""The language that a text turned into, by its name.

Languages that share a lane of the reference table are told apart by their script, and the script by
the stretches themselves, which are read only when a finding is written down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import msgspec

from ld50.core.findings import Finding
from ld50.corpus import reference
from ld50.scan.assemble import Draft

#: Stretches that the name is taken from, and characters of each.
_MOST, _CHARACTERS = 50, 400


def with_language(draft: Draft, lane: int, stretches: Iterable[str]) -> Draft:
    """The draft with the one language in its texts that its stretches are in.

    Args:
        draft: A finding about text that goes on in another language.
        lane: That language's lane in the reference table.
        stretches: The text that is in it, row by row.
    """
    shown = [text[:_CHARACTERS] for _, text in zip(range(_MOST), stretches, strict=False)]
    general = reference.LANES[lane].name
    name = reference.language_of(lane, " ".join(shown))
    if not shown or name == general:
        return draft
    return replace(draft, finding=_renamed(draft.finding, general, name))


def _renamed(finding: Finding, general: str, name: str) -> Finding:
    consequence = finding.consequence
    if consequence is not None:
        consequence = msgspec.structs.replace(
            consequence, text=consequence.text.replace(general, name)
        )
    return msgspec.structs.replace(
        finding,
        title=finding.title.replace(general, name),
        consequence=consequence,
        explanation=finding.explanation.replace(general, name),
    )
