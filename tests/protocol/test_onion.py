"""Whole onion requests against the reference vectors, what a node must refuse, and answers; frames."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.crypto import KeyPair, Suite, real, suite_named
from sessionsim.protocol.crypto.layer import AES_CBC, AES_GCM, ENC_TYPES, XCHACHA20, CbcLayer, GcmLayer
from sessionsim.protocol.wire.frame import decode_frame, decode_object, encode_frame
from sessionsim.protocol.wire.onion import (
    DESKTOP,
    FINAL,
    LAYER_RANDOM_BYTES,
    LIBSESSION,
    LIBSESSION_GCM,
    STYLES,
    TO_NODE,
    TO_SERVER,
    Hop,
    Style,
    build_request,
    claimed_hop,
    decode_client_request,
    decode_hop,
    decode_inner,
    decode_inner_slowly,
    encode_hop,
    open_answer,
    open_request,
    seal_answer,
    target_is_allowed,
)

MakeWorld = Callable[..., Any]
HTTPS = 0
FOLDER = Path(__file__).parents[1] / "vectors"
GROUPS = json.loads((FOLDER / "onion.json").read_text("utf-8"))["groups"]
WHOLE = json.loads((FOLDER / "onion_requests.json").read_text("utf-8"))["groups"]
REAL = suite_named("sodium", memo=False)
SUITES = {name: suite_named(name, memo=memo) for name, memo in (("fast", True), ("sodium", False))}
BY_CIPHER = {XCHACHA20: LIBSESSION, AES_GCM: LIBSESSION_GCM}
EVERY_STYLE = [DESKTOP, LIBSESSION]
STYLE_NAMES = [style.name for style in EVERY_STYLE]


def pair_of(public: str, secret: str) -> KeyPair:
    return KeyPair(bytes.fromhex(public), bytes.fromhex(secret))


def by_id(entries: list[dict[str, Any]]) -> Any:
    return pytest.mark.parametrize("case", entries, ids=lambda case: str(case["id"]))


def node(n: int) -> KeyPair:
    return real.x25519_keypair(hashlib.sha256(b"x25519 %d" % n).digest())


ROUTE = tuple(Hop(hashlib.sha256(b"ed25519 %d" % n).hexdigest().encode(), node(n).public) for n in range(4))
RANDOMS = tuple(hashlib.blake2b(b"layer %d" % n).digest()[:LAYER_RANDOM_BYTES] for n in range(4))


# ---- Whole requests ----


@pytest.mark.parametrize("style", EVERY_STYLE, ids=STYLE_NAMES)
def test_the_example_with_fixed_keys_comes_out_byte_for_byte(style: Style) -> None:
    example = GROUPS["transport:onion.full_request_self_computed"]
    expected = example["styles"][style.name]
    route = [
        Hop(entry["ed25519_pubkey"].encode(), bytes.fromhex(entry["x25519_pubkey"]))
        for entry in example["nodes"]
    ]
    secrets = [bytes.fromhex(text) for text in example["ephemeral_seckeys_guard_to_destination"]]
    randoms = [secret + bytes([number]) * 24 for number, secret in enumerate(secrets, 1)]
    request, _ = build_request(REAL, style, route, expected["payload_utf8"].encode(), randoms)
    assert len(request) == expected["outer_len"]
    assert request.hex() == expected["outer_hex"]
    assert hashlib.blake2b(request, digest_size=32).hexdigest() == expected["outer_blake2b32"]

    # Each layer as listed, from the outside: what its reader finds, and how long it was.
    blob, text = decode_frame(request)
    assert text.decode() == expected["outer_json"]
    for entry, layer in zip(example["nodes"], reversed(expected["layers_inner_to_outer"]), strict=True):
        _, ephemeral, enc_type = decode_client_request(encode_frame(blob, text))
        own = pair_of(entry["x25519_pubkey"], entry["x25519_seckey"])
        assert len(blob) == layer["ciphertext"]
        _, plaintext = open_request(REAL, own, ephemeral, enc_type, blob)
        assert len(plaintext) == layer["plaintext"]
        blob, text = decode_frame(plaintext)
        assert text.decode() == layer.get("json", expected["final_control_json"])
    assert blob.decode() == expected["payload_utf8"]


@by_id(
    [*WHOLE["libsession:onion_snode_xchacha20"]["cases"], *WHOLE["libsession:onion_snode_aes_gcm"]["cases"]]
)
def test_requests_of_the_client_library_come_out_byte_for_byte(case: dict[str, Any]) -> None:
    given_, expected = case["input"], case["expected"]
    nodes = [*given_["hops"], given_["destination"]]
    route = [Hop(entry["ed25519_pk"].encode(), bytes.fromhex(entry["x25519_pk"])) for entry in nodes]
    draws = [bytes.fromhex(text) for text in case["randomness"]["draws"]]  # the destination's layer first
    randoms = [secret + nonce for secret, nonce in zip(draws[::2], draws[1::2], strict=True)][::-1]
    payload = bytes.fromhex(given_["payload"])
    request, innermost = build_request(REAL, BY_CIPHER[given_["enc_type"]], route, payload, randoms)
    assert request.hex() == expected["request"]

    # Peeled hop by hop, through the message that nodes pass on.
    ciphertext, ephemeral, enc_type = decode_client_request(request)
    for number, (entry, layer) in enumerate(zip(nodes, expected["layers"], strict=True), 1):
        received = layer["received"]
        assert (ciphertext.hex(), ephemeral.hex(), enc_type) == (
            received["ciphertext"],
            received["ephemeral_key"],
            received["enc_type"],
        )
        own = pair_of(entry["x25519_pk"], entry["x25519_sk"])
        sealer, plaintext = open_request(REAL, own, ephemeral, enc_type, ciphertext)
        assert plaintext.hex() == layer["plaintext"]
        inner: Any = decode_inner(plaintext)
        if layer["kind"] == "final":
            assert inner == (FINAL, payload, layer["json"], layer["base64"])
            answer = seal_answer(sealer, 200, b'{"t":1}', bytes(24))
            assert open_answer(innermost, answer) == (200, b'{"t":1}')
            return
        kind, ciphertext, ephemeral, enc_type, destination = inner
        assert (kind, destination) == (TO_NODE, bytes.fromhex(layer["next_node"]))
        passed_on = encode_hop(ciphertext, ephemeral, enc_type, number)
        assert decode_hop(passed_on) == (ciphertext, ephemeral, enc_type, number)
    pytest.fail("no layer was final")


@pytest.mark.parametrize(
    "case", GROUPS["transport:onion.frame_parser"]["vectors"], ids=lambda c: c["enc_type"]
)
def test_a_frame_with_spaces_in_its_json_is_read_and_opened(case: dict[str, Any]) -> None:
    keys = GROUPS["transport:onion.frame_parser"]
    frame = bytes.fromhex(case["frame"])
    assert decode_frame(frame)[1].decode() == case["json"]
    ciphertext, ephemeral, enc_type = decode_client_request(frame)
    assert (ephemeral.hex(), enc_type) == (keys["client_ephemeral"]["pubkey"], case["enc_type"])
    server = pair_of(keys["server"]["pubkey"], keys["server"]["seckey"])
    layer, plaintext = open_request(REAL, server, ephemeral, enc_type, ciphertext)
    assert plaintext.decode() == case["plaintext_utf8"]
    assert len(layer.seal(bytes(13), bytes(24))) == case["reply_len_for_13_bytes"]


@by_id(GROUPS["libsession:onion_peel_invalid"]["cases"])
def test_a_damaged_layer_does_not_open(case: dict[str, Any]) -> None:
    given_ = case["input"]
    assert case["expected"]["error"] == "invalid_ciphertext"
    own = pair_of(given_["x25519_pk"], given_["x25519_sk"])
    ephemeral, ciphertext = bytes.fromhex(given_["ephemeral_key"]), bytes.fromhex(given_["ciphertext"])
    with pytest.raises(CannotOpen):
        open_request(REAL, own, ephemeral, given_["enc_type"], ciphertext)


# ---- What an opened layer asks for ----


@pytest.mark.parametrize("case", GROUPS["transport:onion.inner_request_parse"]["cases"])
def test_an_opened_layer_is_read_as_the_storage_server_reads_it(case: dict[str, Any]) -> None:
    prefix = bytes.fromhex(GROUPS["transport:onion.inner_request_parse"]["frame_prefix_hex"])
    plaintext = prefix + case["json"].encode()
    inner = decode_inner(plaintext)
    if case["result"] == "final":
        assert inner == (FINAL, case["body_utf8"].encode(), False, True)
    elif case["result"] == "server":
        assert inner == (
            TO_SERVER, plaintext, case["protocol"], case["host"], case["port"], case["target"]
        )  # fmt: skip
    else:
        assert inner == (
            TO_NODE,
            case["ciphertext_utf8"].encode(),
            bytes.fromhex(case["ephemeral_key"]),
            case["enc_type"],
            bytes.fromhex(case["destination"]),
        )


INNER = GROUPS["libsession:onion_inner_parse"]["cases"]


@by_id([case for case in INNER if case["expected"]["kind"] == "error"])
def test_a_node_answers_invalid_json_to_a_layer_that_asks_for_nothing(
    case: dict[str, Any], make_world: MakeWorld
) -> None:
    assert case["expected"]["error"] == "invalid_json"
    world = make_world()
    public, layer = world.suite.layer_to(GcmLayer, bytes(range(32)), world.x[3].public)
    sealed = layer.seal(bytes.fromhex(case["input"]["plaintext"]), bytes(12))
    world.put(
        3, HTTPS, 5, "onion_req", encode_frame(sealed, b'{"ephemeral_key":"%b"}' % public.hex().encode())
    )
    world.run(answers=1)
    ((_src, _exchange, status, answer, _t),) = world.answers
    assert (status, *open_answer(layer, answer)) == (
        200,
        400,
        b"Invalid json",
    )  # transport 3.5, encrypted back


@pytest.mark.parametrize("decode", [decode_inner, decode_inner_slowly])
@by_id([case for case in INNER if case["expected"]["kind"] != "error"])
def test_every_kind_of_opened_layer(case: dict[str, Any], decode: Any) -> None:
    plaintext, expected = bytes.fromhex(case["input"]["plaintext"]), case["expected"]
    if expected["kind"] == "final":
        body = bytes.fromhex(expected["body"])
        assert decode(plaintext) == (FINAL, body, expected["json"], expected["base64"])
    elif expected["kind"] == "relay_to_server":
        where = (expected["protocol"], expected["host"], expected["port"], expected["target"])
        assert decode(plaintext) == (TO_SERVER, bytes.fromhex(expected["payload"]), *where)
    else:
        kind, ciphertext, ephemeral, enc_type, destination = decode(plaintext)
        assert (kind, ciphertext.hex(), ephemeral.hex(), destination.hex()) == (
            TO_NODE, expected["ciphertext"], expected["ephemeral_key"], expected["next_node"]
        )  # fmt: skip
        assert ENC_TYPES[enc_type] == expected["enc_type"]  # a relay passes on the usual name


TARGETS = {
    **GROUPS["transport:onion.inner_request_parse"]["target_allowed"],
    **{
        case["input"]["target"]: case["expected"]["allowed"]
        for case in GROUPS["libsession:onion_server_target_allowed"]["cases"]
    },
}


@pytest.mark.parametrize("target", TARGETS)
def test_which_server_targets_a_node_forwards_to(target: str) -> None:
    assert target_is_allowed(target) is TARGETS[target]


@pytest.mark.parametrize(
    "target", ["/loki/v3/lsrpc\n", "\n/loki/v3/lsrpc", "/loki/lsrpc?/lsrpc", "", "/loki/"]
)
def test_nothing_slips_past_the_ends_of_a_target(target: str) -> None:
    assert not target_is_allowed(target)


@pytest.mark.parametrize(
    ("port", "read"),
    [("1", 1), ("65535", 65535), ("65537", 1), ("-1", 65535), ("80.9", 80), ("true", 1), ("0", 0)],
)
def test_a_port_becomes_16_bits_as_in_the_storage_server(port: str, read: int) -> None:
    text = f'{{"host":"h","target":"t","port":{port}}}'
    assert decode_inner(encode_frame(b"", text.encode()))[4] == read


@pytest.mark.parametrize(
    "more", ['"port":"80"', '"port":null', '"protocol":1', '"target":1', '"host":1', '"host":null'], ids=str
)
def test_an_address_of_wrong_kinds_is_invalid(more: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_inner(encode_frame(b"", f'{{"host":"h","target":"t",{more}}}'.encode()))


@pytest.mark.parametrize(
    ("frame", "text"),
    [
        (b"\x01\x00", "Unexpected payload size; expected ciphertext size"),
        (b"\x09\0\0\0abc", "Unexpected payload size 3, expected >= 9"),
        (
            encode_frame(b"x", b'{"ephemeral_key":"%b","enc_type":"rot13"}' % (b"ab" * 32)),
            "Invalid encryption type rot13",
        ),
    ],
)
def test_a_guard_says_what_is_wrong_with_a_frame(frame: bytes, text: str, make_world: MakeWorld) -> None:
    for conn, beginning in ((HTTPS, b""), (1, b"400 Bad Request\n\n")):
        ((*_, status, told, _note),) = make_world().machines[0].receive(1000, conn, 1, "onion_req", frame, 0)
        assert (status, told) == (400, beginning + b"Error parsing onion request: " + text.encode())


@pytest.mark.parametrize(
    ("json_text", "hop"),
    [('"hop_no":7', 7), ('"hop_no":-7', 0), ('"hop_no":"7"', 0), ('"hop_no":true', 0), ('"hop":7', 0)],
)
def test_a_client_may_claim_a_hop_number(json_text: str, hop: int) -> None:
    frame = encode_frame(b"x", f'{{"ephemeral_key":"{"ab" * 32}",{json_text}}}'.encode())
    assert decode_client_request(frame)[2] == AES_GCM
    assert claimed_hop(frame) == hop


def test_a_claimed_hop_number_is_counted_on_and_limited(make_world: MakeWorld) -> None:
    for claimed, passed_on in ((0, 1), (4, 5), (14, 15), (15, 16), (10**9, 256)):
        world = make_world()
        payload, _ = world.onion((0, 1), b"{}")
        blob, text = decode_frame(payload)
        frame = encode_frame(blob, text[:-1] + b',"hop_no":%d}' % claimed)
        effect = world.machines[0].receive(1000, HTTPS, 1, "onion_req", frame, 0)[0]
        assert decode_hop(effect[5])[3] == passed_on
        ((*_, status, body, _note), *_) = world.machines[1].receive(0, 2, 9, "sn.onion_request", effect[5], 0)
        if passed_on > 15:
            assert (status, body) == (400, b"onion request max path length exceeded")
        else:
            assert status == 200


def test_a_layer_in_the_oldest_cipher_is_opened_and_relayed_where_that_is_allowed(
    make_world: MakeWorld,
) -> None:
    style = Style("old", CbcLayer, DESKTOP.control, b'"enc_type":"cbc","ephemeral_key":"')
    world = make_world()
    assert world.ask((0, 1, 2), b"{", style) == (200, 400, b"invalid json")
    assert [decode_hop(payload)[2] for *_, head, payload, _n in world.log if head == "sn.onion_request"] == [
        AES_CBC
    ] * 2
    assert make_world(accepts_aes_cbc=False).ask((0, 1), b"{", style) == (400, 0, b"Invalid ciphertext")


# ---- Any request, both suites and styles ----


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
@pytest.mark.parametrize("style", EVERY_STYLE, ids=STYLE_NAMES)
@pytest.mark.parametrize("size", [0, 1, 28, 447, 76_800])
def test_a_request_grows_by_what_the_style_adds_and_opens_at_each_node(
    suite: Suite, style: Style, size: int
) -> None:
    body = hashlib.shake_128(b"body").digest(size)
    request, innermost = build_request(suite, style, ROUTE, body, RANDOMS)
    # The example's body has 29 bytes, its requests 766 and 894 (transport 3.4, which counts 28 by mistake).
    assert len(request) == size + {"desktop": 766 - 29, "libsession": 894 - 29}[style.name]
    ciphertext, ephemeral, enc_type = decode_client_request(request)
    for n in range(3):
        _, plaintext = open_request(suite, node(n), ephemeral, enc_type, ciphertext)
        inner: Any = decode_inner(plaintext)
        _, ciphertext, ephemeral, enc_type, destination = inner
        assert destination == bytes.fromhex(ROUTE[n + 1].ed25519_hex.decode())
        with pytest.raises(CannotOpen):
            open_request(suite, node(n), ephemeral, enc_type, ciphertext)  # not for this node
    layer, plaintext = open_request(suite, node(3), ephemeral, enc_type, ciphertext)
    assert decode_inner(plaintext) == (FINAL, body, False, True)
    assert open_answer(innermost, seal_answer(layer, 421, b"moved", bytes(24))) == (421, b"moved")


def test_the_style_shows_in_every_layer_and_the_suite_in_none_of_the_sizes() -> None:
    sizes = {
        (name, style.name): len(build_request(suite, style, ROUTE, b"{}", RANDOMS)[0])
        for name, suite in SUITES.items()
        for style in EVERY_STYLE
    }
    assert sizes["fast", "desktop"] == sizes["sodium", "desktop"]
    assert sizes["fast", "libsession"] == sizes["sodium", "libsession"]
    assert sizes["fast", "desktop"] < sizes["fast", "libsession"]
    assert {name: style.layer for name, style in STYLES.items()} == {
        "desktop": DESKTOP.layer,
        "libsession": LIBSESSION.layer,
    }


@pytest.mark.parametrize("style", EVERY_STYLE, ids=STYLE_NAMES)
@given(where=st.integers(0, 10_000), bit=st.integers(0, 7), hop=st.integers(0, 3))
@settings(deadline=None, max_examples=150, derandomize=True)
def test_one_flipped_bit_is_an_error_and_never_another_request(
    style: Style, where: int, bit: int, hop: int
) -> None:
    body = b'{"method":"info","params":{}}'
    layered = build_request(REAL, style, ROUTE[hop:], body, RANDOMS[hop:])[0]
    frame = bytearray(layered)
    frame[where % len(frame)] ^= 1 << bit
    whole = open_request(REAL, node(hop), *_reordered(decode_client_request(layered)))[1]
    try:
        opened = open_request(REAL, node(hop), *_reordered(decode_client_request(bytes(frame))))[1]
    except (CannotOpen, RemoteProtocolError):
        return
    # What still opens is the same request: the flip changed the case of a hex digit, or an ignored bit.
    assert opened == whole


def _reordered(read: tuple[bytes, bytes, str]) -> tuple[bytes, str, bytes]:
    ciphertext, ephemeral, enc_type = read
    return ephemeral, enc_type, ciphertext


# ---- Answers ----


@pytest.mark.parametrize("as_base64", [True, False])
@pytest.mark.parametrize("as_json", [True, False])
@given(status=st.integers(100, 599), text=st.text(max_size=60))
@settings(deadline=None, max_examples=60, derandomize=True)
def test_an_answer_comes_back_as_it_was_given(as_json: bool, as_base64: bool, status: int, text: str) -> None:
    layer = GcmLayer(bytes(32), bytes(32), bytes(32))
    body = json.dumps({"t": text}, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    sealed = seal_answer(layer, status, body, bytes(24), as_json=as_json, as_base64=as_base64)
    opened_status, opened = open_answer(layer, sealed, as_base64=as_base64)
    assert opened_status == status
    assert json.loads(opened) == json.loads(body)
    plain = decode_object(layer.open(base64.b64decode(sealed, validate=True) if as_base64 else sealed))
    assert list(plain) == ["body", "status"]  # keys in alphabetical order
    assert type(plain["body"]) is (dict if as_json else str)


@pytest.mark.parametrize(
    "plain", [b"", b"[]", b'{"body":"x"}', b'{"status":"200"}', b'{"status":true}', b"\xff"], ids=repr
)
def test_an_answer_that_opens_to_nonsense_is_refused(plain: bytes) -> None:
    layer = GcmLayer(bytes(32), bytes(32), bytes(32))
    with pytest.raises(RemoteProtocolError):
        open_answer(layer, layer.seal(plain, bytes(24)), as_base64=False)


@pytest.mark.parametrize(
    "payload", [b"", b"????", b"AAAA", b"AAA", b"A" * 64 + b"\n", b"\xff" * 40], ids=repr
)
def test_an_answer_that_is_none_does_not_open(payload: bytes) -> None:
    with pytest.raises(CannotOpen):
        open_answer(GcmLayer(bytes(32), bytes(32), bytes(32)), payload)


# ---- Frames ----


@given(blob=st.binary(max_size=300), control=st.binary(max_size=300))
@settings(deadline=None, max_examples=200, derandomize=True)
def test_a_frame_is_split_where_it_was_joined(blob: bytes, control: bytes) -> None:
    frame = encode_frame(blob, control)
    assert frame == len(blob).to_bytes(4, "little") + blob + control
    assert decode_frame(frame) == (blob, control)


@given(frame=st.binary(max_size=40))
@settings(deadline=None, max_examples=400, derandomize=True)
def test_a_frame_that_is_accepted_is_the_join_of_its_parts(frame: bytes) -> None:
    try:
        blob, control = decode_frame(frame)
    except RemoteProtocolError:
        assert len(frame) < 4 or 4 + int.from_bytes(frame[:4], "little") > len(frame)
    else:
        assert encode_frame(blob, control) == frame


def test_a_frame_fed_byte_by_byte_is_whole_only_when_its_blob_is() -> None:
    frame = encode_frame(b"ciphertext", b"{}")
    for size in range(len(frame)):
        if size < 14:
            with pytest.raises(RemoteProtocolError):
                decode_frame(frame[:size])
        else:
            assert decode_frame(frame[:size]) == (b"ciphertext", b"{}"[: size - 14])


@pytest.mark.parametrize(
    "text",
    [b"", b"null", b"[]", b"1", b'"x"', b"{", b"{}x", b'{"a":NaN}', b'{"a":Infinity}', b"\xff", b"{'a':1}"],
    ids=repr,
)
def test_only_a_json_object_is_accepted(text: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_object(text)


@pytest.mark.parametrize("opener", [b"[", b'{"a":'])
def test_deeply_nested_json_is_refused(opener: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_object(opener * 200_000)
