"""Which functions of the protocol room there are, which read what others send, and which were entered.

A function counts as a reader if its name says so, or its docstring says that it raises what others cause.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, ModuleType

import sessionsim.protocol

ROOM = "sessionsim.protocol."
# First words of names.
_READS = re.compile(
    r"(decode|read|open|opened|unwrap|unwrapped|unpad|unseal|decrypt|parse|peel|split_off|load|merge|handle|receive|"
    r"announced|verify|check|take|authorize|authenticate_|accept|pull|seed_of|public_of|body_of|text_of|id_of|ids_of|"
    r"usual|entry_of|step|uploaded|downloaded|facts|newest|is_authentic|is_granted|is_genuine|is_from|is_allowed|"
    r"matches|blinded_id_matches|quic_error_text|store_forwarded|apply|target_is|add)(_|$)"
)
_REFUSES = re.compile(
    r"RemoteProtocolError|CannotOpen|\w+Refused|[Nn]ever raises|any bytes|Any bytes|anything"
)


def modules() -> Iterator[ModuleType]:
    """Give all modules of the room but the generated ones."""
    for found in pkgutil.walk_packages(sessionsim.protocol.__path__, ROOM):
        if not found.name.endswith("_pb2"):
            yield importlib.import_module(found.name)


def functions() -> dict[str, Callable[..., object]]:
    """Give public functions and public methods of public classes, by their name below the room."""
    found: dict[str, Callable[..., object]] = {}
    for module in modules():
        place = module.__name__.removeprefix(ROOM)
        for name, value in vars(module).items():
            if name.startswith("_") or getattr(value, "__module__", "") != module.__name__:
                continue
            if inspect.isclass(value) and not getattr(value, "_is_protocol", False):
                for inner, method in vars(value).items():
                    if not inner.startswith("_") and inspect.isfunction(method):
                        found[f"{place}.{name}.{inner}"] = method
            elif not inspect.isclass(value) and inspect.isfunction(inspect.unwrap(value)):
                found[f"{place}.{name}"] = inspect.unwrap(value)
    return found


def readers() -> set[str]:
    """Give the names of the functions that read what others send."""
    return {
        name
        for name, function in functions().items()
        if _READS.match(name.rpartition(".")[2]) or _REFUSES.search(inspect.getdoc(function) or "")
    }


def entered_by(run: Callable[[], object]) -> set[str]:
    """Run something and give the names of the functions of the room that it entered."""
    codes: set[CodeType] = set()

    def note(frame: FrameType, event: str, _arg: object) -> None:
        if event == "call":
            codes.add(frame.f_code)

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    # Several names can stand for one function.
    return {name for name, function in functions().items() if function.__code__ in codes}  # type: ignore[attr-defined]
