"""Endpoints that change posts: posting, editing, deleting, pinning.

The server strips the padding and keeps the rest as it came; it does not look at signatures. What an edit or
a deletion replaces stays in the room's history for a month.
Source: session-pysogs: sogs/routes/messages.py, sogs/model/room.py.
"""

from __future__ import annotations

from typing import Any, Final

from sessionsim.protocol.communities._call import Call, route
from sessionsim.protocol.communities._reading import written
from sessionsim.protocol.communities._uploads import attach, release
from sessionsim.protocol.communities.posts import SIGNATURE_BYTES, strip_padding
from sessionsim.protocol.communities.replies import Refused, Reply, as_given, jsonify, page, said
from sessionsim.protocol.communities.state import Member, OldVersion, Pin, Post, Room
from sessionsim.protocol.wire.base64_text import decode_base64

_MOST_FILES: Final = 100  # Assumption: no client attaches more to a post


def _signed(fields: dict[str, Any]) -> tuple[bytes, bytes]:
    """Read content and signature. Raises Refused: 400, where the real server may stumble with a 500."""
    content, signature = decode_base64(fields.get("data")), decode_base64(fields.get("signature"))
    if content is None or signature is None or len(signature) != SIGNATURE_BYTES:
        raise Refused(said(400, ""))
    return content, signature


def _files(fields: dict[str, Any]) -> list[int]:
    files = fields.get("files", [])
    if type(files) is not list or len(files) > _MOST_FILES:
        raise Refused(page(400))
    numbers = [int(one) if type(one) is str and one.isdecimal() and len(one) < 19 else one for one in files]
    if any(type(number) is not int for number in numbers):
        raise Refused(page(400))
    return numbers


def _writer(call: Call, room: Room) -> Member:
    member = call.someone()
    if not call.rights(room).write:
        raise Refused(said(403, "Permission denied"))
    return member


def _post(call: Call) -> Reply:
    call.someone()
    room, fields = call.room(), call.fields()
    member = _writer(call, room)
    content, signature = _signed(fields)
    files = _files(fields)
    whisper_to, whisper_mods = fields.get("whisper_to"), bool(fields.get("whisper_mods"))
    if whisper_to is not None and type(whisper_to) is not str:
        raise Refused(page(400))
    if (whisper_to or whisper_mods) and not call.rights(room).moderator:
        raise Refused(said(403, "Permission denied"))
    _hold_back(call, room, member)
    call.state.last_post += 1
    seqno = room.count()
    post = Post(
        call.state.last_post,
        member.session_id,
        call.now_us,
        strip_padding(content),
        len(content),
        signature,
        seqno,
        seqno,
        whisper_to=whisper_to or None,
        whisper_mods=whisper_mods,
    )
    room.posts[post.post_id] = post
    room.order.append(post.post_id)
    room.changed(post)
    attach(call, room, post, files)
    told = written(call, post, 0)
    # The answer to an author names the whisper last.
    whisper = {name: told.pop(name) for name in ("whisper", "whisper_mods", "whisper_to") if name in told}
    return as_given(told | whisper, 201)


def _hold_back(call: Call, room: Room, member: Member) -> None:
    """Refuse who posts too often. Raises Refused: 429."""
    most, since_us = call.rules.posts_per_interval, call.now_us - call.rules.post_interval_us
    if not most or call.rights(room).admin:
        return
    count = 0
    for post in room.newest_first():
        if post.posted_us < since_us:
            return
        count += post.author == member.session_id
        if count >= most:
            raise Refused(said(429, "Rate limited"))


def _change(
    call: Call, room: Room, post: Post, content: bytes | None, size_bytes: int, signature: bytes
) -> None:
    """Replace what a post says; what it said is kept for a while."""
    if post.content == content:
        post.size_bytes, post.signature = size_bytes, signature
        return
    room.history.append(OldVersion(post.post_id, call.now_us, post.content or b"", post.signature))
    post.content, post.size_bytes, post.signature = content, size_bytes, signature
    post.seqno_content, post.edited_us = room.count(), call.now_us
    room.changed(post)


def _edit(call: Call) -> Reply:
    call.someone()
    room, fields = call.room(), call.fields()
    member = _writer(call, room)
    content, signature = _signed(fields)
    files = _files(fields)
    post = room.posts.get(call.number("id"))
    if post is None or post.content is None:
        raise Refused(said(404, "No such post"))
    if post.author != member.session_id:
        raise Refused(said(403, "Permission denied"))
    _change(call, room, post, strip_padding(content), len(content), signature)
    attach(call, room, post, files)
    return jsonify({})


def delete(call: Call, room: Room, post: Post) -> None:
    """Take away content, signature, pin, attachments and reactions of a post."""
    _change(call, room, post, None, 0, b"")
    if room.pins.pop(post.post_id, None) is not None:
        room.info_updates += 1
    release(call, post)
    for who in post.reactions.values():
        for _one in who:
            post.seqno_reactions = room.count()
    post.reactions.clear()
    room.changed(post)


def _delete(call: Call) -> Reply:
    member = call.someone()
    room = call.room()
    rights = call.rights(room)
    if not rights.write:
        raise Refused(page(403))
    post = room.posts.get(call.number("id"))
    if post is None or post.content is None:
        raise Refused(page(404))
    if post.author != member.session_id and not rights.moderator:
        raise Refused(said(403, "Permission denied"))
    delete(call, room, post)
    return jsonify({})


# ---- Pins ----


def _pin(call: Call) -> Reply:
    room = call.moderated_room(admin=True)
    post = room.posts.get(call.number("id"))
    if post is None or not post.is_regular:
        raise Refused(said(404, f"No such post: {call.number('id')}"))
    room.pins[post.post_id] = Pin(call.now_us, call.someone().session_id)
    room.info_updates += 1
    release(call, post, forever=True)
    return jsonify({"info_updates": room.info_updates})


def _unpin(call: Call) -> Reply:
    room = call.moderated_room(admin=True)
    was = _take_down(call, room, call.number("id"))
    return jsonify({"unpinned": was, "info_updates": room.info_updates})


def _unpin_all(call: Call) -> Reply:
    room = call.moderated_room(admin=True)
    count = sum([_take_down(call, room, post_id) for post_id in list(room.pins)])
    return jsonify({"unpinned": count, "info_updates": room.info_updates})


def _take_down(call: Call, room: Room, post_id: int) -> bool:
    if room.pins.pop(post_id, None) is None:
        return False
    room.info_updates += 1
    for upload in call.state.files.values():
        if upload.post_id == post_id:
            upload.expires_us = upload.uploaded_us + call.rules.file_lifetime_us
    return True


ROUTES: Final = (
    route("POST", "/room/<room>/message", _post),
    route("PUT", "/room/<room>/message/<id>", _edit),
    route("DELETE", "/room/<room>/message/<id>", _delete),
    route("POST", "/room/<room>/pin/<id>", _pin),
    route("POST", "/room/<room>/unpin/<id>", _unpin),
    route("POST", "/room/<room>/unpin/all", _unpin_all),
)
