"""The trials in the formats that other tools read: Parquet, and TensorBoard's event files."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from ld50.core.files import write_atomically
from ld50.core.trials import TrialResult
from ld50.lab.run_folder import RunFolder

#: Columns that every trial has, in this order; nested fields are joined by a dot.
_CELL = (
    "size", "parameters", "clean_tokens", "dose", "unit", "trigger", "payload",
    "batch_sequences", "continued_tokens", "start_from",
)  # fmt: skip


def write_parquet(path: Path, results: Sequence[TrialResult]) -> None:
    """One row a trial, the cell's fields as columns `cell.size` and so on; `details` and `cell.tuning`
    (null for pretraining) as JSON."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_pylist([_row(one) for one in results], schema=_schema())
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    write_atomically(path, [buffer.getvalue()])


def _row(result: TrialResult) -> dict[str, Any]:
    row = {
        name: getattr(result, name)
        for name in TrialResult.__struct_fields__
        if name not in ("cell", "details")
    }
    row.update({f"cell.{name}": getattr(result.cell, name) for name in _CELL})
    schedule = result.cell.schedule
    row.update(
        {f"cell.schedule.{name}": getattr(schedule, name) for name in schedule.__struct_fields__}
    )
    tuning = result.cell.tuning
    row["cell.tuning"] = None if tuning is msgspec.UNSET else msgspec.json.encode(tuning).decode()
    row["details"] = msgspec.json.encode(result.details).decode()
    return row


def _schema() -> Any:
    import pyarrow as pa

    text, real, whole = pa.string(), pa.float64(), pa.int64()
    kinds = {
        "trial": text, "seed": whole, "status": text, "error": text, "schema_version": whole,
        "poisoned_documents": whole, "poisoned_tokens": whole, "poisoned_steps": whole,
    }  # fmt: skip
    fields = [
        (name, kinds.get(name, real))
        for name in TrialResult.__struct_fields__
        if name not in ("cell", "details")
    ]
    cell = {"parameters": whole, "clean_tokens": whole, "dose": real, "batch_sequences": whole,
            "continued_tokens": whole}  # fmt: skip
    fields += [(f"cell.{name}", cell.get(name, text)) for name in _CELL]
    fields += [
        ("cell.schedule.kind", text), ("cell.schedule.density", real),
        ("cell.schedule.every", whole), ("cell.schedule.repeats", whole), ("cell.tuning", text),
        ("details", text),
    ]  # fmt: skip
    return pa.schema(fields)


def write_event_file(path: Path, series: Mapping[str, Iterable[tuple[int, float]]]) -> None:
    """Curves as an event file that TensorBoard reads; no TensorBoard is needed to write it.

    Args:
        path: File whose name holds `tfevents`, as TensorBoard looks for.
        series: Tag to (step, value) pairs.

    Source: the TFRecord framing and `Event`, `Summary` messages of TensorFlow, written by hand: a
    length, its masked CRC-32C, the message, its masked CRC-32C.
    """
    records = [_record(_field_double(1, 0.0) + _field_bytes(3, b"brain.Event:2"))]
    for tag, points in series.items():
        records += [_record(_scalar(tag, step, value)) for step, value in points]
    write_atomically(path, records)


def curves_of(result: TrialResult) -> dict[str, list[tuple[int, float]]]:
    """The curves in a trial's details, by name: those of training, and every figure at checkpoints."""
    found: dict[str, list[tuple[int, float]]] = {}
    curves = result.details.get("curves")
    for name, points in curves.items() if isinstance(curves, dict) else ():
        found[str(name)] = list(_points(points))
    found_in_training = set(found)
    checkpoints = result.details.get("checkpoints")
    for point in checkpoints if isinstance(checkpoints, list) else ():
        if not isinstance(point, dict) or not isinstance(point.get("step"), int):
            continue
        for name, value in point.items():
            if name != "step" and name not in found_in_training and isinstance(value, int | float):
                found.setdefault(str(name), []).append((point["step"], float(value)))
    return {name: points for name, points in found.items() if points}


def write_events(folder: RunFolder, result: TrialResult) -> None:
    """The curves of one trial for TensorBoard: `tensorboard --logdir DIR/tensorboard`."""
    curves = curves_of(result)
    if curves:
        name = "events.out.tfevents.0.ld50"
        write_event_file(folder.path / "tensorboard" / result.trial / name, curves)


def _points(points: Any) -> Iterator[tuple[int, float]]:
    for point in points if isinstance(points, list) else ():
        if isinstance(point, list | tuple) and len(point) == 2:
            step, value = point
            if isinstance(step, int | float) and isinstance(value, int | float):
                yield int(step), float(value)


def _scalar(tag: str, step: int, value: float) -> bytes:
    inner = _field_bytes(1, tag.encode()) + b"\x15" + struct.pack("<f", value)
    summary = _field_bytes(1, inner)
    return (
        _field_double(1, float(step)) + b"\x10" + _varint(max(step, 0)) + _field_bytes(5, summary)
    )


def _record(message: bytes) -> bytes:
    head = struct.pack("<Q", len(message))
    return head + struct.pack("<I", _masked(head)) + message + struct.pack("<I", _masked(message))


def _field_double(number: int, value: float) -> bytes:
    return bytes([number << 3 | 1]) + struct.pack("<d", value)


def _field_bytes(number: int, value: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while True:
        low, value = value & 0x7F, value >> 7
        out.append(low | (0x80 if value else 0))
        if not value:
            return bytes(out)


def _masked(data: bytes) -> int:
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: bytes) -> int:
    """CRC-32C (Castagnoli), which `zlib` does not have."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def _table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _table()
