"""Write a report beside the results it is made from: `report.html` and `figures/*.svg`."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from sessionsim.core.sights import Sights
from sessionsim.report._answers import answers
from sessionsim.report._data import Readings, ReportData
from sessionsim.report._load import load
from sessionsim.report._months import LABEL as MONTHS
from sessionsim.report._months import months_answer
from sessionsim.report._page import page
from sessionsim.report._push_modes import LABEL as MODES
from sessionsim.report._push_modes import push_modes_answer
from sessionsim.report._version2 import LABEL, version2_answer

if TYPE_CHECKING:
    from sessionsim.report._figures import Drawn


def stored_answers(run_dir: Path) -> tuple[str, ...]:
    """Give the answers of a stored run, without drawing anything. Raises StorageDamaged.

    Three, and what is to be said of months of guards, of fast mode and of version 2 of the protocol, if some
    readings are of these.
    """
    data = load(run_dir)
    readings = Readings(data.readings)
    more = (
        (MONTHS, months_answer(readings)),
        (MODES, push_modes_answer(readings)),
        (LABEL, version2_answer(readings)),
    )
    return (*answers(data.readings, data.manifest), *(f"{label}: {text}" for label, text in more if text))


def render(data: ReportData) -> str:
    """Make the page from loaded data."""
    return page(data, _figures(data))


def write_report(run_dir: Path, sights: Sights | None = None) -> Path:
    """Build the report of a stored run, from its files alone; the same files give the same bytes.

    Args:
        run_dir: folder of a scenario or of one replicate.
        sights: what observers of this run saw, as `experiment` prepares it from the same files; without it
            the report has neither lenses nor smallest sets.

    Returns:
        The path of `report.html`.

    Raises:
        StorageDamaged: something needed is missing or cut off; nothing is written then.
    """
    data = dataclasses.replace(load(run_dir), sights=sights)
    drawn = _figures(data)
    text = page(data, drawn)
    folder = run_dir / "figures"
    folder.mkdir(exist_ok=True)
    for figure in drawn:
        (folder / f"{figure.name}.svg").write_text(figure.alone, encoding="utf-8")
    target = run_dir / "report.html"
    temporary = run_dir / "report.html.part"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(target)
    return target


def _figures(data: ReportData) -> list[Drawn]:
    # Imported here because matplotlib takes half a second, which no other command should wait for.
    from sessionsim.report._figures import figures

    return figures(data, Readings(data.readings))
