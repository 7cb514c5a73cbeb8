"""Plain text out of documentation files: HTML, manual pages, XML, and text as it is.

Regular expressions, not a parser: gigabytes of HTML have to be read in minutes, and a benchmark
needs text such as a crawl would hold, boilerplate included, not a faithful rendering.
"""

from __future__ import annotations

import bz2
import gzip
import html
import io
import lzma
import re
import zlib
from pathlib import PurePosixPath

MARKUP = {".html", ".htm", ".xhtml", ".page", ".docbook", ".dita"}
PLAIN = {"", ".txt", ".text", ".rst", ".md", ".markdown", ".asc", ".adoc", ".info", ".texi", ".tex"}
PLAIN |= {".pod", ".org", ".latex", ".debian", ".news", ".readme", ".man"}
CODE = {".c", ".cc", ".cpp", ".cs", ".cxx", ".el", ".erl", ".ex", ".go", ".h", ".hh", ".hpp"}
CODE |= {".hs", ".java", ".jl", ".js", ".kt", ".lisp", ".lua", ".m", ".ml", ".mli", ".php", ".pl"}
CODE |= {".pm", ".py", ".r", ".rb", ".rkt", ".rs", ".scala", ".scm", ".sh", ".sql", ".swift"}
CODE |= {".tcl", ".ts"}
#: Copies of what stands beside them as HTML, and machine-made indexes.
DUPLICATE_FOLDERS = ("/_sources/", "/_modules/", "/search/", "/_static/", "/.buildinfo")
#: A file that inflates beyond this is left out.
MAX_INFLATED_BYTES = 16_000_000

_INVISIBLE = re.compile(r"<!--.*?-->|<(script|style|template|svg)\b.*?</\1\s*>", re.I | re.S)
_BLOCK = re.compile(
    r"</?(?:p|div|br|li|ul|ol|tr|table|h[1-6]|pre|dt|dd|dl|hr|section|title|para|item|head)\b[^>]*>",
    re.I,
)
_TAG = re.compile(r"<[a-zA-Z/!?][^>]*>")
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
_BLANK_LINES = re.compile(r"\n\s*\n\s*")
_ROFF_COMMENT = re.compile(r"^[.']\s*\\\".*$|^'\\\".*$", re.M)
_ROFF_HEADING = re.compile(r"^\.\s*S[HS]\s+\"?(.*?)\"?\s*$", re.M)
_ROFF_FONT_LINE = re.compile(r"^\.\s*(?:[BIR]{1,2}|SM|SB|TP|Nm|Fl|Ar|Pa|Xr|Dq|Sq|Em|Sy)\s+", re.M)
_ROFF_REQUEST = re.compile(r"^[.'].*$", re.M)
_ROFF_ESCAPES = [
    (re.compile(r"\\f(?:\[[^]]*\]|\(..|.)|\\s[-+]?\d+|\\[&/,|^%c]|\\\*\(.."), ""),
    (re.compile(r"\\\((?:aq|cq|oq)|\\\[(?:aq|cq|oq)\]"), "'"),
    (re.compile(r"\\\((?:lq|rq|dq)|\\\[(?:lq|rq|dq)\]"), '"'),
    (re.compile(r"\\\((?:em|en|hy)|\\\[(?:em|en|hy)\]"), "-"),
    (re.compile(r"\\\[[^]]*\]|\\\(.."), ""),
    (re.compile(r"\\(?:e|\(rs|\[rs\])"), r"\\"),
    (re.compile(r"\\([-. '`~])"), r"\1"),
]


def from_html(source: str) -> str:
    """The visible text, one line a block, without blank lines in a row."""
    text = _INVISIBLE.sub(" ", source)
    text = _TAG.sub("", _BLOCK.sub("\n", text))
    text = _SPACES.sub(" ", html.unescape(text))
    return _BLANK_LINES.sub("\n\n", text).strip()


def from_manual_page(source: str) -> str:
    """The words of a manual page, its headings kept and its other requests dropped."""
    text = _ROFF_HEADING.sub(r"\n\1\n", _ROFF_COMMENT.sub("", source))
    text = _ROFF_REQUEST.sub("", _ROFF_FONT_LINE.sub("", text))
    for pattern, replacement in _ROFF_ESCAPES:
        text = pattern.sub(replacement, text)
    return _BLANK_LINES.sub("\n\n", text).strip()


def inflate(name: str, data: bytes, *, limit: int = MAX_INFLATED_BYTES) -> tuple[str, bytes] | None:
    """Name and content without their compression; None if damaged or larger than the bound."""
    suffix = PurePosixPath(name).suffix
    try:
        if suffix in (".gz", ".dz"):
            with gzip.open(io.BytesIO(data)) as stream:
                data = stream.read(limit + 1)
        elif suffix == ".xz":
            data = lzma.LZMADecompressor().decompress(data, max_length=limit + 1)
        elif suffix == ".bz2":
            data = bz2.BZ2Decompressor().decompress(data, max_length=limit + 1)
        else:
            return name, data
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return None
    if len(data) > limit:
        return None
    return name[: -len(suffix)], data


def as_text(data: bytes) -> str | None:
    """The text if it is UTF-8 and holds no more control characters than text does."""
    if b"\x00" in data:
        return None
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    controls = sum(text.count(chr(code)) for code in (*range(1, 9), *range(14, 32)))
    return text if controls * 200 <= len(text) else None


def extract(name: str, data: bytes, *, code: bool = False) -> str | None:
    """The text of one file of a package, or None if it holds none that is wanted.

    Args:
        name: Path of the file in the package; its ending says what it is.
        data: Content as it lies there, possibly compressed.
        code: Whether program sources are wanted, and nothing else.
    """
    if not code and any(folder in name for folder in DUPLICATE_FOLDERS):
        return None
    inflated = inflate(name, data)
    if inflated is None:
        return None
    name, data = inflated
    suffix = PurePosixPath(name).suffix.lower()
    if code:
        return as_text(data) if suffix in CODE else None
    manual = "/man/" in name and len(suffix) == 2 and suffix[1].isdigit()
    if suffix not in MARKUP and suffix not in PLAIN and not manual:
        return None
    text = as_text(data)
    if text is None:
        return None
    if suffix in MARKUP or text.lstrip()[:15].lower().startswith(("<!doctype", "<html", "<?xml")):
        return from_html(text)
    return from_manual_page(text) if manual else text.strip()
