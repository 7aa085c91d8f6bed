"""Stored results as something to read: one self-contained page, and its figures."""

from sessionsim.report._answers import answers
from sessionsim.report._data import ReportData, SeedFacts
from sessionsim.report._sweep import sweep_lines, write_sweep
from sessionsim.report._words import matrix_of
from sessionsim.report._write import render, stored_answers, write_report

__all__ = [
    "ReportData",
    "SeedFacts",
    "answers",
    "matrix_of",
    "render",
    "stored_answers",
    "sweep_lines",
    "write_report",
    "write_sweep",
]
