"""Builds worlds from scenarios, runs their seeds, stores and analyses what comes out."""

from __future__ import annotations

from sessionsim.experiment.asking import Found, Knowledge, explain_fact, knows
from sessionsim.experiment.catalogue import families, installed
from sessionsim.experiment.coalitions import minimal_coalitions
from sessionsim.experiment.folder import check_folder
from sessionsim.experiment.forecast import Forecast, forecast
from sessionsim.experiment.run import Finished, Progress, forget, preflight, run_scenario, whole_replicates
from sessionsim.experiment.sights import sights_of
from sessionsim.experiment.stored import load_replicate
from sessionsim.experiment.sweep import check_sweep, folders_of, forget_sweep, run_sweep
from sessionsim.experiment.version2_facts import version2_facts

__all__ = [
    "Finished",
    "Forecast",
    "Found",
    "Knowledge",
    "Progress",
    "check_folder",
    "check_sweep",
    "explain_fact",
    "families",
    "folders_of",
    "forecast",
    "forget",
    "forget_sweep",
    "installed",
    "knows",
    "load_replicate",
    "minimal_coalitions",
    "preflight",
    "run_scenario",
    "run_sweep",
    "sights_of",
    "version2_facts",
    "whole_replicates",
]
