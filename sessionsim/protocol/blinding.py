"""Blinded ids: who an account is in one community, and to the file server (transport 1.4, messages 3.1).

    15: k = H64(server) mod L                     id = 15 ‖ k·A, where A has the sign of the account's own key
    25: k = H64(account id ‖ server) mod L        id = 25 ‖ k·|A|; the owner uses −k if A is negative
    07: seed' = H32(seed ; "VersionCheckKey_sig")   an ordinary Ed25519 key

`server` is the community's X25519 key. Others know only |A|, from the account id, so of a 15 id they know two
candidates that differ in the last bit, of a 25 id one. Ids are real in every suite, and so are signatures
that a community stores (`…_sign_stored`); signatures of requests go through the suite.
Source: libsession-util: src/blinding.cpp; session-pysogs: sogs/crypto.py.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

from sessionsim.core.errors import CannotOpen, LocalProtocolError
from sessionsim.protocol.crypto import KeyPair, ScalarKey, Suite, curve, real, xed25519
from sessionsim.protocol.crypto.blake2b import blake2b
from sessionsim.protocol.identity import ACCOUNT_PREFIX, ID_BYTES, Account, account_id_of_ed25519

PREFIX_15: Final = b"\x15"  # Source: transport 1.2
PREFIX_25: Final = b"\x25"  # Source: transport 1.2
PREFIX_07: Final = b"\x07"  # Source: transport 1.2
PLATFORMS: Final = ("desktop", "android", "ios")  # Source: messages 3.1; libsession-util: src/blinding.cpp

_SIGN_25_SEED: Final = b"SessCommBlind25_seed"  # Source: transport 1.4
_SIGN_25_NONCE: Final = b"SessCommBlind25_sig"  # Source: transport 1.4
_VERSION_SEED: Final = b"VersionCheckKey_sig"  # Source: transport 1.4
_CACHED_KEYS: Final = 65536  # Assumption: more pairs of account and server than any process of a run touches


def blind15_factor(server_x: bytes) -> bytes:
    """Give k of a server, the same for all accounts; a 32-byte scalar.

    Args:
        server_x: X25519 key of the community, 32 bytes.

    Raises:
        LocalProtocolError: not 32 bytes.
    Source: transport 1.4.
    """
    return curve.reduce(blake2b(_server(server_x), 64))


def blind25_factor(account_id: bytes, server_x: bytes) -> bytes:
    """Give k of an account on a server; a 32-byte scalar, without the owner's sign.

    Raises:
        CannotOpen: no account id. LocalProtocolError: the server's key has not 32 bytes.
    Source: transport 1.4.
    """
    _x25519_of(account_id)
    return curve.reduce(blake2b(account_id + _server(server_x), 64))


# ---- Ids, as others see them ----


def blind15_ids(account_id: bytes, server_x: bytes) -> tuple[bytes, bytes]:
    """Give the two ids that an account may have on a server; one of them it really has.

    Args:
        account_id: 33 bytes starting with 05.
        server_x: X25519 key of the community.

    Returns:
        Two 33-byte ids that differ in the top bit of the last byte; first the one of the positive point.

    Raises:
        CannotOpen: no account id, or its key is no point of the main group.
        LocalProtocolError: the server's key has not 32 bytes.
    Source: transport 1.4; libsession-util: src/blinding.cpp.
    """
    point = xed25519.ed25519_of_x25519(_x25519_of(account_id))
    first = PREFIX_15 + curve.times(blind15_factor(server_x), point)
    return first, other_sign(first)


def blind15_id_of_ed25519(public: bytes, server_x: bytes) -> bytes:
    """Give the one id that the owner of an Ed25519 key has on a server.

    Raises:
        CannotOpen: the key is no point of the main group.
    Source: libsession-util: src/blinding.cpp.
    """
    return PREFIX_15 + curve.times(blind15_factor(server_x), public)


def blind25_id(account_id: bytes, server_x: bytes) -> bytes:
    """Give the id of an account on a server.

    Raises:
        CannotOpen: no account id, or its key is no point of the main group.
        LocalProtocolError: the server's key has not 32 bytes.
    Source: transport 1.4; libsession-util: src/blinding.cpp.
    """
    point = xed25519.ed25519_of_x25519(_x25519_of(account_id))
    return PREFIX_25 + curve.times(blind25_factor(account_id, server_x), point)


def blind25_id_of_ed25519(public: bytes, server_x: bytes) -> bytes:
    """Give the id that the owner of an Ed25519 key has on a server. Raises CannotOpen: not a usable point."""
    return blind25_id(account_id_of_ed25519(public), server_x)


def other_sign(blinded_id: bytes) -> bytes:
    """Give the id with the point's sign turned round."""
    return blinded_id[:-1] + bytes([blinded_id[-1] ^ 0x80])


def blinded_id_matches(account_id: bytes, blinded_id: bytes, server_x: bytes) -> bool:
    """Say whether a blinded id of either kind can be that account's on this server.

    Returns:
        False also for anything that is no account id or no blinded id.

    Raises:
        LocalProtocolError: the server's key has not 32 bytes.
    Source: libsession-util: src/blinding.cpp, which raises for wrong prefixes.
    """
    try:
        if blinded_id[:1] == PREFIX_15:
            return blinded_id in blind15_ids(account_id, server_x)
        return blinded_id == blind25_id(account_id, server_x)
    except CannotOpen:
        return False


# ---- The owner's keys ----


@lru_cache(maxsize=_CACHED_KEYS)
def blind15_key(account: Account, server_x: bytes) -> ScalarKey:
    """Give the scalar k·a and its point; the id is 15 and the point. Source: transport 1.4."""
    scalar = curve.multiply(blind15_factor(server_x), account.x.secret)
    return ScalarKey(curve.times_base(scalar), scalar)


def blind25_own_factor(account: Account, server_x: bytes) -> bytes:
    """Give k with the owner's sign: −k if the account's Ed25519 point is negative. Source: messages 3.1."""
    k = blind25_factor(account.id, server_x)
    return curve.negate(k) if curve.is_negative(account.ed.public) else k


@lru_cache(maxsize=_CACHED_KEYS)
def blind25_key(account: Account, server_x: bytes) -> ScalarKey:
    """Give the scalar ±k·a and its point; the id is 25 and the point. Source: transport 1.4."""
    scalar = curve.multiply(blind25_own_factor(account, server_x), account.x.secret)
    return ScalarKey(curve.times_base(scalar), scalar)


@lru_cache(maxsize=_CACHED_KEYS)
def version_key(account: Account) -> KeyPair:
    """Give the Ed25519 pair of the version check; the id is 07 and its public key. Source: transport 1.4."""
    return real.ed25519_keypair(blake2b(account.ed.secret, 32, _VERSION_SEED))


# ---- Signatures ----


def blind15_sign(
    suite: Suite, account: Account, server_x: bytes, message: bytes, *, nonce_of_seed: bool = False
) -> bytes:
    """Sign a request under the 15 id; `suite.verify` checks it under the point.

    Args:
        nonce_of_seed: how the secret enters the nonce. False: the 64-byte secret key, as in libsession-util.
            True: its 32-byte seed alone, as in session-desktop (April 2026) and session-pysogs. Both verify.

    Source: transport 1.4; libsession-util: src/blinding.cpp; session-desktop:
    ts/session/apis/open_group_api/sogsv3/sogsBlinding.ts.
    """
    key = blind15_key(account, server_x)
    return suite.sign_scalar(key, _nonce15(account, key, message, nonce_of_seed), message)


def blind15_sign_stored(
    account: Account, server_x: bytes, message: bytes, *, nonce_of_seed: bool = False
) -> bytes:
    """Sign something that a community keeps, like a post, under the 15 id; real in every suite."""
    key = blind15_key(account, server_x)
    return curve.sign(key, _nonce15(account, key, message, nonce_of_seed), message)


def blind25_sign(suite: Suite, account: Account, server_x: bytes, message: bytes) -> bytes:
    """Sign a request under the 25 id. Source: transport 1.4; libsession-util: src/blinding.cpp."""
    key = blind25_key(account, server_x)
    return suite.sign_scalar(key, _nonce25(account, key, message), message)


def blind25_sign_stored(account: Account, server_x: bytes, message: bytes) -> bytes:
    """Sign something that a community keeps, like a post, under the 25 id; real in every suite."""
    key = blind25_key(account, server_x)
    return curve.sign(key, _nonce25(account, key, message), message)


def _nonce15(account: Account, key: ScalarKey, message: bytes, of_seed: bool) -> bytes:
    secret = account.ed.secret if of_seed else account.ed.secret + account.ed.public
    return hashlib.sha512(hashlib.sha512(secret).digest()[32:] + key.public + message).digest()


def _nonce25(account: Account, key: ScalarKey, message: bytes) -> bytes:
    hidden = blake2b(account.ed.secret, 32, _SIGN_25_SEED)
    return blake2b(hidden + key.public + message, 64, _SIGN_25_NONCE)


def version_text(timestamp_s: int, method: str, path: str, body: bytes = b"") -> bytes:
    """Write what a request under the 07 key signs.

    Args:
        timestamp_s: unix time, whole seconds, not negative.
        method: `GET`, `POST` …
        path: with its query.
        body: empty if there is none.

    Raises:
        LocalProtocolError: a negative time.
    Source: messages 3.1; libsession-util: src/blinding.cpp.
    """
    if timestamp_s < 0:
        raise LocalProtocolError("a time before 1970")
    return f"{timestamp_s}{method}{path}".encode() + body


def version_check_text(timestamp_s: int, platform: str) -> bytes:
    """Write what the version check signs. Raises LocalProtocolError: a platform not in `PLATFORMS`."""
    if platform not in PLATFORMS:
        raise LocalProtocolError(f"no platform {platform!r}"[:80])
    return version_text(timestamp_s, "GET", f"/session_version?platform={platform}")


def version_sign(suite: Suite, account: Account, text: bytes) -> bytes:
    """Sign such a text under the 07 key; `suite.verify` checks it."""
    return suite.sign(version_key(account), text)


def _server(server_x: bytes) -> bytes:
    if len(server_x) != 32:
        raise LocalProtocolError(f"a server's key has 32 bytes, not {len(server_x)}")
    return server_x


def _x25519_of(account_id: bytes) -> bytes:
    if len(account_id) != ID_BYTES or account_id[:1] != ACCOUNT_PREFIX:
        raise CannotOpen("not an account id")
    return account_id[1:]
