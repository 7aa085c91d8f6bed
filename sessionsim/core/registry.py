"""Drop-ins: one file each, registered by a decorator, found by a sorted scan.

A family (vantages, patterns, metrics …) is a package; each module in it that does not start with an
underscore holds one drop-in whose id is the module's name with `-` for `_`. The scan below is the only
dynamic import of the product; `experiment` runs it and hands what it finds to the other rooms.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, TypeVar

from sessionsim.core.errors import InvalidInput, RegistryError

T = TypeVar("T")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*\Z")


@dataclass(frozen=True, slots=True)
class Entry(Generic[T]):
    """One drop-in. `config`: its settings dataclass; `source`: paper, repository path or "Assumption"."""

    id: str
    factory: T
    config: type[Any]
    source: str
    summary: str


class Registry(Generic[T]):
    """The drop-ins of one family, in the order of their ids.

    Args:
        family: the word used in scenarios and messages, for example "vantage".
        package: dotted name of the package whose modules are scanned.
    """

    def __init__(self, family: str, package: str) -> None:
        self.family, self.package = family, package
        self._entries: dict[str, Entry[T]] = {}

    def register(self, *, config: type[Any], source: str) -> Callable[[T], T]:
        """Decorate a drop-in's class or function. Its first docstring line becomes the summary.

        Raises:
            RegistryError: two drop-ins of one id, or no source.
        """

        def accept(factory: T) -> T:
            module = str(getattr(factory, "__module__", ""))
            name = module.rpartition(".")[2].replace("_", "-")
            if not source or not _ID.match(name):
                raise RegistryError(f"{self.family} in {module}: id {name!r} or its source is not valid")
            if name in self._entries:
                raise RegistryError(f"{self.family} {name!r} is registered twice")
            lines = (getattr(factory, "__doc__", None) or "").strip().splitlines()
            self._entries[name] = Entry(name, factory, config, source, lines[0] if lines else "")
            return factory

        return accept

    def scan(self) -> None:
        """Import every module of the package, sorted by name. Doing it twice changes nothing."""
        package: ModuleType = importlib.import_module(self.package)
        names = (module.name for module in pkgutil.iter_modules(package.__path__))
        for name in sorted(name for name in names if not name.startswith("_")):
            importlib.import_module(f"{self.package}.{name}")

    def __iter__(self) -> Iterator[Entry[T]]:
        return iter(sorted(self._entries.values(), key=lambda entry: entry.id))

    def __getitem__(self, name: str) -> Entry[T]:
        if name not in self._entries:
            known = ", ".join(sorted(self._entries)) or "none"
            raise InvalidInput(self.family, name, f"one of {known}")
        return self._entries[name]
