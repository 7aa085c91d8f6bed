"""The file server: ids, expiry, deduplication, versions of servers, errors, and hostile requests."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.seeds import Entropy
from sessionsim.core.units import US_PER_DAY, US_PER_S
from sessionsim.protocol.blinding import version_key
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.files import client
from sessionsim.protocol.files.client import FileRefused
from sessionsim.protocol.files.deterministic import Purpose, seal_file
from sessionsim.protocol.files.releases import Release
from sessionsim.protocol.files.server import FileServer, hash_id
from sessionsim.protocol.files.server_rules import FileServerRules
from sessionsim.protocol.files.version_check import version_request
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.server_request import ServerAnswer, ServerRequest

EPOCH_MS = 1_777_000_000_000
SUITE = suite_named("fast")
ACCOUNT = account_from_seed(bytes(range(16)))
KEY = version_key(ACCOUNT)
BLOB = b"blob" * 100
RELEASES = (
    ("desktop", Release("1.17.0", EPOCH_MS * 1000, "Session 1.17", "notes", (("a.deb", "https://x/a"),))),
    ("desktop", Release("1.18.0", EPOCH_MS * 1000, channel="prerelease")),
    ("desktop", Release("1.19.0-alpha.1", EPOCH_MS * 1000, channel="alpha")),
    ("ios", Release("2.15.2", EPOCH_MS * 1000 + 500_000)),
)


def server(**rules: Any) -> FileServer:
    return FileServer(FileServerRules(**rules), SUITE, Entropy(bytes(32)), EPOCH_MS, RELEASES)


def unix_us(now_us: int) -> int:
    return EPOCH_MS * 1000 + now_us


def stored(one: FileServer, blob: bytes = BLOB, now_us: int = 0, ttl_s: int | None = None) -> str:
    return client.uploaded(one.handle(client.upload_request(blob, ttl_s=ttl_s), now_us)).file_id


def gone(one: FileServer, file_id: str, now_us: int) -> bool:
    return one.handle(client.download_request(file_id), now_us).status == 404


def test_a_file_is_stored_and_fetched_under_the_hash_of_its_bytes() -> None:
    one = server()
    answer = one.handle(client.upload_request(BLOB), 1_500_000)
    digest = hashlib.blake2b(BLOB, digest_size=33, salt=b"SessionFileSvr\0\0").digest()
    file_id = base64.urlsafe_b64encode(digest).decode()
    assert (len(file_id), hash_id(BLOB)) == (44, file_id)
    # The very text that the server's own writer gives.
    expires_s = unix_us(1_500_000 + 14 * US_PER_DAY) / 1e6
    assert answer == ServerAnswer(
        200, {"content-type": "application/json"}, f'{{"id": "{file_id}", "expires": {expires_s}}}'.encode()
    )
    fetched = one.handle(client.download_request(file_id), 2_000_000)
    assert fetched == ServerAnswer(
        200,
        {"content-type": "application/octet-stream", "expires": "Fri, 08 May 2026 03:06:41 GMT"},
        BLOB,
    )
    facts = client.facts(one.handle(client.facts_request(file_id), 2_000_000))
    assert facts == (len(BLOB), unix_us(1_500_000), unix_us(1_500_000 + 14 * US_PER_DAY))


def test_ids_use_the_url_alphabet() -> None:
    blobs = [bytes([n]) for n in range(60)]
    ids = [hash_id(blob) for blob in blobs]
    digests = [hashlib.blake2b(blob, digest_size=33, salt=b"SessionFileSvr\0\0").digest() for blob in blobs]
    assert ids == [base64.urlsafe_b64encode(digest).decode() for digest in digests]
    assert {"-", "_"} <= set("".join(ids))


def test_a_second_upload_of_an_account_is_recognised_and_that_of_another_is_not() -> None:
    one = server()
    mine = [seal_file(b"picture", bytes(32), Purpose.PROFILE_PICTURE).blob for _ in range(2)]
    other = seal_file(b"picture", bytes([1]) * 32, Purpose.PROFILE_PICTURE).blob
    ids = [stored(one, blob, now_us) for now_us, blob in enumerate([*mine, other])]
    assert ids[0] == ids[1] != ids[2]
    assert [file.uploads for file in one.files.values()] == [2, 1]
    assert one.files[ids[0]].uploaded_us == unix_us(1)


def test_files_expire_and_are_removed_on_the_grid_of_the_cleaner() -> None:
    one = server(cleanup_period_us=15 * US_PER_S)
    # The clock stands at ten seconds past a clean-up: the next ones come after 5, 20 and 35 s.
    assert unix_us(0) % (15 * US_PER_S) == 10 * US_PER_S
    file_id = stored(one, ttl_s=21)
    assert not gone(one, file_id, 21 * US_PER_S - 1)
    assert gone(one, file_id, 21 * US_PER_S)
    one.handle(client.download_request("17"), 35 * US_PER_S - 1)
    assert file_id in one.files
    one.handle(client.download_request("17"), 35 * US_PER_S)
    assert file_id not in one.files


def test_older_servers_serve_what_has_expired_until_it_is_removed() -> None:
    one = server(serves_expired=True)
    file_id = stored(one, ttl_s=0)
    assert not gone(one, file_id, 1)
    assert gone(one, file_id, 15 * US_PER_S)
    assert gone(server(), stored(server(), ttl_s=0), 0)


def test_extending_lets_a_file_live_longer_and_never_shorter() -> None:
    one = server()
    file_id = stored(one)
    later = client.facts(one.handle(client.extend_request(file_id), US_PER_DAY))
    assert later == (len(BLOB), unix_us(0), unix_us(15 * US_PER_DAY))
    shorter = client.facts(one.handle(client.extend_request(file_id, ttl_s=30), 2 * US_PER_DAY))
    assert shorter.expires_us == later.expires_us
    assert not gone(one, file_id, 15 * US_PER_DAY - 1)
    assert gone(one, file_id, 15 * US_PER_DAY)


def test_what_cannot_be_extended() -> None:
    numbers = server(ids="number")
    number = stored(numbers)
    old = server(extends=False)
    file_id = stored(old)
    for one, path in (
        (numbers, f"/file/{number}/extend"),
        (old, f"/file/{file_id}/extend"),
        (server(), f"/file/{'a' * 44}/extend"),
    ):
        with pytest.raises(FileRefused) as wrong:
            client.facts(one.handle(ServerRequest("POST", path, {}), 0))
        assert wrong.value.status == 404


def test_a_second_upload_keeps_the_later_expiry_or_sets_it_anew() -> None:
    for keeps in (True, False):
        one = server(never_shortens=keeps)
        file_id = stored(one)
        stored(one, now_us=US_PER_S, ttl_s=60)
        kept_us = 14 * US_PER_DAY if keeps else 61 * US_PER_S
        assert one.files[file_id].expires_us == unix_us(kept_us)
        assert not gone(one, file_id, kept_us - 1)
        assert gone(one, file_id, kept_us)


@pytest.mark.parametrize(
    ("ttl", "status"),
    [
        ("0", 200),
        ("1209600", 200),
        ("1209601", 400),
        ("-1", 400),
        ("1.5", 400),
        ("", 400),
        ("x", 400),
        ("9" * 400, 400),
    ],
)
def test_the_wanted_lifetime_has_bounds(ttl: str, status: int) -> None:
    one = server()
    file_id = stored(one)
    for endpoint, body in (("/file", b"x"), (f"/file/{file_id}/extend", b"")):
        assert one.handle(ServerRequest("POST", endpoint, {"x-fs-ttl": ttl}, body), 0).status == status


def test_a_server_may_ignore_the_wanted_lifetime() -> None:
    one = server(longest_lifetime_us=0)
    for ttl in ("30", "x"):
        answer = one.handle(ServerRequest("POST", "/file", {"X-FS-TTL": ttl}, BLOB), 0)
        assert client.uploaded(answer).expires_us == unix_us(14 * US_PER_DAY)


def test_sizes_are_limited_at_both_ends() -> None:
    one = server(max_bytes=10)
    for size, status in ((0, 413), (1, 200), (10, 200), (11, 413)):
        answer = one.handle(ServerRequest("POST", "/file", {}, bytes(size)), 0)
        assert answer.status == status
        assert status == 200 or answer.body == b'{"status_code": 413}'


def test_the_largest_file_of_a_client_fits_by_default() -> None:
    assert FileServerRules().max_bytes == client.MAX_BLOB_BYTES == 10_223_616


def test_older_servers_draw_numbers_and_recognise_nothing() -> None:
    one = server(ids="number", says_expiry=False)
    answers = [one.handle(client.upload_request(BLOB), 0) for _ in range(3)]
    numbers = [client.uploaded(answer).file_id for answer in answers]
    assert len(set(numbers)) == 3
    assert all(number.isdecimal() and int(number) < 1 << 53 for number in numbers)
    assert answers[0].body == b'{"id": "%b"}' % numbers[0].encode()
    assert "expires" not in one.handle(client.download_request(numbers[0]), 0).headers
    again = server(ids="number")
    assert [stored(again) for _ in range(3)] == numbers  # drawn from the seed


def test_numbers_that_are_all_taken_end_in_an_error() -> None:
    one = server(ids="number")
    first = [stored(one) for _ in range(26)]
    clash = server(ids="number")
    clash.files.update({number: one.files[number] for number in first[:25]})
    assert clash.handle(client.upload_request(BLOB), 0).status == 507
    assert stored(clash) == first[25]


def test_the_newest_client_is_told() -> None:
    one = server()
    answer = one.handle(ServerRequest("GET", "/session_version?platform=desktop", {}), 0)
    assert json.loads(answer.body) == {
        "status_code": 200,
        "updated": 1777000000.0,
        "result": "1.17.0",
        "name": "Session 1.17",
        "notes": "notes",
        "assets": [{"name": "a.deb", "url": "https://x/a"}],
        "prerelease": {"result": "1.18.0", "updated": 1777000000.0},
    }
    assert client.newest_version(answer) == "1.17.0"
    alpha = one.handle(version_request(SUITE, ACCOUNT, "desktop", EPOCH_MS // 1000, channel="alpha"), 0)
    assert client.newest_version(alpha) == "1.19.0-alpha.1"
    phone = one.handle(version_request(SUITE, ACCOUNT, "ios", EPOCH_MS // 1000), 5)
    assert phone.body == b'{"status_code": 200, "updated": 1777000000.5, "result": "2.15.2"}'
    name = "07" + KEY.public.hex()
    assert one.checks == [(name, "desktop", "alpha", unix_us(0)), (name, "ios", "stable", unix_us(5))]


def test_version_checks_that_are_refused() -> None:
    one = server()
    stale = version_request(SUITE, ACCOUNT, "ios", EPOCH_MS // 1000 - 90_000)
    for request, status in (
        (ServerRequest("GET", "/session_version", {}), 404),
        (ServerRequest("GET", "/session_version?platform=symbian", {}), 404),
        (ServerRequest("GET", "/session_version?platform=android", {}), 502),
        (ServerRequest("POST", "/session_version?platform=ios", {}), 405),
        (stale, 425),
    ):
        answer = one.handle(request, 0)
        assert answer.status == status
    assert answer.headers == {"content-type": "text/plain; charset=utf-8"}
    assert one.checks == []


@pytest.mark.parametrize(
    ("method", "endpoint", "status"),
    [
        ("GET", "/file", 405),
        ("PUT", "/file", 405),
        ("POST", "/file/17", 405),
        ("POST", "/file/17/info", 405),
        ("GET", "/file/17/extend", 405),
        ("GET", "/file/17", 404),
        ("GET", "/file/17/info", 404),
        ("GET", "/file/", 404),
        ("GET", "/file/17/other", 404),
        ("GET", "/", 404),
        ("GET", "", 404),
        ("GET", "file/17", 404),
        ("GET", "/file/%2e%2e", 404),
    ],
)
def test_other_requests_are_errors(method: str, endpoint: str, status: int) -> None:
    answer = server().handle(ServerRequest(method, endpoint, {}), 0)
    assert (answer.status, answer.body) == (status, b'{"status_code": %d}' % status)


def test_files_extended_without_end_do_not_fill_the_memory() -> None:
    one = server()
    file_id = stored(one)
    for now_us in range(500):
        one.handle(client.extend_request(file_id), now_us)
    assert len(one._due) < 100
    assert not gone(one, file_id, 14 * US_PER_DAY)
    assert gone(one, file_id, 14 * US_PER_DAY + 499)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(
    st.sampled_from(["GET", "POST", "X"]),
    st.sampled_from(["/file", "/file/17", "/file/17/extend", "/session_version?platform=ios"])
    | st.text(max_size=30),
    st.dictionaries(
        st.sampled_from(["X-FS-TTL", "X-FS-Pubkey", "X-FS-Timestamp", "X-FS-Signature"])
        | st.text(max_size=5),
        st.sampled_from(["30", "07" + KEY.public.hex()]) | st.text(max_size=20),
        max_size=5,
    ),
    st.binary(max_size=10),
)
def test_any_request_gets_an_answer(method: str, endpoint: str, headers: dict[str, str], body: bytes) -> None:
    answer = server().handle(ServerRequest(method, endpoint, headers, body), 0)
    assert answer.status in {200, 400, 401, 404, 405, 413, 425, 502}
    assert answer.headers["content-type"]
