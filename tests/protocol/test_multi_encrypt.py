"""Several recipients, one nonce: the reference values, who reads what, junk, and broken containers."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, LocalProtocolError, RemoteProtocolError
from sessionsim.protocol import multi_encrypt
from sessionsim.protocol.crypto import KeyPair, Suite, real, suite_named
from sessionsim.protocol.identity import account_from_ed25519_seed
from sessionsim.protocol.wire import bencode

VECTORS = Path(__file__).parents[1] / "vectors"
GROUPS = json.loads((VECTORS / "multi_encrypt.json").read_text("utf-8"))["groups"]["messages:multi_encrypt"]
ENTRIES = [case for case in GROUPS if case["name"] == "encrypt_for_multiple"]
CONTAINERS = [case for case in GROUPS if case["name"] == "simple container"]
SODIUM = suite_named("sodium", memo=False)
NONCE, DOMAIN = bytes(range(24)), b"test"


def pair(name: bytes) -> KeyPair:
    return account_from_ed25519_seed(name.ljust(32, b"\0")).x


SENDER, ANNA, BEN, OUTSIDER = pair(b"sender"), pair(b"anna"), pair(b"ben"), pair(b"outsider")
BOTH = [ANNA.public, BEN.public]


@pytest.fixture(params=["sodium", "fast"])
def suite(request: pytest.FixtureRequest) -> Suite:
    return suite_named(request.param)


def of_seed(seed: str) -> KeyPair:
    return account_from_ed25519_seed(bytes.fromhex(seed)).x


@pytest.mark.parametrize("case", ENTRIES)
def test_entries_of_the_reference(case: dict[str, Any]) -> None:
    given, readers = case["input"], [of_seed(seed) for seed in case["input"]["recipient_seeds"]]
    messages = [text.encode() for text in given["messages_utf8"]]
    nonce, domain, sender = (
        bytes.fromhex(given["nonce"]),
        given["domain"].encode(),
        of_seed(given["sender_seed"]),
    )
    recipients = [reader.public for reader in readers]
    entries = multi_encrypt.encrypt(SODIUM, messages, recipients, nonce, sender, domain)
    assert [entry.hex() for entry in entries] == case["expected"]
    if len(set(messages)) == 1:
        assert multi_encrypt.encrypt(SODIUM, messages[:1], recipients, nonce, sender, domain) == entries
    for reader, message in zip(readers, messages, strict=True):
        assert multi_encrypt.decrypt(SODIUM, entries, nonce, reader, sender.public, domain) == message


@pytest.mark.parametrize("case", CONTAINERS)
def test_container_of_the_reference(case: dict[str, Any]) -> None:
    nonce = bytes.fromhex(case["input"]["nonce"])
    entries = [bytes.fromhex(entry) for entry in case["input"]["entries"]]
    assert multi_encrypt.container(nonce, entries).hex() == case["expected"]
    assert multi_encrypt.read_container(bytes.fromhex(case["expected"])) == (nonce, entries)


@given(st.lists(st.binary(max_size=40), min_size=2, max_size=2), st.binary(max_size=64), st.booleans())
@settings(deadline=None, max_examples=30, derandomize=True)
def test_everyone_reads_their_own_and_an_outsider_nothing(
    messages: list[bytes], domain: bytes, fast: bool
) -> None:
    suite = suite_named("fast" if fast else "sodium")
    encoded = multi_encrypt.encrypt_simple(suite, messages, BOTH, NONCE, SENDER, domain)
    read = [
        multi_encrypt.decrypt_simple(suite, encoded, reader, SENDER.public, domain)
        for reader in (ANNA, BEN, OUTSIDER)
    ]
    assert read == [*messages, None]


def test_other_domain_sender_or_nonce_opens_nothing(suite: Suite) -> None:
    entries = multi_encrypt.encrypt(suite, [b"m"], BOTH, NONCE, SENDER, DOMAIN)
    for nonce, sender, domain in (
        (NONCE[::-1], SENDER, DOMAIN),
        (NONCE, BEN, DOMAIN),
        (NONCE, SENDER, b"Test"),
        (NONCE, SENDER, b""),
    ):
        assert multi_encrypt.decrypt(suite, entries, nonce, ANNA, sender.public, domain) is None
    assert multi_encrypt.decrypt(suite, entries, NONCE, ANNA, SENDER.public, DOMAIN) == b"m"


def test_a_recipient_cannot_answer_in_the_senders_place(suite: Suite) -> None:
    """The key names who sends and who receives, so the shared secret alone does not open it the other way."""
    entries = multi_encrypt.encrypt(suite, [b"m"], [SENDER.public], NONCE, ANNA, DOMAIN)
    assert multi_encrypt.decrypt(suite, entries, NONCE, ANNA, SENDER.public, DOMAIN) is None


def test_domain_counts_up_to_its_64th_byte(suite: Suite) -> None:
    entries = multi_encrypt.encrypt(suite, [b"m"], [ANNA.public], NONCE, SENDER, b"x" * 65)
    assert multi_encrypt.decrypt(suite, entries, NONCE, ANNA, SENDER.public, b"x" * 64) == b"m"
    assert multi_encrypt.decrypt(suite, entries, NONCE, ANNA, SENDER.public, b"x" * 63) is None


@pytest.mark.parametrize("messages", [[], [b"a", b"b", b"c"]])
def test_number_of_messages_must_fit(messages: list[bytes]) -> None:
    with pytest.raises(LocalProtocolError, match="for 2 recipients"):
        multi_encrypt.encrypt(SODIUM, messages, BOTH, NONCE, SENDER, DOMAIN)


def test_nobody_to_write_to_gives_an_empty_container() -> None:
    assert multi_encrypt.encrypt_simple(SODIUM, [], [], NONCE, SENDER, DOMAIN) == b"d1:#24:%b1:elee" % NONCE


@pytest.mark.parametrize("size", [0, 12, 23, 25])
def test_nonce_of_another_length_is_refused(size: int) -> None:
    with pytest.raises(LocalProtocolError):
        multi_encrypt.encrypt(SODIUM, [b"m"], BOTH, bytes(size), SENDER, DOMAIN)
    with pytest.raises(LocalProtocolError):
        multi_encrypt.decrypt(SODIUM, [], bytes(size), ANNA, SENDER.public, DOMAIN)
    with pytest.raises(LocalProtocolError):
        multi_encrypt.container(bytes(size), [])


@pytest.mark.parametrize("bad", [bytes(32), (1).to_bytes(32, "little"), bytes(31)], ids=["0", "1", "short"])
def test_unusable_recipient_fails_or_is_left_out(bad: bytes) -> None:
    recipients, messages = [ANNA.public, bad, BEN.public], [b"1", b"2", b"3"]
    with pytest.raises(CannotOpen):
        multi_encrypt.encrypt(SODIUM, messages, recipients, NONCE, SENDER, DOMAIN)
    entries = multi_encrypt.encrypt(SODIUM, messages, recipients, NONCE, SENDER, DOMAIN, skip_unusable=True)
    assert entries == multi_encrypt.encrypt(SODIUM, [b"1", b"3"], BOTH, NONCE, SENDER, DOMAIN)
    with pytest.raises(CannotOpen):
        multi_encrypt.decrypt(SODIUM, entries, NONCE, ANNA, bad, DOMAIN)


# ---- Junk ----


@pytest.mark.parametrize(
    ("n_entries", "multiple", "n_junk"), [(3, 4, 1), (4, 4, 0), (5, 4, 3), (1, 75, 74), (3, 1, 0), (3, 0, 0)]
)
def test_junk_fills_up_to_the_multiple(n_entries: int, multiple: int, n_junk: int) -> None:
    assert multi_encrypt.junk_sizes([b"12345"], n_entries, multiple) == [5] * n_junk


def test_junk_of_2026_has_the_length_of_an_entry() -> None:
    sizes = multi_encrypt.junk_sizes([b"12345"], 3, 4, overhead=multi_encrypt.JUNK_OVERHEAD_2026)
    (entry,) = multi_encrypt.encrypt(SODIUM, [b"12345"], [ANNA.public], NONCE, SENDER, DOMAIN)
    assert sizes == [len(entry)]


def test_empty_first_message_gets_junk_only_since_2026() -> None:
    assert multi_encrypt.junk_sizes([b""], 1, 4) == []
    assert multi_encrypt.junk_sizes([b""], 1, 4, overhead=multi_encrypt.JUNK_OVERHEAD_2026) == [16] * 3


def test_junk_stands_behind_the_entries_and_opens_for_nobody(suite: Suite) -> None:
    plain = multi_encrypt.encrypt_simple(suite, [b"m"], BOTH, NONCE, SENDER, DOMAIN)
    filled = multi_encrypt.encrypt_simple(suite, [b"m"], BOTH, NONCE, SENDER, DOMAIN, junk=[b"j", b"k"])
    assert multi_encrypt.read_container(filled)[1] == [*multi_encrypt.read_container(plain)[1], b"j", b"k"]
    assert multi_encrypt.decrypt_simple(suite, filled, BEN, SENDER.public, DOMAIN) == b"m"
    assert multi_encrypt.decrypt_simple(suite, filled, OUTSIDER, SENDER.public, DOMAIN) is None


# ---- Broken containers ----


@pytest.mark.parametrize(
    "held",
    [
        [],
        b"text",
        {b"e": []},
        {b"#": NONCE},
        {b"#": NONCE[:-1], b"e": []},
        {b"#": 24, b"e": []},
        {b"#": NONCE, b"e": b"entry"},
        {b"#": NONCE, b"e": [b"entry", 5]},
        {b"#": NONCE, b"e": [[b"entry"]]},
        {b"#": NONCE, b"e": {b"0": b"entry"}},
    ],
)
def test_broken_container_is_refused(held: Any) -> None:
    with pytest.raises(RemoteProtocolError):
        multi_encrypt.decrypt_simple(SODIUM, bencode.encode(held), ANNA, SENDER.public, DOMAIN)


def test_keys_of_later_versions_are_ignored() -> None:
    (entry,) = multi_encrypt.encrypt(SODIUM, [b"m"], [ANNA.public], NONCE, SENDER, DOMAIN)
    encoded = bencode.encode({b"#": NONCE, b"A": 1, b"e": [entry], b"z": []})
    assert multi_encrypt.decrypt_simple(SODIUM, encoded, ANNA, SENDER.public, DOMAIN) == b"m"


@given(st.binary(max_size=80))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_any_bytes_are_refused_or_open_for_nobody(encoded: bytes) -> None:
    with suppress(RemoteProtocolError):
        assert multi_encrypt.decrypt_simple(SODIUM, encoded, ANNA, SENDER.public, DOMAIN) is None


@given(st.integers(0, 1000), st.integers(0, 255))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_one_changed_byte_never_gives_another_text(place: int, value: int) -> None:
    encoded = bytearray(multi_encrypt.encrypt_simple(SODIUM, [b"text"], BOTH, NONCE, SENDER, DOMAIN))
    encoded[place % len(encoded)] = value
    try:
        got = multi_encrypt.decrypt_simple(SODIUM, bytes(encoded), ANNA, SENDER.public, DOMAIN)
    except RemoteProtocolError:
        return
    assert got in (None, b"text")


def test_entry_of_a_known_pair_uses_the_real_secret() -> None:
    """The suites differ in nothing but the shared secret: with the real one, the same bytes."""
    (entry,) = multi_encrypt.encrypt(SODIUM, [b"m"], [ANNA.public], NONCE, SENDER, DOMAIN)
    again = multi_encrypt.encrypt(
        SODIUM, [b"m"], [ANNA.public], NONCE, real.x25519_keypair(SENDER.secret), DOMAIN
    )
    assert again == [entry]
