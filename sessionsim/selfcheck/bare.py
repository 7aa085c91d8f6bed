"""What the work cannot cost less than: the bare programs that the benchmark divides by.

`MESSAGE_PRIMITIVES` lists the cryptography of one delivered message (three onion exchanges, two stores
with their replication, one poll of five namespaces) as data: name, how often, call. Key conversions
(Ed25519 to X25519) are left out on purpose: they are cached per process, so counting them would flatter
our ratio. `exchange_codec_floor` does the JSON, base64, bencode, AEAD and hashing of one empty poll over
an onion path in a straight line, and `bare_simpy` runs eight staggered timeouts per exchange.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Generator
from typing import Any

import orjson
import simpy
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sessionsim.selfcheck import primitives
from sessionsim.selfcheck.primitives import Primitive

_KEY, _NONCE = bytes(range(32)), bytes(12)
_PADDED_BYTES = 320 + 96  # a padded text with the sender's key and signature
_LAYER_BYTES = 1400  # a layer of a store or a poll, roughly


MESSAGE_PRIMITIVES: tuple[Primitive, ...] = (
    Primitive("X25519 shared secret (12 layers, both ends)", primitives.shared_secret(), 24),
    Primitive("X25519 ephemeral public key (12 layers, 2 boxes)", primitives.public_key(), 14),
    Primitive("sealed box, sealed (text and sync copy)", primitives.box_sealed(_PADDED_BYTES), 2),
    Primitive("sealed box, opened (recipient)", primitives.box_opened(_PADDED_BYTES)),
    Primitive("decoy signature point (2 envelopes)", primitives.base_point_multiplied(), 2),
    Primitive(
        "Ed25519 signature (2 texts, 5 retrieves, an answer of each member)", primitives.signature(21), 7, 2
    ),
    Primitive("Ed25519 verification (5 retrieves, 1 text)", primitives.verification(43), 6),
    Primitive("HMAC-SHA256 layer key (12 layers, both ends)", primitives.layer_key(), 24),
    Primitive("AES-256-GCM sealed (12 layers, 3 answers)", primitives.gcm_sealed(_LAYER_BYTES), 15),
    Primitive("AES-256-GCM opened (12 layers, 3 answers)", primitives.gcm_opened(_LAYER_BYTES), 15),
    Primitive(
        "BLAKE2b message hash (2 copies at the client, one at each member)",
        primitives.blake2b(_LAYER_BYTES),
        2,
        2,
    ),
)


_RETRIEVE_ANSWER = {"hf": [19, 3], "messages": [], "more": False, "t": 1_777_000_000_000}
_HEX = "ab" * 32


def exchange_codec_floor() -> None:
    """Do what one empty five-namespace poll must do in bytes: client, three relays, destination, and back."""
    calls = []
    for namespace in (0, 2, 3, 5, 4):
        signature = hashlib.blake2b(b"retrieve%d1777000000000" % namespace, key=_KEY).digest()
        calls.append(
            {
                "method": "retrieve",
                "params": {
                    "pubkey": "05" + _HEX,
                    "pubkey_ed25519": _HEX,
                    "namespace": namespace,
                    "last_hash": "",
                    "max_size": -8,
                    "timestamp": 1_777_000_000_000,
                    "signature": b64encode(signature).decode(),
                },
            }
        )
    body = orjson.dumps({"jsonrpc": "2.0", "method": "batch", "params": {"requests": calls}})
    text = b'{"body":null,"headers":{}}'
    ephemerals = []
    for layer in range(4):
        ephemeral = hashlib.blake2b(_KEY, digest_size=32).digest()
        key = hmac.digest(b"LOKI", hashlib.blake2b(ephemeral + _KEY, digest_size=32).digest(), "sha256")
        plaintext = len(body).to_bytes(4, "little") + body + text
        body = _NONCE + AESGCM(key).encrypt(_NONCE, plaintext, None)
        ephemerals.append((ephemeral, key))
        route = b'"ephemeral_key":"' + ephemeral.hex().encode() + b'"}'
        text = b"{" + route if layer == 3 else b'{"destination":"' + _HEX.encode() + b'",' + route
    frame = len(body).to_bytes(4, "little") + body + text
    for layer in (3, 2, 1, 0):
        end = 4 + int.from_bytes(frame[:4], "little")
        blob, fields = frame[4:end], orjson.loads(frame[end:])
        if layer < 3:  # a relay's bencoded hop message, written and read
            hop = b"d4:data%d:%b8:enc_type7:aes-gcm13:ephemeral_key32:%b6:hop_noi1ee" % (
                len(blob),
                blob,
                _KEY,
            )
            start = hop.index(b":", 7) + 1
            blob = hop[start : start + int(hop[7 : start - 1])]
        ephemeral, key = ephemerals[layer]
        bytes.fromhex(fields["ephemeral_key"])
        key = hmac.digest(b"LOKI", hashlib.blake2b(ephemeral + _KEY, digest_size=32).digest(), "sha256")
        frame = AESGCM(key).decrypt(blob[:12], blob[12:], None)
    end = 4 + int.from_bytes(frame[:4], "little")
    request, _control = orjson.loads(frame[4:end]), orjson.loads(frame[end:])
    results = []
    for call in request["params"]["requests"]:
        params = call["params"]
        bytes.fromhex(params["pubkey"]), bytes.fromhex(params["pubkey_ed25519"])
        signed = b"retrieve%d%d" % (params["namespace"], params["timestamp"])
        assert len(a2b_base64(params["signature"])) == len(hashlib.blake2b(signed, key=_KEY).digest())
        results.append({"body": _RETRIEVE_ANSWER, "code": 200})
    answer = orjson.dumps({"body": orjson.dumps({"results": results}).decode(), "status": 200})
    sealed = b64encode(_NONCE + AESGCM(key).encrypt(_NONCE, answer, None))
    raw = a2b_base64(sealed)
    opened = orjson.loads(AESGCM(key).decrypt(raw[:12], raw[12:], None))
    assert len(orjson.loads(opened["body"])["results"]) == 5


def bare_simpy(exchanges: int, in_flight: int) -> None:
    """Run eight staggered timeouts per exchange, `in_flight` exchanges at once."""
    env = simpy.Environment()
    remaining = exchanges

    def source(phase: int) -> Generator[Any, Any, None]:
        nonlocal remaining
        yield env.timeout(phase)
        while remaining > 0:
            remaining -= 1
            for hop in range(8):
                yield env.timeout(40_000 + (phase * 7919 + hop * 104_729) % 30_000)

    for k in range(in_flight):
        env.process(source(k * 997))
    env.run()
