"""Every rule can be explained, and says how often it was wrong or that nobody measured it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ld50.core.rules import Rule
from ld50.scan.assemble import RULE_OF
from ld50.scan.causeless import RULE as CAUSELESS
from ld50.scan.channels import RULES as CHANNELS
from ld50.scan.compliance import RULE as COMPLIANCE
from ld50.scan.copies import RULE as COPIES
from ld50.scan.injected_names import RULE as NAMES
from ld50.scan.labelled import MISFIT_RULE, RULE_OF_KIND
from ld50.scan.presence import RULE as PRESENCE
from ld50.scan.rulebook import RULES

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("rule", list(RULES), ids=lambda rule: rule.id)
def test_a_rule_explains_itself_in_every_part(rule: Rule) -> None:
    for part in ("summary", "what", "why", "blind_spots", "example", "remedy", "source"):
        assert getattr(rule, part).strip(), part
    assert not rule.summary.endswith(".")
    assert len(rule.summary) <= 90


@pytest.mark.parametrize("rule", list(RULES), ids=lambda rule: rule.id)
def test_false_alarms_are_measured_by_a_command_or_said_not_to_be(rule: Rule) -> None:
    told = rule.false_positive_rate
    commands = re.findall(r"`python (benchmarks/\w+\.py)", told)
    assert commands or "not measured" in told.lower() or "Never rated above" in told
    for command in commands:
        assert (ROOT / command).is_file(), command


def test_every_finding_has_a_rule_and_every_rule_a_finding() -> None:
    told = {*RULE_OF.values(), *RULE_OF_KIND.values(), *CHANNELS}
    told |= {COMPLIANCE, CAUSELESS, NAMES, MISFIT_RULE, PRESENCE, COPIES}
    assert told == {rule.id for rule in RULES}
