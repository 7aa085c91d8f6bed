"""What is kept of calls is one object for all that are alike."""

from __future__ import annotations

from sessionsim.adversary.briefs import NO_MESSAGE, Asked, Brief, Briefs


def test_calls_that_are_alike_share_what_is_kept_of_them() -> None:
    briefs = Briefs()
    one = briefs.plain(("retrieve", b"a" * 33, 0, "hash"))
    assert one == Brief("retrieve", b"a" * 33, 0, NO_MESSAGE, "hash")
    assert briefs.plain(("retrieve", bytes(b"a" * 33), 0, "hash")) is one
    assert briefs.plain(("retrieve", b"a" * 33, 1, "hash")) is not one
    assert briefs.together([one, one]) is briefs.together([one, one])


def test_a_request_says_what_its_sender_has() -> None:
    briefs = Briefs()
    boxes = [
        briefs.plain(("retrieve", b"a" * 33, box, said)) for box, said in ((0, ""), (2, "x"), (-10, "y"))
    ]
    assert briefs.together(boxes) == Asked(tuple(boxes), "cursors:2:x -10:y", 1)
    assert briefs.together(boxes[:1]) == Asked((boxes[0],), "", -1)
    assert briefs.together([]) == Asked((), "", -1)


def test_requests_that_store_are_kept_one_by_one() -> None:
    briefs, stores = Briefs(), [Brief("store", b"a" * 33, 0, 7, "")]
    assert briefs.together(stores) == briefs.together(stores)
    assert briefs.together(stores) is not briefs.together(stores)
