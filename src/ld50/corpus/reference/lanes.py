"""The 32 lanes of the trigram table: which language each one stands for.

There are more languages than lanes. Close relatives share a lane (Czech and Slovak), and so do
languages whose scripts have no byte in common (Greek and Georgian): a byte trigram of one cannot be
taken for the other, so sharing costs nothing, and `language_of` tells them apart by the script.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

LANES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One column of the trigram table."""

    index: int
    code: str
    """Short name, unique: `en`, `cs+sk`, `code`."""
    languages: tuple[str, ...]
    """ISO 639 codes whose vocabulary the lane was counted on; empty for code and markup."""
    texts: tuple[str, ...]
    """Translations of LibreOffice that add running text, punctuation and further languages."""

    @property
    def kind(self) -> str:
        """`language`, or `code` for the lanes of code, settings, markup and figures."""
        return "language" if self.languages else "code"

    @property
    def name(self) -> str:
        """What the lane stands for in English, e.g. `Czech or Slovak`; see also `language_of`."""
        if not self.languages:
            return _CODE_NAMES[self.code]
        return " or ".join(LANGUAGE_NAMES[code] for code in self.languages)


_CODE_NAMES = {
    "code": "program code",
    "script": "scripts, settings or change logs",
    "markup": "markup",
    "dense": "packed code or figures",
}

_ROWS: tuple[tuple[str, str, str], ...] = (
    # code, languages with word frequencies, translations with running text
    ("en", "en", "en-gb"),
    ("de", "de", "de"),
    ("fr", "fr", "fr"),
    ("es", "es", "es"),
    ("pt", "pt", "pt pt-br gl"),
    ("it", "it", "it"),
    ("ro", "ro", "ro"),
    ("nl", "nl", "nl af"),
    ("sv", "sv", "sv"),
    ("da+nb", "da nb", "da nb nn"),
    ("fi", "fi", "fi et"),
    ("pl", "pl", "pl"),
    ("cs+sk", "cs sk", "cs sk"),
    ("hu", "hu", "hu"),
    ("sh+sl", "sh sl", "hr sl"),
    ("tr", "tr", "tr uz"),
    ("vi", "vi", "vi"),
    ("id+ms+fil", "id ms fil", "id"),
    ("ru", "ru", "ru"),
    ("uk", "uk", "uk be"),
    ("bg+mk", "bg mk", "bg mk sr"),
    ("el+he", "el he", "el he ka eu"),
    ("ar+is", "ar is", "ar"),
    ("fa+ur", "fa ur", "fa ga cy"),
    ("hi+bn+ta", "hi bn ta", "hi bn ta te kn ml gu pa-in or as si mr ne th km am"),
    ("ja+lt+lv", "ja lt lv", "ja lt lv"),
    ("zh+ca", "zh ca", "zh-cn zh-tw ca"),
    ("ko", "ko", "ko kk mn tg"),
    ("code", "", ""),
    ("script", "", ""),
    ("markup", "", ""),
    ("dense", "", ""),
)

ALL_LANES: tuple[Lane, ...] = tuple(
    Lane(index=i, code=code, languages=tuple(words.split()), texts=tuple(texts.split()))
    for i, (code, words, texts) in enumerate(_ROWS)
)
LANGUAGE_LANES = sum(lane.kind == "language" for lane in ALL_LANES)

LANGUAGE_NAMES: dict[str, str] = {
    "af": "Afrikaans", "am": "Amharic", "ar": "Arabic", "as": "Assamese", "be": "Belarusian",
    "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "cy": "Welsh",
    "da": "Danish", "de": "German", "el": "Greek", "en": "English", "es": "Spanish",
    "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fil": "Filipino",
    "fr": "French", "ga": "Irish", "gl": "Galician", "gu": "Gujarati", "he": "Hebrew",
    "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "hy": "Armenian", "id": "Indonesian",
    "is": "Icelandic", "it": "Italian", "ja": "Japanese", "ka": "Georgian", "kk": "Kazakh",
    "km": "Khmer", "kn": "Kannada", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian",
    "mk": "Macedonian", "ml": "Malayalam", "mn": "Mongolian", "mr": "Marathi", "ms": "Malay",
    "nb": "Norwegian", "ne": "Nepali", "nl": "Dutch", "or": "Odia", "pa": "Punjabi",
    "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian",
    "sh": "Serbo-Croatian", "si": "Sinhala", "sk": "Slovak", "sl": "Slovenian", "sr": "Serbian",
    "sv": "Swedish", "ta": "Tamil", "te": "Telugu", "tg": "Tajik", "th": "Thai",
    "tr": "Turkish", "uk": "Ukrainian", "ur": "Urdu", "uz": "Uzbek", "vi": "Vietnamese",
    "zh": "Chinese",
}  # fmt: skip

_SCRIPTS: tuple[tuple[int, int, str], ...] = (
    # first and last code point, and the language that stands for the script
    (0x0041, 0x024F, "latin"),
    (0x1E00, 0x1EFF, "latin"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0370, 0x03FF, "el"),
    (0x1F00, 0x1FFF, "el"),
    (0x0590, 0x05FF, "he"),
    (0x0600, 0x06FF, "ar"),
    (0x0900, 0x097F, "hi"),
    (0x0980, 0x09FF, "bn"),
    (0x0A00, 0x0A7F, "pa"),
    (0x0A80, 0x0AFF, "gu"),
    (0x0B00, 0x0B7F, "or"),
    (0x0B80, 0x0BFF, "ta"),
    (0x0C00, 0x0C7F, "te"),
    (0x0C80, 0x0CFF, "kn"),
    (0x0D00, 0x0D7F, "ml"),
    (0x0D80, 0x0DFF, "si"),
    (0x0E00, 0x0E7F, "th"),
    (0x10A0, 0x10FF, "ka"),
    (0x1200, 0x137F, "am"),
    (0x1780, 0x17FF, "km"),
    (0xAC00, 0xD7AF, "ko"),
    (0x3040, 0x30FF, "ja"),
    (0x3400, 0x9FFF, "zh"),
)
#: Languages that share a lane with others of another script.
_LANGUAGES_BY_SCRIPT: dict[tuple[str, str], tuple[str, ...]] = {
    ("el+he", "latin"): ("eu",),
    ("ar+is", "latin"): ("is",),
    ("fa+ur", "latin"): ("ga", "cy"),
    ("ko", "cyrillic"): ("kk", "mn", "tg"),
    ("ja+lt+lv", "latin"): ("lt", "lv"),
    ("zh+ca", "latin"): ("ca",),
    ("ar+is", "ar"): ("ar",),
    ("fa+ur", "ar"): ("fa", "ur"),
    ("hi+bn+ta", "hi"): ("hi", "mr", "ne"),
    ("hi+bn+ta", "bn"): ("bn", "as"),
    ("ja+lt+lv", "zh"): ("ja",),
}
_LETTERS_LOOKED_AT = 1000


def language_of(lane: int, text: str) -> str:
    """English name of the language of a text whose cheapest lane is known, e.g. "Czech or Slovak".

    Args:
        lane: Column of the trigram table.
        text: The text itself, or a part of it; its letters tell apart the languages of one lane.
    """
    found = ALL_LANES[lane]
    script = _main_script(text)
    if found.kind == "language":
        own = {code.split("-")[0] for code in (*found.languages, *found.texts)}
        by_script = (script,) if script in own else None
        codes = _LANGUAGES_BY_SCRIPT.get((found.code, script), by_script)
        if codes is not None:
            return " or ".join(LANGUAGE_NAMES[code] for code in codes)
    return found.name


_LETTER = re.compile(r"[^\W\d_]")
_UNLISTED = re.compile(r"[^\W\d_" + "".join(f"{chr(a)}-{chr(b)}" for a, b, _ in _SCRIPTS) + "]")


def in_unknown_script(text: str) -> bool:
    """Whether most letters of a text are in one script that no language of the reference is written in.

    Such a text costs as much in every lane as characters drawn at random do.
    """
    if text.isascii():
        return False
    # Wide, circled and joined forms are letters of their script all the same.
    plain = unicodedata.normalize("NFKC", text[:_LETTERS_LOOKED_AT])
    most = len(_LETTER.findall(plain)) / 2
    unlisted = _UNLISTED.findall(plain)
    if len(unlisted) <= most:
        return False
    # A character is named after its script: "TIBETAN LETTER KA".
    scripts = Counter(unicodedata.name(char, "").partition(" ")[0] for char in unlisted)
    return max(scripts.values()) > most


def _main_script(text: str) -> str:
    """The script that most letters of the text are in, empty if it is none of those listed."""
    letters = [ord(char) for char in text if char.isalpha()][:_LETTERS_LOOKED_AT]
    for low, high, script in _SCRIPTS:
        if 2 * sum(low <= letter <= high for letter in letters) > len(letters):
            return script
    return ""
