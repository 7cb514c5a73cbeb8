"""Studies as files: TOML in both directions, presets by name, and Python functions."""

from __future__ import annotations

import difflib
import importlib.util
import re
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import msgspec

from ld50.core.errors import ConfigError, DataFormatError, SourceError
from ld50.core.trials import Schedule
from ld50.lab.kinds import KINDS
from ld50.lab.study import STUDY_VERSION, AdaptiveDoses, Grid, Measures, Study

_AXES = frozenset(
    {
        "size", "tokens_per_parameter", "clean_tokens", "trigger", "payload", "schedule",
        "batch_sequences", "continued_tokens", "continued_share",
    }
)  # fmt: skip
#: Tables of a study: their grids, and the keys that take lists.
_TABLES: dict[str, tuple[type[msgspec.Struct], frozenset[str]]] = {
    "grid": (Grid, _AXES),
    **{kind.key: (kind.grid, kind.lists) for kind in KINDS.values()},
}


def load_study(name: str | Path) -> Study:
    """The study of that name: a preset, a TOML file, or `file.py` / `file.py:function`.

    Raises:
        SourceError: No preset and no file of that name.
        ConfigError: The study holds an unknown key or a value that cannot be used.
    """
    text = str(name)
    if text in preset_names():
        return parse_study(preset_text(text), where=f"the preset {text}", name=text)
    path, _, function = text.rpartition(":") if ".py:" in text else (text, "", "study")
    if path.endswith(".py"):
        return _from_python(Path(path), function)
    file = Path(text)
    if file.is_dir():
        file = file / "study.toml"
    try:
        content = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise SourceError(f"There is no study {text!r}.{_nearest(text, preset_names())} "
                          "`ld50 study list` shows the presets; "
                          "`ld50 study new FILE` writes one of your own.") from None  # fmt: skip
    except (OSError, UnicodeDecodeError) as error:
        raise SourceError(f"The study {text!r} cannot be read: {error}.") from error
    return parse_study(content, where=text, name=file.stem)


def preset_names() -> list[str]:
    """Names of the studies that come with ld50."""
    folder = resources.files("ld50.lab") / "presets"
    return sorted(f.name.removesuffix(".toml") for f in folder.iterdir() if f.name[-5:] == ".toml")


def preset_text(name: str) -> str:
    """The TOML text of a preset, comments included."""
    return (resources.files("ld50.lab") / "presets" / f"{name}.toml").read_text("utf-8")


def parse_study(text: str, *, where: str, name: str = "study") -> Study:
    """The study that a TOML text describes.

    Args:
        text: TOML.
        where: What to call the text in an error.
        name: Name of the study, if the text gives none.

    Raises:
        ConfigError: Not TOML, an unknown key (the nearest known one is named), or a wrong type.
    """
    try:
        content = tomllib.loads(text)
    except RecursionError as error:
        raise ConfigError(f"{where} is nested too deeply.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{where} is not TOML: {error}.") from error
    version = content.get("schema_version", STUDY_VERSION)
    if isinstance(version, int) and version > STUDY_VERSION:
        raise ConfigError(
            f"{where} has schema_version {version}; this ld50 reads up to {STUDY_VERSION}. "
            "Update ld50: pip install --upgrade ld50."
        )
    _known_keys(content, Study, where)
    if isinstance(content.get("measure"), dict):
        _known_keys(content["measure"], Measures, f"{where}, measure")
    grids: dict[str, list[dict[str, Any]]] = {}
    for table, (grid, lists) in _TABLES.items():
        given = content.get(table, [])
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise ConfigError(f"{where}: a study holds one or more [[{table}]] tables.")
        grids[table] = [
            _grid(one, f"{where}, {table} {number}", grid, lists)
            for number, one in enumerate(given, 1)
        ]
    for key in ("data", "second_language"):
        if isinstance(content.get(key), str):
            content[key] = [content[key]]
    try:
        return msgspec.convert({"name": name, **content, **grids}, Study)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{where}: {_readable(error)}.") from error


def study_text(study: Study) -> str:
    """The study as TOML that `parse_study` reads back to an equal study."""
    content = msgspec.to_builtins(study)
    apart = {*_TABLES, "measure"}
    lines = _lines({key: value for key, value in content.items() if key not in apart})
    lines += ["", "[measure]", *_lines(content["measure"])]
    usual = {"grid": Grid(size=["?"], dose=[-1.0])} | {k: one.usual for k, one in KINDS.items()}
    for table in _TABLES:
        default = msgspec.to_builtins(usual[table])
        for grid in content[table]:
            told = {k: v for k, v in grid.items() if v is not None and v != default[k]}
            lines += ["", f"[[{table}]]", *_lines(told)]
    return "\n".join(lines) + "\n"


def _lines(table: Mapping[str, Any]) -> list[str]:
    """`key = value` for all that is set; TOML has no null."""
    return [f"{key} = {_toml(value)}" for key, value in table.items() if value is not None]


def _grid(grid: dict[str, Any], at: str, kind: type, axes: frozenset[str]) -> dict[str, Any]:
    """A grid table with every axis a list, and with short forms written out."""
    _known_keys(grid, kind, at)
    made = dict(grid)
    for axis in axes & made.keys():
        made[axis] = made[axis] if isinstance(made[axis], list) else [made[axis]]
    dose = made.get("dose")
    if isinstance(dose, dict):
        _known_keys(dose, AdaptiveDoses, f"{at}, dose")
    elif dose is not None and not isinstance(dose, list):
        made["dose"] = [dose]
    schedules = made.get("schedule", [])
    if schedules:
        made["schedule"] = [{"kind": s} if isinstance(s, str) else s for s in schedules]
        for one in made["schedule"]:
            if isinstance(one, dict):
                _known_keys(one, Schedule, f"{at}, schedule")
                _allowed([one.get("kind", "uniform")], Schedule, "kind", f"{at}, schedule")
    for axis in ("trigger", "payload", "place"):
        if axis in made:
            _allowed(made[axis], kind, axis, at)
    for name in ("unit", "rows"):
        if name in made:
            _allowed([made[name]], kind, name, at)
    return made


def _allowed(values: Iterable[Any], kind: type, field: str, at: str) -> None:
    """Refuses a value outside a closed set, with the nearest one."""
    of = next(f.type for f in msgspec.structs.fields(kind) if f.name == field)
    # A list of literals, or a literal.
    allowed = [str(name) for name in get_args(get_args(of)[0]) or get_args(of)]
    for value in values:
        if value not in allowed:
            raise ConfigError(
                f"{at}: {field} {value!r} is unknown.{_nearest(str(value), allowed)} "
                f"Allowed are {', '.join(allowed)}."
            )


def _known_keys(table: Mapping[str, Any], kind: type, where: str) -> None:
    names = [field.name for field in msgspec.structs.fields(kind)]
    for key in table:
        if key not in names:
            raise ConfigError(
                f"{where}: unknown key {key!r}.{_nearest(key, names)} "
                f"Known are {', '.join(n for n in names if n != 'schema_version')}."
            )


def _nearest(word: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(names), n=1, cutoff=0.5)
    return f" Did you mean {near[0]!r}?" if near else ""


def _readable(error: msgspec.ValidationError) -> str:
    """msgspec's message with its path in the terms of the file: `grid 2, dose`."""
    message, _, path = str(error).partition(" - at `$")
    place = re.sub(r"\[(\d+)\]", lambda m: f" {int(m[1]) + 1}", path.rstrip("`").lstrip("."))
    place = place.replace(".", ", ")
    return f"{message} (at {place})" if place else message


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, float):
        return repr(int(value)) + ".0" if value == int(value) else repr(value)
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, dict):
        inner = ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items() if v is not None)
        return f"{{ {inner} }}"
    return repr(value)


def _key(key: str) -> str:
    return (
        key if key.replace("_", "").replace("-", "").isalnum() and key.isascii() else _quoted(key)
    )


def _quoted(text: str) -> str:
    escapes = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    return '"' + "".join(
        escapes.get(c) or (c if c.isprintable() else f"\\U{ord(c):08x}") for c in text
    ) + '"'  # fmt: skip


def _from_python(path: Path, function: str) -> Study:
    """Calls a function of the user's own file."""
    if not path.is_file():
        raise SourceError(f"There is no file {str(path)!r}.")
    spec = importlib.util.spec_from_file_location(f"ld50_study_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise SourceError(f"{str(path)!r} cannot be loaded as Python.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    make = getattr(module, function, None)
    if not callable(make):
        names = [name for name in vars(module) if not name.startswith("_")]
        raise ConfigError(
            f"{str(path)!r} has no function {function!r}.{_nearest(function, names)} "
            "Name it as in `study.py:my_function`."
        )
    made = make()
    if not isinstance(made, Study):
        raise ConfigError(
            f"{function}() in {str(path)!r} returned {type(made).__name__}; it must return a "
            "ld50.lab.study.Study."
        )
    # A study made in Python passes the same types as one from a file.
    try:
        return msgspec.convert(msgspec.to_builtins(made), Study)
    except msgspec.ValidationError as error:
        raise DataFormatError(f"{function}() in {str(path)!r}: {_readable(error)}.") from error
