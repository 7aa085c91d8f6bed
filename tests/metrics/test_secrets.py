"""The rows of who learned what, each on facts and truths worked out by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sessionsim.core.ledger import Fact, Relation
from sessionsim.metrics import Replicate, readings
from sessionsim.metrics._answer_sheet import AnswerSheet
from sessionsim.metrics._secrets import PLURALS, SECRETS

Make = Callable[..., Replicate]
R = Relation
A, B, C, D = IDS = tuple("account:05" + letter * 64 for letter in "abcd")
HOME = tuple(f"addr:244.0.{k}.1" for k in range(5))
CLUB, TEAM = "group:03" + "1" * 64, "group:03" + "2" * 64
BADGE, NICK, OTHER = "member:" + "03" * 36, "blinded:15" + "3" * 64, "blinded:15" + "4" * 64
# Messages h0: A to B, h1: A to C, h2: B to A; h0 with the sync copy s0. C has two devices.
MESSAGES = [{"sync_hash": "s0"}, {"recipient": 2}, {"sender": 1, "recipient": 0}]
NAMES = [
    (0, "admin", CLUB, ""), (1, "member", CLUB, ""), (1, "token", BADGE, CLUB),
    (2, "blinded", NICK, "room-0"), (2, "blinded", OTHER, "room-1"),
    *((k, "country", "country:DE" if k else "country:FR", str(12 + k)) for k in range(4)),
    (2, "country", "country:DE", "16"), (0, "zone", "zone:UTC+2", "12"), (1, "zone", "zone:UTC+2", "13"),
]  # fmt: skip


@pytest.fixture
def sheet(make_replicate: Make) -> AnswerSheet:
    return AnswerSheet(make_replicate(messages=MESSAGES, names=NAMES, further=2))


def fact(relation: Relation, subject: str, target: str = "") -> Fact:
    return Fact("eve", relation, subject, target, 0, ("row 0",))


# Of each row: facts, what they give away, and how many there are. Every wrong or foreign fact gives nothing.
ROWS = {
    "S5-address": ([(R.REACHED, HOME[0], HOME[1]), (R.REACHED, HOME[0], HOME[0])], {"0>1"}, 3),
    "S5-asked": ([(R.ASKED, HOME[0], C), (R.ASKED, HOME[0], A), (R.ASKED, HOME[3], A)], {"0>2"}, 3),
    "S6-other": ([(R.LINKED, HOME[0], A), (R.GIVES, B, HOME[1]), (R.LINKED, A, NICK)], {"0", "1"}, 4),
    "S8": ([(R.TALKS_TO, B, A), (R.KNOWS, D, A)], {"1"}, 3),
    "S8-weight": (
        [(R.WRITTEN_BY, "message:h0", A), (R.ADDRESSED_TO, "message:h0", B), (R.WRITTEN_BY, "message:h1", A)],
        {"message:h0"}, 3,
    ),
    "S9": ([(R.MEMBER_OF, A, CLUB), (R.MEMBER_OF, C, CLUB), (R.MEMBER_OF, A, TEAM)], {f"0>{CLUB}"}, 2),
    "S9-token": ([(R.MEMBER_OF, BADGE, CLUB), (R.MEMBER_OF, B, CLUB)], {f"1>{CLUB}"}, 2),
    "S9-role": ([(R.LEADS, A, CLUB), (R.LEADS, B, CLUB)], {f"0>{CLUB}"}, 1),
    "S10-type": (
        [(R.HOLDS, "message:h1", "kind:text"), (R.HOLDS, "message:s0", "kind:text")], {"message:h1"}, 3,
    ),
    "S11": ([(R.SENT, HOME[0], "message:s0"), (R.SENT, HOME[1], "message:h1")], {"message:h0"}, 3),
    "S12": (
        [(R.LOCATED, A, "country:FR"), (R.LOCATED, B, "country:FR"), (R.LOCATED, B, "zone:UTC+2")], {"0"}, 4,
    ),
    "S12-zone": (
        [(R.LOCATED, A, "zone:UTC+2"), (R.LOCATED, B, "zone:UTC+1"), (R.LOCATED, C, "zone:UTC+2"),
         (R.LOCATED, B, "country:DE"), (R.LOCATED, HOME[1], "zone:UTC+2")], {"0"}, 4,
    ),
    "S12-address": ([(R.LOCATED, HOME[1], "country:DE"), (R.LOCATED, A, "country:FR")], {"1"}, 4),
    "S13": ([(R.LINKED, C, NICK), (R.LINKED, A, OTHER)], {f"2>{NICK}"}, 2),
    "S13-token": ([(R.LINKED, B, BADGE)], {f"1>{BADGE}"}, 1),
    "S13-devices": ([(R.HAS_DEVICES, C, "devices:2"), (R.HAS_DEVICES, A, "devices:2")], {"2"}, 1),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_row_counts_what_its_facts_give_away(sheet: AnswerSheet, name: str) -> None:
    facts, known, total = ROWS[name]
    assert sheet.items([fact(*one) for one in facts], name) == known
    assert int(sheet.population(SECRETS[name].kind, name).sum()) == total
    assert sheet.items([], name) == set()
    assert sheet.per_account(known, SECRETS[name].kind, name).sum() == len(known)


def test_two_blinded_ids_that_are_one_give_both_away(sheet: AnswerSheet) -> None:
    assert sheet.items([fact(R.LINKED, NICK, OTHER)], "S13") == {f"2>{NICK}", f"2>{OTHER}"}


def test_a_list_of_contacts_is_known_when_it_is_whole(sheet: AnswerSheet) -> None:
    """A wrote to B and to C; each half may come from a message or from somebody's list."""
    half = [fact(R.KNOWS, A, B)]
    assert sheet.items(half, "S8") == {"1"}
    assert sheet.items([*half, fact(R.TALKS_TO, A, C)], "S8") == {"0", "1", "2"}


def test_fewer_devices_than_there_are_is_no_contradiction_and_no_knowledge(make_replicate: Make) -> None:
    three = make_replicate(messages=MESSAGES, names=NAMES, further=2)
    devices = {name: list(values) for name, values in three.truth.devices.items()}
    assert devices["account"].count(2) == 2
    sheet = AnswerSheet(three)
    assert not sheet.contradicts(fact(R.HAS_DEVICES, C, "devices:2"))
    assert sheet.contradicts(fact(R.HAS_DEVICES, C, "devices:3"))


@pytest.mark.parametrize(
    "wrong",
    [
        (R.MEMBER_OF, C, CLUB), (R.MEMBER_OF, BADGE, TEAM), (R.LEADS, B, CLUB), (R.GIVES, A, HOME[1]),
        (R.KNOWS, A, "account:05" + "e" * 64), (R.LOCATED, A, "country:DE"), (R.LINKED, A, NICK),
        (R.REACHED, HOME[1], HOME[2]), (R.ASKED, "addr:9.9.9.9", A), (R.HOLDS, "message:h0", "kind:typing"),
        (R.HAS_DEVICES, A, "devices:2"), (R.LOCATED, HOME[0], "country:DE"), (R.LOCATED, B, "zone:UTC+1"),
        (R.LOCATED, C, "zone:UTC+2"),
    ],
)  # fmt: skip
def test_what_truth_says_otherwise_is_no_knowledge(
    sheet: AnswerSheet, wrong: tuple[Relation, str, str]
) -> None:
    assert sheet.contradicts(fact(*wrong))
    assert all(sheet.items([fact(*wrong)], name) == set() for name in SECRETS)


def test_every_secret_of_the_list_has_a_row(make_replicate: Make) -> None:
    rows = {name.partition("-")[0] for name in SECRETS}
    assert rows == {f"S{k}" for k in range(1, 14)}  # metrics 0.2
    assert {secret.kind for secret in SECRETS.values()} == set(PLURALS)
    replicate = make_replicate(messages=MESSAGES, names=NAMES, further=2, ledgers={"eve": ()})
    found = {one.name for one in readings([replicate]) if one.metric == "who-learned-what"}
    assert {f"eve: {name}" for name in SECRETS} <= found


def test_a_run_without_groups_has_no_rows_of_them(make_replicate: Make) -> None:
    found = {one.name for one in readings([make_replicate(ledgers={"eve": ()})])}
    assert not {f"eve: {name}" for name, secret in SECRETS.items() if secret.sparse} & found
    assert {f"eve: {name}" for name, secret in SECRETS.items() if not secret.sparse} <= found
