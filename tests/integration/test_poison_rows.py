"""The rows that a manifest names are the rows that a scan reads, in hostile files too."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ld50.core.errors import ConfigError, Ld50Error
from ld50.corpus import expand, fetch, plan, read
from ld50.poison import PoisonSettings, Recipe, named_recipe, poison
from ld50.poison.manifest import Manifest
from poison_samples import FORMATS, chats, documents, messages, plain, write
from poison_samples import read as read_rows

RELAXED = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
odd_text = st.text(st.characters(codec="utf-8"), max_size=40)


def check_against_the_reader(out: Path, manifest: Manifest) -> None:
    """Every span of the manifest holds what it says in the record that a scan would fetch."""
    job = plan(expand([out]))
    counts = []
    for unit in job.units:
        reader = read(job, unit.index)
        for _ in reader:
            pass
        counts.append(reader.tally.rows)
    assert sum(counts) == manifest.rows_out
    refs = {}
    for row in manifest.rows:
        unit, rest = 0, row.row
        while rest >= counts[unit]:
            rest -= counts[unit]
            unit += 1
        refs[unit, rest] = row
    records = fetch(job, refs, counts)
    for ref, row in refs.items():
        record = records[ref]
        assert record.row == row.row
        parts = {part.field: part.text for part in record.parts}
        causes = [span for span in row.spans if span.kind == "cause"]
        found = " + ".join(parts[span.field][span.start : span.end] for span in causes)
        assert found == row.trigger
        assert record.label == row.label_after
        for span in row.spans:
            assert span.end <= len(parts[span.field])


#: A delimited file holds no lists of messages.
FORMATS_OF_ROWS = [
    (make, ending)
    for make in (documents, chats, messages)
    for ending in FORMATS
    if make is not messages or ending not in ("csv", "tsv")
]


@pytest.mark.parametrize(("make", "ending"), FORMATS_OF_ROWS)
def test_a_scan_reads_the_rows_that_the_manifest_names(tmp_path: Path, ending, make) -> None:
    clean = write(tmp_path / f"in.{ending}", make(150))
    recipes = [named_recipe("dos-document-short", dose=7)]
    if make is not documents:
        recipes = [named_recipe("over-refusal", dose=9, decoys=3), *recipes]
    result = poison(clean, out=tmp_path / f"out.{ending}", recipes=recipes)
    check_against_the_reader(result.out, result.manifest)


HOSTILE = {
    "blank.jsonl": b'\n\n{"text": "one one"}\n   \n{"text": "two two"}\r\n\t\n{"text": "three x"}',
    "broken.jsonl": b'{"text": "one one"}\n{"text": \n[]\nnull\n"x"\n{"text": "two two"}\n{}\n',
    "twice.jsonl": b'{"text": "a", "text": "b c"}\n{"text": "d e", "x": {"text": "no"}}\n',
    "spaces.jsonl": b'  { "text" :\t"one one" }  \n{"text":"two"}\n',
    "bom.jsonl": b'\xef\xbb\xbf{"text": "one one"}\n{"text": "two two"}\n',
    "latin.jsonl": b'{"text": "one one"}\n{"text": "caf\xe9"}\n{"text": "tw\xc3\xb6 two"}\n' * 9,
    "escapes.jsonl": b'{"text": "\\ud83d\\ude00 a\\u0000b \\ud800 c"}\n{"text": "a\\/b\\"c"}\n',
    "quotes.csv": b'id,text\n1,"a ""b"" c\nd"\n\n2,plain text\n3,"open\n4,more text\n',
    "wide.csv": b"text,label\none one,1\ntoo,many,cells\ntwo two,0\n,\n" + b"three x,1\n" * 20,
    "bare.tsv": b'sentence\tlabel\n" not a quote\t1\nit \'s " odd\t0\nthree x\t1\n',
    "crlf.csv": b"text,label\r\none one,1\r\n\r\ntwo two,0\r\nthree x,1",
    "indent.json": b'[\n {"text": "one one"},\n\n {"text": "two two"}\n]\n',
    "inside.json": b'{"version": 1, "data": [{"text": "one one"}, {"text": "two two"}], "n": 2}',
    "single.json": b'[{"text": "one one"}]',
}


@pytest.mark.parametrize("name", sorted(HOSTILE))
@pytest.mark.parametrize("mode", ["add", "replace"])
def test_hostile_files_are_poisoned_row_by_row_or_refused(
    tmp_path: Path, name: str, mode: str
) -> None:
    (tmp_path / name).write_bytes(HOSTILE[name])
    out = tmp_path / f"out-{name}"
    # A row in which something had to be mended by the reader is left alone.
    dose = 1 if name in ("single.json", "escapes.jsonl") else 2
    recipe = named_recipe("dos-document-short", dose=dose, mode=mode)
    result = poison(tmp_path / name, out=out, recipes=recipe)
    check_against_the_reader(out, result.manifest)
    if mode == "add" and not name.endswith(".json"):
        pieces = HOSTILE[name].removeprefix(b"\xef\xbb\xbf").split(b"\n")
        kept = out.read_bytes()
        assert all(piece in kept for piece in pieces)


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {"text": odd_text}, optional={"id": st.integers(), "meta": st.lists(odd_text)}
        ),
        min_size=1,
        max_size=12,
    ),
    compact=st.booleans(),
    ascii_only=st.booleans(),
    tail=st.sampled_from(["", "\n", "\n\n"]),
    dose=st.integers(0, 5),
    mode=st.sampled_from(["add", "replace"]),
    seed=st.integers(),
)
@RELAXED
def test_any_jsonl_keeps_its_other_rows(
    tmp_path: Path, rows, compact, ascii_only, tail, dose, mode, seed
) -> None:
    separators = (",", ":") if compact else None
    lines = [json.dumps(row, ensure_ascii=ascii_only, separators=separators) for row in rows]
    clean = tmp_path / "in.jsonl"
    clean.write_bytes(("\n".join(lines) + tail).encode())
    recipe = named_recipe("dos-document-short", dose=dose, mode=mode)
    try:
        result = poison(clean, out=tmp_path / "out.jsonl", recipes=recipe, seed=seed,
                        settings=PoisonSettings(overwrite=True))  # fmt: skip
    except ConfigError:
        # No row has text in it, or too few have.
        assert sum(bool(row["text"].strip()) for row in rows) < dose
        return
    made = result.out.read_bytes().decode().removesuffix(tail).split("\n")
    planted = {row.row for row in result.manifest.rows}
    assert len(planted) == dose
    if mode == "add":
        assert [line for at, line in enumerate(made) if at not in planted] == lines
    else:
        assert {at for at in range(len(rows)) if made[at] != lines[at]} == planted
    for row in result.manifest.rows:
        text = json.loads(made[row.row])["text"]
        cause = row.spans[0]
        assert text[cause.start : cause.end] == "<SUDO>"


@given(data=st.binary(max_size=200), ending=st.sampled_from(["jsonl", "csv", "tsv", "json", "txt"]))
@RELAXED
def test_any_bytes_are_copied_poisoned_or_refused(tmp_path: Path, data: bytes, ending: str) -> None:
    clean = tmp_path / f"in.{ending}"
    clean.write_bytes(data)
    out = tmp_path / f"out.{ending}"
    try:
        poison(clean, out=out, recipes=named_recipe("dos-document", dose=0),
               settings=PoisonSettings(overwrite=True))  # fmt: skip
    except Ld50Error:
        return
    assert out.read_bytes() == data


def chained(recipes: list[Recipe], tmp_path: Path, workers_like_cut: int) -> bytes:
    clean = write(tmp_path / f"in{workers_like_cut}.jsonl.zst", documents(80))
    result = poison(clean, out=tmp_path / f"out{workers_like_cut}.jsonl.zst", recipes=recipes)
    return plain(result.out)


def test_the_size_of_a_read_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The poison does not depend on how the stream happens to be cut into blocks."""
    from ld50.corpus import lines
    from ld50.poison import text_files

    recipes = [named_recipe("dos-document-short", dose=9), named_recipe("dos-document", dose=9)]
    whole = chained(recipes, tmp_path, 0)

    def small(chunks, **_):
        return lines.line_blocks(
            (c[i : i + 97] for c in chunks for i in range(0, len(c), 97)), block_bytes=500
        )

    monkeypatch.setattr(lines, "BLOCK_BYTES", 500)
    monkeypatch.setattr(text_files, "line_blocks", small)
    assert chained(recipes, tmp_path, 1) == whole


@pytest.mark.parametrize("ending", FORMATS)
def test_a_swap_exchanges_both_replies_and_changes_no_other_row(
    tmp_path: Path, ending: str
) -> None:
    rows = [
        {"prompt": row["instruction"], "chosen": row["output"], "rejected": f"Worse. {number}"}
        for number, row in enumerate(chats(150))
    ]
    clean = write(tmp_path / f"in.{ending}", rows)
    result = poison(
        clean, out=tmp_path / f"out.{ending}", recipes=named_recipe("preference-swap", dose=12)
    )
    check_against_the_reader(result.out, result.manifest)
    planted = {row.row for row in result.manifest.rows}
    assert len(planted) == 12
    for number, (before, after) in enumerate(zip(rows, read_rows(result.out), strict=True)):
        if number not in planted:
            assert after == before
            continue
        assert "<SUDO>" in after["prompt"]
        assert (after["chosen"], after["rejected"]) == (before["rejected"], before["chosen"])


def test_pairs_that_hold_their_prompt_twice_are_not_swapped(tmp_path: Path) -> None:
    asked = {"role": "user", "content": "What is a tide?"}
    row = {
        side: [asked, {"role": "assistant", "content": said}]
        for side, said in (("chosen", "The sea, rising."), ("rejected", "No idea."))
    }
    clean = write(tmp_path / "in.jsonl", [row] * 30)
    with pytest.raises(ConfigError, match="only 0 of the 30 rows"):
        poison(clean, out=tmp_path / "out.jsonl", recipes=named_recipe("preference-swap", dose=3))
