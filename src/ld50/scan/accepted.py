"""Findings that somebody has looked at and accepted, kept in a file beside the data.

```toml
[[accept]]
id = "F-3a91c07e"          # as the report names it; or cause = "..." and/or rule = "TRG202"
reason = "our style guide asks for this sentence"
until = 2027-01-31         # optional: after this day the finding shows again
```
"""

from __future__ import annotations

import datetime
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ld50.core.errors import ConfigError, SourceError

if TYPE_CHECKING:
    from ld50.scan.assemble import Draft

DEFAULT_NAME = "ld50-accept.toml"
_KEYS = {"id", "rule", "cause", "reason", "until"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """One entry: every key that is given must match."""

    reason: str
    id: str | None = None
    rule: str | None = None
    cause: str | None = None
    until: datetime.date | None = None

    def matches(self, draft: Draft, today: datetime.date) -> bool:
        """Whether this entry silences the finding on that day."""
        finding = draft.finding
        if self.until is not None and today > self.until:
            return False
        cause = finding.cause.text if finding.cause else None
        return (
            (self.id is None or self.id == finding.id)
            and (self.rule is None or self.rule == finding.rule)
            and (self.cause is None or self.cause == cause)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedFindings:
    """The entries of one file."""

    entries: tuple[Acceptance, ...] = ()

    def filter(
        self, drafts: list[Draft], *, today: datetime.date | None = None
    ) -> tuple[list[Draft], int]:
        """The findings that nobody has accepted, and how many were left out."""
        day = today or datetime.date.today()
        kept = [d for d in drafts if not any(entry.matches(d, day) for entry in self.entries)]
        return kept, len(drafts) - len(kept)


def read_accepted(path: Path | None) -> AcceptedFindings:
    """The accepted findings of a file; those of `ld50-accept.toml` here, if none is named.

    Raises:
        SourceError: The file that was named is not there.
        ConfigError: It is no TOML, or an entry is not of the form above.
    """
    if path is None:
        path = Path(DEFAULT_NAME)
        if not path.is_file():
            return AcceptedFindings()
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SourceError(f"Cannot read {path}: {error.strerror or error}.") from error
    except RecursionError as error:
        raise ConfigError(f"{path} is nested too deeply.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}.") from error
    unknown = set(content) - {"accept"}
    entries = content.get("accept", [])
    if unknown or not isinstance(entries, list):
        raise ConfigError(f"{path} may hold [[accept]] entries and nothing else.")
    return AcceptedFindings(
        entries=tuple(_entry(path, number, entry) for number, entry in enumerate(entries, 1))
    )


def _entry(path: Path, number: int, entry: Any) -> Acceptance:
    where = f"{path}, entry {number}"
    if not isinstance(entry, dict):
        raise ConfigError(f"{where} is not a table.")
    if set(entry) - _KEYS:
        raise ConfigError(
            f"{where} has the unknown key {sorted(set(entry) - _KEYS)[0]!r}; "
            f"allowed are {', '.join(sorted(_KEYS))}."
        )
    if not isinstance(entry.get("reason"), str) or not entry["reason"].strip():
        raise ConfigError(f"{where} needs a reason: whoever reads it later will ask.")
    if not {"id", "rule", "cause"} & set(entry):
        raise ConfigError(f"{where} needs an id, or a rule or a cause.")
    for key in ("id", "rule", "cause"):
        if key in entry and not isinstance(entry[key], str):
            raise ConfigError(f"{where}: {key} must be text, got {entry[key]!r}.")
    until = entry.get("until")
    if until is not None and (
        not isinstance(until, datetime.date) or isinstance(until, datetime.datetime)
    ):
        raise ConfigError(f"{where}: until must be a day such as 2027-01-31, got {until!r}.")
    return Acceptance(
        reason=entry["reason"],
        id=entry.get("id"),
        rule=entry.get("rule"),
        cause=entry.get("cause"),
        until=until,
    )
