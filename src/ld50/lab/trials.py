"""What one trial is and what came of it; the nouns live in `core`, so that reports know them too."""

from ld50.core.trials import (
    SCHEMA_VERSION,
    Cell,
    PayloadName,
    Schedule,
    Status,
    Trial,
    TrialResult,
    TriggerName,
    Unit,
)

__all__ = [
    "SCHEMA_VERSION",
    "Cell",
    "PayloadName",
    "Schedule",
    "Status",
    "Trial",
    "TrialResult",
    "TriggerName",
    "Unit",
]
