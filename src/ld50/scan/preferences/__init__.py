"""Preference pairs: which of them are the other way round than the rest of the set prefers."""

from ld50.scan.preferences.choices import Choices, study_choices
from ld50.scan.preferences.reading import PairBatch, read_pairs

__all__ = ["Choices", "PairBatch", "read_pairs", "study_choices"]
