"""What a scan may be told."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from ld50.core.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanSettings:
    """Settings of the tests. The defaults are what every stated recall and false-alarm rate is for."""

    min_support: int = 5
    """Fewest rows that make a finding; 3 to 10,000."""
    alpha: float = 1e-4
    """False-discovery rate over all tests of the run; above 0, at most 0.05."""
    select: tuple[str, ...] = ()
    """Rules to run, by id or prefix (`TRG`, `TRG101`); empty means all."""
    ignore: tuple[str, ...] = ()
    """Rules to leave out, by id or prefix; wins over `select`."""
    weak: bool = False
    """Write associations, too, that a subject or a template accounts for as well as poison does."""
    seed: int = 0
    """For permutation tests and sampled rows."""
    label_text_bytes: int = 96 << 20
    """Labelled text that is held in memory for the label test; past it, rows are sampled."""
    label_test_bytes: int = 560 << 20
    """Memory for what the label test builds from rows, words and labels, as it is estimated before the
    test; past it, rows are sampled. About 60,000 rows of 20 words with two labels fit into the default."""
    most_segments: int = 10_000
    """Rows kept for each continuation signal, strongest first."""

    def __post_init__(self) -> None:
        if not 3 <= self.min_support <= 10_000:
            raise ConfigError(f"min_support must lie between 3 and 10000, got {self.min_support}.")
        if not 0 < self.alpha <= 0.05:
            raise ConfigError(f"alpha must lie above 0 and not above 0.05, got {self.alpha}.")
        for name in (*self.select, *self.ignore):
            _check_rule(name)
        if self.most_segments < 100:
            raise ConfigError(f"most_segments must be at least 100, got {self.most_segments}.")
        if self.label_text_bytes < 1 << 20:
            raise ConfigError("label_text_bytes must be at least 1 MiB.")
        if self.label_test_bytes < 1 << 20:
            raise ConfigError("label_test_bytes must be at least 1 MiB.")

    def runs(self, rule: str) -> bool:
        """Whether a rule is to run under `select` and `ignore`."""
        chosen = not self.select or any(rule.startswith(prefix.upper()) for prefix in self.select)
        return chosen and not any(rule.startswith(prefix.upper()) for prefix in self.ignore)

    def as_json(self) -> dict[str, Any]:
        """The settings as JSON writes them."""
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }


def _check_rule(name: str) -> None:
    """Refuses what is neither a rule nor the beginning of one: it would select nothing, in silence."""
    from ld50.scan.rulebook import RULES

    if not name or not any(rule.id.startswith(name.upper()) for rule in RULES):
        RULES.get(name)
        raise ConfigError(
            f"Rules are selected by id or by its beginning (TRG, TRG101), got {name!r}."
        )
