"""The label signal: causes that go with a label which the rest of the row does not explain."""

from ld50.scan.labels.findings import LabelFinding, LabelSettings, LabelTriggers
from ld50.scan.labels.rest import Rest, RestOfRows
from ld50.scan.labels.search import find_label_triggers, search_label_triggers

__all__ = [
    "LabelFinding",
    "LabelSettings",
    "LabelTriggers",
    "Rest",
    "RestOfRows",
    "find_label_triggers",
    "search_label_triggers",
]
