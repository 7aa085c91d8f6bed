"""Sections about configs: padding, encryption, wrapping, and a first push of a profile."""

from __future__ import annotations

from typing import Any

from sessionsim.core.errors import CannotOpen
from sessionsim.protocol.configs import KINDS, Config, kinds, user_config
from sessionsim.protocol.configs.fields import Picture
from sessionsim.protocol.configs.sealing import decrypt, encrypt, pad, padded_bytes, unpad
from sessionsim.protocol.configs.storing import Storing
from sessionsim.protocol.configs.user_profile import UserProfile
from sessionsim.protocol.configs.wrapping import unwrap, wrap
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.identity import SEED_BYTES, account_from_ed25519_seed
from sessionsim.selfcheck.vectors._section import Case, Draw, Made, Mismatch, agree, plain, section

_SUITE = suite_named("sodium")
_DOMAINS = [kind.domain.decode() for kind in KINDS.values()]
_WRAPPED = [namespace for namespace, kind in KINDS.items() if not kind.of_group]


def _text_or_noise(draw: Draw, longest: int) -> bytes:
    return draw.text(longest).encode() if draw.flag() else draw.raw(draw.between(0, longest))


def _encrypted(draw: Draw) -> Made:
    message, key, domain = _text_or_noise(draw, 3000), draw.raw(32), draw.choice(_DOMAINS)
    return {
        "input": plain({"message": message, "key_base": key, "domain": domain}),
        "expected": plain({"ciphertext": encrypt(message, key, domain.encode())}),
    }


@section(
    "config_encrypt",
    covers=["protocol.configs.sealing.encrypt", "protocol.configs.sealing.decrypt"],
    direction="exact",
    make=_encrypted,
)
def config_encrypt(case: Case) -> None:
    """Encryption of a config; opens again, and with no other key or domain."""
    message, key, domain = case.raw("message"), case.raw("key_base"), case.text("domain").encode()
    ciphertext = encrypt(message, key, domain)
    case.same("ciphertext", ciphertext)
    agree("opened", decrypt(ciphertext, key, domain), message)
    other = domain[:-1] + bytes([domain[-1] ^ 1])
    for wrong_key, wrong_domain in ((bytes([key[0] ^ 1]) + key[1:], domain), (key, other)):
        try:
            decrypt(ciphertext, wrong_key, wrong_domain)
        except CannotOpen:
            continue
        raise Mismatch("opened with another key or domain")


def _size(draw: Draw) -> Made:
    size = draw.choice([draw.between(0, 6000), draw.between(0, 80_000)])
    return {"input": {"size": size}, "expected": {"padded_size": padded_bytes(size)}}


@section(
    "config_padded_size",
    covers=["protocol.configs.sealing.padded_bytes"],
    direction="exact",
    make=_size,
)
def config_padded_size(case: Case) -> None:
    """Length of a config with its padding, before encryption."""
    case.same("padded_size", padded_bytes(case.integer("size")))


def _padded(draw: Draw) -> Made:
    message = _text_or_noise(draw, 400)
    return {"input": plain({"message": message}), "expected": plain({"padded": pad(message)})}


@section(
    "config_pad",
    covers=["protocol.configs.sealing.pad", "protocol.configs.sealing.unpad"],
    direction="exact",
    make=_padded,
)
def config_pad(case: Case) -> None:
    """Zeros in front of a config."""
    message = case.raw("message")
    padded = pad(message)
    case.same("padded", padded)
    agree("unpadded", unpad(padded), message.lstrip(b"\0"))


def _wrap(draw: Draw) -> Made:
    owner = account_from_ed25519_seed(draw.raw(32))
    namespace, data = draw.choice(_WRAPPED), draw.raw(draw.choice([0, 1, 100, 256, 1000, 3000]))
    seqno = draw.choice([0, 1, 127, 128, draw.between(0, 1 << 40)])
    secret = owner.ed.secret + (owner.ed.public if draw.flag() else b"")
    return {
        "input": plain({"ed25519_sk": secret, "data": data, "seqno": seqno, "namespace": namespace}),
        "expected": plain({"wrapped": wrap(_SUITE, owner, KINDS[namespace], seqno, data)}),
    }


@section(
    "config_wrap",
    covers=["protocol.configs.wrapping.wrap", "protocol.configs.wrapping.unwrap"],
    direction="exact",
    make=_wrap,
)
def config_wrap(case: Case) -> None:
    """Protobuf around an account's config, and off again."""
    owner = account_from_ed25519_seed(case.raw("ed25519_sk")[:SEED_BYTES])
    kind, data, seqno = KINDS[case.integer("namespace")], case.raw("data"), case.integer("seqno")
    wrapped = wrap(_SUITE, owner, kind, seqno, data)
    case.same("wrapped", wrapped)
    agree("unwrapped", unwrap(_SUITE, owner, kind, wrapped), (seqno, data))


def _profile_of(given: dict[str, Any]) -> Config:
    config = user_config(kinds.USER_PROFILE, _SUITE, account_from_ed25519_seed(bytes.fromhex(given["seed"])))
    profile = UserProfile(config)
    if given.get("name") is not None:
        profile.set_name(given["name"])
    if given.get("pic_url"):
        profile.set_picture(Picture(given["pic_url"], bytes.fromhex(given["pic_key"])))
    if "nts_priority" in given:
        profile.set_note_priority(given["nts_priority"])
    return config


def _merged(seed: str, pushed: bytes) -> dict[str, object]:
    """Read a push as another device of the account does."""
    other = _profile_of({"seed": seed})
    profile, accepted = UserProfile(other), other.merge([("hash", pushed)], 0)
    picture = profile.picture
    return {
        "merged": len(accepted),
        "name": profile.name or None,
        "pic_url": picture.url if picture else "",
        "pic_key": picture.key.hex() if picture else "",
        "nts_priority": profile.note_priority,
    }


def _profile(draw: Draw) -> Made:
    given: dict[str, Any] = {"seed": draw.raw(32).hex()}
    if draw.between(0, 4):
        given["name"] = draw.text(25) or "x"
    if draw.flag():
        given["pic_url"] = f"http://filev2.getsession.org/file/{draw.between(10**7, 10**8 - 1)}"
        given["pic_key"] = draw.raw(32).hex()
    if draw.flag():
        given["nts_priority"] = draw.between(-1, 3)
    config = _profile_of(given)
    push = config.push(0)
    expected = {
        "seqno": push.seqno,
        "pushed": push.parts[0].hex(),
        "encryption_key": config.keys[0].hex(),
        "domain": config.kind.domain.decode(),
        "merged_by_other_device": _merged(given["seed"], push.parts[0]),
    }
    return {"input": given, "expected": expected}


@section(
    "user_profile_config",
    covers=[
        "protocol.configs.Config",
        "protocol.configs.storing.Storing",
        "protocol.configs.user_profile.UserProfile",
    ],
    direction="decode (exact is informative)",
    make=_profile,
)
def user_profile_config(case: Case) -> None:
    """First push of a profile: the same config inside, and merged by another device; zstd may differ."""
    seed = case.raw("seed").hex()
    config = _profile_of({**case.input, "seed": seed})
    push = config.push(0)
    case.same("seqno", push.seqno)
    case.same("encryption_key", config.keys[0])
    case.same("domain", config.kind.domain.decode())
    pushed = bytes.fromhex(case.wants("pushed"))
    agree("config in the push", plain(_inside(config, push.parts[0])), plain(_inside(config, pushed)))
    case.same("merged_by_other_device", _merged(seed, pushed))


def _inside(config: Config, stored: bytes) -> bytes:
    owner = account_from_ed25519_seed(config.keys[0])
    storing = Storing(config.kind, _SUITE, owner, config.rules)
    return storing.open("hash", stored, config.keys, 0).raw
