"""What a result says that rests on version 2 of the protocol: under which name, and on which assumptions.

Version 2 is designed and coded, not deployed, so no result may pass for one about Session as it is. Manifests
and readings carry this beside their numbers, for whoever reads the files and not the report.
"""

from __future__ import annotations

from typing import Any, Final

from sessionsim.core.settings import facts_of
from sessionsim.protocol.v2 import HOLES, LABEL, SWEEPS
from sessionsim.scenario import Scenario
from sessionsim.scenario.models import keys_of

SECTION: Final = "v2"


def label_of(scenario: Scenario) -> str:
    """Give the name under which results of version 2 go; empty if no account uses it."""
    return LABEL if scenario.sections.get(SECTION) is not None else ""


def version2_facts(scenario: Scenario) -> dict[str, Any]:
    """Give the entry `version2` of a result; nothing if no account uses version 2.

    Returns:
        `label`, and `assumptions`: for each hole of the public design, by its number, the settings that fill
        it: name as in the scenario, value, values to sweep, what it means and why it was chosen.
    """
    rules = scenario.sections.get(SECTION)
    if rules is None:
        return {}
    described, resolved = facts_of(type(rules)), scenario.resolved[SECTION]
    keys = keys_of(type(rules))
    return {
        "version2": {
            "label": LABEL,
            "assumptions": {
                hole: [
                    {
                        "setting": f"{SECTION}.{keys[name]}",
                        "value": resolved[keys[name]],
                        "sweep": list(SWEEPS[name]),
                        "meaning": described[name].doc,
                        "source": described[name].source,
                    }
                    for name in names
                ]
                for hole, names in HOLES.items()
            },
        }
    }
