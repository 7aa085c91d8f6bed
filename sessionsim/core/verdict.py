"""A verdict: what one attack concludes about one kind of question, with a probability for each guess.

Facts of a ledger are certain; guesses are not, so the two are kept apart. A question belongs to one of the
secrets S1 to S13 and is asked of many subjects (every message seen, every account seen). Three forms:

    which      exactly one candidate is true of a subject; its probabilities sum to at most 1, and what is
               missing belongs to candidates that are not listed
    whether    each pair of subject and candidate is true or not by itself; an alarm is a probability of
               one half or more, so a threshold is fixed where the probability is made, never on test data
    how-much   a number about the subject, in the unit of the question

Subjects and candidates are typed terms as in the ledger (`account:05…`, `addr:244.0.0.7`,
`message:<hash>`), or `row:12` for a row of the view. Ties are ties: whoever scores breaks them by chance.
Source: metrics 0.2 (secrets), 0.3, 1.2(6).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.ledger import Fact
from sessionsim.core.view import View

Texts = npt.NDArray[np.object_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

ALARM: Final = 0.5  # a pair is claimed from this probability on
NEVER: Final = -1
_SLACK: Final = 1e-9  # Assumption: rounding of sums in double precision


class Secret(StrEnum):
    """What there is to protect (metrics 0.2)."""

    S1 = "S1"  # sender network address of a message
    S2 = "S2"  # sender account
    S3 = "S3"  # recipient account
    S4 = "S4"  # recipient network address
    S5 = "S5"  # pair: who talks to whom
    S6 = "S6"  # account-to-address link
    S7 = "S7"  # online and activity intervals
    S8 = "S8"  # contact set and weights
    S9 = "S9"  # group membership and role
    S10 = "S10"  # message type and size
    S11 = "S11"  # real message or dummy
    S12 = "S12"  # location and time zone
    S13 = "S13"  # identity across communities and devices


class Form(StrEnum):
    """How a question is answered; see the module's text."""

    WHICH = "which"
    WHETHER = "whether"
    HOW_MUCH = "how-much"


class QuestionFacts(NamedTuple):
    """What a question is about. Args: unit: of a number asked for, empty for the other forms."""

    secret: Secret
    form: Form
    subject: str
    candidate: str
    unit: str
    words: str


class Question(Enum):
    """The questions that attacks answer; the answer key of `metrics` has one rule for each."""

    SENDER_ADDRESS = "sender-address"
    RECIPIENT_ADDRESS = "recipient-address"
    SENDER_ACCOUNT = "sender-account"
    ADDRESS_OF = "address-of"
    ACCOUNT_OF = "account-of"
    CONTACT = "contact"
    CONTACT_OF_ADDRESS = "contact-of-address"
    CONTACT_ADDRESS = "contact-address"
    ACTIVE_MINUTE = "active-minute"
    FOREGROUND_MINUTE = "foreground-minute"
    FIRST_SEEN = "first-seen"
    EVENT_KIND = "event-kind"
    REAL_OR_DUMMY = "real-or-dummy"
    PLATFORM = "platform"
    DEVICES = "devices"
    TIME_ZONE = "time-zone"
    GROUP_MEMBER = "group-member"
    ADDRESS_OF_BLINDED = "address-of-blinded"

    @property
    def facts(self) -> QuestionFacts:
        return _FACTS[self]


_FACTS: Final[Mapping[Question, QuestionFacts]] = {
    Question.SENDER_ADDRESS: QuestionFacts(
        Secret.S1, Form.WHICH, "message", "addr", "", "which address a message came from"
    ),
    Question.RECIPIENT_ADDRESS: QuestionFacts(
        Secret.S4, Form.WHICH, "message", "addr", "", "which address a message went to"
    ),
    Question.SENDER_ACCOUNT: QuestionFacts(
        Secret.S2, Form.WHICH, "message", "account", "", "which account wrote a message"
    ),
    Question.ADDRESS_OF: QuestionFacts(
        Secret.S6, Form.WHICH, "account", "addr", "", "which address an account uses"
    ),
    Question.ACCOUNT_OF: QuestionFacts(
        Secret.S6, Form.WHICH, "addr", "account", "", "which account stands at an address"
    ),
    Question.CONTACT: QuestionFacts(
        Secret.S8, Form.WHETHER, "account", "account", "", "whether two accounts talk to each other"
    ),
    Question.CONTACT_OF_ADDRESS: QuestionFacts(
        Secret.S8, Form.WHETHER, "addr", "account", "", "whether an address writes to an account"
    ),
    Question.CONTACT_ADDRESS: QuestionFacts(
        Secret.S8, Form.WHETHER, "addr", "addr", "", "whether two addresses write to each other"
    ),
    Question.ACTIVE_MINUTE: QuestionFacts(
        Secret.S7, Form.WHETHER, "account", "minute", "", "whether an account is online in a minute"
    ),
    Question.FOREGROUND_MINUTE: QuestionFacts(
        Secret.S7, Form.WHETHER, "addr", "minute", "", "whether somebody looks at an app in a minute"
    ),
    Question.FIRST_SEEN: QuestionFacts(
        Secret.S7, Form.HOW_MUCH, "account", "", "us", "when an account comes online"
    ),
    Question.EVENT_KIND: QuestionFacts(
        Secret.S10, Form.WHICH, "row", "kind", "", "what a request on a link is for"
    ),
    Question.REAL_OR_DUMMY: QuestionFacts(
        Secret.S11, Form.WHETHER, "row", "kind", "", "whether a request carries a message"
    ),
    Question.PLATFORM: QuestionFacts(
        Secret.S13, Form.WHICH, "addr", "platform", "", "which platform stands at an address"
    ),
    Question.DEVICES: QuestionFacts(
        Secret.S13, Form.WHICH, "account", "devices", "", "how many devices an account has"
    ),
    Question.TIME_ZONE: QuestionFacts(
        Secret.S12, Form.HOW_MUCH, "account", "", "h", "how many hours ahead of UTC an account lives"
    ),
    Question.GROUP_MEMBER: QuestionFacts(
        Secret.S9, Form.WHETHER, "account", "account", "", "whether two accounts share a group"
    ),
    Question.ADDRESS_OF_BLINDED: QuestionFacts(
        Secret.S6, Form.WHICH, "blinded", "addr", "", "which address a member of a community uses"
    ),
}


class Guess(NamedTuple):
    """One guess.

    Args:
        subject, candidate: typed terms; the candidate of a number is empty.
        score: the higher the likelier, on any scale; for a number the guess itself.
        prob: probability that it is true; NaN where the attack claims none.
        among: how many candidates the subject has in all, listed or not.
        t_us: since when the guess stands, by the observer's clock; NEVER if it is not known.
    """

    subject: str
    candidate: str
    score: float
    prob: float
    among: int
    t_us: int = NEVER


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """All guesses of one attack on one question, equally long columns; see `Guess`.

    Raises:
        LocalProtocolError: columns of unequal length, a probability outside 0..1, or probabilities of one
            `which` subject that sum to more than 1.
    """

    question: Question
    subject: Texts
    candidate: Texts
    score: Floats
    prob: Floats
    among: Ints
    t_us: Ints

    def __post_init__(self) -> None:
        lengths = {
            len(c) for c in (self.subject, self.candidate, self.score, self.prob, self.among, self.t_us)
        }
        if len(lengths) != 1:
            raise LocalProtocolError(f"a verdict with columns of lengths {sorted(lengths)}")
        given = self.prob[~np.isnan(self.prob)]
        if np.any(np.isnan(self.score)) or np.any(given < 0) or np.any(given > 1 + _SLACK):
            raise LocalProtocolError(
                "a verdict with a probability outside 0..1, or a score that is no number"
            )
        if self.question.facts.form is Form.WHICH and len(self.subject):
            _, whose = np.unique(self.subject.astype(str), return_inverse=True)
            if np.bincount(whose, np.nan_to_num(self.prob)).max() > 1 + 1e-6:
                raise LocalProtocolError("probabilities of one subject sum to more than 1")

    def __len__(self) -> int:
        return len(self.subject)


def verdict_of(question: Question, guesses: Iterable[Guess]) -> Verdict:
    """Make a verdict from guesses, in their order; none give an empty one."""
    rows = list(guesses)
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True)) if rows else [()] * len(Guess._fields)
    subject, candidate = (texts(column) for column in columns[:2])
    score, prob = (np.array(column, dtype=np.float64) for column in columns[2:4])
    among, t_us = (np.array(column, dtype=np.int64) for column in columns[4:])
    return Verdict(question, subject, candidate, score, prob, among, t_us)


def texts(values: Sequence[object]) -> Texts:
    """Make a column of text."""
    column = np.empty(len(values), dtype=object)
    column[:] = [str(value) for value in values]
    return column


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """A verdict with where it comes from.

    Args:
        attack: name of the attack in the scenario; kind: id of its drop-in; observer: name of the vantage.
        population: monthly accounts of the open world it was made in; 0 is the closed world of the run.
    """

    attack: str
    kind: str
    observer: str
    population: int
    verdict: Verdict


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """What a learned attack may learn from: a view of a training seed, with labels.

    Args:
        view, ledger: as `infer` gets them.
        labels: question -> subject -> the candidates that are true of it; row subjects are `row:12`.
        carried: row of the view (`row:12`) -> the message it carries (`message:<hash>`).
    """

    view: View
    ledger: Sequence[Fact]
    labels: Mapping[Question, Mapping[str, tuple[str, ...]]]
    carried: Mapping[str, str]
