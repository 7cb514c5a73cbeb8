"""Natural units of text out of packages: dictionary entries, messages, paragraphs, records.

A corpus is made of documents, and a document need not be a file: a dictionary is a hundred thousand
entries, a catalogue of messages ten thousand sentences. Every function takes the files of one
package and yields a name and a text for each unit; units that are too short are dropped by whoever
builds the corpus.
"""

from __future__ import annotations

import io
import re
import struct
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from text_extraction import CODE, MARKUP, as_text, extract, from_html, inflate

File = tuple[str, bytes]
Unit = tuple[str, str]

#: Dictionaries inflate further than files of documentation.
MAX_INFLATED_BYTES = 200_000_000
_MO_MAGIC = {b"\xde\x12\x04\x95": "<", b"\x95\x04\x12\xde": ">"}
_CHARSET = re.compile(rb"charset=([A-Za-z0-9_-]+)")
_DICTD_DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_DICTD_VALUE = {digit: value for value, digit in enumerate(_DICTD_DIGITS)}
#: First lines of an entry as Debian and as GNU write them.
_CHANGE = re.compile(r"^(?=\S+ \([^)\n]+\) [^\n]*urgency=|\d{4}-\d\d-\d\d\s)", re.M)
_BLANK = re.compile(r"\n[ \t]*\n\s*")
_FORTUNE = re.compile(r"^%\n", re.M)
_QM_MAGIC = bytes.fromhex("3cb86418caef9c95cd211cbf60a1bddd")
_QM_MESSAGES, _QM_END, _QM_TRANSLATION, _QM_SOURCE = 0x69, 1, 3, 6
_QM_WITH_LENGTH = (2, _QM_TRANSLATION, 4, _QM_SOURCE, 7, 8)
_SUBSECTION = re.compile(r"\.(\d)[a-z]+(\.gz)?$")
_REFERENCE = re.compile(r"^(?=@\w+\s*[{(])", re.M)
_LIST_CHARSET = re.compile(rb"^SET[ \t]+([\w-]+)|\A([A-Za-z][\w-]+)\s*$", re.M)
#: Comments in C's and Lisp's manner, of shells and scripts, documentation strings, and Perl's pages.
_COMMENT = re.compile(
    r"/\*.*?\*/|\"{3}.*?\"{3}|^=(?:head|pod|over)\b.*?^=cut\b|(?:^[ \t]*(?://|#|;;|--|%%)[^\n]*\n)+",
    re.M | re.S,
)
_COMMENT_MARKS = re.compile(
    r"^[ \t]*(?:/\*+[!<]?|\*+/|\*|//[/!]?|#+|;;+|--|%%+|\"{3})?[ \t]?", re.M
)
#: Folders with what a program is tried on.
_FIXTURES = {"test", "tests", "testdata", "test-data", "testing", "t", "spec", "fixtures"}
_FIXTURES |= {"example", "examples", "sample", "samples", "demo", "demos", "corpus", "testsuite"}
#: A larger file is data.
MAX_TREE_FILE_BYTES = 2_000_000
#: Words are short: so many lines of a list make a document.
WORDS_PER_DOCUMENT = 40


def _decoded(data: bytes, encoding: str = "utf-8") -> str | None:
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


def files(members: Iterable[File]) -> Iterator[Unit]:
    """Every documentation file, as the corpora of whole documents have it."""
    for name, data in members:
        text = extract(name, data)
        if text is not None:
            yield name, text


def sources(members: Iterable[File]) -> Iterator[Unit]:
    """Every file of program source."""
    for name, data in members:
        text = extract(name, data, code=True)
        if text is not None:
            yield name, text


def trees(members: Iterable[File]) -> Iterator[Unit]:
    """Every file of a source package that is text, of whatever kind; its archives are opened."""
    for name, data in members:
        for inner, content in _archived(name, data):
            if len(content) <= MAX_TREE_FILE_BYTES:
                text = as_text(content)
                if text is not None:
                    yield inner, text


def _archived(name: str, data: bytes) -> Iterator[File]:
    """What an archive holds, or else the file itself."""
    if re.search(r"\.tar(\.\w+)?$", name):
        with tarfile.open(fileobj=io.BytesIO(data), mode="r|*") as archive:
            for member in archive:
                content = archive.extractfile(member) if member.isfile() else None
                if content is not None:
                    yield member.name, content.read()
    elif name.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            for entry in packed.infolist():
                if not entry.is_dir():
                    yield entry.filename, packed.read(entry)
    else:
        yield name, data


def paragraphs(members: Iterable[File]) -> Iterator[Unit]:
    """What blank lines part in documentation files, change logs and licences left out."""
    for name, text in files(members):
        if "/copyright" in name or "changelog" in name.lower():
            continue
        for number, paragraph in enumerate(_BLANK.split(text)):
            yield f"{name}#{number}", paragraph.strip()


def changes(members: Iterable[File]) -> Iterator[Unit]:
    """The entries of change logs in Debian's and GNU's form."""
    for name, data in members:
        path = PurePosixPath(name)
        inflated = inflate(name, data) if "change" in path.name.lower() else None
        text = _decoded(inflated[1]) if inflated else None
        if text is not None:
            for number, entry in enumerate(_CHANGE.split(text)):
                yield f"{name}#{number}", entry.strip()


def fortunes(members: Iterable[File]) -> Iterator[Unit]:
    """The sayings of fortune files."""
    for name, data in members:
        path = PurePosixPath(name)
        if "/games/fortunes" in name and path.suffix not in (".dat", ".u8"):
            text = _decoded(data)
            if text is not None:
                for number, saying in enumerate(_FORTUNE.split(text)):
                    yield f"{name}#{number}", saying.strip()


def records(members: Iterable[File]) -> Iterator[Unit]:
    """What blank lines part in data files that are read by people too, comments included."""
    for name, data in members:
        inflated = inflate(name, data) if name.startswith("/usr/share/") else None
        text = _decoded(inflated[1]) if inflated and b"\x00" not in inflated[1] else None
        if text is not None and "/usr/share/doc/" not in name:
            for number, record in enumerate(_BLANK.split(text.replace("\r\n", "\n"))):
                yield f"{name}#{number}", record.strip()


def messages(members: Iterable[File]) -> Iterator[Unit]:
    """Originals and translations of gettext catalogues; accelerator marks stay as they are."""
    for name, data in members:
        if name.endswith(".mo") and data[:4] in _MO_MAGIC:
            for number, text in enumerate(_catalogue(data)):
                yield f"{name}#{number}", text.strip()


def _catalogue(data: bytes) -> Iterator[str]:
    """The strings of one compiled catalogue; plural forms are strings of their own."""
    order = _MO_MAGIC[data[:4]]
    try:
        count, originals, translations = struct.unpack_from(order + "3I", data, 8)
        tables = [
            struct.unpack_from(f"{order}{2 * count}I", data, start)
            for start in (originals, translations)
        ]
    except struct.error:
        return
    encoding = "utf-8"
    for entry in range(count):
        for table in tables:
            length, start = table[2 * entry : 2 * entry + 2]
            raw = data[start : start + length]
            if table is tables[0] and not length:
                continue
            if entry == 0 and b"Content-Type" in raw:
                found = _CHARSET.search(raw)
                encoding = found[1].decode() if found else encoding
                continue
            # A context stands before an original, parted by an end of transmission.
            text = _decoded(raw.rpartition(b"\x04")[2], encoding)
            if text is not None:
                yield from text.split("\x00")


def entries(members: Iterable[File]) -> Iterator[Unit]:
    """The entries of dictionaries (dictd and EDICT) and of thesauri (MyThes)."""
    indexes: dict[str, bytes] = {}
    bodies: dict[str, bytes] = {}
    for name, data in members:
        path = PurePosixPath(name)
        if "/dictd/" in name and path.suffix == ".index":
            indexes[name.removesuffix(".index")] = data
        elif name.endswith(".dict.dz"):
            inflated = inflate(name, data, limit=MAX_INFLATED_BYTES)
            if inflated is not None:
                bodies[name.removesuffix(".dict.dz")] = inflated[1]
        elif path.name.startswith("th_") and path.suffix == ".dat":
            yield from _thesaurus(name, data)
        elif "/edict/" in name:
            inflated = inflate(name, data, limit=MAX_INFLATED_BYTES)
            text = _decoded(inflated[1], "euc_jp") if inflated else None
            for number, line in enumerate((text or "").splitlines()):
                yield f"{name}#{number}", line.strip()
    for name in sorted(indexes.keys() & bodies.keys()):
        yield from _dictd(name, indexes[name], bodies[name])


def _dictd(name: str, index: bytes, body: bytes) -> Iterator[Unit]:
    """The articles that an index points at; those about the dictionary itself are left out."""
    places = set()
    for line in index.decode("utf-8", "replace").splitlines():
        fields = line.split("\t")
        if len(fields) >= 3 and not fields[0].startswith("00"):
            places.add((_dictd_number(fields[1]), _dictd_number(fields[2])))
    for start, length in sorted(places):
        text = _decoded(body[start : start + length])
        if text is not None:
            yield f"{name}#{start}", text.strip()


def _dictd_number(digits: str) -> int:
    value = 0
    for digit in digits:
        value = value * 64 + _DICTD_VALUE.get(digit, 0)
    return value


def _thesaurus(name: str, data: bytes) -> Iterator[Unit]:
    """Each head word with the lines of its meanings."""
    first, _, rest = data.partition(b"\n")
    text = _decoded(rest, first.decode("ascii", "replace").strip() or "utf-8")
    lines = (text or "").splitlines()
    place = 0
    while place < len(lines):
        _, _, count = lines[place].rpartition("|")
        meanings = int(count) if count.strip().isdigit() else 0
        yield f"{name}#{place}", "\n".join(lines[place : place + 1 + meanings])
        place += 1 + meanings


def descriptions(language: str, data: bytes) -> Iterator[Unit]:
    """The descriptions of a distribution's packages in one language."""
    for stanza in data.decode("utf-8", "replace").split("\n\n"):
        package, _, rest = stanza.partition("\n")
        _, found, description = rest.partition("\nDescription-")
        if found:
            # One space opens every line, and a full stop alone stands for an empty one.
            text = description.partition(": ")[2].replace("\n .\n", "\n\n").replace("\n ", "\n")
            yield f"{language}/{package.removeprefix('Package: ')}", text.strip()


def manuals(members: Iterable[File]) -> Iterator[Unit]:
    """Manual pages whole, in any language."""
    for name, data in members:
        if "/share/man/" in name:
            # Sections have names of their own, such as `3pm`; the number is what says it is one.
            yield from files([(_SUBSECTION.sub(r".\1\2", name), data)])


def nodes(members: Iterable[File]) -> Iterator[Unit]:
    """The nodes of Info files, their head lines included."""
    for name, data in members:
        inflated = inflate(name, data) if name.startswith("/usr/share/info/") else None
        text = _decoded(inflated[1]) if inflated and b"\x1f" in inflated[1] else None
        for number, node in enumerate((text or "").split("\x1f")[1:]):
            if "\x7f" not in node:
                yield f"{name}#{number}", node.strip("\x00\x08\x0c \n")


def licences(members: Iterable[File]) -> Iterator[Unit]:
    """What blank lines part in the statements of copyright."""
    for name, data in members:
        text = _decoded(data) if name.endswith("/copyright") else None
        for number, stanza in enumerate(_BLANK.split(text or "")):
            yield f"{name}#{number}", stanza.strip()


def _plain(name: str, data: bytes) -> str | None:
    """A file that is neither program nor markup, if it is text."""
    inflated = inflate(name, data)
    if inflated is None or b"\x00" in inflated[1]:
        return None
    suffix = PurePosixPath(inflated[0]).suffix.lower()
    return None if suffix in CODE or suffix in MARKUP else _decoded(inflated[1])


def configurations(members: Iterable[File]) -> Iterator[Unit]:
    """Files of settings whole, and examples of them."""
    for name, data in members:
        if name.startswith("/etc/") or ("/share/doc/" in name and "/examples/" in name):
            yield name, (_plain(name, data) or "").strip()


def fixtures(members: Iterable[File]) -> Iterator[Unit]:
    """What tests and examples read, whole: any text that is neither program nor markup."""
    for name, data in members:
        if not _FIXTURES.isdisjoint(name.lower().split("/")[:-1]):
            yield name, (_plain(name, data) or "").strip()


def comments(members: Iterable[File]) -> Iterator[Unit]:
    """Comments and documentation in program sources, without what marks them."""
    for name, source in sources(members):
        for found in _COMMENT.finditer(source):
            yield f"{name}#{found.start()}", _COMMENT_MARKS.sub("", found[0]).strip(' \n*/"')


def references(members: Iterable[File]) -> Iterator[Unit]:
    """The entries of BibTeX files."""
    for name, data in members:
        text = _decoded(data) if name.endswith(".bib") else None
        for number, entry in enumerate(_REFERENCE.split(text or "")):
            yield f"{name}#{number}", entry.strip()


def words(members: Iterable[File]) -> Iterator[Unit]:
    """Lists of words, rules of spelling and patterns of hyphenation, some lines a document."""
    lists = {}
    charsets = {}
    for name, data in members:
        folders = ("/usr/share/dict/", "/usr/share/hunspell/", "/usr/share/myspell/")
        if name.startswith((*folders, "/usr/share/hyphen/")):
            lists[name] = data
            # Hyphenation patterns name it in their first line, dictionaries in the file of affixes.
            found = _LIST_CHARSET.search(data)
            if found:
                charsets[name.rpartition(".")[0]] = (found[1] or found[2]).decode("ascii")
    for name in sorted(lists):
        text = _decoded(lists[name])
        if text is None:
            text = _decoded(lists[name], charsets.get(name.rpartition(".")[0], "ascii"))
        lines = (text or "").splitlines()
        for start in range(0, len(lines), WORDS_PER_DOCUMENT):
            yield f"{name}#{start}", "\n".join(lines[start : start + WORDS_PER_DOCUMENT])


def launchers(members: Iterable[File]) -> Iterator[Unit]:
    """What menus and software centres say of a program, in all languages at once."""
    for name, data in members:
        text = _decoded(data) if name.startswith("/usr/share/") else None
        if text is not None and name.endswith(".desktop"):
            yield name, text.strip()
        elif text is not None and name.endswith((".metainfo.xml", ".appdata.xml")):
            yield name, from_html(text)


def translations(members: Iterable[File]) -> Iterator[Unit]:
    """Originals and translations of Qt's catalogues."""
    for name, data in members:
        if name.endswith(".qm") and data.startswith(_QM_MAGIC):
            for number, text in enumerate(_qt_catalogue(data)):
                yield f"{name}#{number}", text.strip()


def _qt_catalogue(data: bytes) -> Iterator[str]:
    """The strings of one catalogue, which is a row of tagged sections."""
    place = len(_QM_MAGIC)
    while place + 5 <= len(data):
        tag, length = struct.unpack_from(">BI", data, place)
        if tag == _QM_MESSAGES:
            yield from _qt_messages(data[place + 5 : place + 5 + length])
        place += 5 + length


def _qt_messages(data: bytes) -> Iterator[str]:
    place = 0
    while place < len(data):
        tag = data[place]
        place += 1
        if tag == _QM_END:
            continue
        if tag not in _QM_WITH_LENGTH or place + 4 > len(data):
            return
        (length,) = struct.unpack_from(">I", data, place)
        place += 4
        if length == 0xFFFFFFFF:  # what was not translated
            continue
        raw = data[place : place + length]
        place += length
        if tag in (_QM_TRANSLATION, _QM_SOURCE):
            text = _decoded(raw, "utf-16-be" if tag == _QM_TRANSLATION else "utf-8")
            if text is not None:
                yield text


UNITS: dict[str, Callable[[Iterable[File]], Iterator[Unit]]] = {
    "file": files,
    "source": sources,
    "tree": trees,
    "paragraph": paragraphs,
    "change": changes,
    "fortune": fortunes,
    "record": records,
    "message": messages,
    "entry": entries,
    "manual": manuals,
    "node": nodes,
    "licence": licences,
    "configuration": configurations,
    "fixture": fixtures,
    "comment": comments,
    "reference": references,
    "words": words,
    "launcher": launchers,
    "translation": translations,
}
