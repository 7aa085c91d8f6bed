"""Scenario files as text: TOML, `extends`, `--set`, and where each key stands.

Everything is kept with its origin (`file:line key`), so that an error can name it. Names of scenarios are
checked before any path is made from them.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, time
from pathlib import Path
from typing import Any, Final

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario.whole import NAME, NAME_RULE

_MAX_BYTES: Final = 1_000_000  # Assumption: a longer scenario file is a mistake
_AT_LINE: Final = re.compile(r"\(at line (\d+), column (\d+)\)")
_TAGS: Final = ("pattern", "kind")

KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origins:
    """Where keys stand. Args: file: name of the scenario file; places: `file:line` by path of keys."""

    file: str
    places: Mapping[KeyPath, str]

    def of(self, path: Sequence[object]) -> str:
        """Give the place of a path, for example `first-look.toml:12 clients.desktop`."""
        keys = tuple(str(part) for part in path)
        for end in range(len(keys), 0, -1):
            if keys[:end] in self.places:
                return f"{self.places[keys[:end]]} {'.'.join(keys)}"
        return f"{self.file} {'.'.join(keys)}".rstrip()


@dataclass(frozen=True, slots=True)
class RawScenario:
    """A scenario as written, joined with what it extends. `folder` is where its paths are looked up."""

    name: str
    folder: Path
    values: dict[str, Any]
    origins: Origins


def read_scenario(path: Path, overrides: Sequence[str] = ()) -> RawScenario:
    """Read a scenario file, what it extends, and `key=value` overrides.

    Args:
        path: the file; a name without `.toml` is looked up in the folder `scenarios`.
        overrides: texts like `clients.desktop=3`; the value is TOML, or else a plain text.

    Raises:
        InvalidInput: no such file, a name that is not allowed, not TOML, or a circle of `extends`.
    """
    if path.suffix != ".toml":
        if not NAME.match(str(path)):
            raise InvalidInput("scenario", str(path), f"{NAME_RULE}, or the path of a .toml file")
        path = Path("scenarios") / f"{path}.toml"
    values, places = _read(path, ())
    for override in overrides:
        _override(override, values, places)
    return RawScenario(path.stem, path.parent, values, Origins(path.name, places))


def _read(path: Path, above: tuple[Path, ...]) -> tuple[dict[str, Any], dict[KeyPath, str]]:
    if not NAME.match(path.stem):
        raise InvalidInput("scenario name", path.stem, NAME_RULE)
    text = _text(path)
    try:
        values = tomllib.loads(text)
        places = {keys: f"{path.name}:{line}" for keys, line in key_lines(text).items()}
    except tomllib.TOMLDecodeError as wrong:
        raise _syntax_error(path.name, text, str(wrong)) from wrong
    except (RecursionError, ValueError) as wrong:  # Python's own limits of depth and of digits
        found = "values nested too deep" if isinstance(wrong, RecursionError) else "a number too long to read"
        raise InvalidInput(path.name, found, 'TOML lines like `key = "5 s"`') from wrong
    base = values.get("extends")
    if base is None:
        return values, places
    place = Origins(path.name, places).of(("extends",))
    if not isinstance(base, str) or not NAME.match(base):
        raise InvalidInput(place, base, f"{NAME_RULE}, of a scenario in the same folder")
    parent = path.with_name(f"{base}.toml")
    if parent in (*above, path):
        raise InvalidInput(place, base, "a scenario that does not lead back to this one")
    if not parent.is_file():
        raise InvalidInput(
            place, base, "the name of a scenario in the same folder", f"{parent} does not exist."
        )
    base_values, base_places = _read(parent, (*above, path))
    return _merge(base_values, values), base_places | places


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as wrong:
        raise InvalidInput("scenario", str(path), "a file that can be read", f"{wrong.strerror}.") from wrong
    if len(raw) > _MAX_BYTES:
        raise InvalidInput(path.name, f"{len(raw)} bytes", f"at most {_MAX_BYTES} bytes")
    try:
        return raw.decode("utf-8-sig")  # some editors put a byte order mark in front
    except UnicodeDecodeError as wrong:
        line = raw[: wrong.start].count(b"\n") + 1
        raise InvalidInput(f"{path.name}:{line}", "bytes that are not UTF-8", "UTF-8 text") from wrong


def _syntax_error(file: str, text: str, message: str) -> InvalidInput:
    match = _AT_LINE.search(message)
    lines = text.splitlines()
    number = int(match[1]) if match else len(lines)
    found = lines[number - 1].strip() if 0 < number <= len(lines) else "the end of the file"
    reason = _AT_LINE.sub("", message).strip()
    return InvalidInput(f"{file}:{number}", found, 'TOML lines like `key = "5 s"`', f"{reason}.")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Find the line on which each table and key of a valid TOML text begins.

    Statements are cut at the first line end at which they parse, so arrays and texts over several lines
    count as one; keys inside them have the line on which the statement begins.
    """
    found: dict[KeyPath, int] = {}
    table: KeyPath = ()
    pending, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if not pending and (not line.strip() or line.lstrip().startswith("#")):
            continue
        start = start if pending else number
        pending = f"{pending}{line}\n"
        try:
            statement = tomllib.loads(pending)
        except tomllib.TOMLDecodeError:
            continue
        header = pending.lstrip().startswith("[")
        paths = list(_paths(statement, ()))
        if header:
            table = max(paths, key=len)
        for path in paths:
            found.setdefault(path if header else table + path, start)
        pending = ""
    return found


def _paths(value: Any, prefix: KeyPath) -> list[KeyPath]:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
        value = value[0]
    if not isinstance(value, dict):
        return []
    return [p for key, item in value.items() for p in ((*prefix, key), *_paths(item, (*prefix, key)))]


def _merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Lay one table over another. A table of another pattern or kind replaces the old one as a whole."""
    if any(tag in base and tag in over and base[tag] != over[tag] for tag in _TAGS):
        return over
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        merged[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def with_values(values: Mapping[str, Any], changes: Mapping[KeyPath, Any]) -> dict[str, Any]:
    """Give tables with some values set; what was given is left as it is.

    Raises:
        KeyError: the dotted path of a change that leads through something that is no section.
    """
    made = dict(values)
    for path, value in changes.items():
        table = made
        for part in path[:-1]:
            below = table.get(part, {})
            if not isinstance(below, dict):
                raise KeyError(".".join(path))
            copied = dict(below)
            table[part] = copied
            table = copied
        table[path[-1]] = value
    return made


def _override(text: str, values: dict[str, Any], places: dict[KeyPath, str]) -> None:
    key, equals, written = text.partition("=")
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path):
        raise InvalidInput("--set", text, "key=value, for example clients.desktop=3")
    if path[0] == "extends":
        raise InvalidInput("--set", text, "a key other than extends, which only a file can say")
    try:
        parsed = tomllib.loads(f"v = {written}")
    except RecursionError as wrong:
        raise InvalidInput("--set", text, "a value that is not nested so deep") from wrong
    except ValueError:
        parsed = {"v": written.strip()}
    if len(parsed) != 1:
        raise InvalidInput("--set", text, "one key=value; repeat --set for another")
    value = parsed["v"]
    if isinstance(value, date | time):  # no key takes a TOML date; a plain text looks just like one
        value = written.strip()
    table = values
    for part in path[:-1]:
        table = table.setdefault(part, {})
        if not isinstance(table, dict):
            raise InvalidInput("--set", text, f"a key of a section; {part!r} is none")
    if path[-1] in _TAGS and table.get(path[-1]) not in (None, value):
        table.clear()
    table[path[-1]] = value
    places[path] = "--set"
