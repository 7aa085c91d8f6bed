"""Requests of clients to the file server, and how they read answers, hostile ones too."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import InvalidInput, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.files import client
from sessionsim.protocol.files.client import FileRefused
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest
from sessionsim.protocol.wire.file_json import FileFacts, Uploaded, write_facts

ID = "a" * 44


def answer(body: bytes, status: int = 200) -> ServerAnswer:
    return ServerAnswer(status, {}, body)


def test_requests_are_those_of_the_table() -> None:
    assert client.upload_request(b"blob") == ServerRequest("POST", "/file", {}, b"blob")
    assert client.download_request("17") == ServerRequest("GET", "/file/17", {})
    assert client.facts_request(ID) == ServerRequest("GET", f"/file/{ID}/info", {})
    assert client.extend_request(ID) == ServerRequest("POST", f"/file/{ID}/extend", {})
    assert client.extend_request(ID, ttl_s=30).headers == {"X-FS-TTL": "30"}


def test_families_differ_in_the_headers_of_an_upload() -> None:
    kind, place = ("Content-Type", "application/octet-stream"), ("Content-Disposition", "attachment")
    by_style = {
        style: list(client.upload_request(b"x", style=style, ttl_s=0).headers.items())
        for style in client.UPLOAD_HEADERS
    }
    ttl = ("X-FS-TTL", "0")
    assert by_style == {
        "desktop": [ttl],
        "android": [place, kind, ttl],
        "libsession": [kind, place, ttl],
    }


def test_headers_are_found_whatever_their_case() -> None:
    request = ServerRequest("GET", "/", {"X-Fs-Ttl": "5"})
    assert (request.header("x-fs-ttl"), request.header("X-FS-TTL"), request.header("other")) == (
        "5",
        "5",
        None,
    )


def test_own_mistakes() -> None:
    for blob in (b"", bytes(10_223_617)):
        with pytest.raises(InvalidInput):
            client.upload_request(blob)
    assert client.upload_request(bytes(10_223_616))
    for make in (
        lambda: client.upload_request(b"x", style="web"),
        lambda: client.upload_request(b"x", ttl_s=-1),
        lambda: client.download_request("../x"),
        lambda: client.download_request(""),
        lambda: client.facts_request("a?b"),
        lambda: client.extend_request("17"),
    ):
        with pytest.raises(LocalProtocolError):
            make()


def test_answers_are_read() -> None:
    written = b'{"id": "17", "expires": 1754863793.186137}'
    assert client.uploaded(answer(written)) == Uploaded("17", 1_754_863_793_186_137)
    assert client.uploaded(answer(b'{"id":"%b"}' % ID.encode())) == Uploaded(ID, None)
    assert client.downloaded(answer(b"blob")) == b"blob"
    facts = FileFacts(5, 1_754_863_793_186_137, 1_754_863_800_000_000)
    assert client.facts(answer(write_facts(facts))) == facts
    assert client.newest_version(answer(b'{"result": "1.17.0", "status_code": 200}')) == "1.17.0"


@pytest.mark.parametrize("status", [301, 400, 404, 413, 500])
def test_an_error_status_is_named(status: int) -> None:
    for read in (client.uploaded, client.downloaded, client.facts, client.newest_version):
        with pytest.raises(FileRefused) as wrong:
            read(answer(b'{"status_code": 404}', status))
        assert wrong.value.status == status


@pytest.mark.parametrize(
    ("read", "body"),
    [
        (client.uploaded, b""),
        (client.uploaded, b"[]"),
        (client.uploaded, b'{"id": 17}'),  # what deprecated servers said
        (client.uploaded, b'{"id": "a/b"}'),
        (client.uploaded, b'{"id": ""}'),
        (client.uploaded, b'{"id": "17", "expires": "soon"}'),
        (client.uploaded, b'{"id": "17", "expires": true}'),
        (client.uploaded, b'{"id": "17", "expires": 1e300}'),
        (client.uploaded, b'{"id": "17", "expires": -1}'),
        (client.downloaded, b""),
        (client.facts, b'{"size": 1, "uploaded": 1}'),
        (client.facts, b'{"size": 1.5, "uploaded": 1, "expires": 1}'),
        (client.facts, b'{"size": -1, "uploaded": 1, "expires": 1}'),
        (client.facts, b'{"size": 1, "uploaded": null, "expires": 1}'),
        (client.newest_version, b"{}"),
        (client.newest_version, b'{"result": ""}'),
        (client.newest_version, b'{"result": 1}'),
    ],
)
def test_malformed_answers_are_refused(read: object, body: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read(answer(body))  # type: ignore[operator]


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    st.binary(max_size=60)
    | st.text(max_size=40).map(lambda text: f'{{"id": {text}}}'.encode("utf-8", "replace"))
)
def test_any_body_is_read_or_refused(body: bytes) -> None:
    for read in (client.uploaded, client.facts, client.newest_version):
        try:
            read(answer(body))
        except RemoteProtocolError:
            continue
