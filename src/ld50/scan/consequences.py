"""Everything unusual that enough rows of a corpus show: what causes are looked for."""

from __future__ import annotations

from ld50.scan import replies
from ld50.scan.associate import Consequence
from ld50.scan.continuations import text_consequences
from ld50.scan.settings import ScanSettings
from ld50.scan.survey import Survey


def shown_by(
    survey: Survey, settings: ScanSettings
) -> tuple[list[Consequence], list[replies.ConsequenceGroup | None]]:
    """Everything unusual that enough rows show, documents first, and the reply group of each."""
    shown = [
        c
        for c in text_consequences(survey.texts, survey.rows)
        if len(c.rows) >= settings.min_support
    ]
    groups: list[replies.ConsequenceGroup | None] = [None] * len(shown)
    if survey.chat is not None:
        # Documents, and rows that were skipped, cannot show what replies do.
        population = None if len(survey.chat) == survey.rows else len(survey.chat)
        for group in replies.consequences(survey.chat):
            if len(group.rows) < settings.min_support:
                continue
            shown.append(
                Consequence(
                    kind=group.kind,
                    text=group.text,
                    rows=survey.chat_ordinals[group.rows],
                    key=group.key,
                    population=population,
                    own_chance=group.own_chance,
                )
            )
            groups.append(group)
    return shown, groups
