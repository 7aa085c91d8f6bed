"""The page of a sweep: each followed reading at every value, with its interval, as a table and as a curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from sessionsim.core.errors import StorageDamaged
from sessionsim.core.readings import Reading
from sessionsim.report._data import Readings
from sessionsim.report._guesses import price
from sessionsim.report._load import read_json, read_stored
from sessionsim.report._numbers import count_of, of_reading, span_of

NAME: Final = "sweep.json"
_TEMPLATES: Final = Path(__file__).parent / "templates"


@dataclass(frozen=True, slots=True)
class SweptPoint:
    """One value. Args: label: as it reads; folder: of its run, below that of the sweep; readings: of it."""

    label: str
    folder: str
    readings: tuple[Reading, ...]

    def get(self, shown: str) -> Reading | None:
        """Give a reading by `metric: name`."""
        metric, _, name = shown.partition(": ")
        return next((one for one in self.readings if (one.metric, one.name) == (metric, name)), None)


@dataclass(frozen=True, slots=True)
class SweptData:
    """A stored sweep. Args: as in `sweep.json`; label: what its results go under, empty for no such name."""

    name: str
    version: str
    title: str
    question: str
    keys: tuple[str, ...]
    show: tuple[str, ...]
    points: tuple[SweptPoint, ...]
    label: str = ""


def load_sweep(out: Path) -> SweptData:
    """Read a stored sweep. Raises StorageDamaged: something is missing, cut off, or of another format."""
    stored = read_json(out / NAME)
    try:
        points = tuple(
            SweptPoint(str(one["value"]), str(one["folder"]), read_stored(out / str(one["folder"])))
            for one in stored["points"]
        )
        names = ("scenario", "version", "title", "question")
        name, version, title, question = (str(stored[key]) for key in names)
        keys, show = (tuple(map(str, stored[key])) for key in ("keys", "show"))
    except (KeyError, TypeError) as unlike:
        raise StorageDamaged(f"{out / NAME} has another format") from unlike
    if not points:
        raise StorageDamaged(f"{out / NAME} names no values")
    return SweptData(name, version, title, question, keys, show, points, str(stored.get("label", "")))


def rows_of(data: SweptData) -> list[tuple[str, ...]]:
    """Give the table: for each followed reading and value, the reading, its interval and its units."""
    rows: list[tuple[str, ...]] = []
    for shown in data.show:
        for point in data.points:
            reading = point.get(shown)
            n = count_of(reading.n, reading.n_unit) if reading is not None else ""
            interval = span_of(reading) if reading is not None else ""
            rows.append((f"{shown}, at {point.label}", of_reading(reading), interval, n))
    return rows


def sweep_lines(out: Path) -> tuple[str, ...]:
    """Give what is to be said of a stored sweep at a terminal: one line for each value."""
    data = load_sweep(out)
    return tuple(f"{point.label}: {'; '.join(_said(point, data.show))}" for point in data.points)


def _said(point: SweptPoint, show: Sequence[str]) -> list[str]:
    said = []
    for shown in show:
        reading = point.get(shown)
        interval = span_of(reading) if reading is not None else ""
        said.append(f"{shown} {of_reading(reading)}{f' ({interval})' if interval else ''}")
    return said


def write_sweep(out: Path) -> Path:
    """Build the page of a stored sweep from its files alone. Raises StorageDamaged as `load_sweep`."""
    from sessionsim.report._plot_sweep import drawn  # matplotlib takes half a second

    data = load_sweep(out)
    figure = drawn(data)
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    text = environment.get_template("sweep.html").render(
        css=Markup((_TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 (our own file)
        data=data,
        rows=rows_of(data),
        prices=[(point.label, price(Readings(point.readings))) for point in data.points],
        figure=Markup(figure) if figure else "",  # noqa: S704 (drawn by us)
    )
    temporary = out / "report.html.part"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(out / "report.html")
    return out / "report.html"
