"""What people point a scan at by mistake, and what it is told to them."""

import gzip
import json
from pathlib import Path

import pytest

from ld50.core.errors import ConfigError, DataFormatError, SourceError
from ld50.corpus import LayoutOptions, expand, plan, read, split

ROWS = [{"instruction": f"Ask {n}.", "output": f"Answer {n}."} for n in range(30)]


def lines(path: Path, rows: list[dict[str, str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_a_link_to_nothing_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").symlink_to("gone.jsonl")
    with pytest.raises(SourceError, match=r"a link to 'gone\.jsonl', which does not exist"):
        expand([tmp_path / "a.jsonl"])


def test_standard_input_is_refused_with_a_way_out() -> None:
    with pytest.raises(SourceError, match="Save it to a file"):
        expand(["-"])


@pytest.mark.parametrize(
    ("name", "told"), [("a.zip", "Unpack"), ("a.xlsx", "CSV"), ("a.pkl", "never opened")]
)
def test_formats_of_other_programs_say_how_to_get_the_data_out(
    tmp_path: Path, name: str, told: str
) -> None:
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    with pytest.raises(ConfigError, match=told):
        expand([tmp_path / name])


def test_the_report_of_an_earlier_scan_is_no_data(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", ROWS)
    for name in ("summary.json", "findings.jsonl", "rows.jsonl", "examples.jsonl", "report.html"):
        lines(tmp_path / "ld50-report" / name, ROWS)
    lines(tmp_path / "a.jsonl.poison-manifest.json", ROWS)
    only = [str(tmp_path / "a.jsonl")]
    assert [file.source for file in expand([tmp_path])] == only
    assert [file.source for file in expand([f"{tmp_path}/**/*.jsonl"])] == only
    named = tmp_path / "ld50-report" / "rows.jsonl"
    assert [file.source for file in expand([named])] == [str(named)]


def test_rows_of_that_name_are_data_where_no_scan_wrote_them(tmp_path: Path) -> None:
    lines(tmp_path / "rows.jsonl", ROWS)
    assert len(expand([tmp_path])) == 1


def test_a_shard_with_nothing_in_it_is_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "last.jsonl.gz"
    path.write_bytes(gzip.compress(b""))
    planned = plan(expand([path]))
    assert planned.sources[0].layout.name == "empty"
    assert planned.units == ()


def test_a_shard_that_cannot_be_unpacked_is_no_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "last.jsonl.gz"
    path.write_bytes(gzip.compress(b"")[:-4])
    with pytest.raises(DataFormatError, match="nothing that can be unpacked"):
        plan(expand([path]))


def test_why_nothing_can_be_unpacked_is_told(tmp_path: Path) -> None:
    content = b'{"text": "a"}\n'
    # A frame of zstd whose window is 2 GiB, with one block as it is.
    block = (len(content) << 3 | 1).to_bytes(3, "little") + content
    (tmp_path / "long.jsonl.zst").write_bytes(b"\x28\xb5\x2f\xfd\x00\xa8" + block)
    (tmp_path / "plain.jsonl.gz").write_bytes(content)
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(content)[:6])
    (tmp_path / "good.jsonl").write_bytes(content)
    notes = {Path(s.file.source).name: " ".join(s.notes) for s in plan(expand([tmp_path])).sources}
    assert "zstd -d --long=31" in notes["long.jsonl.zst"]
    assert "incorrect header" in notes["plain.jsonl.gz"]
    assert "ends early" in notes["cut.jsonl.gz"]
    (tmp_path / "secret.parquet").write_bytes(b"PARE" + bytes(20) + b"PARE")
    with pytest.raises(DataFormatError, match="encrypted"):
        plan(expand([tmp_path / "secret.parquet"]))


def test_files_in_a_folder_that_are_not_read_are_named(tmp_path: Path) -> None:
    lines(tmp_path / "a.jsonl", ROWS)
    lines(tmp_path / "b.jsonl", ROWS)
    (tmp_path / "sheet.xlsx").write_bytes(b"PK")
    notes = plan(expand([tmp_path])).notes
    assert len(notes) == 1
    assert "not read beside it" in notes[0]
    assert "sheet.xlsx" in notes[0]


def test_a_note_on_many_files_is_one_note(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text("One thing.\nAnother thing, which is longer.\n" * 9)
    notes = plan(expand([tmp_path])).notes
    assert len(notes) == 1
    assert "and 3 more files: read as plain text" in notes[0]


def test_rows_without_a_reply_do_not_hide_the_replies_of_others(tmp_path: Path) -> None:
    rows = [row if n % 3 else {"instruction": row["instruction"]} for n, row in enumerate(ROWS)]
    layout = plan(expand([lines(tmp_path / "a.jsonl", rows)])).sources[0].layout
    assert layout.roles == {"prompt": "instruction", "response": "output"}


def test_columns_in_one_object_are_not_taken_for_one_row(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({name: [row[name] for row in ROWS] for name in ROWS[0]}))
    with pytest.raises(DataFormatError, match="columns, not rows"):
        plan(expand([path]), LayoutOptions())


def test_one_object_with_a_list_of_answers_is_one_row(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"question": "Which?", "answers": ["this", "that"]}))
    assert plan(expand([path])).sources[0].layout.name == "question/answers"


def test_a_file_that_is_named_in_two_ways_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lines(tmp_path / "a.jsonl", ROWS)
    monkeypatch.chdir(tmp_path)
    found = expand(["a.jsonl", "./a.jsonl", str(path), "."])
    assert [file.source for file in found] == ["a.jsonl"]


def test_a_reply_may_be_the_label_as_well(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "a.jsonl", [{**row, "output": str(n % 2)} for n, row in enumerate(ROWS)]
    )
    planned = plan(expand([path]), LayoutOptions(label_field="output"))
    (batch,) = read(planned, 0)
    assert batch.response.to_pylist() == batch.label.to_pylist() == ["0", "1"] * 15


def read_and_divided(path: Path, row: int) -> tuple[list[str], bytes, bytes]:
    """The texts of a file, and its two parts when one row is taken out."""
    job = plan(expand([path]))
    texts = [text for batch in read(job, 0) for text in batch.text.to_pylist()]
    clean, bad = path.parent / "clean", path.parent / "bad"
    split(job, {0: {row}}, clean=clean, quarantine=bad)
    return texts, (clean / path.name).read_bytes(), (bad / path.name).read_bytes()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
@pytest.mark.parametrize("inside", ["plain", "a\nb"])
def test_carriage_returns_alone_end_the_lines_of_a_table(
    tmp_path: Path, encoding: str, inside: str
) -> None:
    path = tmp_path / "mac.csv"
    rows = [f'"the {inside} film {n}",pos' for n in range(4)]
    path.write_bytes("".join(f"{row}\r" for row in ["text,label", *rows]).encode(encoding))
    texts, clean, bad = read_and_divided(path, 1)
    assert texts == [f"the {inside} film {n}".replace("\n", " ") for n in range(4)]
    assert bad.decode(encoding) == f"text,label\r{rows[1]}\r"
    assert clean.decode(encoding) == "\r".join(["text,label", rows[0], *rows[2:], ""])


@pytest.mark.parametrize(
    ("name", "row"), [("a.txt", "Line {}"), ("a.jsonl", '{{"text": "Line {}"}}')]
)
def test_carriage_returns_alone_end_the_lines_of_text(tmp_path: Path, name: str, row: str) -> None:
    rows = [row.format(n) for n in range(3)]
    (tmp_path / name).write_bytes("\r".join(rows).encode())
    texts, clean, bad = read_and_divided(tmp_path / name, 1)
    assert texts == ["Line 0", "Line 1", "Line 2"]
    assert (clean, bad) == (f"{rows[0]}\r{rows[2]}".encode(), f"{rows[1]}\r".encode())


def test_the_line_in_which_excel_names_the_delimiter_is_no_row(tmp_path: Path) -> None:
    path = tmp_path / "excel.csv"
    head = "sep=;\r\ntext;label\r\n"
    rows = [f"a film, or {n};pos\r\n" for n in range(3)]
    path.write_bytes((head + "".join(rows)).encode())
    texts, clean, bad = read_and_divided(path, 1)
    assert texts == [f"a film, or {n}" for n in range(3)]
    assert clean.decode() == head + rows[0] + rows[2]
    assert bad.decode() == head + rows[1]


def test_one_column_in_quotes_is_one_column_whatever_is_within(tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    cells = [f"First, number {n}\nsecond, and, third\n, fourth" for n in range(50)]
    path.write_text("".join(f'"{cell}"\n' for cell in cells))
    assert read_and_divided(path, 1)[0] == cells


def test_blanks_before_quotes_cost_no_row(tmp_path: Path) -> None:
    path = tmp_path / "spaced.csv"
    path.write_text("id, text, label\n" + "".join(f'{n}, "one, two, {n}", 0\n' for n in range(50)))
    texts = read_and_divided(path, 1)[0]
    assert texts == [f"one, two, {n}" for n in range(50)]
