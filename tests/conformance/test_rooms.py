"""The rooms of the house: what each may import, and what nobody may touch (see the table in docs or README).

Every import statement of the package is parsed, those inside functions too.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import sessionsim

ROOT = Path(sessionsim.__file__).parent
FILES = sorted(path for path in ROOT.rglob("*.py") if not path.name.endswith("_pb2.py"))

# Rooms a room may import, and third-party packages. numpy and the standard library are open to all.
ROOMS: dict[str, tuple[set[str], set[str]]] = {
    "core": (set(), set()),
    "protocol": ({"core"}, set()),
    "workload": ({"core"}, {"networkx"}),
    "network": ({"core", "protocol"}, {"simpy", "networkx"}),
    "adversary": ({"core", "protocol"}, {"scipy", "sklearn"}),
    "metrics": ({"core"}, {"pandas", "scipy", "sklearn", "statsmodels", "lifelines"}),
    "scenario": ({"core"}, {"pydantic", "pydantic_core"}),
    "experiment": ({"core", "protocol", "workload", "network", "adversary", "metrics", "scenario"}, set()),
    "selfcheck": (
        {"core", "protocol", "workload", "network", "adversary", "metrics", "scenario", "experiment"},
        {"simpy", "networkx", "scipy", "pandas", "statsmodels", "nacl", "cryptography", "orjson", "google"}
        | {"zstandard"},
    ),
    "report": ({"core", "metrics"}, {"pandas", "matplotlib", "jinja2", "markupsafe", "networkx"}),
    "cli": ({"core", "scenario", "experiment", "selfcheck", "report"}, {"typer", "rich"}),
}
# Third-party packages that only one corner of a room may import.
CORNERS = {
    "core/storage.py": {"pyarrow"},
    "protocol/crypto/": {"nacl", "cryptography"},
    "protocol/wire/": {"google", "zstandard", "orjson"},
    "selfcheck/vectors/_coins.py": {"kyber_py"},  # of the tests; used where it is installed
}
DOORS = {"__main__.py": {"cli"}}  # files in no room, and what they open to
TIMED = {"cli", "experiment", "selfcheck"}  # may look at a clock and at the machine they run on


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else ""


def imports(tree: ast.AST) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Give line, module and names of each import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, ()
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.lineno, node.module or "", tuple(alias.name for alias in node.names)


def complaints(path: Path, source: str) -> list[str]:
    """List what a file imports and may not."""
    room, place = room_of(path), path.relative_to(ROOT).as_posix()
    rooms, packages = ROOMS.get(room, (DOORS.get(place, set()), set()))
    corner = {p for prefix, allowed in CORNERS.items() if place.startswith(prefix) for p in allowed}
    found = []
    for line, module, names in imports(ast.parse(source)):
        top, _, rest = module.partition(".")
        if top == "sessionsim":
            targets = [rest] if rest else list(names)
            for target in targets:
                other = target.split(".")[0]
                allowed = other in rooms or other == room or (not rest and target not in ROOMS) or not other
                closed = room == "adversary" and (
                    target == "core.truth" or (target == "core" and "truth" in names)
                )
                if not allowed or closed:
                    found.append(f"{place}:{line} imports sessionsim.{target}")
        elif top not in sys.stdlib_module_names and top not in {"numpy", *packages, *corner}:
            found.append(f"{place}:{line} imports {module}")
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    assert complaints(path, path.read_text()) == []


def test_every_folder_is_a_known_room() -> None:
    assert {room_of(path) for path in FILES} - {""} == set(ROOMS)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("adversary/x.py", "from sessionsim.core.truth import Truth"),
        ("adversary/x.py", "from sessionsim.core import truth"),
        ("adversary/x.py", "def f():\n    import sessionsim.core.truth"),
        ("adversary/x.py", "from sessionsim.metrics import tally"),
        ("core/x.py", "import pyarrow.parquet"),
        ("core/x.py", "from sessionsim.protocol import machine"),
        ("core/x.py", "from sessionsim import protocol"),
        ("protocol/x.py", "from nacl import bindings"),
        ("protocol/x.py", "import orjson"),
        ("protocol/crypto/x.py", "import orjson"),
        ("scenario/x.py", "from sessionsim.network.links import LinkRules"),
        ("experiment/x.py", "from sessionsim.report import write_report"),
        ("cli/x.py", "from sessionsim.metrics import METRICS"),
        ("report/x.py", "import pyarrow"),
        ("__main__.py", "from sessionsim.experiment import run_scenario"),
        ("x.py", "from sessionsim.cli import main"),
    ],
)
def test_the_table_notices_what_is_forbidden(file: str, line: str) -> None:
    assert len(complaints(ROOT / file, line)) == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("core/storage.py", "import pyarrow.parquet as pq"),
        ("protocol/crypto/x.py", "from nacl import bindings"),
        ("protocol/wire/x.py", "import orjson"),
        ("adversary/x.py", "from sessionsim.core import ledger"),
        ("cli/x.py", "import sessionsim"),
        ("__main__.py", "from sessionsim.cli import main"),
        ("cli/x.py", "from sessionsim import __version__"),
        ("metrics/x.py", "import numpy.typing as npt"),
    ],
)
def test_the_table_lets_pass_what_is_allowed(file: str, line: str) -> None:
    assert complaints(ROOT / file, line) == []


# Wall clocks, unseeded chance, the machine's own state: calls by their dotted end.
CLOCKS = {
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter",
    "time.perf_counter_ns", "time.process_time", "time.sleep", "datetime.now", "datetime.utcnow",
    "date.today", "datetime.today", "os.urandom", "os.getpid", "uuid.uuid1", "uuid.uuid4",
}  # fmt: skip
CHANCE_MODULES = {"random", "secrets", "uuid"}
GLOBAL_CHANCE = {
    "default_rng",
    "seed",
    "rand",
    "randn",
    "randint",
    "random",
    "shuffle",
    "permutation",
    "choice",
}
IO_MODULES = {
    "socket",
    "asyncio",
    "select",
    "ssl",
    "http",
    "urllib",
    "subprocess",
    "threading",
    "multiprocessing",
}
FILE_CALLS = {"read_text", "read_bytes", "write_text", "write_bytes"}
# The word list and nothing else is read, as package data, on first use.
READS_PACKAGE_DATA = {"protocol/mnemonic.py"}


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def reads_files(call: str) -> bool:
    return call in {"open", "io.open", "os.open"} or call.split(".")[-1] in FILE_CALLS


def impurities(path: Path, source: str) -> list[str]:
    """List clocks and unseeded chance in a file, and in protocol also waiting, sockets and files."""
    room, place = room_of(path), path.relative_to(ROOT).as_posix()
    tree, found = ast.parse(source), []
    modules = CHANCE_MODULES | (
        IO_MODULES if room in {"protocol", "workload", "network", "adversary"} else set()
    )
    for line, module, names in imports(tree):
        ends = {f"{module.rpartition('.')[2]}.{name}" for name in names} & CLOCKS
        if module.split(".")[0] in modules or ends:
            found.append(f"{place}:{line} imports {module} {sorted(ends)}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = dotted(node.func)
            end = ".".join(name.split(".")[-2:])
            unseeded = end.startswith("random.") and end.split(".")[1] in GLOBAL_CHANCE
            files = room == "protocol" and reads_files(name) and place not in READS_PACKAGE_DATA
            if end in CLOCKS or unseeded or files:
                found.append(f"{place}:{node.lineno} calls {name}")
        elif room == "protocol" and isinstance(
            node, ast.Await | ast.AsyncFunctionDef | ast.AsyncFor | ast.AsyncWith
        ):
            found.append(f"{place}:{node.lineno} waits")
    return found


@pytest.mark.parametrize(
    "path", [p for p in FILES if room_of(p) not in TIMED], ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_no_clock_and_no_chance_but_what_is_handed_in(path: Path) -> None:
    assert impurities(path, path.read_text()) == []


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("core/x.py", "import time\ntime.time()"),
        ("core/x.py", "from time import perf_counter"),
        ("core/x.py", "import datetime\ndatetime.datetime.now()"),
        ("network/x.py", "import random"),
        ("network/x.py", "import numpy as np\nnp.random.default_rng()"),
        ("network/x.py", "import numpy as np\nnp.random.shuffle([1])"),
        ("network/x.py", "import socket"),
        ("protocol/x.py", "open('x')"),
        ("protocol/x.py", "async def f():\n    pass"),
    ],
)
def test_impurities_are_noticed(file: str, line: str) -> None:
    assert impurities(ROOT / file, line)


def test_addressed_chance_is_allowed() -> None:
    source = "import numpy as np\nrng = np.random.Generator(np.random.Philox(1))\nrng.random(3)\n"
    assert impurities(ROOT / "network/x.py", source) == []
