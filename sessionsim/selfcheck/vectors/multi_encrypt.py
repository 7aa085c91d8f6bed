"""The section about messages encrypted for several recipients at once."""

from __future__ import annotations

from collections.abc import Sequence

from sessionsim.protocol import multi_encrypt
from sessionsim.protocol.crypto import KeyPair, real, suite_named
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, Mismatch, plain, section, typed, unhex

_SUITE = suite_named("sodium", memo=False)
_MEANING = ("24-byte nonce", "junk entry")


def _pair(draw: Draw) -> KeyPair:
    # Clamped, as secrets of accounts are.
    secret = draw.raw(32)
    return real.x25519_keypair(bytes([secret[0] & 248]) + secret[1:31] + bytes([secret[31] & 63 | 64]))


def _make(draw: Draw) -> Made:
    sender, readers = _pair(draw), [_pair(draw) for _ in range(draw.between(1, 6))]
    messages = [draw.text(60).encode() or b"x" for _ in range(draw.choice((1, len(readers))))]
    recipients, nonce = [reader.public for reader in readers], draw.raw(24)
    domain = draw.choice(("test", "Domain", "x" * 64))
    given: Made = {"messages": messages, "recipients": recipients, "domain": domain}
    given |= {"x25519_sk": sender.secret, "x25519_pk": sender.public}
    pad = draw.choice((0, 0, 2, 4))
    junk = [draw.raw(size) for size in multi_encrypt.junk_sizes(messages, len(readers), pad)]
    made: Made = {"input": given}
    if pad:
        given["pad"] = pad
    if pad or draw.flag():
        made["randomness"] = {"draws": [nonce, *junk], "meaning": [_MEANING[0], *_MEANING[1:] * len(junk)]}
    else:
        given["nonce"] = nonce
    encoded = multi_encrypt.encrypt_simple(
        _SUITE, messages, recipients, nonce, sender, domain.encode(), junk=junk
    )
    texts = messages * len(readers) if len(messages) == 1 else messages
    read: list[Made] = [
        {"x25519_sk": reader.secret, "plaintext": text} for reader, text in zip(readers, texts, strict=True)
    ]
    read.append({"x25519_sk": _pair(draw).secret, "plaintext": None})
    made["expected"] = {"encoded": encoded, "decrypted_by": read}
    return {part: plain(value) for part, value in made.items()}


def _list(case: Case, name: str) -> list[bytes]:
    return [unhex(item, f"input {name!r}") for item in typed(case.value(name), list, f"input {name!r}")]


def _random(case: Case, encoded: bytes, n_recipients: int) -> tuple[bytes, Sequence[bytes]]:
    """Give nonce and junk: as recorded, or as they stand in the container if nothing is recorded."""
    if case.value("nonce", None):
        return case.raw("nonce"), case.draws
    if case.draws:
        return case.draws[0], case.draws[1:]
    nonce, entries = multi_encrypt.read_container(encoded)
    return nonce, entries[n_recipients:]


@section(
    "multi_encrypt",
    covers=[
        "protocol.multi_encrypt.encrypt_simple",
        "protocol.multi_encrypt.decrypt_simple",
        "protocol.multi_encrypt.junk_sizes",
    ],
    direction="exact with nonce; decrypt always",
    make=_make,
)
def multi_encrypt_simple(case: Case) -> None:
    """One or several messages for several recipients in one container; an outsider gets nothing."""
    messages, recipients = _list(case, "messages"), _list(case, "recipients")
    domain = case.text("domain").encode()
    sender = KeyPair(case.raw("x25519_pk"), case.raw("x25519_sk"))
    encoded = unhex(case.wants("encoded"), "expected encoded")
    nonce, junk = _random(case, encoded, len(recipients))
    pad = case.integer("pad") if case.value("pad", None) is not None else 0
    sizes = multi_encrypt.junk_sizes(messages, len(recipients), pad)
    if sizes != [len(entry) for entry in junk]:
        raise Mismatch(f"junk entries of {sizes} bytes, recorded are {[len(entry) for entry in junk]}")
    case.same(
        "encoded",
        multi_encrypt.encrypt_simple(_SUITE, messages, recipients, nonce, sender, domain, junk=junk),
    )
    read = []
    for reader in typed(case.wants("decrypted_by"), list, "expected 'decrypted_by'"):
        secret = unhex(typed(reader, dict, "decrypted_by").get("x25519_sk"), "a reader's secret")
        pair = real.x25519_keypair(secret)
        text = multi_encrypt.decrypt_simple(_SUITE, encoded, pair, sender.public, domain)
        read.append({"x25519_sk": secret, "plaintext": text})
    case.same("decrypted_by", read)
