"""Published defences, a small module each, all run on the same data.

They know nothing of what was planted; `benchmarks/defences.py` measures them, `docs/defences.md` has
the figures.
"""

from ld50.remedy.defences.bag_of_words import BagOfWords, BagSettings, fit_bag_of_words
from ld50.remedy.defences.bigram_model import BigramModel, fit_bigrams
from ld50.remedy.defences.clean_tuning import CleanTuningDefence
from ld50.remedy.defences.flags import Candidate, Flags
from ld50.remedy.defences.llr import LlrDefence
from ld50.remedy.defences.onion import OnionDefence
from ld50.remedy.defences.registry import DEFENCES, Defence, make_defence
from ld50.remedy.defences.row_filter import RowFilter
from ld50.remedy.defences.strip import StripDefence
from ld50.remedy.defences.text_model import LabelModel, LanguageTextModel, TextModel, TokenModel
from ld50.remedy.defences.z_defence import ZDefence

__all__ = [
    "DEFENCES",
    "BagOfWords",
    "BagSettings",
    "BigramModel",
    "Candidate",
    "CleanTuningDefence",
    "Defence",
    "Flags",
    "LabelModel",
    "LanguageTextModel",
    "LlrDefence",
    "OnionDefence",
    "RowFilter",
    "StripDefence",
    "TextModel",
    "TokenModel",
    "ZDefence",
    "fit_bag_of_words",
    "fit_bigrams",
    "make_defence",
]
