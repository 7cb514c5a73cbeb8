"""Model folders from somebody else: what is in them is checked before anything is loaded.

Nothing in a folder is executed: weights are safetensors, settings are JSON, and a model that asks
for code of its own is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from ld50.core.errors import DataFormatError, Ld50Error, SourceError
from ld50.models.llama import refuse_pickles

#: Bytes of a number in a safetensors file.
_WIDTHS = {"F64": 8, "I64": 8, "U64": 8, "F32": 4, "I32": 4, "U32": 4, "F16": 2, "BF16": 2}
#: Largest header that is read, in bytes.
_MOST_HEADER = 100_000_000


class NotEnoughMemoryError(Ld50Error):
    """A model that would not fit in the memory there is; found out before it is loaded."""


def read_settings(folder: Path) -> dict[str, Any]:
    """The model's `config.json`.

    Raises:
        SourceError: There is no such folder, or it holds no model.
        DataFormatError: Weights are pickled, or code of the model's own is asked for.
    """
    if not folder.is_dir():
        raise SourceError(
            f"There is no model folder {folder}. A model is 'tiny', 'smollm2' or a folder in "
            "Hugging Face's layout; nothing is fetched from a hub."
        )
    settings = _json(folder / "config.json")
    if settings is None:
        raise SourceError(f"{folder} holds no config.json, so it is no model.")
    for name in ("config.json", "tokenizer_config.json", "generation_config.json"):
        if "auto_map" in (_json(folder / name) or {}):
            raise DataFormatError(
                f"{folder / name} asks for code of the model's own (auto_map), which is never run. "
                "Only architectures that transformers itself knows can be loaded."
            )
    if not weight_files(folder):
        raise SourceError(f"{folder} holds no model.safetensors.")
    return settings


def _json(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise DataFormatError(f"{path}: {error}.") from error
    if not isinstance(found, dict):
        raise DataFormatError(f"{path} holds no JSON object.")
    return found


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model, none where it has none.

    Raises:
        DataFormatError: There are only pickled weights.
    """
    files = sorted(folder.glob("*.safetensors"))
    files = [path for path in files if not path.name.startswith(("adapter", "optimiser"))]
    if not files:
        refuse_pickles(folder)
    return files


def inner_folder(folder: Path) -> Path:
    """The folder itself, or the one in it that holds the model, as in that of a study's trial."""
    inner = folder / "model"
    return inner if not (folder / "config.json").exists() and inner.is_dir() else folder


def model_mark(name: str) -> str:
    """A model as part of a file's name: folders that differ in weights, settings or tokens differ in it."""
    mark = "".join(c if c.isalnum() else "-" for c in Path(name).name)[-40:]
    folder = inner_folder(Path(name))
    if not folder.is_dir():
        return mark
    digest = hashlib.blake2b(digest_size=8)
    told = [path for path in sorted(folder.iterdir()) if path.suffix in (".json", ".jinja")]
    for path in [*weight_files(folder), *(one for one in told if one.name != "ld50.json")]:
        with path.open("rb") as file:
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    return f"{mark}-{digest.hexdigest()}"


def count_weights(files: list[Path]) -> tuple[int, int]:
    """Numbers in the weights, and their bytes, read from the headers alone.

    Raises:
        DataFormatError: A file is damaged or cut short.
    """
    numbers = size = 0
    for path in files:
        for entry in _header(path).values():
            count = 1
            for side in entry["shape"]:
                count *= int(side)
            numbers += count
            size += count * _WIDTHS.get(str(entry["dtype"]), 1)
    return numbers, size


def _header(path: Path) -> dict[str, Any]:
    try:
        whole = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= min(_MOST_HEADER, whole - 8):
                raise ValueError(f"a header of {length:,} bytes in a file of {whole:,}")
            header = json.loads(file.read(length))
        header.pop("__metadata__", None)
        end = max((int(entry["data_offsets"][1]) for entry in header.values()), default=0)
        if any(int(side) < 0 for entry in header.values() for side in entry["shape"]):
            raise ValueError("a shape below zero")
        if 8 + length + end > whole:
            raise ValueError(f"{8 + length + end:,} bytes are announced, {whole:,} are there")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataFormatError(
            f"{path}: damaged or no safetensors file ({error}); copy it again."
        ) from error
    return header


def free_memory(device: str = "cpu") -> int | None:
    """Bytes that are free on the device; None where the system does not tell."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    found = [size for size in (_available(), _control_group()) if size is not None]
    return min(found, default=None)


def _available() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _control_group() -> int | None:
    """What a container leaves free."""
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
        used = Path("/sys/fs/cgroup/memory.current").read_text(encoding="ascii")
        return None if limit == "max" else max(0, int(limit) - int(used))
    except (OSError, ValueError):
        return None


def require_memory(needed: int, *, what: str, device: str, most: int | None, remedy: str) -> None:
    """Raises `NotEnoughMemoryError` where so many bytes are not free.

    Args:
        needed: Bytes.
        what: For the message, e.g. `Loading NAME`.
        device: Where they are needed.
        most: A limit of the caller's; None for what the system has free.
        remedy: For the message.
    """
    free = most if most is not None else free_memory(device)
    if free is not None and needed > free:
        raise NotEnoughMemoryError(
            f"{what} takes about {_gigabytes(needed)} of memory on {device}, and "
            f"{_gigabytes(free)} are {'allowed' if most is not None else 'free'}. {remedy}"
        )


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.2f} GB"
