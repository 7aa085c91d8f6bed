"""The section about groups: keys message, group message, subaccount."""

from __future__ import annotations

from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.groups import (
    Group,
    KeyRing,
    Right,
    authenticate,
    group_from_seed,
    is_authentic,
    open_keys,
    rekey,
)
from sessionsim.protocol.groups.encryption import body_of, decrypt, decrypt_body, encrypt, encrypt_body
from sessionsim.protocol.groups.subaccount import signing_value, subaccount_of, subaccount_token
from sessionsim.protocol.identity import Account, account_from_ed25519_seed, account_id_of_ed25519
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, Mismatch, agree, plain, section, unhex

# The reference of these values, January 2025, signs the body of a group message alone (messages 4.3).
_SIGNS_GROUP = False
_NONCE_BYTES = 24
_SUITE = suite_named("sodium", memo=False)


def _auth_of(account: Account, value: bytes, text: bytes) -> dict[str, bytes]:
    auth = authenticate(_SUITE, subaccount_of(account, value), text)
    return {
        "message": text,
        "subaccount": auth.token,
        "subaccount_sig": auth.token_signature,
        "signature": auth.signature,
    }


def _groups(draw: Draw) -> Made:
    group = group_from_seed(draw.raw(32))
    admin, member = (account_from_ed25519_seed(draw.raw(32)) for _ in range(2))
    compress, nonce = draw.flag(), draw.raw(_NONCE_BYTES)
    timestamp = draw.between(1_700_000_000_000, 1_700_999_999_999)
    message = (draw.text(1200) + "·").encode() * (1 + draw.flag())
    text = b"retrieve11%d" % timestamp
    made = rekey(_SUITE, group, [admin.id, member.id], 0)
    value = signing_value(_SUITE, group, member.id)
    return {
        "input": plain(
            {
                "group_seed": group.ed.secret,
                "admin_seed": admin.ed.secret,
                "member_seed": member.ed.secret,
                "timestamp": timestamp,
                "message": message,
                "compress": compress,
                "auth_text": text,
            }
        ),
        "expected": plain(
            {
                "group_id": group.id,
                "admin_session_id": admin.id,
                "member_session_id": member.id,
                "rekey_message": made.message,
                "group_keys": [made.key],
                "encrypted_message": encrypt(
                    _SUITE,
                    admin.ed,
                    group.id,
                    made.key,
                    message,
                    nonce,
                    compress=compress,
                    signs_group=_SIGNS_GROUP,
                ),
                "decrypted_from": admin.id,
                "decrypted": message,
                "member_subaccount_value": value,
                "member_subaccount_token": subaccount_token(group, member.id),
                "member_swarm_auth_raw": _auth_of(member, value, text),
            }
        ),
        "randomness": plain({"draws": [nonce], "meaning": ["nonce of the encrypted group message"]}),
    }


@section(
    "groups",
    covers=[
        "protocol.groups.identity.group_from_seed",
        "protocol.groups.rekey.rekey",
        "protocol.groups.loading.open_keys",
        "protocol.groups.key_ring.KeyRing",
        "protocol.groups.encryption.encrypt",
        "protocol.groups.encryption.decrypt",
        "protocol.groups.subaccount.signing_value",
        "protocol.groups.subaccount.subaccount_token",
        "protocol.groups.authentication.authenticate",
    ],
    direction="exact; the bytes of zstd in a compressed message are taken as found and opened",
    make=_groups,
)
def groups(case: Case) -> None:
    """A group of an admin and a member: keys message, one group message, the member's access to the swarm."""
    group = group_from_seed(case.raw("group_seed"))
    admin, member = (account_from_ed25519_seed(case.raw(f"{who}_seed")) for who in ("admin", "member"))
    case.same("group_id", group.id)
    case.same("admin_session_id", admin.id)
    case.same("member_session_id", member.id)
    made = rekey(_SUITE, group, [admin.id, member.id], 0)
    case.same("rekey_message", made.message)
    stored = unhex(case.wants("rekey_message"), "rekey_message")
    rings = [_ring_of(group, reader, stored, case.integer("timestamp")) for reader in (member, admin, group)]
    for ring in rings:
        case.same("group_keys", ring.opening_keys)
    _group_message(case, group, admin, rings[0])
    value = signing_value(_SUITE, group, member.id)
    case.same("member_subaccount_value", value)
    case.same("member_subaccount_token", subaccount_token(group, member.id))
    auth = _auth_of(member, value, case.raw("auth_text"))
    case.same("member_swarm_auth_raw", auth)
    token, granted, signature = auth["subaccount"], auth["subaccount_sig"], auth["signature"]
    if not is_authentic(_SUITE, group.id, Right.READ, auth["message"], signature, token, granted):
        raise Mismatch("a node would refuse the member's signature")


def _ring_of(group: Group, reader: Account | Group, stored: bytes, stored_ms: int) -> KeyRing:
    ring = KeyRing()
    ring.take(open_keys(_SUITE, group.id, reader, stored, stored_ms), "")
    return ring


def _group_message(case: Case, group: Group, admin: Account, ring: KeyRing) -> None:
    found = unhex(case.wants("encrypted_message"), "encrypted_message")
    body, _sender, key = decrypt_body(_SUITE, group.id, ring.opening_keys, found, signs_group=_SIGNS_GROUP)
    if not case.flag("compress"):  # otherwise the version of zstd decides, and the body is taken as found
        body = body_of(case.raw("message"), compress=False)
    nonce = case.draws[0] if case.draws else found[:_NONCE_BYTES]
    sealed = encrypt_body(_SUITE, admin.ed, group.id, key, body, nonce, signs_group=_SIGNS_GROUP)
    case.same("encrypted_message", sealed)
    opened = decrypt(_SUITE, group.id, ring.opening_keys, found, signs_group=_SIGNS_GROUP)
    case.same("decrypted", opened.plaintext)
    case.same("decrypted_from", account_id_of_ed25519(opened.sender))
    agree("decrypted", opened.plaintext.hex(), case.value("message"))
