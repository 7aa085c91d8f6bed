"""Where a conclusion meets the truth: counts per replicate, readings over seeds."""

from sessionsim.metrics._answer_key import AnswerKey
from sessionsim.metrics._counts import Counts
from sessionsim.metrics._facts import Replicate
from sessionsim.metrics._registry import METRICS
from sessionsim.metrics._run import Tallies, readings, readings_of, tally, tally_verdicts
from sessionsim.metrics._secrets_known import Items, KnownSecrets, known_secrets
from sessionsim.metrics.closed_forms.coverage import Coverage, Shape, mean_coverage

__all__ = [
    "METRICS",
    "AnswerKey",
    "Counts",
    "Coverage",
    "Items",
    "KnownSecrets",
    "Replicate",
    "Shape",
    "Tallies",
    "known_secrets",
    "mean_coverage",
    "readings",
    "readings_of",
    "tally",
    "tally_verdicts",
]
