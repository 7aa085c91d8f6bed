"""Endpoints about files of a room, which are kept in clear: an hour, and 15 days once a post names them.

Source: session-pysogs: sogs/routes/rooms.py, sogs/model/room.py (upload_file, _own_files).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from email.utils import formatdate
from typing import Final

from sessionsim.core.units import US_PER_S
from sessionsim.protocol.communities._call import Call, route
from sessionsim.protocol.communities.replies import Refused, Reply, jsonify, page, raw
from sessionsim.protocol.communities.state import Post, Room, Upload
from sessionsim.protocol.wire import percent

# The name of an upload: filename="…", or filename*=UTF-8''… with percent signs (RFC 5987).
_FILENAME: Final = re.compile(
    r"filename\*=UTF-8''([^;\s]+)|filename=\"([^\"]*)\"|filename=([^;\s]+)", re.IGNORECASE
)
_LONGEST_NAME: Final = 1024  # Assumption: bounds what a client can make the server keep beside a file


def _name(disposition: str) -> str | None:
    found = _FILENAME.search(disposition)
    if found is None:
        return None
    name = percent.decode(found[1]) if found[1] else found[2] or found[3] or ""
    return name[:_LONGEST_NAME].replace("\0", "�").replace("/", "�")


def _upload(call: Call) -> Reply:
    member, room = call.someone(), call.room()
    if not call.rights(room).upload:
        raise Refused(page(403))
    if len(call.body) > call.rules.file_max_bytes:
        raise Refused(page(413))
    call.state.last_file += 1
    call.state.files[call.state.last_file] = Upload(
        call.state.last_file,
        room.token,
        member.session_id,
        call.body,
        call.now_us,
        call.now_us + call.rules.file_unposted_us,
        _name(call.headers.get("content-disposition", "")),
    )
    return jsonify({"id": call.state.last_file}, 201)


def _fetch(call: Call) -> Reply:
    room = call.readable_room()
    found = call.state.files.get(call.number("id"))
    if found is None or found.room != room.token:
        raise Refused(page(404))
    if found.expires_us is not None and found.expires_us <= call.now_us:
        raise Refused(page(404))
    headers = {"date": _date(found.uploaded_us), "content-disposition": "attachment"}
    if found.filename:
        headers["content-disposition"] += f"; filename*=UTF-8''{percent.encode(found.filename, b'/')}"
    if found.expires_us is not None:
        headers["expires"] = _date(found.expires_us)
    return raw(found.blob, headers)


def _date(unix_us: int) -> str:
    return formatdate(unix_us // US_PER_S, usegmt=True)


def attach(call: Call, room: Room, post: Post, files: Sequence[int]) -> None:
    """Let uploads belong to a post: fresh ones of its author in this room that no other post has."""
    for number in files:
        upload = call.state.files.get(number)
        if (
            upload is not None
            and upload.room == room.token
            and upload.uploader == call.someone().session_id
            and upload.post_id is None
            and upload.expires_us is not None
            and upload.uploaded_us >= call.now_us - call.rules.file_unposted_us
        ):
            upload.post_id = post.post_id
            upload.expires_us = call.now_us + call.rules.file_lifetime_us


def release(call: Call, post: Post, *, forever: bool = False) -> None:
    """Let the uploads of a post expire at once, or never as long as it is pinned."""
    for upload in call.state.files.values():
        if upload.post_id == post.post_id:
            upload.expires_us = None if forever else 0


ROUTES: Final = (
    route("POST", "/room/<room>/file", _upload),
    route("GET", "/room/<room>/file/<id>", _fetch),
    route("GET", "/room/<room>/file/<id>/<filename>", _fetch),
)
