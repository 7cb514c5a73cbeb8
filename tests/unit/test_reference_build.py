"""The tool that builds the reference statistics."""

from __future__ import annotations

import gzip
import io
import struct
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest

from ld50.scan import kernels

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import reference_sources as sources
import reference_trigrams as trigrams


def test_shipped_files_agree_with_the_named_sources() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "build_reference.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_hash_of_a_trigram_is_the_kernels() -> None:
    rng = np.random.default_rng(1)
    a, b, c = rng.integers(0, 256, (3, 1000)).astype(np.uint8)
    ours = trigrams.bucket(a.astype(np.uint32), b.astype(np.uint32), c.astype(np.uint32), 15)
    np.testing.assert_array_equal(ours, kernels.trigram_index(a, b, c, 15))


@pytest.mark.parametrize("text", [b"  A\tB\n\nc ", b"\xc3\x84 \x00X", b"", b"Z"])
def test_text_is_normalised_as_the_kernels_do_inside(text: bytes) -> None:
    assert trigrams.normalise(text).strip() == kernels.normalise(text)


def test_frequent_trigrams_cost_less() -> None:
    smoothing = trigrams.Smoothing()
    counts = trigrams.mixed(
        [(trigrams.count_text("the cat sat on the mat. " * 99), 1.0)], smoothing
    )
    table = trigrams.lane_costs(counts, smoothing)

    def cost(text: bytes) -> float:
        b = np.frombuffer(text, np.uint8)
        return float(table[kernels.trigram_index(b[:-2], b[1:-1], b[2:], smoothing.bits)].mean())

    assert cost(b"the mat sat on the cat") < 32 < 16 * smoothing.unseen * 0.8 < cost(b"xqzvkjwpbd")


def test_expected_counts_of_a_vocabulary_are_those_of_its_text() -> None:
    """Drawing words one by one and counting comes to the same in the long run."""
    smoothing = trigrams.Smoothing(cased=0.0, upper=0.0, decomposed=0.0)
    shares = {"on": 0.5, "the": 0.3, "mat": 0.2}
    rng = np.random.default_rng(2)
    drawn = rng.choice(list(shares), 40_000, p=list(shares.values()))
    counted = trigrams.count_text(" ".join(drawn))
    expected = trigrams.count_words(shares, smoothing, spaced=True)
    used = np.flatnonzero(counted)
    np.testing.assert_array_equal(used, np.flatnonzero(expected))
    ratio = counted[used] / counted.sum() / (expected[used] / expected.sum())
    assert np.abs(ratio - 1).max() < 0.15


def test_text_comes_out_of_a_debian_package(tmp_path: Path) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as tar:
        body = gzip.compress(b"A page &amp; <b>more</b>")
        entry = tarfile.TarInfo("./usr/share/doc/x/page.html")
        entry.size = len(body)
        tar.addfile(entry, io.BytesIO(body))
    member = data.getvalue()
    header = b"data.tar.xz     0           0     0     100644  " + f"{len(member):<10}`\n".encode()
    (tmp_path / "x_1.0_all.deb").write_bytes(b"!<arch>\n" + header + member)
    source = sources.TextSource(
        package="x", registry="debian", licence="MIT", pattern="html", reader="html"
    )
    assert sources.read_source(tmp_path, source).strip() == "A page & more"
    with pytest.raises(FileNotFoundError, match="'y'"):
        sources.package_file(tmp_path, "y")


def test_only_translated_messages_of_a_catalogue_are_read() -> None:
    pairs = [
        (b"Open", b"\xc3\x96ffnen"),
        (b"Same", b"Same"),
        (b"menu\x04~Close", b"~Schlie\xc3\x9fen"),
    ]
    keys, values, blob = [], [], b""
    start = 28 + 16 * len(pairs)
    for key, value in pairs:
        keys.append((len(key), start + len(blob)))
        blob += key + b"\0"
        values.append((len(value), start + len(blob)))
        blob += value + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    table = b"".join(struct.pack("<2I", *row) for row in [*keys, *values])
    assert sources.catalogue_text(head + table + blob) == "Öffnen\nSchließen"
