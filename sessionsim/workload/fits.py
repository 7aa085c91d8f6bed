"""Numbers fitted on real private messages, each with its source. No raw record is here or anywhere else.

Measured on 59,835 private messages between 1,899 students of a web platform, April to October 2004
(Panzarasa, Opsahl, Carley, "Patterns and dynamics of users' behavior and interaction: network analysis of
an online community", JASIST 60(5):911-932, 2009; SNAP entry CollegeMsg). The fits are those of metrics
4.1. Times are natural logarithms of seconds. Calibrated numbers say how they were found.
"""

from __future__ import annotations

from typing import Final

from sessionsim.workload.laws import LogNormal, Manner, Mixture

# Gap between consecutive sends of one person, to whomever. Source: metrics 4.1 (KS distance .0124).
SEND_GAP: Final = Mixture(0.603, LogNormal(5.074, 1.423), LogNormal(10.719, 1.846))
# Delay from the first message of a turn to its answer. Source: metrics 4.1 (KS distance .0137).
REPLY_DELAY: Final = Mixture(0.385, LogNormal(4.921, 0.966), LogNormal(10.084, 2.382))
# Probability that a turn is ever answered. Source: metrics 4.1.
REPLY_PROB: Final = 0.686
# A longer gap ends a session. Source: metrics 4.1.
SESSION_GAP_S: Final = 1800.0

# Share of messages by local hour 0..23, percent. Source: metrics 4.1 (UTC-7).
HOUR_SHARES_PERCENT: Final = (
    9.7, 8.4, 7.0, 5.0, 2.3, 0.8, 0.3, 0.4, 0.7, 1.2, 2.3, 2.7,
    3.1, 3.1, 4.1, 4.1, 4.5, 4.3, 4.4, 4.7, 5.1, 6.0, 7.0, 8.9,
)  # fmt: skip
MEASURED_PEAK_HOUR: Final = 0
# Share of messages by weekday, Monday to Sunday, percent. Source: metrics 4.1 (UTC-7).
WEEKDAY_SHARES_PERCENT: Final = (15.2, 16.8, 17.6, 16.9, 12.0, 10.0, 11.5)

# Contacts per person (undirected): (probability, contacts). Source: metrics 4.1 (25 to 99 %, maximum);
# the lower end from the same file (10 %: 1).
CONTACTS: Final = (
    (0.0, 1.0), (0.10, 1.0), (0.25, 2.0), (0.50, 5.0),
    (0.75, 17.0), (0.90, 37.0), (0.99, 117.0), (1.0, 255.0),
)  # fmt: skip
# Standard deviation of ln(messages on a directed tie). Source: computed from the same file (20,296 ties).
TIE_SIGMA: Final = 0.8
# Share of ties on which only one side ever writes. Source: metrics 4.1 (20,296 directed ties, 63.6 % with
# their reverse, 13,838 undirected).
ONE_WAY_SHARE: Final = 0.533
# How people converse where that share of ties has one side: how much more one's own moments go to such a tie
# than to a mutual one, on which most messages are answers; the probability that a turn on a mutual tie is
# answered (.824 in the file); and the factor on long own waits. Calibrated together: the messages of eight
# worlds of 300 people and 60 days have a reciprocity of .623 (.636 measured), 20 % of them are on such ties
# (22.6 % in the file), 1.03 a day (1.15), and gaps keep their law (mean distance .020).
ONE_WAY_USE: Final = 2.0
MUTUAL_REPLY_PROB: Final = 0.78
ONE_WAY_SLOWNESS: Final = 0.85
# Spread of activity between people, standard deviation of ln(rate). Source: metrics 4.1, messages per day:
# quartiles .37 and 1.6 are ln(1.6/.37)/1.349 = 1.08 apart; the part that short records add is taken off.
ACTIVITY_SIGMA: Final = 1.0
# Correlation of activity with number of contacts, normal scores. Source: computed from the same file
# (rank correlation of contacts and messages sent .897, as 2 sin(pi/6 × .897)).
ACTIVITY_CONTACTS_CORRELATION: Final = 0.905
# Probability that a message which answers nothing and follows the writer's last one within a session goes
# to the same person. Source: computed from the same file (.344 of short gaps against .206 to somebody else).
SAME_CONTACT_PROB: Final = 0.62
# How people converse in `dialogue.py`. Answers: metrics 4.1. Own moments: calibrated by least distance
# (Nelder-Mead, four worlds of 250 people and 60 days) between the resulting send gaps and the measured ones;
# twelve worlds not used for it have distances .013-.024, mean .016 (`tests/verification/test_workload.py`).
MANNER: Final = Manner(
    own_gap=Mixture(0.481, LogNormal(4.765, 1.375), LogNormal(13.669, 0.959)),
    answer_prob=REPLY_PROB,
    answer_delay=REPLY_DELAY,
)
# Days, at the measured speed, that the process runs before time 0. Assumption: two medians of the long own
# waits, which begin with their residual law; the rate shows no trend after it.
LEAD_IN_DAYS: Final = 20.0
# Messages per person and day that come out if all long waits are multiplied by the first number. Calibrated
# with eight worlds of 200 people each (standard error 2-5 %); twenty people write 4-25 % less, because they
# have fewer contacts to hear from.
RATE_BY_SLOWNESS: Final = (
    (0.0025, 146.6), (0.005, 93.0), (0.01, 57.4), (0.02, 34.6), (0.05, 16.9),
    (0.1, 9.54), (0.3, 3.61), (1.0, 1.146), (4.0, 0.294),
)  # fmt: skip
