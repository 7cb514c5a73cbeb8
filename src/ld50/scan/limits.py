"""The fewest poisoned rows that the tests of a run could tell from chance."""

from __future__ import annotations

import math

from ld50.core.results import DetectionLimit
from ld50.report.wording import share
from ld50.scan import replies
from ld50.scan.assemble import RULE_OF
from ld50.scan.candidates import LEAST_LISTED
from ld50.scan.engine import Evidence
from ld50.scan.settings import ScanSettings
from ld50.scan.statistics import smallest_detectable
from ld50.scan.survey import Survey
from ld50.scan.unanswered import unanswered


def detection_limits(
    settings: ScanSettings, evidence: Evidence, what: str = "rows"
) -> list[DetectionLimit]:
    """Fewest rows of each rule that the tests of one reading could tell from chance.

    Args:
        settings: Of the tests.
        evidence: What was tested.
        what: Stands in it, in words.
    """
    rows = max(evidence.survey.readable, 1)
    worst: dict[str, float] = {}
    fewest: dict[str, int] = {}
    for consequence, group in zip(evidence.consequences, evidence.groups, strict=True):
        rule = RULE_OF[consequence.kind]
        could = rows if group is None or group.population is None else len(group.population)
        shown = len(consequence.rows) / max(could, 1)
        worst[rule] = max(worst.get(rule, 0.0), shown)
        seen = len(consequence.looked_at) / max(len(consequence.rows), 1)
        if consequence.listed is not None:
            # Twice as many as must be seen are seen often enough nearly always.
            fewest[rule] = max(fewest.get(rule, 0), round(2 * LEAST_LISTED / seen))
    limits = []
    for rule in sorted(set(RULE_OF.values())):
        if not settings.runs(rule) or not _possible(rule, evidence.survey):
            continue
        rate = max(worst.get(rule, 0.0), 1 / rows)
        # A consequence that more than half of all rows show could not set any row apart.
        needed = None if rate > 0.5 else smallest_detectable(rate, evidence.tests, settings.alpha)
        limits.append(
            DetectionLimit(
                rule=rule,
                rows=None
                if needed is None
                else max(needed, settings.min_support, fewest.get(rule, 0)),
                why=(
                    f"{share(rate, 1)} of the {what} show this anyway, and {evidence.tests:,} pairs of "
                    "cause and consequence were tested"
                ),
            )
        )
    return limits


def largest_limits(
    limits: list[DetectionLimit], others: list[DetectionLimit]
) -> list[DetectionLimit]:
    """Of each rule the limit that poison has to pass wherever it stands."""
    larger = {limit.rule: limit for limit in others}
    return [max(limit, larger.get(limit.rule, limit), key=_rows_needed) for limit in limits]


def _rows_needed(limit: DetectionLimit) -> float:
    return math.inf if limit.rows is None else limit.rows


def _possible(rule: str, survey: Survey) -> bool:
    chat = survey.chat is not None and unanswered(survey) < len(survey.chat)
    text = survey.rows > (0 if survey.chat is None else len(survey.chat))
    if rule == RULE_OF[replies.SWAPPED]:
        # Told by the test of preferences itself.
        return False
    return (rule.startswith("TRG2") and chat) or (
        rule.startswith("TRG1") and (text or survey.chat is not None)
    )
