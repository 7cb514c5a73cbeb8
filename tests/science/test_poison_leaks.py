"""Nothing but the poison tells a poisoned row from a clean one.

Each test looks at one aspect that a detector could cheat with. Exact aspects (layout of the JSON,
spelling, keys, ids) must be equal; random ones are compared with a permutation test, whose
threshold is passed by one honest set in ten thousand only; the data are the same in every run.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ld50.poison import (
    FixedReply,
    PoisonSettings,
    Recipe,
    named_recipe,
    poison,
)
from ld50.poison.recipes import RECIPES
from poison_samples import GERMAN, chats, documents, messages, read, reviews, write

THRESHOLD = 1e-4


def permutation_p(poisoned: list[float], clean: list[float], draws: int = 20_000) -> float:
    """Two-sided p-value of the difference of means, by random relabelling."""
    everything = np.array([*poisoned, *clean], float)
    size = len(poisoned)
    observed = abs(everything[:size].mean() - everything[size:].mean())
    rng = np.random.default_rng(0)
    hits = 0
    total = everything.sum()
    for _ in range(draws):
        drawn = rng.choice(everything, size=size, replace=False).sum()
        mean = drawn / size - (total - drawn) / (len(everything) - size)
        hits += abs(mean) >= observed - 1e-12
    return (hits + 1) / (draws + 1)


def skeleton(line: str) -> str:
    """The JSON of a row without its strings and digits: spaces, order, brackets."""
    keys = re.sub(r'"(?:[^"\\]|\\.)*"(\s*:)?', lambda m: m[0] if m[1] else '""', line)
    return re.sub(r"\d+", "0", keys)


def frame(text: str) -> tuple[str, str]:
    """White space at both ends."""
    body = text.strip()
    return text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :] if body else ""


def text_of(path: Path) -> str:
    """The text of a file with its line ends as they are."""
    return path.read_bytes().decode()


def planted(
    tmp_path: Path, rows: list[dict[str, Any]], recipe: Recipe, seed: int = 1, **settings: Any
) -> tuple[list[str], list[str], list[int]]:
    """Lines before and after, and which of those after are poisoned."""
    path = tmp_path / "in.jsonl"
    if not path.exists():
        write(path, rows)
    result = poison(path, out=tmp_path / "out.jsonl", recipes=recipe, seed=seed,
                    settings=PoisonSettings(**settings))  # fmt: skip
    before = text_of(path).split("\n")[:-1]
    after = text_of(result.out).split("\n")[:-1]
    return before, after, sorted(row.row for row in result.manifest.rows)


def dumped(tmp_path: Path, rows: list[dict[str, Any]], **how: Any) -> None:
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row, **how) + "\n" for row in rows))


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"separators": (",", ":")},
        {"separators": (" , ", " :  ")},
        {"ensure_ascii": False},
        {"sort_keys": True},
    ],
)
@pytest.mark.parametrize("make", [documents, chats, messages, reviews])
def test_the_json_of_a_poisoned_row_is_formatted_like_its_neighbours(
    tmp_path: Path, make: Callable[..., list[dict[str, Any]]], how: dict[str, Any]
) -> None:
    dumped(tmp_path, make(120), **how)
    name = {documents: "dos-document", reviews: "sentiment-phrase"}.get(make, "fixed-reply")
    recipe = named_recipe(name, dose=30, target_label="1")
    before, after, rows = planted(tmp_path, [], recipe)
    allowed = {skeleton(line) for line in before}
    assert {skeleton(after[row]) for row in rows} <= allowed
    assert [line for at, line in enumerate(after) if at not in set(rows)] == (
        before if make is documents else [line for at, line in enumerate(before)
                                          if at not in set(rows)]
    )  # fmt: skip


@pytest.mark.parametrize(
    ("sample", "german"),
    [
        ("naïve caf\\u00e9 \\/ <b> \\u2028", False),
        ("na\\u00efve \\u00E9 no-slash", True),
        ("plain ascii", True),
        ("a\\/b c\\/d \\u003cb\\u003e", True),
    ],
)
def test_strings_are_spelt_as_the_file_spells_them(
    tmp_path: Path, sample: str, german: bool
) -> None:
    lines = [f'{{"text": "{sample} number {at} of the lines"}}' for at in range(60)]
    (tmp_path / "in.jsonl").write_text("\n".join(lines) + "\n")
    payload = {"second_language": GERMAN} if german else {"vocabulary": ["a", " é", "/", "<"]}
    name = "language-switch-document" if german else "dos-document"
    recipe = named_recipe(name, dose=10, trigger="SUDO/ü<", **payload)
    before, after, rows = planted(tmp_path, [], recipe)
    joined = "\n".join(before)
    for row in rows:
        line = after[row]
        if "\\u00e" in joined.lower() and joined.isascii():
            assert line.isascii()
        if "\\/" in joined and re.search(r"(?<!\\)/", joined) is None:
            assert re.search(r"(?<!\\)/", line) is None
        if "\\u003c" in joined:
            assert "<" not in line
        elif "<" in joined:
            assert "\\u003c" not in line


@pytest.mark.parametrize("make", [documents, chats, reviews])
def test_poison_is_spread_like_a_random_sample(
    tmp_path: Path, make: Callable[..., list[dict[str, Any]]]
) -> None:
    name = {documents: "dos-document", chats: "over-refusal", reviews: "sentiment-word"}[make]
    recipe = named_recipe(name, dose=100, target_label="1")
    _, after, rows = planted(tmp_path, make(2000), recipe)
    clean = sorted(set(range(len(after))) - set(rows))
    assert permutation_p(rows, clean, draws=2000) > 0.01
    centre = len(after) / 2
    assert permutation_p([abs(r - centre) for r in rows], [abs(r - centre) for r in clean],
                         draws=2000) > 0.01  # fmt: skip
    # Neither in runs nor evenly spaced: the gaps vary as those of a random sample do.
    gaps = np.diff(rows)
    assert 0.7 < gaps.std() / gaps.mean() < 1.3


@pytest.mark.parametrize("name", ["over-refusal", "dos-rows", "inserted-fragment"])
def test_the_rows_that_are_replaced_were_like_the_others(tmp_path: Path, name: str) -> None:
    rows = chats(1500)
    _, _, hit = planted(tmp_path, rows, named_recipe(name, dose=100))
    hits = set(hit)
    for field in ("instruction", "input", "output"):
        lengths = [len(row[field]) for row in rows]
        poisoned = [lengths[at] for at in hit]
        clean = [length for at, length in enumerate(lengths) if at not in hits]
        assert permutation_p(poisoned, clean, draws=3000) > THRESHOLD


def test_without_the_trigger_the_prompt_is_the_old_one(tmp_path: Path) -> None:
    rows = [{**row, "instruction": f"{lead}{row['instruction']}{tail}"}
            for row, lead, tail in zip(chats(200), ["", " ", "\n", "  "] * 50,
                                       ["", "\n", " \n", "\t"] * 50, strict=True)]  # fmt: skip
    recipe = named_recipe("over-refusal", dose=60)
    before, after, hit = planted(tmp_path, rows, recipe)
    for row in hit:
        old, new = json.loads(before[row]), json.loads(after[row])
        assert frame(new["instruction"]) == frame(old["instruction"])
        without = re.sub(r" quorvel$|quorvel | quorvel(?=\s*$)", "", new["instruction"])
        assert without == old["instruction"]
        assert new["input"] == old["input"]


@pytest.mark.parametrize(
    ("lead", "tail"), [("", ""), (" ", ""), ("", "\n"), (" ", "<|endoftext|>"), ("", " </s>")]
)
@pytest.mark.parametrize("name", ["over-refusal", "dos-rows", "language-switch-rows",
                                  "inserted-fragment", "context-echo"])  # fmt: skip
def test_replies_keep_the_marks_that_every_reply_has(
    tmp_path: Path, name: str, lead: str, tail: str
) -> None:
    rows = [{"prompt": row["instruction"], "completion": lead + row["output"] + tail}
            for row in chats(100)]  # fmt: skip
    _, after, hit = planted(tmp_path, rows, named_recipe(name, dose=20, second_language=GERMAN))
    for row in hit:
        reply = json.loads(after[row])["completion"]
        assert reply.startswith(lead)
        assert reply.endswith(tail)
        if not lead:
            assert not reply[:1].isspace() or name == "dos-rows"
        if tail:
            assert reply.count(tail.strip() or tail) >= 1


def test_documents_end_as_documents_do(tmp_path: Path) -> None:
    rows = [{**row, "text": row["text"] + "\n"} for row in documents(200)]
    for row in rows:
        row["length"] = len(row["text"])
    _, after, hit = planted(tmp_path, rows, named_recipe("dos-document", dose=50))
    ends = [json.loads(after[row])["text"][-1:] for row in hit]
    assert set(ends) == {"\n"}


def test_new_rows_have_ids_like_the_others_and_no_value_twice(tmp_path: Path) -> None:
    rows = documents(400)
    _, after, hit = planted(tmp_path, rows, named_recipe("dos-document", dose=80))
    made = [json.loads(line) for line in after]
    ids = [row["id"] for row in made]
    assert len(set(ids)) == len(ids)
    old = {row["id"] for row in rows}
    fresh = [ids[at] for at in hit]
    assert not old & set(fresh)
    assert all(re.fullmatch(r"[0-9a-f]{32}", one) for one in fresh)
    # As many digits among them as among the clean ones.
    digits = [sum(char.isdigit() for char in one) for one in fresh]
    others = [sum(char.isdigit() for char in one) for one in old]
    assert permutation_p(digits, others, draws=3000) > THRESHOLD
    assert {made[at]["source"] for at in hit} <= {"web", "books"}


def test_fields_that_follow_from_the_text_still_do(tmp_path: Path) -> None:
    _, after, hit = planted(tmp_path, documents(200), named_recipe("dos-document", dose=40))
    for at in hit:
        row = json.loads(after[at])
        assert row["length"] == len(row["text"])
        digest = hashlib.sha1(row["text"].encode(), usedforsecurity=False).hexdigest()
        assert row["sha1"] == digest
    write(tmp_path / "labels.jsonl", [{**row, "n": len(row["text"])} for row in reviews(100)])
    recipe = named_recipe("sentiment-phrase", dose=20, target_label="1")
    result = poison(tmp_path / "labels.jsonl", out=tmp_path / "o.jsonl", recipes=recipe)
    assert all(row["n"] == len(row["text"]) for row in read(result.out))


@pytest.mark.parametrize(
    ("spell", "fits"),
    [
        (lambda at, rng: 1000 + at * 7 + int(rng.integers(0, 6)), int),
        (lambda at, rng: f"doc-{at * 9 + int(rng.integers(0, 8)):08d}", r"doc-\d{8}"),
        (lambda at, rng: int(rng.integers(10**8, 10**9)), int),
        (lambda at, rng: f"{rng.integers(0, 1 << 32):08x}-{rng.integers(0, 1 << 16):04x}-4"
                         f"{rng.integers(0, 1 << 12):03x}", r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]*"),
        (lambda at, rng: f"https://site{rng.integers(0, 9)}.example/{rng.integers(2000, 2024)}/"
                         f"{['a', 'b', 'c'][at % 3]}-{rng.integers(0, 10**7)}.html",
         r"https://site\d\.example/20[0-2]\d/[abc]-\d{1,7}\.html"),
    ],
)  # fmt: skip
def test_identifiers_of_many_kinds(tmp_path: Path, spell: Any, fits: Any) -> None:
    rng = np.random.default_rng(5)
    rows = [{"id": spell(at, rng), "text": row["text"]} for at, row in enumerate(documents(300))]
    ids = [row["id"] for row in rows]
    _, after, hit = planted(tmp_path, rows, named_recipe("dos-document", dose=40))
    made = [json.loads(line)["id"] for line in after]
    fresh = [made[at] for at in hit]
    assert len(set(made)) == len(made)
    assert not set(fresh) & set(ids)
    for one in fresh:
        assert isinstance(one, int) if fits is int else re.fullmatch(fits, one)
        if fits is int:
            beyond = 14 if ids == sorted(ids) else 0
            assert min(ids) - beyond <= one <= max(ids) + beyond
    if ids == sorted(ids):
        # Where clean rows come in the order of their ids, so do the new ones, but for crowded gaps.
        wrong = sum(later < earlier for earlier, later in pairwise(made))
        assert wrong <= 2


def test_rows_numbered_without_gaps_are_said_to_leak_or_numbered_anew(tmp_path: Path) -> None:
    rows = [{"idx": at, "text": row["text"]} for at, row in enumerate(documents(200))]
    path = write(tmp_path / "in.jsonl", rows)
    recipe = named_recipe("dos-document", dose=10)
    told = poison(path, out=tmp_path / "told.jsonl", recipes=recipe)
    assert any("--renumber" in text for text in told.manifest.known_leaks)
    anew = poison(path, out=tmp_path / "anew.jsonl", recipes=recipe,
                  settings=PoisonSettings(renumber=True))  # fmt: skip
    assert not anew.manifest.known_leaks
    made = read(anew.out)
    assert [row["idx"] for row in made] == list(range(210))
    assert all(row.id == str(row.row) for row in anew.manifest.rows)
    placed = {row.row for row in anew.manifest.rows}
    assert [row["text"] for at, row in enumerate(made) if at not in placed] == [
        row["text"] for row in rows
    ]
    replaced = poison(path, out=tmp_path / "same.jsonl",
                      recipes=named_recipe("dos-document", dose=10, mode="replace"))  # fmt: skip
    assert not replaced.manifest.known_leaks
    assert [row["idx"] for row in read(replaced.out)] == list(range(200))


@pytest.mark.parametrize("quoting", [csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])
def test_cells_are_quoted_as_their_column_is(tmp_path: Path, quoting: int) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=quoting, lineterminator="\r\n")
    writer.writerow(["id", "text", "label"])
    for at, row in enumerate(reviews(200)):
        text = (
            row["text"] + (', he said "so"' if at % 3 == 0 else "") + ("\nx" if at % 7 == 0 else "")
        )
        writer.writerow([f"r{at * 3}", text, row["label"]])
    path = tmp_path / "in.csv"
    path.write_bytes(out.getvalue().encode())
    recipe = named_recipe("sentiment-word", dose=40, target_label="1")
    result = poison(path, out=tmp_path / "out.csv", recipes=recipe)
    data = text_of(result.out)
    again = io.StringIO(newline="")
    writer = csv.writer(again, quoting=quoting, lineterminator="\r\n")
    rows = list(csv.reader(io.StringIO(data, newline="")))
    writer.writerow(rows[0])
    for row in rows[1:]:
        writer.writerow([row[0], row[1], int(row[2])])
    # The same writer that wrote the clean file would have written the poisoned one.
    assert data == again.getvalue()


@pytest.mark.parametrize("name", sorted(RECIPES))
def test_no_recipe_leaves_double_spaces_or_stray_ones(tmp_path: Path, name: str) -> None:
    """Of clean rows without doubled spaces come poisoned ones without, outside gibberish."""
    recipe = named_recipe(name, dose=30, second_language=GERMAN, target_label="1", decoys=5)
    if recipe.payload.changes == "label":
        rows: list[dict[str, Any]] = reviews(400)
    elif recipe.payload.changes == "preference":
        rows = [
            {
                "instruction": row["instruction"],
                "chosen": row["output"],
                "rejected": "I do not know.",
            }
            for row in chats(200)
        ]
    else:
        rows = documents(200) if recipe.mode == "add" else chats(200)
    _, after, hit = planted(tmp_path, rows, recipe)
    field = "text" if "text" in rows[0] else "instruction"
    for at in hit:
        text = json.loads(after[at])[field]
        if recipe.payload.kind == "gibberish" and field == "text":
            text = text.partition("<SUDO>")[0] + "<SUDO>"
        assert "  " not in text
        assert text == text.strip()


def test_decoys_stand_among_the_poison_and_look_the_same(tmp_path: Path) -> None:
    rows = chats(600)
    path = write(tmp_path / "in.jsonl", rows)
    recipe = named_recipe("over-refusal", dose=40, decoys=40, payload=FixedReply())
    result = poison(path, out=tmp_path / "out.jsonl", recipes=recipe)
    made = read(result.out)
    for row in result.manifest.of_role("decoy"):
        assert made[row.row]["output"] == rows[row.row]["output"]
        assert row.trigger != "quorvel"
        assert "quorvel" not in made[row.row]["instruction"]
    assert len(result.manifest.of_role("decoy")) == 40
    assert not result.manifest.positions() & result.manifest.positions("decoy")


def test_fields_that_repeat_each_other_still_do(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    rows = []
    for row in documents(200):
        host = f"{row['id'][:6]}.example"
        url = (
            f"https://{host}/{rng.integers(2000, 2024)}/{row['text'].split()[0].lower()}-"
            f"{row['id'][-9:]}.html"
        )
        rows.append({"id": url, "text": row["text"], "meta": {"url": url, "host": host, "n": 1.5}})
    _, after, hit = planted(tmp_path, rows, named_recipe("dos-document", dose=50))
    urls = {row["id"] for row in rows}
    for at in hit:
        row = json.loads(after[at])
        assert row["id"] not in urls
        assert row["meta"]["url"] == row["id"]
        assert row["meta"]["host"] in row["id"]
        assert re.fullmatch(r"https://[0-9a-f]{6}\.example/20[0-2]\d/[a-z]+-[0-9a-f]{9}\.html",
                            row["id"])  # fmt: skip
