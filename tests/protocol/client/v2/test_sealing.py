"""How a client of version 2 seals for each state of its knowledge, how long it waits, and what it opens."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import ProtocolError
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import account_from_seed
from sessionsim.protocol.v2 import V2Rules, account_keys, seal
from sessionsim.protocol.v2.combiner import fallback_key, pfs_key
from sessionsim.protocol.v2.inner import write_inner
from sessionsim.protocol.v2.message import padded_bytes
from sessionsim.protocol.v2.receiving import BadFormat, NoKeyFits, open_message
from sessionsim.protocol.versions.v1 import encode_text, open_direct

SECOND_US, HOUR_US = 1_000_000, 3_600_000_000
KEYS = 15


def told(device: Any, ref: int) -> list[tuple[str, int]]:
    return [(name, value) for _, name, of, value in device.events if of == ref]


def mute(device: Any) -> None:
    """Have a device hear nothing about keys."""
    send = device.client.requests.send
    device.client.requests.send = lambda exchange, node, body, note, now_us, done: send(
        exchange, node, body, note, now_us, done if exchange & 15 != KEYS else lambda *_: []
    )


def inbox(net: Any, device: Any) -> list[bytes]:
    return net.stored(device.client.account, 0)  # type: ignore[no-any-return]


def send(net: Any, ref: int, sender: Any, recipient: Any, body: str = "hello") -> None:
    net.tell(sender, "send", ref, recipient.client.account.id, body)


def test_the_first_text_waits_for_keys_and_the_second_does_not(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    send(net, 0, ann, ben)
    net.run(SECOND_US)
    send(net, 1, ann, ben)
    (state, _), (form, waited_us) = told(ann, 0)
    assert (state, form) == ("keys none", "sealed v2")
    assert 0 < waited_us < SECOND_US
    assert told(ann, 1) == [("keys fresh", 0), ("sealed v2", 0)]
    net.run(HOUR_US)
    assert ben.bodies == ["hello", "hello"]
    assert [len(stored) for stored in inbox(net, ben)] == [1536, 1536]


def test_stale_keys_are_used_and_fetched_anew_behind_the_text(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    send(net, 0, ann, ben)
    net.run(30 * HOUR_US)
    send(net, 1, ann, ben)
    assert told(ann, 1) == [("keys stale", 0), ("sealed v2", 0)]
    net.run(SECOND_US)
    assert ann.values("keys fetched") == [1302, 1302]
    net.run(HOUR_US)
    assert len(ben.bodies) == 2  # under keys 30 h old, which are retained


def test_expired_keys_are_not_used(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    send(net, 0, ann, ben)
    net.run(50 * HOUR_US)
    send(net, 1, ann, ben)
    net.run(SECOND_US)
    assert [name for name, _ in told(ann, 1)] == ["keys expired", "sealed v2"]


@pytest.mark.parametrize(
    ("form", "name", "opened"),
    [("v1", "sealed v1", "opened v1"), ("v2", "sealed v2 fallback", "opened v2 fallback")],
)
def test_without_an_answer_the_text_falls_back_after_ten_seconds(
    make_net: Any, form: str, name: str, opened: str
) -> None:
    net = make_net(no_keys_form=form)
    ann, ben = net.established("ann"), net.established("ben")
    mute(ann)
    begun = net.now_us
    send(net, 0, ann, ben)
    net.run(30 * SECOND_US)
    assert told(ann, 0) == [("keys none", 0), (name, 10 * SECOND_US)]
    assert ann.times(name)[0] - begun == 10 * SECOND_US
    net.run(HOUR_US)
    assert ben.bodies == ["hello"]
    assert opened in ben.names()


def test_a_marked_fallback_is_smaller_and_seen_by_the_swarm(make_net: Any) -> None:
    net = make_net(no_keys_form="v2", fallback_form="marked")
    ann, ben = net.established("ann"), net.established("ben")
    mute(ann)
    send(net, 0, ann, ben)
    net.run(30 * SECOND_US)
    (stored,) = inbox(net, ben)
    assert (stored[:2], len(stored)) == (b"\0\1", 256)
    net.run(HOUR_US)
    assert ben.bodies == ["hello"]
    assert "opened v2 fallback" in ben.names()
    # Whoever fills the hole in the other way takes it for a version to come.
    other = net.add(ben.client.account, 1, v2=V2Rules())
    net.run(HOUR_US)
    assert other.bodies == []
    assert "refused" in other.names()


@pytest.mark.parametrize("wait_s", [0, 3, 60])
def test_the_wait_is_a_setting(make_net: Any, wait_s: int) -> None:
    net = make_net(key_wait_us=wait_s * SECOND_US)
    ann, ben = net.established("ann"), net.established("ben")
    mute(ann)
    send(net, 0, ann, ben)
    net.run(70 * SECOND_US)
    waited_us = told(ann, 0)[-1][1]
    # A swarm of five gives up before a minute is over, and then nothing is left to wait for.
    assert waited_us == wait_s * SECOND_US or (wait_s == 60 and 50 * SECOND_US <= waited_us < 60 * SECOND_US)
    assert ("keys none", 0) in told(ann, 0)


def test_an_account_of_version_1_gets_version_1_and_answers_are_read(make_net: Any) -> None:
    net = make_net()
    ann, old = net.established("ann"), net.add(net.account("old"), version=1)
    send(net, 0, ann, old)
    send(net, 1, old, ann, "hi")
    net.run(2 * SECOND_US)
    send(net, 2, ann, old)
    assert [name for name, _ in told(ann, 0)] == ["keys none", "sealed v1"]
    assert told(ann, 2) == [("keys refused", 0), ("sealed v1", 0)]
    net.run(HOUR_US)
    assert old.bodies == ["hello", "hello"]
    assert ann.bodies == ["hi"]
    assert "opened v1" in ann.names()
    assert all(stored[:1] != b"\0" for stored in inbox(net, old))


@pytest.mark.parametrize(("own_copy", "marker"), [("v2", b"\x00\x02"), ("v1", b"\x08\x01")])
def test_the_own_copy_is_sealed_as_the_rules_say(make_net: Any, own_copy: str, marker: bytes) -> None:
    net = make_net(own_copy=own_copy)
    ann, ben = net.established("ann"), net.established("ben")
    send(net, 0, ann, ben)
    net.run(2 * SECOND_US)
    (copy,) = inbox(net, ann)
    assert copy.startswith(marker)
    if own_copy == "v1":
        message = open_direct(net.world.suite, ann.client.account, copy)
        assert (message.body, message.sync_target) == ("hello", ben.client.account.id)
    else:
        opened = open_message(net.world.suite, ann.client.account, ann.group.account_keys, copy)
        assert opened.key == 0


def test_a_device_outside_its_group_makes_own_copies_without_account_keys(make_net: Any) -> None:
    net = make_net()
    ben, lone = net.established("ben"), net.add(net.account("lone"))
    send(net, 0, lone, ben)
    net.run(2 * SECOND_US)
    assert "sealed v2" in lone.names()  # it can write to others all the same
    (copy,) = inbox(net, lone)
    assert open_direct(net.world.suite, lone.client.account, copy).body == "hello"


def test_a_removed_device_makes_no_own_copies_under_the_keys_it_still_holds(make_net: Any) -> None:
    net = make_net()
    (first, lost), ben = net.linked("ann", 2), net.established("ben")
    net.tell(first, "remove-device", lost.group.device_id)
    net.run(HOUR_US)
    assert lost.group.account_keys  # those of before
    send(net, 0, lost, ben)
    net.run(2 * SECOND_US)
    (copy,) = inbox(net, first)
    assert open_direct(net.world.suite, first.client.account, copy).body == "hello"


def test_the_text_has_the_time_at_which_it_was_wished_for(make_net: Any) -> None:
    net = make_net()
    ann, ben = net.established("ann"), net.established("ben")
    mute(ann)
    wished_ms = ann.client.wire_ms(net.now_us)
    send(net, 0, ann, ben)
    net.run(20 * SECOND_US)
    (stored,) = inbox(net, ben)
    assert open_direct(net.world.suite, ben.client.account, stored).sent_ms == wished_ms


# ---- Whom a message was meant for ----

ANN, BEN, EVE = (account_from_seed(bytes([k]) * 16) for k in (1, 2, 3))


@given(
    suite=st.sampled_from(["fast", "sodium"]),
    body=st.text(max_size=400),
    random=st.binary(min_size=64, max_size=64),
    fallback=st.booleans(),
)
@settings(deadline=None, max_examples=60, derandomize=True)
def test_nobody_accepts_a_message_whose_inner_signature_names_another(
    suite: str, body: str, random: bytes, fallback: bool
) -> None:
    """Ben hands on to Eve what Ann wrote to Ben, sealed correctly for Eve."""
    crypto = suite_named(suite)
    keys = account_keys(crypto, bytes(31) + b"e")
    content = encode_text(body, 1_777_000_000_000)
    for meant_for, accepted in ((EVE, True), (BEN, False)):
        inner = write_inner(crypto, ANN.ed, meant_for.id, content)
        stored = resealed(crypto, keys, inner, random, fallback)
        try:
            opened = open_message(crypto, EVE, [keys], stored)
        except BadFormat:
            assert not accepted
        else:
            assert accepted
            assert (opened.inner.sender, opened.inner.content) == (ANN.ed.public, content)
            assert (opened.key is None) is fallback


def resealed(crypto: Any, keys: Any, inner: bytes, random: bytes, fallback: bool) -> bytes:
    """Seal an inner dict for Eve, as `v2.message` does."""
    from sessionsim.protocol.crypto import aead
    from sessionsim.protocol.v2 import indicator

    ephemeral = crypto.ephemeral(random[:32])
    shared, ciphertext = crypto.kem_encapsulate(keys.kem.public, random[32:])
    hidden_by = indicator.mask(
        crypto.agree(ephemeral, EVE.x.public), ephemeral.public, EVE.x.public, indicator.MESSAGE_PERSON
    )
    two = indicator.masked(keys.kem.public, hidden_by)
    if fallback:
        key = fallback_key(crypto.agree(ephemeral, EVE.x.public), EVE.x.public, ephemeral.public)
    else:
        key = pfs_key(shared, crypto.agree(ephemeral, keys.x.public), ephemeral.public, keys.x.public)
    sealed = aead.seal(inner.ljust(padded_bytes(len(inner)), b"\0"), key.nonce, key.key)
    return b"\x00\x02" + two + ephemeral.public + ciphertext + sealed


@given(junk=st.binary(max_size=2000))
@settings(deadline=None, max_examples=100, derandomize=True)
def test_any_bytes_are_refused_in_a_known_way(junk: bytes) -> None:
    crypto = suite_named("fast")
    keys = account_keys(crypto, bytes(32))
    with pytest.raises(ProtocolError):
        open_message(crypto, EVE, [keys], b"\x00\x02" + junk)
    whole = seal(crypto, ANN.ed, EVE.id, keys.public, b"x", bytes(64))
    if junk:
        bent = bytearray(whole)
        bent[len(junk) % 1500 + 36] ^= 1
        with pytest.raises((NoKeyFits, BadFormat)):
            open_message(crypto, EVE, [keys], bytes(bent))
