"""The community server: what its endpoints answer, and what it keeps."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest

from sessionsim.protocol.communities import calls
from sessionsim.protocol.communities.answers import read_posts
from sessionsim.protocol.communities.calls import Part
from sessionsim.protocol.communities.posts import SignedPost
from sessionsim.protocol.server_request import ServerRequest

MakeHall = Callable[..., Any]
LOBBY = "lobby"


def post(person: Any, text: bytes, **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = person.get(calls.post_message(LOBBY, person.written(text), **more), 201)
    return told


def since(person: Any, seqno: int, query: str = "?t=r") -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = person.get(Part("GET", f"/room/lobby/messages/since/{seqno}{query}"))
    return told


# ---- The server and its rooms ----


def test_capabilities_are_told_to_anybody_in_order_with_a_line_end(make_hall: MakeHall) -> None:
    hall = make_hall()
    answer = hall.anonymous(calls.capabilities())
    assert answer.body == b'{"capabilities":["blind","reactions","sogs"]}\n'
    assert make_hall(require_blinding=False).anonymous(calls.capabilities()).body == (
        b'{"capabilities":["reactions","sogs"]}\n'
    )
    missing = hall.anonymous(Part("GET", "/capabilities?required=sogs,magic"))
    assert (missing.status, json.loads(missing.body)["missing"]) == (412, ["magic"])
    assert hall.anonymous(Part("GET", "/capabilities?required=sogs")).status == 200


def test_details_of_a_room(make_hall: MakeHall) -> None:
    hall = make_hall()
    person = hall.person("a")
    told = person.get(calls.room(LOBBY))
    assert told == {
        "token": "lobby", "name": "The Lobby", "info_updates": 0, "message_sequence": 0,
        "created": hall.unix_us / 1e6, "active_users": 0, "active_users_cutoff": 604_800,
        "moderators": [], "admins": [], "read": True, "write": True, "upload": True,
    }  # fmt: skip
    assert list(told) == sorted(told)
    assert person.get(calls.rooms()) == [told]
    assert person.get(Part("GET", "/room/LOBBY")) == told
    assert person.refused(calls.room("attic")) == 404


def test_the_poll_tells_details_only_when_their_number_is_another(make_hall: MakeHall) -> None:
    hall = make_hall()
    admin, person = hall.admin(), hall.person("a")
    assert hall.room.info_updates == 1  # a new admin is a change of every room
    assert "details" not in person.get(calls.poll_info(LOBBY, 1))
    assert person.get(calls.poll_info(LOBBY, 0))["details"]["info_updates"] == 1
    assert admin.get(Part("PUT", "/room/lobby", {"name": "Hall\n", "description": "a\tb\x01"})) == {
        "info_updates": 2
    }
    details = person.get(calls.poll_info(LOBBY, 1))["details"]
    assert (details["name"], details["description"]) == ("Hall", "a\tb")
    assert person.refused(Part("PUT", "/room/lobby", {"name": "x"})) == 403
    for wrong in ({}, {"name": 5}, {"description": 5}, {"image": "x"}, {"default_read": "no"}):
        assert admin.refused(Part("PUT", "/room/lobby", wrong)) == 400
    assert admin.refused(Part("PUT", "/room/lobby", {"image": 7})) == 406


def test_moderators_see_more(make_hall: MakeHall) -> None:
    hall = make_hall()
    admin, person = hall.admin(), hall.person("a")
    person.get(calls.rooms())
    admin.get(calls.set_moderator(person.id, LOBBY))
    told = person.get(calls.room(LOBBY))
    assert told["admins"] == [person.id]
    assert told["hidden_admins"] == [admin.id]
    assert (told["admin"], told["moderator"], told["default_read"]) == (True, True, True)
    assert "global_admin" not in told
    assert admin.get(calls.room(LOBBY))["global_admin"] is True
    assert "hidden_admins" not in hall.person("b").get(calls.room(LOBBY))
    admin.get(calls.set_moderator(person.id, LOBBY, add=False))
    assert person.get(calls.room(LOBBY))["admins"] == []


def test_who_polled_lately_is_counted_every_ten_seconds(make_hall: MakeHall) -> None:
    hall = make_hall()
    first, second = hall.person("a"), hall.person("b")
    for person in (first, second):
        since(person, 0)
    assert first.get(calls.poll_info(LOBBY, 0))["active_users"] == 0
    hall.wait(10)
    assert first.get(calls.poll_info(LOBBY, 0))["active_users"] == 2
    hall.wait(7 * 86_400 + 10)
    assert first.get(calls.poll_info(LOBBY, 0))["active_users"] == 0
    hall.wait(10)
    assert first.get(calls.poll_info(LOBBY, 0))["active_users"] == 1
    assert set(hall.room.activity) == {first.id, second.id}
    hall.wait(61 * 86_400)
    first.get(calls.capabilities())
    assert hall.room.activity == {}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/nothing", 404),
        ("POST", "/rooms", 405),
        ("GET", "/batch", 405),
        ("GET", "/room/lobby/messages/since/x", 404),
        ("GET", "/room/a b/messages/recent", 404),
        ("GET", "/room/lobby/messages/recent?limit=x", 400),
        ("GET", "/%ff", 400),
        ("GET", "/rooms?" + "a=1&" * 100, 400),
    ],
)
def test_paths_that_lead_nowhere(make_hall: MakeHall, method: str, path: str, status: int) -> None:
    assert make_hall().server.handle(ServerRequest(method, path, {}), 5).status == status


# ---- Posts ----


def test_a_post_is_kept_without_padding_and_given_out_with_it(make_hall: MakeHall) -> None:
    hall = make_hall()
    author, reader = hall.person("a"), hall.person("b")
    hall.wait(0.25)
    told = post(author, b"hello")
    assert list(told) == ["id", "session_id", "posted", "seqno", "data", "signature", "reactions"]
    assert (told["id"], told["seqno"], told["session_id"]) == (1, 1, author.id)
    assert told["posted"] == hall.unix_us / 1e6
    kept = hall.room.posts[1]
    assert (kept.content, kept.size_bytes) == (b"hello", 160)
    (given,) = read_posts(since(reader, 0))
    assert given.content == author.written(b"hello").content
    assert given.is_genuine
    assert given.posted_us == hall.unix_us


def test_the_answer_with_posts_has_blanks_and_the_order_of_its_making(make_hall: MakeHall) -> None:
    hall = make_hall()
    author = hall.person("a")
    post(author, b"x")
    body = author.ask(calls.messages_since(LOBBY, 0)).body
    assert body.startswith(b'[{"id": 1, "session_id": "15')
    assert not body.endswith(b"\n")


def test_a_signature_that_does_not_hold_is_the_readers_business(make_hall: MakeHall) -> None:
    hall = make_hall()
    author = hall.person("a")
    forged = SignedPost(author.written(b"x").content, bytes(64))
    author.get(calls.post_message(LOBBY, forged), 201)
    (given,) = read_posts(since(author, 0))
    assert not given.is_genuine


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"data": "AAAA"},
        {"data": "AAAA", "signature": "AAAA"},
        {"data": 5, "signature": "A" * 86},
        {"data": "?", "signature": "A" * 86},
        {"data": "AAAA", "signature": "A" * 86, "files": "x"},
        {"data": "AAAA", "signature": "A" * 86, "files": [[]]},
        {"data": "AAAA", "signature": "A" * 86, "whisper_to": 5},
    ],
)
def test_a_malformed_post_is_refused(make_hall: MakeHall, fields: dict[str, Any]) -> None:
    hall = make_hall()
    assert hall.person("a").refused(Part("POST", "/room/lobby/message", fields)) == 400
    assert hall.room.message_sequence == 0


def test_bodies_must_be_json_and_say_so(make_hall: MakeHall) -> None:
    person = make_hall().person("a")
    good = calls.post_message(LOBBY, person.written(b"x")).alone()
    assert person.refused(good._replace(headers={})) == 400
    assert person.refused(good._replace(body=b"[]")) == 400
    assert person.refused(good._replace(body=b"{")) == 400
    assert (
        person.ask(good._replace(headers={"content-type": "application/json; charset=utf-8"})).status == 201
    )


def test_nobody_may_read_but_not_write(make_hall: MakeHall) -> None:
    hall = make_hall()
    post(hall.person("a"), b"x")
    assert len(json.loads(hall.anonymous(calls.messages_recent(LOBBY)).body)) == 1
    for part in (
        calls.post_message(LOBBY, hall.person("a").written(b"x")),
        calls.delete_message(LOBBY, 1),
        calls.react(LOBBY, 1, "👍"),
        calls.inbox(),
        calls.ban(hall.person("a").id, [LOBBY]),
    ):
        answer = hall.anonymous(part)
        assert (answer.status, answer.body) == (401, b"X-SOGS-* request authentication required")


def test_five_posts_in_sixteen_seconds_are_enough_but_for_admins(make_hall: MakeHall) -> None:
    hall = make_hall()
    author, admin = hall.person("a"), hall.admin()
    for number in range(5):
        post(author, b"%d" % number)
    answer = author.ask(calls.post_message(LOBBY, author.written(b"x")))
    assert (answer.status, answer.body) == (429, b"Rate limited")
    for number in range(7):
        post(admin, b"%d" % number)
    post(hall.person("b"), b"x")
    hall.wait(16.1)
    post(author, b"x")


def test_an_edit_moves_the_counter_and_keeps_what_was_said(make_hall: MakeHall) -> None:
    hall = make_hall()
    author, other = hall.person("a"), hall.person("b")
    post(author, b"first")
    post(other, b"second")
    hall.wait(3)
    edit = calls.edit_message(LOBBY, 1, author.written(b"edited"))
    assert author.get(edit) == {}
    told = since(author, 0)
    assert [one["id"] for one in told] == [2, 1]
    assert (told[1]["seqno"], told[1]["edited"]) == (3, hall.unix_us / 1e6)
    assert read_posts(told)[1].content == author.written(b"edited").content
    ((post_id, replaced_us, content, signature),) = hall.room.history
    assert (post_id, replaced_us, content) == (1, hall.unix_us, b"first")
    assert signature == author.written(b"first").signature
    assert other.refused(edit) == 403
    assert author.refused(calls.edit_message(LOBBY, 9, author.written(b"x"))) == 404
    hall.wait(31 * 86_400)
    author.get(calls.capabilities())
    assert hall.room.history == []
    # The same text anew is no change.
    author.get(edit)
    assert hall.room.message_sequence == 3


def test_a_deletion_is_told_to_those_who_can_have_seen_the_post(make_hall: MakeHall) -> None:
    hall = make_hall()
    author, other = hall.person("a"), hall.person("b")
    post(author, b"first")
    post(author, b"second")
    other.get(calls.react(LOBBY, 1, "👍"))
    assert other.refused(calls.delete_message(LOBBY, 1)) == 403
    author.get(calls.delete_message(LOBBY, 1))
    assert author.refused(calls.delete_message(LOBBY, 1)) == 404
    kept = hall.room.posts[1]
    assert (kept.content, kept.signature, kept.reactions) == (None, b"", {})
    assert hall.room.history[0].content == b"first"
    assert [one["id"] for one in since(other, 0)] == [2]
    gone = since(other, 3)
    # Post 3, deletion 4, and its one reaction 5.
    assert gone == [
        {
            "id": 1, "session_id": author.id, "posted": gone[0]["posted"], "seqno": 5,
            "data": None, "deleted": True, "edited": gone[0]["edited"],
        }
    ]  # fmt: skip
    assert since(other, 4) == [{"id": 1, "seqno": 5, "reactions": {}}]
    assert author.refused(Part("GET", "/room/lobby/message/1")) == 404
    assert author.get(Part("GET", "/room/lobby/message/2"))["id"] == 2


def test_a_moderator_deletes_the_posts_of_others(make_hall: MakeHall) -> None:
    hall = make_hall()
    author, admin = hall.person("a"), hall.admin()
    for number in range(3):
        post(author, b"%d" % number)
    admin.get(calls.delete_message(LOBBY, 1))
    assert hall.person("b").refused(calls.delete_all_posts(LOBBY, author.id)) == 403
    admin.get(calls.delete_all_posts(LOBBY, author.id))
    assert admin.refused(calls.delete_all_posts(LOBBY, author.id)) == 404
    assert all(kept.content is None for kept in hall.room.posts.values())


def test_recent_and_before_give_the_newest_first_and_no_deleted_ones(make_hall: MakeHall) -> None:
    hall = make_hall(posts_per_interval=0)
    author = hall.person("a")
    for number in range(300):
        post(author, b"%d" % number)
    author.get(calls.delete_message(LOBBY, 299))
    recent = author.get(calls.messages_recent(LOBBY))
    assert [one["id"] for one in recent] == [300, *range(298, 199, -1)]
    many = author.get(Part("GET", "/room/lobby/messages/recent?limit=1000"))
    assert len(many) == 256
    assert [one["id"] for one in author.get(Part("GET", "/room/lobby/messages/before/5?limit=2"))] == [4, 3]
    assert len(since(author, 0)) == 100
    assert [one["seqno"] for one in since(author, 250, "?limit=3")] == [251, 252, 253]
    assert len(since(author, 250, "?limit=-3")) == 1


def test_the_list_of_changes_stays_short_however_often_a_post_changes(make_hall: MakeHall) -> None:
    hall = make_hall()
    author = hall.person("a")
    post(author, b"x")
    for number in range(300):
        author.get(calls.edit_message(LOBBY, 1, author.written(b"%d" % number)))
    assert len(hall.room.changes) < 70
    assert [one["seqno"] for one in since(author, 0)] == [301]


def test_whispers_reach_whom_they_are_for(make_hall: MakeHall) -> None:
    hall = make_hall()
    admin, target, other, mod = hall.admin(), hall.person("a"), hall.person("b"), hall.person("c")
    admin.get(calls.set_moderator(mod.id, LOBBY))
    told = post(admin, b"to you", whisper_to=target.id)
    assert list(told)[-3:] == ["whisper", "whisper_mods", "whisper_to"]
    post(admin, b"to mods", whisper_mods=True)
    seen = {name: [one["id"] for one in since(who, 0)] for name, who in
            (("admin", admin), ("target", target), ("other", other), ("mod", mod))}  # fmt: skip
    assert seen == {"admin": [1, 2], "target": [1], "other": [], "mod": [2]}
    assert other.refused(Part("GET", "/room/lobby/message/1")) == 404
    assert json.loads(hall.anonymous(calls.messages_recent(LOBBY)).body) == []
    assert target.refused(calls.react(LOBBY, 1, "👍")) == 404
    whisper = calls.post_message(LOBBY, target.written(b"x"), whisper_to=other.id)
    assert target.refused(whisper) == 403


# ---- Reactions and pins ----


def test_reactions_are_counted_in_the_order_of_their_first_use(make_hall: MakeHall) -> None:
    hall = make_hall()
    first, second = hall.person("a"), hall.person("b")
    post(first, b"x")
    assert first.get(calls.react(LOBBY, 1, "👍")) == {"added": True, "seqno": 2}
    assert first.get(calls.react(LOBBY, 1, "👍")) == {"added": False, "seqno": 2}
    assert second.get(calls.react(LOBBY, 1, "👍")) == {"added": True, "seqno": 3}
    assert second.get(calls.react(LOBBY, 1, "a/b")) == {"added": True, "seqno": 4}
    (told,) = since(second, 1)
    assert told == {
        "id": 1,
        "seqno": 4,
        "reactions": {
            "👍": {"count": 2, "you": True, "index": 0, "reactors": [first.id, second.id]},
            "a/b": {"count": 1, "you": True, "index": 1, "reactors": [second.id]},
        },
    }
    assert since(second, 1, "") == []  # without t=r
    assert "reactors" not in since(second, 1, "?t=r&reactors=0")[0]["reactions"]["👍"]
    assert since(second, 1, "?t=r&reactors=1")[0]["reactions"]["👍"]["reactors"] == [first.id]
    assert "data" in since(second, 0)[0]
    reactors = first.get(Part("GET", "/room/lobby/reactors/1/%F0%9F%91%8D"))
    assert [who for who, _at in reactors] == [first.id, second.id]
    assert first.get(calls.react(LOBBY, 1, "👍", add=False)) == {"removed": True, "seqno": 5}
    assert first.get(calls.react(LOBBY, 1, "👍", add=False)) == {"removed": False, "seqno": 5}
    assert first.refused(calls.clear_reactions(LOBBY, 1)) == 403
    assert hall.admin().get(calls.clear_reactions(LOBBY, 1, "👍")) == {"removed": 1, "seqno": 6}
    assert hall.admin("z").get(calls.clear_reactions(LOBBY, 1)) == {"removed": 1, "seqno": 7}
    assert hall.room.posts[1].reactions == {}


def test_reactions_that_cannot_be(make_hall: MakeHall) -> None:
    hall = make_hall()
    person = hall.person("a")
    assert person.refused(calls.react(LOBBY, 1, "👍")) == 404
    post(person, b"x")
    assert person.get(calls.react(LOBBY, 1, "x" * 12))["added"]
    assert person.refused(calls.react(LOBBY, 1, "x" * 13)) == 400


def test_pins_are_part_of_the_details(make_hall: MakeHall) -> None:
    hall = make_hall()
    admin, person = hall.admin(), hall.person("a")
    for number in range(2):
        post(person, b"%d" % number)
    assert person.refused(Part("POST", "/room/lobby/pin/1", {})) == 403
    assert admin.get(Part("POST", "/room/lobby/pin/2", {})) == {"info_updates": 2}
    hall.wait(1)
    admin.get(Part("POST", "/room/lobby/pin/1", {}))
    pins = person.get(calls.room(LOBBY))["pinned_messages"]
    assert [(pin["id"], pin["pinned_by"]) for pin in pins] == [(2, admin.id), (1, admin.id)]
    assert admin.get(Part("POST", "/room/lobby/unpin/9", {})) == {"unpinned": False, "info_updates": 3}
    assert admin.get(Part("POST", "/room/lobby/unpin/2", {})) == {"unpinned": True, "info_updates": 4}
    person.get(calls.delete_message(LOBBY, 1))
    assert "pinned_messages" not in person.get(calls.room(LOBBY))
    assert admin.get(Part("POST", "/room/lobby/unpin/all", {})) == {"unpinned": 0, "info_updates": 5}
    assert admin.refused(Part("POST", "/room/lobby/pin/1", {})) == 404


# ---- Inbox and outbox ----


def test_a_direct_message_stands_in_both_boxes_for_fifteen_days(make_hall: MakeHall) -> None:
    hall = make_hall()
    sender, recipient = hall.person("a"), hall.person("b")
    assert sender.refused(calls.send_direct(recipient.id, b"sealed")) == 404  # never seen
    assert recipient.get(calls.inbox()) == []
    told = sender.get(calls.send_direct(recipient.id, b"sealed"), 201)
    assert told == {
        "id": 1, "posted_at": hall.unix_us / 1e6, "expires_at": hall.unix_us / 1e6 + 15 * 86_400,
        "sender": sender.id, "recipient": recipient.id,
    }  # fmt: skip
    sender.get(calls.send_direct(recipient.id, b"again"), 201)
    inbox = recipient.get(calls.inbox())
    assert [base64.b64decode(one["message"]) for one in inbox] == [b"sealed", b"again"]
    assert sender.get(calls.outbox()) == inbox
    assert sender.get(calls.inbox()) == []
    assert recipient.get(calls.inbox(1)) == inbox[1:]
    nothing_new = recipient.ask(calls.inbox(2))
    assert (nothing_new.status, nothing_new.headers, nothing_new.body) == (304, {}, b"")
    assert len(recipient.get(Part("GET", "/inbox?limit=1"))) == 1
    hall.wait(15 * 86_400 + 10)
    assert sender.get(calls.outbox()) == []


def test_an_inbox_is_emptied_by_its_owner(make_hall: MakeHall) -> None:
    hall = make_hall()
    sender, recipient = hall.person("a"), hall.person("b")
    for person in (sender, recipient):
        person.get(calls.capabilities())
    sender.get(calls.send_direct(recipient.id, b"1"), 201)
    recipient.get(calls.send_direct(sender.id, b"2"), 201)
    assert recipient.get(Part("DELETE", "/inbox")) == {"deleted": 1}
    assert len(sender.get(calls.inbox())) == 1


def test_boxes_are_for_blinded_ids_and_messages_are_base64(make_hall: MakeHall) -> None:
    hall = make_hall(require_blinding=False)
    bare, blinded = hall.person("a", blinded=False), hall.person("b")
    answer = bare.ask(calls.inbox())
    assert (answer.status, answer.body) == (401, b"This endpoint requires blinded pubkeys be used")
    blinded.get(calls.inbox())
    bare.get(calls.send_direct(blinded.id, b"x"), 201)
    for fields in ({}, {"message": 5}, {"message": "?"}):
        assert bare.refused(Part("POST", f"/inbox/{blinded.id}", fields)) == 400
    assert bare.refused(Part("POST", f"/inbox/{bare.id}", {"message": ""})) == 404


# ---- Files ----


def test_an_upload_lives_an_hour_and_fifteen_days_once_it_is_posted(make_hall: MakeHall) -> None:
    hall = make_hall()
    author, other = hall.person("a"), hall.person("b")
    first = author.get(calls.upload(LOBBY, b"one", "my 🎂.txt"), 201)["id"]
    second = author.get(calls.upload(LOBBY, b"two"), 201)["id"]
    assert (first, second) == (1, 2)
    post(other, b"not mine", files=[first])
    post(author, b"mine", files=[first, 99])
    answer = other.ask(calls.download(LOBBY, first))
    assert answer.body == b"one"
    assert answer.headers["content-disposition"] == "attachment; filename*=UTF-8''my%20%F0%9F%8E%82.txt"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert {"date", "expires"} <= set(answer.headers)
    assert other.ask(Part("GET", "/room/lobby/file/2/any-name")).body == b"two"
    hall.wait(3601)
    assert other.refused(calls.download(LOBBY, second)) == 404
    hall.wait(10)
    assert other.ask(calls.download(LOBBY, first)).status == 200
    assert set(hall.state.files) == {first}
    author.get(calls.delete_message(LOBBY, 2))
    assert other.refused(calls.download(LOBBY, first)) == 404


def test_files_stay_in_their_room_and_below_their_limit(make_hall: MakeHall) -> None:
    hall = make_hall(file_max_bytes=10)
    hall.server.add_room("other", "Other", hall.now_us)
    person = hall.person("a")
    person.get(calls.upload(LOBBY, bytes(10)), 201)
    assert person.refused(calls.upload(LOBBY, bytes(11))) == 413
    assert person.refused(calls.download("other", 1)) == 404
    hall.room.upload = False
    assert person.refused(calls.upload(LOBBY, b"x")) == 403


def test_a_pinned_post_keeps_its_files(make_hall: MakeHall) -> None:
    hall = make_hall()
    admin = hall.admin()
    number = admin.get(calls.upload(LOBBY, b"x"), 201)["id"]
    post(admin, b"x", files=[number])
    admin.get(Part("POST", "/room/lobby/pin/1", {}))
    assert hall.state.files[number].expires_us is None
    admin.get(Part("POST", "/room/lobby/unpin/1", {}))
    assert hall.state.files[number].expires_us == hall.unix_us + 15 * 86_400 * 1_000_000
    admin.get(Part("PUT", "/room/lobby", {"image": number}))
    assert admin.get(calls.room(LOBBY))["image_id"] == number


# ---- Batches ----


def test_a_batch_embeds_json_and_wraps_the_rest_in_base64(make_hall: MakeHall) -> None:
    hall = make_hall()
    person = hall.person("a")
    person.get(calls.upload(LOBBY, b"\xff"), 201)
    parts = [
        calls.capabilities(),
        calls.download(LOBBY, 1),
        calls.inbox(7),
        calls.room("attic"),
        Part("POST", "/room/lobby/message", {"data": "eA", "signature": "A" * 86}),
    ]
    told = person.get(calls.batch(parts))
    assert [one["code"] for one in told] == [200, 200, 304, 404, 201]
    assert [list(one) for one in told] == [["code", "headers", "body"]] * 5
    assert told[0]["body"] == {"capabilities": ["blind", "reactions", "sogs"]}
    assert base64.b64decode(told[1]["body"]) == b"\xff"
    assert (told[2]["headers"], told[2]["body"]) == ({}, "")
    assert told[4]["body"]["data"] == "eA=="


def test_a_sequence_stops_at_the_first_failure(make_hall: MakeHall) -> None:
    person = make_hall().person("a")
    parts = [calls.capabilities(), calls.room("attic"), calls.capabilities()]
    assert [one["code"] for one in person.get(calls.batch(parts, in_turn=True))] == [200, 404]


def test_members_of_a_batch_are_for_who_signed_the_outermost(make_hall: MakeHall) -> None:
    hall = make_hall()
    person, other = hall.person("a"), hall.person("b")
    stolen = dict(other.signed(calls.inbox().alone()).headers)
    member = {"method": "GET", "path": "/room/lobby", "headers": stolen}
    told = person.get(ServerRequest("POST", "/batch", calls.JSON_HEADERS, json.dumps([member]).encode()))
    assert told[0]["code"] == 200
    assert other.id not in hall.state.members
    answer = hall.server.handle(calls.batch([calls.inbox()]), hall.now_us)
    assert json.loads(answer.body)[0]["code"] == 401


@pytest.mark.parametrize(
    "member",
    [
        5,
        {},
        {"method": "GET"},
        {"method": "PATCH", "path": "/"},
        {"method": "GET", "path": "x"},
        {"method": "GET", "path": 5},
        {"method": "GET", "path": "/", "json": {}},
        {"method": "POST", "path": "/"},
        {"method": "POST", "path": "/", "json": {}, "b64": ""},
        {"method": "POST", "path": "/", "bytes": 5},
        {"method": "GET", "path": "/", "headers": []},
        {"method": "GET", "path": "/", "headers": {"a": 1}},
    ],
)
def test_one_malformed_member_spoils_the_batch(make_hall: MakeHall, member: Any) -> None:
    hall = make_hall()
    good = {"method": "POST", "path": "/room/lobby/message", "json": {"data": "eA", "signature": "A" * 86}}
    body = json.dumps([good, member]).encode()
    assert hall.person("a").refused(ServerRequest("POST", "/batch", calls.JSON_HEADERS, body)) == 400
    assert hall.room.posts == {}


def test_batches_in_batches_end(make_hall: MakeHall) -> None:
    person = make_hall(batch_depth=3).person("a")
    members: list[Any] = [{"method": "GET", "path": "/capabilities"}]
    for _ in range(3):
        members = [{"method": "POST", "path": "/batch", "json": members}]
    told = person.get(ServerRequest("POST", "/batch", calls.JSON_HEADERS, json.dumps(members).encode()))
    for _ in range(2):
        assert told[0]["code"] == 200
        told = told[0]["body"]
    assert told[0]["code"] == 500


def test_other_bodies_of_members(make_hall: MakeHall) -> None:
    person = make_hall().person("a")
    members = [
        {"method": "POST", "path": "/room/lobby/file", "b64": "/w"},
        {"method": "POST", "path": "/room/lobby/file", "bytes": "é"},
        {"method": "POST", "path": "/room/lobby/file", "b64": "?"},
    ]
    person.get(ServerRequest("POST", "/batch", calls.JSON_HEADERS, json.dumps(members).encode()))
    files = person.hall.state.files
    assert [files[number].blob for number in (1, 2, 3)] == [b"\xff", "é".encode(), b""]


# ---- Permissions and moderation ----


@pytest.mark.parametrize(
    ("read", "accessible", "write", "seen", "readable", "writable"),
    [
        (True, True, True, 200, 200, 201),
        (True, False, False, 200, 200, 403),
        (False, True, True, 200, 403, 201),
        (False, False, False, 404, 403, 403),
    ],
)
def test_what_a_rooms_defaults_allow(
    make_hall: MakeHall, read: bool, accessible: bool, write: bool, seen: int, readable: int, writable: int
) -> None:
    hall = make_hall()
    admin, person = hall.admin(), hall.person("a")
    fields = {"default_read": read, "default_accessible": accessible, "default_write": write}
    admin.get(Part("PUT", "/room/lobby", fields))
    assert person.ask(calls.room(LOBBY)).status == seen
    assert len(person.get(calls.rooms())) == (seen == 200)
    assert person.ask(calls.messages_recent(LOBBY)).status == readable
    assert person.ask(calls.poll_info(LOBBY, 0)).status == readable
    assert person.ask(calls.post_message(LOBBY, person.written(b"x"))).status == writable
    assert admin.ask(calls.post_message(LOBBY, admin.written(b"x"))).status == 201


def test_a_member_may_be_given_and_denied_what_others_may(make_hall: MakeHall) -> None:
    hall = make_hall()
    admin, person = hall.admin(), hall.person("a")
    person.get(calls.rooms())
    path = f"/room/lobby/permissions/{person.id}"
    assert admin.get(Part("POST", path, {"write": False})) == {"write": False}
    assert person.refused(calls.post_message(LOBBY, person.written(b"x"))) == 403
    assert admin.get(Part("POST", path, {"default_write": True})) == {}
    post(person, b"x")
    assert admin.refused(Part("POST", path, {"write": True, "default_write": True})) == 400
    assert admin.refused(Part("POST", path, {})) == 400
    assert person.refused(Part("POST", path, {"write": True})) == 403


def test_bans_of_a_room_and_of_the_server(make_hall: MakeHall) -> None:
    hall = make_hall()
    admin, person, other = hall.admin(), hall.person("a"), hall.person("b")
    since(person, 0)
    assert other.refused(calls.ban(person.id, [LOBBY])) == 403
    admin.get(calls.ban(person.id, [LOBBY]))
    assert person.refused(calls.messages_recent(LOBBY)) == 403
    assert person.get(calls.rooms()) == []
    assert person.id not in hall.room.activity
    admin.get(calls.ban(person.id, [LOBBY], lift=True))
    since(person, 0)
    path = f"/user/{person.id}/ban"
    admin.get(Part("POST", path, {"global": True}))
    answer = person.ask(calls.capabilities())
    assert (answer.status, answer.body) == (403, b"Banned")
    assert other.refused(calls.send_direct(person.id, b"x")) == 404
    admin.get(Part("POST", f"/user/{person.id}/unban", {"global": True}))
    person.get(calls.capabilities())
    assert admin.refused(calls.ban(admin.id, [LOBBY])) == 403
    assert admin.refused(Part("POST", f"/user/{admin.id}/ban", {"global": True})) == 403
    for fields, status in (
        ({}, 400),
        ({"rooms": [LOBBY], "global": True}, 400),
        ({"rooms": "lobby"}, 400),
        ({"rooms": ["attic"]}, 404),
        ({"rooms": ["*", LOBBY]}, 400),
        ({"rooms": [5]}, 400),
    ):
        assert admin.refused(Part("POST", path, fields)) == status
    admin.get(Part("POST", path, {"rooms": ["*"]}))
    assert hall.room.overrides[person.id].banned


def test_the_operator_links_an_account_id_to_the_blinded_id_it_has_seen(make_hall: MakeHall) -> None:
    hall = make_hall()
    admin, person = hall.admin(), hall.person("a")
    person.get(calls.rooms())
    admin.get(calls.ban(person.account.id_hex, [LOBBY]))
    assert hall.room.overrides[person.id].banned
    assert person.account.id_hex not in hall.state.members
    unseen = hall.person("never here").account.id_hex
    admin.get(calls.ban(unseen, [LOBBY]))
    assert unseen in hall.state.members
    assert admin.ask(calls.ban("05" + "ff" * 32, [LOBBY])).status == 200


def test_moderators_come_and_go(make_hall: MakeHall) -> None:
    hall = make_hall()
    admin, person, other = hall.admin(), hall.person("a"), hall.person("b")
    for one in (person, other):
        one.get(calls.rooms())
    path = f"/user/{person.id}/moderator"
    for fields in ({"rooms": [LOBBY]}, {"rooms": [LOBBY], "admin": True, "moderator": False}):
        assert admin.refused(Part("POST", path, fields)) == 400
    assert other.refused(Part("POST", path, {"rooms": [LOBBY], "moderator": True})) == 403
    assert other.refused(Part("POST", path, {"global": True, "moderator": True})) == 403
    admin.get(Part("POST", path, {"rooms": [LOBBY], "moderator": True}))
    told = person.get(calls.room(LOBBY))
    assert (told["moderators"], told["moderator"], "admin" in told) == ([person.id], True, False)
    person.get(calls.ban(other.id, [LOBBY]))
    assert person.refused(calls.ban(admin.id, [LOBBY])) == 403
    admin.get(Part("POST", path, {"rooms": [LOBBY], "admin": True, "visible": False}))
    assert admin.get(calls.room(LOBBY))["hidden_admins"] == sorted([admin.id, person.id])
    admin.get(Part("POST", path, {"rooms": [LOBBY], "admin": False}))
    assert person.get(calls.room(LOBBY))["moderator"] is True
    admin.get(Part("POST", path, {"rooms": ["*"], "moderator": False}))
    assert "moderator" not in person.get(calls.room(LOBBY))
    before = hall.room.info_updates
    admin.get(Part("POST", path, {"global": True, "moderator": True, "visible": True}))
    told = person.get(calls.room(LOBBY))
    assert (told["moderators"], told["global_moderator"]) == ([person.id], True)
    assert hall.room.info_updates == before + 1


def test_a_batch_whose_answer_no_node_would_carry_back_is_given_up(make_hall: MakeHall) -> None:
    person = make_hall(batch_answer_max_bytes=1_000).person("a")
    assert person.ask(calls.batch([calls.capabilities()] * 10)).status == 200
    assert person.refused(calls.batch([calls.capabilities()] * 30)) == 500
