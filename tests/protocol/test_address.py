"""Addresses of files: what each client writes, and all of it read the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol.crypto import real
from sessionsim.protocol.files.address import (
    DEFAULT_ED25519,
    DEFAULT_SERVER,
    DEFAULT_X25519,
    FRAGMENT_STYLES,
    FileAddress,
    read_address,
    write_address,
)

ID = "A-_" + "b" * 41
KEY = bytes(range(32))
HOST = "http://files.example.org:8000"


def test_the_default_server_has_one_key_in_two_forms() -> None:
    assert real.x25519_public_of_ed25519(DEFAULT_ED25519) == DEFAULT_X25519


@pytest.mark.parametrize(
    ("style", "written"),
    [
        ("desktop", f"{HOST}/file/{ID}#p={KEY.hex()}&d="),
        ("android", f"{HOST}/file/{ID}#d&p={KEY.hex()}"),
        ("libsession", f"{HOST}/file/{ID}#p={KEY.hex()}&d"),
    ],
)
def test_each_client_writes_its_own_fragment(style: str, written: str) -> None:
    address = FileAddress(ID, True, HOST, KEY)
    assert write_address(address, style=style) == written
    assert read_address(written) == address


@pytest.mark.parametrize(
    ("address", "written"),
    [
        (FileAddress(ID), f"{DEFAULT_SERVER}/file/{ID}"),
        (FileAddress(ID, True), f"{DEFAULT_SERVER}/file/{ID}#d="),
        (FileAddress("1234567890", False, HOST, KEY), f"{HOST}/file/1234567890#p={KEY.hex()}"),
    ],
)
def test_parts_that_say_nothing_are_left_out(address: FileAddress, written: str) -> None:
    assert write_address(address) == written
    assert read_address(written) == address


@pytest.mark.parametrize(
    ("written", "address"),
    [
        (f"{HOST}/files/17", FileAddress("17", False, HOST)),
        (f"{HOST}/file/17/", FileAddress("17", False, HOST)),
        (f"{HOST}/file/17#", FileAddress("17", False, HOST)),
        (f"{HOST}/file/17#sr=abc.sesh:1&d&x=1", FileAddress("17", True, HOST)),
        (f"{HOST}/file/17#p=zz&d", FileAddress("17", True, HOST)),
        (f"{HOST}/file/17#P={KEY.hex()}", FileAddress("17", False, HOST)),
        (
            f"{HOST}/file/17#p={KEY.hex()}&p={KEY[::-1].hex().upper()}",
            FileAddress("17", False, HOST, KEY[::-1]),
        ),
        (f"{HOST}/file/17#dd&d=1", FileAddress("17", False, HOST)),
    ],
)
def test_the_reader_is_as_tolerant_as_clients(written: str, address: FileAddress) -> None:
    assert read_address(written) == address


@pytest.mark.parametrize(
    "written",
    [
        "",
        ID,
        "ftp://files.example.org/file/17",
        "http:///file/17",
        f"{HOST}/file/",
        f"{HOST}/file/1/2",
        f"{HOST}/file/1?x=1",
        f"{HOST}/file/ü",
        f"{HOST}/file/{'a' * 45}",
        f"{HOST}/room/x/file/17",
        f"{HOST}/file/17\n",
        f"{HOST}/file/17#\n",
        f" {HOST}/file/17",
        "http://a@b/file/17",
        f"{HOST}/file/17#{'d' * 1024}",
    ],
)
def test_anything_else_is_no_address(written: str) -> None:
    with pytest.raises(RemoteProtocolError):
        read_address(written)


@pytest.mark.parametrize(
    ("address", "style"),
    [
        (FileAddress(ID, True, HOST, KEY[:31]), "desktop"),
        (FileAddress(ID), "windows"),
        (FileAddress(""), "desktop"),
        (FileAddress("a/b"), "desktop"),
        (FileAddress(ID, server="files.example.org"), "desktop"),
    ],
)
def test_what_cannot_be_written_is_our_mistake(address: FileAddress, style: str) -> None:
    with pytest.raises(LocalProtocolError):
        write_address(address, style=style)


@settings(deadline=None, max_examples=100, derandomize=True)
@given(
    st.from_regex(r"[A-Za-z0-9_-]{1,44}", fullmatch=True),
    st.booleans(),
    st.sampled_from([b"", KEY]),
    st.sampled_from(sorted(FRAGMENT_STYLES)),
)
def test_every_address_comes_back(file_id: str, deterministic: bool, key: bytes, style: str) -> None:
    address = FileAddress(file_id, deterministic, HOST, key)
    assert read_address(write_address(address, style=style)) == address


@settings(deadline=None, max_examples=200, derandomize=True)
@given(st.text(max_size=60) | st.text(max_size=60).map(lambda end: f"{HOST}/file/17#{end}"))
def test_any_text_is_read_or_refused(written: str) -> None:
    try:
        address = read_address(written)
    except RemoteProtocolError:
        return
    assert address.file_id == "17"
