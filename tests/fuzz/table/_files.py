"""Files and pushes: blobs, pointers, addresses, answers of the file server, what a service delivered."""

from __future__ import annotations

import binascii
from collections.abc import Callable

from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.crypto.secretstream import StreamWriter
from sessionsim.protocol.files import (
    address,
    attachment,
    avatar,
    client,
    deterministic,
    legacy,
    legacy_picture,
)
from sessionsim.protocol.push import authority, notifiers, payload, registration
from sessionsim.protocol.push.rules import PushRules
from sessionsim.protocol.push.subscription import SERVICES, Device, subscribe_request, unsubscribe_request
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.wire import bencode, monitor
from sessionsim.protocol.wire.envelope import decode
from sessionsim.protocol.wire.push_json import read_parts
from sessionsim.protocol.wire.session_pb2 import AttachmentPointer
from tests.fuzz.decoder import Decoder, whole
from tests.fuzz.table._keys import NOW_MS, OWN, SODIUM, noise, text_of
from tests.fuzz.table._rpc import NOTIFICATION, OF_MEMBER, SUBSCRIPTION, SUBSCRIPTIONS

_KEY64, _IV = noise("attachment", 64), noise("iv", 16)
_FILE = deterministic.seal_file(b"content" * 50, OWN.ed.secret, deterministic.Purpose.ATTACHMENT)
_LARGE = deterministic.seal_file(noise("large", 40_000), OWN.ed.secret, deterministic.Purpose.PROFILE_PICTURE)
_LEGACY = legacy.seal_attachment(b"content" * 50, _KEY64, _IV)
_PICTURE = legacy_picture.seal_picture(b"picture", noise("profile", 32), noise("n", 12))
_PLAIN_URL = address.write_address(address.FileAddress("1234567"))
_URL = address.write_address(address.FileAddress("A" * 44, True, server_key=noise("server", 32)))
_POINTERS = (
    attachment.Attachment(
        _PLAIN_URL, 350, _KEY64, _LEGACY.digest, "image/png", "a.png", "look", True, 3, 4, b"t"
    ),
    attachment.Attachment(_URL, 350, _FILE.key),
    attachment.Attachment("http://community/file/1", 3),
)
_HEADER, _STREAM_KEY = noise("header", 24), noise("stream", 32)
_ENC_KEY, _NONCE = noise("push", 32), noise("nonce", 24)


def _answer(status: int, read: Callable[[ServerAnswer], object]) -> Callable[[bytes], object]:
    return lambda raw: read(ServerAnswer(status, {}, raw))


def _stream_inside(plain: bytes) -> object:
    """Encrypt anything as one chunk: the padding is what is read."""
    writer = StreamWriter(_HEADER, _STREAM_KEY)
    return deterministic.open_file(b"S" + _HEADER + writer.push(plain, final=True), _STREAM_KEY)


def _legacy_inside(plain: bytes) -> object:
    """Give a blob with a MAC and a digest that are right, around bytes that may not be blocks."""
    sealed = legacy.seal_attachment(plain[:5_000], _KEY64, _IV)
    return legacy.open_attachment(sealed.blob, _KEY64, sealed.digest, len(plain) // 2)


def _pointer(raw: bytes) -> object:
    return attachment.read_pointer(decode(AttachmentPointer, raw))


def _attached(raw: bytes) -> object:
    """Open two blobs with what a pointer says about them."""
    found = attachment.read_pointer(decode(AttachmentPointer, raw))
    for blob in (_FILE.blob, _LEGACY.blob):
        try:
            return attachment.open_attached(found, blob)
        except CannotOpen:
            continue
    raise CannotOpen("neither")


def _picture(raw: bytes) -> object:
    """Take an address from outside and open what lies there."""
    found = avatar.ProfilePicture(text_of(raw), _LARGE.key)
    rules = avatar.UpkeepRules()
    return avatar.upkeep(rules, found, 1, NOW_MS * 1000), avatar.open_picture(found, _LARGE.blob)


def _address(raw: bytes) -> object:
    """Read an address; what is read can be written and read again."""
    found = address.read_address(text_of(raw))
    if address.read_address(address.write_address(found)) != found:
        raise AssertionError("another address when written again")
    return found


def _push_of(**how: bool) -> Callable[[bytes], object]:
    return lambda raw: payload.read_push(text_of(raw), _ENC_KEY, **how)


def _push_inside(plain: bytes) -> object:
    sealed = payload.seal_payload(plain, _ENC_KEY, _NONCE)
    return payload.read_push(binascii.b2a_base64(sealed, newline=False).decode(), _ENC_KEY)


def _metadata_inside(text: bytes) -> object:
    return _push_inside(bencode.encode([text, b"body"]))


_LISTS = tuple(
    payload.write_list(one, dict_without_body=as_dict).rstrip(b"\0")
    for one in (NOTIFICATION, NOTIFICATION._replace(data=None))
    for as_dict in (False, True)
)
_PUSHES = tuple(
    binascii.b2a_base64(payload.seal_payload(listed, _ENC_KEY, _NONCE), newline=False) for listed in _LISTS
)
DEVICE = Device("firebase", "t" * 40)
_SUBSCRIBE = subscribe_request([(SUBSCRIPTION, DEVICE, _ENC_KEY)], as_list=False)
_UNSUBSCRIBE = unsubscribe_request(
    [(SUBSCRIPTION.authority, DEVICE)], lambda text: SODIUM.sign(OWN.ed, text), NOW_MS // 1000, as_list=False
)
_MEMBERS = subscribe_request([(OF_MEMBER, Device("apns", "t" * 64), _ENC_KEY)], subaccount_as="hex")
_RULES = PushRules()


def _registered(read: Callable[..., object]) -> Callable[[bytes], object]:
    def run(raw: bytes) -> object:
        parts, _many = read_parts(raw)
        if not parts:
            raise RemoteProtocolError("nothing is asked for")
        return [read(_RULES, SODIUM, frozenset(SERVICES), part, NOW_MS * 1000) for part in parts]

    return run


def _authority(raw: bytes) -> object:
    found = []
    for call in monitor.read_calls(raw)[0]:
        if isinstance(call, monitor.MonitorRefused):
            raise call
        named = authority.authority_of(call)
        authority.check_account(named)
        text = monitor.signed_text(named.account, call.timestamp_s, call.want_data, call.namespaces)
        authority.check_signature(SODIUM, named, text, call.signature)
        found.append(named)
    if not found:
        raise RemoteProtocolError("nothing is asked for")
    return found


def _subscribed(found: list[tuple[Device, registration.Registered]]) -> object:
    """Leave out device and key, which are not signed, and how often it was said."""
    return {str(registered.subscription) for _device, registered in found}


def _unsubscribed(found: list[tuple[bytes, Device]]) -> object:
    return {account for account, _device in found}


def _all(found: list[object]) -> object:
    """Leave out how often it was said."""
    return {str(one) for one in found}


_OPEN = (CannotOpen,)
DECODERS = (
    Decoder(
        "files.deterministic.open_file",
        "raw",
        lambda raw: deterministic.open_file(raw, _FILE.key),
        (_FILE.blob,),
        errors=_OPEN,
        share=2,
        genuine=whole,
    ),
    Decoder(
        "files.deterministic.open_file/chunks",
        "raw",
        lambda raw: deterministic.open_file(raw, _LARGE.key),
        (_LARGE.blob,),
        errors=_OPEN,
        share=1,
        genuine=whole,
    ),
    Decoder(
        "files.deterministic.open_file/inside",
        "raw",
        _stream_inside,
        (b"\0\0\x01text", b"\x01"),
        errors=_OPEN,
        share=2,
    ),
    Decoder(
        "files.deterministic.open_file/key",
        "raw",
        lambda raw: deterministic.open_file(_FILE.blob, raw),
        (_FILE.key,),
        errors=_OPEN,
        share=1,
        genuine=whole,
    ),
    Decoder(
        "files.legacy.open_attachment",
        "raw",
        lambda raw: legacy.open_attachment(raw, _KEY64, _LEGACY.digest, 350),
        (_LEGACY.blob,),
        errors=_OPEN,
        share=2,
        genuine=whole,
    ),
    Decoder(
        "files.legacy.open_attachment/inside", "raw", _legacy_inside, (b"text", b""), errors=_OPEN, share=1
    ),
    Decoder(
        "files.legacy_picture.open_picture",
        "raw",
        lambda raw: legacy_picture.open_picture(raw, noise("profile", 32)),
        (_PICTURE,),
        errors=_OPEN,
        share=2,
        genuine=whole,
    ),
    Decoder("files.avatar.open_picture/address", "text", _picture, (_URL.encode(),), base=50_000, share=1),
    Decoder(
        "files.address.read_address",
        "text",
        _address,
        (_URL.encode(), _PLAIN_URL.encode(), b"https://a.b:443/files/1/#d&p=" + b"0" * 64),
    ),
    Decoder(
        "files.attachment.read_pointer",
        "protobuf",
        _pointer,
        tuple(attachment.write_pointer(one).SerializeToString() for one in _POINTERS),
    ),
    Decoder(
        "files.attachment.open_attached",
        "protobuf",
        _attached,
        tuple(attachment.write_pointer(one).SerializeToString() for one in _POINTERS),
        base=6_000,
        share=1,
    ),
    *(
        Decoder(f"files.client.{read.__name__}", "json", _answer(200, read), seeds, share=2)
        for read, seeds in (
            (client.uploaded, (b'{"id": "abc", "expires": 1777000000.25}',)),
            (client.facts, (b'{"size": 5, "uploaded": 1777000000.5, "expires": 1777000001}',)),
            (client.newest_version, (b'{"status_code": 200, "result": "1.17.0"}',)),
        )
    ),
    Decoder("files.client.downloaded", "raw", _answer(200, client.downloaded), (_FILE.blob,), share=1),
    Decoder(
        "push.payload.open_payload",
        "raw",
        lambda raw: payload.open_payload(raw, _ENC_KEY),
        (payload.seal_payload(_LISTS[0], _ENC_KEY, _NONCE),),
        errors=_OPEN,
        share=2,
        genuine=whole,
    ),
    Decoder("push.payload.read_push", "text", _push_of(), _PUSHES, share=2, genuine=whole),
    Decoder(
        "push.payload.read_push/android",
        "text",
        _push_of(accepts_dict=False, expects_data=True),
        _PUSHES[:1],
        share=1,
        genuine=whole,
    ),
    Decoder("push.payload.read_push/inside", "bencode", _push_inside, _LISTS),
    Decoder(
        "push.payload.read_push/metadata",
        "json",
        _metadata_inside,
        tuple(bencode.decode(listed)[0].replace(b'"l": 200', b'"l": 4') for listed in _LISTS[:1]),
        share=2,
    ),
    Decoder(
        "push.notifiers.check_token",
        "text",
        lambda raw: [notifiers.check_token(service, text_of(raw)) for service in SERVICES],
        (b"a" * 64,),
        share=1,
    ),
    Decoder(
        "push.registration.read_subscription",
        "json",
        _registered(registration.read_subscription),
        (_SUBSCRIBE.body, _MEMBERS.body),
        share=2,
        genuine=_subscribed,
    ),
    Decoder(
        "push.registration.read_unsubscription",
        "json",
        _registered(registration.read_unsubscription),
        (_UNSUBSCRIBE.body,),
        share=2,
        genuine=_unsubscribed,
    ),
    Decoder("push.authority.check_signature", "bencode", _authority, SUBSCRIPTIONS, share=2, genuine=_all),
)
