"""Posts: signed over the padded Content, kept without padding, given out as they were signed."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import LocalProtocolError
from sessionsim.protocol.blinding import PREFIX_15, blind15_key
from sessionsim.protocol.communities.posts import is_genuine, restore_padding, sign_post, strip_padding
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.wire.padding import padded_bytes

SERVER = hashlib.sha256(b"server").digest()
# Accounts with points of both signs, which blinding and XEd25519 treat unlike.
ACCOUNTS = [account_from_seed(bytes([n]) * 16) for n in range(6)]


def test_accounts_of_both_signs_are_tried() -> None:
    assert {account.ed.public[31] >> 7 for account in ACCOUNTS} == {0, 1}


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.id_hex[:6])
@pytest.mark.parametrize("blinded", [True, False])
def test_a_post_is_signed_under_the_id_the_community_knows(account: object, blinded: bool) -> None:
    author = ACCOUNTS[ACCOUNTS.index(account)]  # type: ignore[arg-type]
    content = b"a content"
    post = sign_post(author, SERVER, content, blinded=blinded, random64=bytes(range(64)))
    assert len(post.content) == padded_bytes(len(content)) == 160
    session_id = PREFIX_15 + blind15_key(author, SERVER).public if blinded else author.id
    assert is_genuine(session_id, post.content, post.signature)
    assert not is_genuine(session_id, content, post.signature)
    for wrong in (b"", session_id[:-1], b"\x25" + session_id[1:], PREFIX_15 + bytes(32)):
        assert not is_genuine(wrong, post.content, post.signature)
    stripped = strip_padding(post.content)
    assert stripped == content
    assert restore_padding(stripped, len(post.content)) == post.content


def test_both_ways_of_drawing_the_nonce_verify_and_differ() -> None:
    account = ACCOUNTS[0]
    posts = [sign_post(account, SERVER, b"x", nonce_of_seed=way) for way in (False, True)]
    assert posts[0] != posts[1]
    session_id = PREFIX_15 + blind15_key(account, SERVER).public
    assert all(is_genuine(session_id, post.content, post.signature) for post in posts)


def test_a_bare_signature_needs_random_bytes() -> None:
    with pytest.raises(LocalProtocolError):
        sign_post(ACCOUNTS[0], SERVER, b"x", blinded=False)


@given(st.binary(max_size=400))
@settings(deadline=None, max_examples=300, derandomize=True)
def test_whatever_is_posted_comes_out_as_it_went_in(content: bytes) -> None:
    for tail in (b"", b"\x80", b"\x80" + bytes(7), bytes(5)):
        sent = content + tail
        assert restore_padding(strip_padding(sent), len(sent)) == sent


def test_a_length_below_what_is_kept_is_our_error() -> None:
    with pytest.raises(LocalProtocolError):
        restore_padding(b"abc", 2)
