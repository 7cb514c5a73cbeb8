"""What is written is what was read, cut in two: same bytes, nothing lost, all or nothing."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import os
import resource
import tempfile
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ld50.core.errors import ConfigError, OutputError, SourceError
from ld50.corpus import LayoutOptions, expand, plan, planned_outputs, split

LINES = [b'{"text": "row %d", "n": %d}\n' % (n, n) for n in range(10)]


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(data)
    return sink.getvalue().to_pybytes()


def unpack(path: Path) -> bytes:
    if path.suffix == ".zst":
        with pa.CompressedInputStream(pa.OSFile(str(path)), "zstd") as stream:
            return stream.read()
    opener = {".gz": gzip.decompress, ".bz2": bz2.decompress, ".xz": lzma.decompress}
    data = path.read_bytes()
    return opener[path.suffix](data) if path.suffix in opener else data


PACK = {"": bytes, ".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


def divide(
    path: Path | list[Path], rows: dict[int, set[int]], out: Path, **options: object
) -> tuple[Path, Path]:
    paths = path if isinstance(path, list) else [path]
    split(plan(expand(paths)), rows, clean=out / "clean", quarantine=out / "bad", **options)  # type: ignore[arg-type]
    return out / "clean", out / "bad"


@pytest.mark.parametrize("ending", PACK)
def test_jsonl_is_cut_at_lines_whatever_its_compression(tmp_path: Path, ending: str) -> None:
    source = tmp_path / f"a.jsonl{ending}"
    source.write_bytes(PACK[ending](b"".join(LINES)))
    clean, bad = divide(source, {0: {0, 3, 9}}, tmp_path)
    assert unpack(bad / source.name) == LINES[0] + LINES[3] + LINES[9]
    assert unpack(clean / source.name) == b"".join(LINES[1:3] + LINES[4:9])


def test_odd_bytes_of_kept_lines_stay(tmp_path: Path) -> None:
    lines = [
        b"\xef\xbb\xbf" + b'{"text":"a"}\r\n',
        b"\n",
        b'  {"text" :"\xff"}  \n',
        b"garbage\n",
        b"\t\r\n",
        b'{"text":"last"}',
    ]
    source = tmp_path / "a.jsonl"
    source.write_bytes(b"".join(lines))
    clean, bad = divide(source, {0: {1}}, tmp_path)
    assert (bad / "a.jsonl").read_bytes() == b"\xef\xbb\xbf" + lines[2]
    assert (clean / "a.jsonl").read_bytes() == b"".join(lines[:2] + lines[3:])


def test_csv_keeps_quoted_line_ends_and_its_header(tmp_path: Path) -> None:
    header = b"text,label\r\n"
    records = [b'"one\r\ntwo",1\r\n', b"plain,0\r\n", b'"say ""hi"", she said\n",1\n', b"x,0"]
    source = tmp_path / "a.csv"
    source.write_bytes(header + b"\r\n" + b"".join(records))
    clean, bad = divide(source, {0: {0, 3}}, tmp_path)
    assert (bad / "a.csv").read_bytes() == header + b"\r\n" + records[0] + records[3] or (
        (bad / "a.csv").read_bytes() == header + records[0] + records[3]
    )
    assert records[1] + records[2] in (clean / "a.csv").read_bytes()


def test_json_elements_keep_their_bytes_and_both_parts_are_json(tmp_path: Path) -> None:
    rows = [{"text": f'[{n}], \\" }}{{', "deep": {"a": [1, {"b": "]"}]}} for n in range(5)]
    source = tmp_path / "a.json"
    source.write_text(json.dumps(rows, indent=2))
    clean, bad = divide(source, {0: {0, 4}}, tmp_path)
    assert json.loads((bad / "a.json").read_bytes()) == [rows[0], rows[4]]
    assert json.loads((clean / "a.json").read_bytes()) == rows[1:4]
    assert json.dumps(rows[2], indent=2).splitlines()[1].strip() in (clean / "a.json").read_text()


@pytest.mark.parametrize("flagged", [set(), {0, 1, 2}])
def test_json_with_all_or_no_row_flagged_is_json_still(tmp_path: Path, flagged: set[int]) -> None:
    source = tmp_path / "a.json"
    source.write_text('{"version": [1, 2], "data": [ {"text":"a"} , {"text":"b"},{"text":"c"} ] }')
    report = split(
        plan(expand([source])),
        {0: flagged},
        clean=tmp_path / "clean.json",
        quarantine=tmp_path / "bad.json",
    )
    assert report.quarantined_rows == len(flagged)
    kept = json.loads((tmp_path / "clean.json").read_text())["data"]
    taken = json.loads((tmp_path / "bad.json").read_text())["data"]
    assert len(kept) == 3 - len(flagged)
    assert len(taken) == len(flagged)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "latin-1", "utf-32"])
def test_other_encodings_are_cut_at_their_own_line_ends(tmp_path: Path, encoding: str) -> None:
    text = "".join(f"eine Zeile über {n} Öl Ģ\n" for n in range(40))
    text = text.replace("Ģ", "ä") if encoding == "latin-1" else text
    source = tmp_path / "a.txt"
    source.write_bytes(text.encode(encoding))
    clean, bad = divide(source, {0: {1, 39}}, tmp_path)
    mark = encoding in ("utf-16", "utf-32")
    decode = encoding if mark or encoding == "latin-1" else "utf-16-be"
    lines = text.splitlines(keepends=True)
    assert (bad / "a.txt").read_bytes().decode(decode) == lines[1] + lines[39]
    assert (clean / "a.txt").read_bytes().decode(decode) == lines[0] + "".join(lines[2:39])


def table() -> pa.Table:
    return pa.table(
        {
            "text": [f"row {n}" for n in range(20)],
            "score": pa.array([float("nan")] + [0.5] * 19, pa.float32()),
            "tags": [["a", None], []] * 10,
            "when": pa.array(range(20), pa.timestamp("ns", "UTC")),
        },
        metadata={"made": "by hand"},
    )


def test_parquet_keeps_schema_metadata_groups_and_codecs(tmp_path: Path) -> None:
    source = tmp_path / "a.parquet"
    pq.write_table(table(), source, row_group_size=6, compression={"text": "zstd", "score": "none"})
    clean, bad = divide(source, {0: {0, 6, 7, 8, 9, 10, 11, 19}}, tmp_path)
    kept, taken = pq.ParquetFile(clean / "a.parquet"), pq.ParquetFile(bad / "a.parquet")
    assert kept.schema_arrow.equals(pq.ParquetFile(source).schema_arrow, check_metadata=True)
    assert kept.schema_arrow.metadata == {b"made": b"by hand"}
    sizes = [kept.metadata.row_group(n).num_rows for n in range(kept.num_row_groups)]
    assert sizes == [5, 6, 1]
    assert kept.metadata.row_group(0).column(0).compression == "ZSTD"
    assert kept.metadata.row_group(0).column(1).compression == "UNCOMPRESSED"
    assert taken.read()["text"].to_pylist() == [f"row {n}" for n in (0, 6, 7, 8, 9, 10, 11, 19)]
    assert kept.read()["text"].to_pylist()[:3] == ["row 1", "row 2", "row 3"]


def test_lists_of_parquet_keep_the_name_of_their_items_and_their_codec(tmp_path: Path) -> None:
    path = tmp_path / "lists.parquet"
    table = pa.table({"text": ["a", "b", "c"], "tags": [["x"], None, ["y", "z"]]})
    pq.write_table(table, path, use_compliant_nested_type=False, compression="zstd")
    before = pq.read_metadata(path).row_group(0).column(1)
    clean, bad = divide(path, {0: {1}}, tmp_path)
    for part, rows in ((clean, [0, 2]), (bad, [1])):
        column = pq.read_metadata(part / path.name).row_group(0).column(1)
        assert column.path_in_schema == before.path_in_schema == "tags.list.item"
        assert column.compression == "ZSTD"
        assert pq.read_table(part / path.name).equals(pq.read_table(path).take(rows))


def test_int96_times_are_kept_or_the_file_is_refused(tmp_path: Path) -> None:
    kept, lost = tmp_path / "kept.parquet", tmp_path / "lost.parquet"
    for path, year in ((kept, 2020), (lost, 9999)):
        times = pa.array([datetime(year, 12, 31), None, datetime(1970, 1, 1)], pa.timestamp("us"))
        nested = pa.array(
            [[{"at": time}] for time in times], pa.list_(pa.struct({"at": times.type}))
        )
        table = pa.table({"text": ["a", "b", "c"], "seen": nested})
        pq.write_table(table, path, use_deprecated_int96_timestamps=True)
    clean, _ = divide(kept, {0: {1}}, tmp_path)
    again = pq.read_table(clean / kept.name, coerce_int96_timestamp_unit="us")
    assert [row[0]["at"] for row in again["seen"].to_pylist()] == [
        datetime(2020, 12, 31),
        datetime(1970, 1, 1),
    ]
    with pytest.raises(OutputError, match=r"without loss.*INT96.*1677"):
        divide(lost, {0: {1}}, tmp_path, force=True)


@pytest.mark.parametrize("kind", ["file", "stream"])
def test_arrow_files_keep_their_kind_and_schema(tmp_path: Path, kind: str) -> None:
    source = tmp_path / "a.arrow"
    make = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
    with make(str(source), table().schema) as out:
        out.write_table(table(), max_chunksize=7)
    clean, bad = divide(source, {0: {0, 13}}, tmp_path)
    opener = pa.ipc.open_file if kind == "file" else pa.ipc.open_stream
    kept = opener(pa.memory_map(str(clean / "a.arrow"))).read_all()
    taken = opener(pa.memory_map(str(bad / "a.arrow"))).read_all()
    assert kept.schema.equals(table().schema, check_metadata=True)
    assert taken["text"].to_pylist() == ["row 0", "row 13"]
    assert kept.num_rows == 18


def test_folders_are_mirrored_and_untouched_files_are_copied_as_they_are(tmp_path: Path) -> None:
    for name in ("x/a.jsonl", "y/a.jsonl", "y/b.jsonl.gz"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        data = b"".join(LINES)
        (tmp_path / "in" / name).write_bytes(gzip.compress(data) if ".gz" in name else data)
    clean, bad = divide(tmp_path / "in", {1: {2}}, tmp_path)
    assert sorted(str(p.relative_to(bad)) for p in bad.rglob("*.*")) == ["y/a.jsonl"]
    assert (clean / "y/b.jsonl.gz").read_bytes() == (tmp_path / "in/y/b.jsonl.gz").read_bytes()
    assert (clean / "x/a.jsonl").read_bytes() == b"".join(LINES)


def test_files_of_one_name_from_two_folders_do_not_collide(tmp_path: Path) -> None:
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jsonl").write_bytes(b"".join(LINES))
    clean, _ = divide([tmp_path / "x/a.jsonl", tmp_path / "y/a.jsonl"], {0: {1}}, tmp_path)
    assert (clean / "x/a.jsonl").exists()
    assert (clean / "y/a.jsonl").exists()


def test_whole_documents_go_one_way(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.md").write_text("# a\n")
    (tmp_path / "in/b.md").write_text("# b\n")
    clean, bad = divide(tmp_path / "in", {1: {0}}, tmp_path)
    assert [p.name for p in clean.iterdir()] == ["a.md"]
    assert [p.name for p in bad.iterdir()] == ["b.md"]


def test_a_hugging_face_folder_stays_loadable(tmp_path: Path) -> None:
    for part in ("train", "test"):
        folder = tmp_path / "set" / part
        folder.mkdir(parents=True)
        (folder / "state.json").write_text("{}")
        (folder / "dataset_info.json").write_text("{}")
        with pa.ipc.new_stream(str(folder / "data-00000-of-00001.arrow"), table().schema) as out:
            out.write_table(table())
    (tmp_path / "set/dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    _, bad = divide(tmp_path / "set", {0: {1}}, tmp_path)
    names = sorted(str(p.relative_to(bad)) for p in bad.rglob("*") if p.is_file())
    assert names == [
        "dataset_dict.json",
        "test/data-00000-of-00001.arrow",
        "test/dataset_info.json",
        "test/state.json",
        "train/data-00000-of-00001.arrow",
        "train/dataset_info.json",
        "train/state.json",
    ]


def test_the_input_is_never_written_to(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_bytes(b"".join(LINES))
    (tmp_path / "link.jsonl").symlink_to(source)
    for name in ("a.jsonl", "link.jsonl"):
        with pytest.raises(OutputError, match="one of the inputs"):
            split(plan(expand([source])), {0: {1}}, clean=tmp_path / name, force=True)
    assert source.read_bytes() == b"".join(LINES)


def test_existing_outputs_are_kept_unless_forced(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(b"".join(LINES))
    target.write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        split(plan(expand([source])), {0: {1}}, clean=target)
    assert target.read_text() == "mine"
    split(plan(expand([source])), {0: {1}}, clean=target, force=True)
    assert target.read_bytes() == b"".join(LINES[:1] + LINES[2:])


def test_another_format_than_the_input_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_bytes(b"".join(LINES))
    with pytest.raises(OutputError, match="another format"):
        split(plan(expand([source])), {0: {1}}, clean=tmp_path / "out.parquet")
    with pytest.raises(ConfigError, match="same place"):
        split(plan(expand([source])), {}, clean=tmp_path / "o", quarantine=tmp_path / "o")


def left_over(folder: Path) -> list[str]:
    return [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.zst", "a.parquet", "a.arrow", "a.csv.gz"])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    rows = [os.urandom(500).hex() for _ in range(2000)]
    big = pa.table({"text": rows})
    if name.endswith(".parquet"):
        pq.write_table(big, inside / name)
    elif name.endswith(".arrow"):
        with pa.ipc.new_file(str(inside / name), big.schema) as out:
            out.write_table(big)
    elif ".csv" in name:
        (inside / name).write_bytes(gzip.compress("\n".join(["text", *rows]).encode()))
    else:
        data = b"".join(b'{"text":"%s"}\n' % row.encode() for row in rows)
        (inside / name).write_bytes(zstd(data) if name.endswith("zst") else data)
    job = plan(expand([inside]))
    pid = os.fork()
    if pid == 0:  # a child, because the limit cannot be lifted again
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            split(job, {0: {1}}, clean=tmp_path / "clean", quarantine=tmp_path / "bad")
        except OutputError:
            os._exit(17)
        except BaseException:
            os._exit(18)
        os._exit(19)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 17
    assert left_over(tmp_path) == [f"in/{name}"]
    assert not (tmp_path / "clean").exists()


def test_a_failure_in_the_last_file_takes_back_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / "in" / name).write_bytes(b"".join(LINES))
    job = plan(expand([tmp_path / "in"]))
    calls = []

    def fail(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match="No space left"):
        split(job, {0: {1}, 1: {1}}, clean=tmp_path / "clean", quarantine=tmp_path / "bad")
    assert sorted(left_over(tmp_path)) == ["in/a.jsonl", "in/b.jsonl"]


def test_no_permission_is_an_output_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "a.jsonl"
    source.write_bytes(b"".join(LINES))

    def refuse(*_: object, **named: object) -> None:  # the tests may run as root
        raise PermissionError(13, "Permission denied", str(named["dir"]))

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    with pytest.raises(OutputError, match=r"Could not write .*Permission denied"):
        split(plan(expand([source])), {0: {1}}, clean=tmp_path / "out")
    assert left_over(tmp_path) == ["a.jsonl"]


def test_a_file_in_the_way_of_a_folder_is_an_output_error(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_bytes(b"".join(LINES))
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError):
        split(plan(expand([source])), {0: {1}}, clean=tmp_path / "file" / "out")


def test_a_changed_input_is_noticed(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_bytes(b"".join(LINES))
    job = plan(expand([source]))
    source.write_bytes(b"".join(LINES[:5]))
    with pytest.raises(SourceError, match="has changed"):
        split(job, {0: {1}}, clean=tmp_path / "out")
    with pytest.raises(SourceError, match="has changed"):
        split(plan(expand([source])), {0: {7}}, clean=tmp_path / "out")
    assert left_over(tmp_path) == ["a.jsonl"]


def test_the_head_of_a_broken_stream_is_divided_and_the_rest_is_told(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl.gz"
    lines = [b'{"text":"%s"}\n' % os.urandom(40).hex().encode() for _ in range(500)]
    source.write_bytes(gzip.compress(b"".join(lines))[:-3000])
    report = split(plan(expand([source])), {0: {0}}, clean=tmp_path / "clean")
    kept = gzip.decompress((tmp_path / "clean/a.jsonl.gz").read_bytes())
    assert kept.startswith(lines[1])
    assert "the rest is in the source only" in report.notes[0]


def test_lines_layout_of_text_counts_blank_lines(tmp_path: Path) -> None:
    source = tmp_path / "a.txt"
    source.write_bytes(b"one\n\nthree\nfour\n")
    job = plan(expand([source]), LayoutOptions(layout="lines"))
    split(job, {0: {2}}, clean=tmp_path / "c.txt", quarantine=tmp_path / "q.txt")
    assert (tmp_path / "c.txt").read_bytes() == b"one\n\nfour\n"
    assert (tmp_path / "q.txt").read_bytes() == b"three\n"


def test_two_names_of_one_place_are_one_place(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"".join(LINES))
    (tmp_path / "out").mkdir()
    (tmp_path / "link").symlink_to("out")
    with pytest.raises(ConfigError, match="the same place"):
        split(plan(expand([path])), {0: {1}}, clean=tmp_path / "out", quarantine=tmp_path / "link")
    clean, bad = tmp_path / "out" / "x.jsonl", tmp_path / "link" / ".." / "link" / "x.jsonl"
    with pytest.raises(ConfigError, match="the same place"):
        split(plan(expand([path])), {0: {1}}, clean=clean, quarantine=bad)
    assert list((tmp_path / "out").iterdir()) == []


def test_files_whose_names_begin_alike_are_all_written(tmp_path: Path) -> None:
    names = ["x.jsonl.gz", "x.jsonl", *(f"{'long' * 20}{n}.jsonl" for n in range(3))]
    (tmp_path / "in").mkdir()
    for name in names:
        data = b"".join(LINES)
        (tmp_path / "in" / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    paths = [tmp_path / "in" / name for name in names]
    clean, bad = divide(paths, {number: {3} for number in range(len(names))}, tmp_path)
    for name in names:
        assert unpack(clean / name) == b"".join(LINES[:3] + LINES[4:])
        assert unpack(bad / name) == LINES[3]


@pytest.mark.parametrize("stood", [False, True])
def test_a_name_that_cannot_be_given_takes_back_those_that_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stood: bool
) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        (tmp_path / "in" / name).write_bytes(b"".join(LINES))
    if stood:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "a.jsonl").write_bytes(b"older")
    renamed, replace = [], Path.replace

    def fail(self: Path, target: Path) -> Path:
        renamed.append(target)
        if len(renamed) == 2:
            raise OSError(5, "Input/output error")
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", fail)
    said = r"Replaced before that: '.*a\.jsonl'" if stood else "No output was left behind"
    with pytest.raises(OutputError, match=said):
        split(plan(expand([tmp_path / "in"])), {}, clean=tmp_path / "out", force=True)
    kept = ["out/a.jsonl"] if stood else []
    assert sorted(left_over(tmp_path)) == ["in/a.jsonl", "in/b.jsonl", *kept]


def test_two_outputs_of_one_name_are_refused_before_anything_is_read(tmp_path: Path) -> None:
    (tmp_path / "in" / "q").mkdir(parents=True)
    for name in ("a.jsonl", "q/a.jsonl"):
        (tmp_path / "in" / name).write_bytes(b"".join(LINES))
    job = plan(expand([tmp_path / "in"]))
    with pytest.raises(OutputError, match="Two outputs would both be"):
        planned_outputs(job, clean=tmp_path / "out", quarantine=tmp_path / "out" / "q")
