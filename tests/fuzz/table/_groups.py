"""Groups of version 2: keys messages and what they hold, messages, invites, kicks, tokens."""

from __future__ import annotations

from collections.abc import Callable

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol import multi_encrypt
from sessionsim.protocol.crypto import aead
from sessionsim.protocol.groups import (
    Group,
    Invitation,
    Right,
    encryption,
    is_authentic,
    is_out,
    keys_message,
    kick_message,
    open_group,
    open_keys,
    read_invite,
    read_kick,
    read_promotion,
    seal_group,
    subaccount_of,
    subaccount_token,
    supplement,
    write_invite,
    write_promotion,
)
from sessionsim.protocol.groups.kick import KICK_DOMAIN
from sessionsim.protocol.groups.rekey import MEMBER_DOMAIN
from sessionsim.protocol.groups.subaccount import is_granted, sign_request, signing_value
from sessionsim.protocol.groups.supplement import keys_of_entry
from sessionsim.protocol.identity import Account
from sessionsim.protocol.wire import bencode, compression, group_envelope
from sessionsim.protocol.wire.envelope import decode
from sessionsim.protocol.wire.session_pb2 import GroupUpdateMessage
from tests.fuzz.decoder import Decoder, whole
from tests.fuzz.table._keys import FAST, FRIEND, GROUP, NOW_MS, OWN, REKEYED, SODIUM, STRANGER, noise, ring

_RING = ring()
_KEY = _RING.sending_key
_SUPPLEMENT = supplement(SODIUM, GROUP, _RING.held, [STRANGER.id, OWN.id])
_ENTRY = bencode.encode(
    [{b"g": key.generation, b"k": key.key, b"t": key.time_ms} for key in (*_RING.held, *_RING.held)]
)
_LAPSED = bencode.encode(
    [{b"g": k, b"k": noise(f"key {k}", 32), b"t": NOW_MS + k * 70 * 86_400_000} for k in range(4)]
)
_KICK = kick_message(SODIUM, GROUP, [STRANGER.id, OWN.id], 3, noise("kick", 24))
_ACCESS = subaccount_of(OWN, signing_value(SODIUM, GROUP, OWN.id))
_TEXT = b"retrieve111777000000000"
_MESSAGES = tuple(
    seal_group(SODIUM, FRIEND, GROUP.id, _RING, content, NOW_MS, noise("random", 88))
    for content in (b"short", bytes(900))
)


def _signed_dict(raw: bytes) -> bytes:
    """Sign anything as the group would sign a keys message; `raw` is cut before its signature."""
    body = raw[: raw.rfind(b"1:~64:")] if b"1:~64:" in raw else raw
    return body + b"1:~64:" + SODIUM.sign_stored(GROUP.ed, body) + b"e"


def _keys_inside(reader: Account | Group) -> Callable[[bytes], object]:
    return lambda raw: open_keys(SODIUM, GROUP.id, reader, _signed_dict(raw), NOW_MS)


def _entry_inside(plain: bytes) -> object:
    """Encrypt anything as an entry of a supplement to the account."""
    nonce = noise("supplement", 24)
    entries = multi_encrypt.encrypt(FAST, [plain.ljust(52)], [OWN.x.public], nonce, GROUP.x, MEMBER_DOMAIN)
    raw = keys_message.encode(SODIUM, GROUP, keys_message.Supplement(nonce, 0, tuple(entries)))
    taken = ring()
    return taken.take(open_keys(FAST, GROUP.id, OWN, raw, NOW_MS), "B" * 43), taken.held, taken.active_hashes


def _group_inside(plain: bytes) -> object:
    """Encrypt anything under the group's key, padding and all."""
    nonce = noise("group", 24)
    return encryption.decrypt(SODIUM, GROUP.id, [_KEY], nonce + aead.seal(plain, nonce, _KEY))


def _signed_body(compressed: bool) -> Callable[[bytes], object]:
    """Let a member sign any body, a zstd frame or an envelope, and let it be opened."""
    nonce = noise("group", 24)

    def run(raw: bytes) -> object:
        body = encryption.Body(raw or b"x", compressed)
        stored = encryption.encrypt_body(SODIUM, FRIEND.ed, GROUP.id, _KEY, body, nonce)
        if compressed:
            return encryption.decrypt(SODIUM, GROUP.id, [_KEY], stored)
        return open_group(SODIUM, GROUP.id, _RING, stored)

    return run


def _plain_of(stored: bytes) -> bytes:
    return aead.unseal(stored[24:], stored[:24], _KEY).rstrip(b"\0")


def _invites(raw: bytes) -> object:
    return read_invite(SODIUM, OWN, decode(GroupUpdateMessage, raw), NOW_MS)


def _subaccount(raw: bytes) -> object:
    access = subaccount_of(OWN, raw)
    return access, is_granted(SODIUM, GROUP.id, access)


def _authentic(raw: bytes) -> bool:
    """Take signature, token and the token's signature from outside; nothing but the true ones may pass."""
    signature, token, token_signature = raw[:64], raw[64:100], raw[100:]
    passed = is_authentic(SODIUM, GROUP.id, Right.READ, _TEXT, signature, token, token_signature)
    if passed and raw not in _AUTHENTIC:
        raise AssertionError("a request passes that nobody signed")
    return passed


def _kick_inside(plain: bytes) -> object:
    raw = multi_encrypt.encrypt_simple(FAST, [plain], [OWN.x.public], noise("n", 24), GROUP.x, KICK_DOMAIN)
    return is_out(read_kick(FAST, GROUP.id, OWN, raw), _RING.generation)


def _invited(invitation: Invitation) -> object:
    """Leave out the name, which is not signed."""
    return invitation.group_id, invitation.subaccount


def _for_us(found: bytes | None) -> object:
    """Take nothing for what it is: somebody has taken our entry out."""
    return found or multi_encrypt.decrypt_simple(SODIUM, _KICK, OWN.x, GROUP.x.public, KICK_DOMAIN)


_TOKEN = subaccount_token(GROUP, OWN.id)
_AUTHENTIC = (
    SODIUM.sign(GROUP.ed, _TEXT),
    sign_request(SODIUM, _ACCESS, _TEXT) + _ACCESS.token + _ACCESS.token_signature,
)
_UPDATES = (
    write_invite(SODIUM, GROUP, "club", OWN.id, NOW_MS).SerializeToString(),
    write_promotion(GROUP, "club").SerializeToString(),
)
_BODY = encryption.body_of(bytes(300))
_ENVELOPE = group_envelope.wrap_group(b"content", NOW_MS, bytes(64))
assert _ACCESS.token == _TOKEN

DECODERS = (
    Decoder(
        "groups.keys_message.decode",
        "bencode",
        lambda raw: keys_message.decode(SODIUM, GROUP.id, raw),
        (_SUPPLEMENT, REKEYED.message),
        share=2,
        genuine=whole,
    ),
    Decoder(
        "groups.keys_message.decode/signed",
        "bencode",
        lambda raw: keys_message.decode(SODIUM, GROUP.id, _signed_dict(raw)),
        (_SUPPLEMENT, REKEYED.message),
        share=1,
    ),
    Decoder(
        "groups.loading.open_keys",
        "bencode",
        lambda raw: open_keys(FAST, GROUP.id, OWN, raw, NOW_MS),
        (_SUPPLEMENT,),
        share=2,
        genuine=whole,
    ),
    Decoder(
        "groups.loading.open_keys/member",
        "bencode",
        _keys_inside(OWN),
        (REKEYED.message, _SUPPLEMENT),
        share=1,
    ),
    Decoder(
        "groups.loading.open_keys/admin",
        "bencode",
        _keys_inside(GROUP),
        (REKEYED.message, _SUPPLEMENT),
        share=1,
    ),
    Decoder("groups.supplement.keys_of_entry", "bencode", keys_of_entry, (_ENTRY, _LAPSED)),
    Decoder("groups.key_ring.KeyRing.take/entry", "bencode", _entry_inside, (_ENTRY, _LAPSED), share=1),
    Decoder(
        "groups.message.open_group",
        "raw",
        lambda raw: open_group(SODIUM, GROUP.id, _RING, raw),
        _MESSAGES,
        share=2,
        base=1_000_000,
        genuine=whole,
    ),
    Decoder(
        "groups.encryption.decrypt_body",
        "raw",
        lambda raw: encryption.decrypt_body(SODIUM, GROUP.id, [_KEY], raw),
        _MESSAGES,
        share=1,
        genuine=whole,
    ),
    Decoder(
        "groups.encryption.decrypt/inside",
        "bencode",
        _group_inside,
        tuple(map(_plain_of, _MESSAGES)),
        base=1_000_000,
        share=2,
    ),
    Decoder(
        "groups.encryption.decrypt/frame",
        "zstd",
        _signed_body(True),
        (_BODY.raw, compression.compress(_ENVELOPE)),
        base=1_000_000,
        share=1,
    ),
    Decoder("groups.message.open_group/envelope", "protobuf", _signed_body(False), (_ENVELOPE,), share=1),
    Decoder("groups.invitation.read_invite", "protobuf", _invites, _UPDATES[:1], share=1, genuine=_invited),
    Decoder(
        "groups.invitation.read_promotion",
        "protobuf",
        lambda raw: read_promotion(decode(GroupUpdateMessage, raw)),
        _UPDATES[1:],
        share=2,
    ),
    Decoder(
        "groups.subaccount.subaccount_of",
        "raw",
        _subaccount,
        (signing_value(SODIUM, GROUP, OWN.id),),
        share=1,
    ),
    Decoder("groups.subaccount.is_authentic", "raw", _authentic, _AUTHENTIC, errors=(), share=2),
    Decoder(
        "groups.kick.read_kick",
        "bencode",
        lambda raw: read_kick(SODIUM, GROUP.id, OWN, raw),
        (_KICK,),
        share=1,
        genuine=whole,
    ),
    Decoder(
        "groups.kick.read_kick/inside",
        "text",
        _kick_inside,
        (OWN.x.public + b"12", OWN.x.public + b"0"),
        share=2,
    ),
    Decoder("multi_encrypt.read_container", "bencode", multi_encrypt.read_container, (_KICK,)),
    Decoder(
        "multi_encrypt.decrypt_simple",
        "bencode",
        lambda raw: multi_encrypt.decrypt_simple(SODIUM, raw, OWN.x, GROUP.x.public, KICK_DOMAIN),
        (_KICK,),
        share=2,
        genuine=_for_us,
    ),
    Decoder(
        "multi_encrypt.decrypt_simple/sender",
        "raw",
        lambda raw: multi_encrypt.decrypt_simple(SODIUM, _KICK, OWN.x, raw, KICK_DOMAIN),
        (GROUP.x.public,),
        errors=(RemoteProtocolError, CannotOpen),
        share=1,
        genuine=_for_us,
    ),
)
