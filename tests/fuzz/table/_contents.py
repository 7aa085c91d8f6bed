"""Contents: every kind of content, group updates and who signed them, Pro claims."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sessionsim.core.errors import LocalProtocolError, RemoteProtocolError
from sessionsim.protocol import contents as ct
from sessionsim.protocol import pro_proof, pro_signature
from sessionsim.protocol.contents import _attachment, _profile, _visible
from sessionsim.protocol.wire import envelope, padding, session_pb2
from tests.fuzz.decoder import Decoder
from tests.fuzz.table._keys import (
    BACKEND,
    FRIEND,
    GROUP,
    NOW_MS,
    OWN,
    SODIUM,
    noise,
)

_PROFILE = ct.Profile("Ann", "http://filev2.getsession.org/file/1#d=", bytes(32), 1_777_000_000)


_POINTER = ct.Attachment(
    "http://filev2.getsession.org/file/7",
    bytes(64),
    bytes(32),
    5,
    "image/png",
    "a.png",
    "look",
    1,
    3,
    4,
    b"t",
    7,
)


_QUOTE = ct.Quote(NOW_MS - 1, FRIEND.id, "said", (ct.QuotedAttachment("image/png", "a", _POINTER, 1),))


_ROTATING = pro_proof.rotating_key(pro_proof.master_key(OWN.ed.secret), NOW_MS // 1000)


def _claim(generation: pro_proof.Generation) -> pro_signature.ProClaim:
    proof = pro_proof.issue(SODIUM, BACKEND, generation, noise("tag", 32), _ROTATING.public, NOW_MS)
    return pro_signature.ProClaim(proof, 1, 1)


_APRIL, _DRAFT = map(_claim, pro_proof.Generation)


_GROUP_CHANGES: tuple[ct.GroupChange, ...] = (
    ct.GroupInvite(GROUP.id, "club", bytes(100), bytes(64)),
    ct.GroupInfoChange(ct.InfoKind.NAME, bytes(64), "other"),
    ct.GroupInfoChange(ct.InfoKind.DISAPPEARING, bytes(64), None, 60),
    ct.GroupMemberChange(ct.MemberKind.ADDED, (OWN.id, FRIEND.id), bytes(64), True),
    ct.GroupPromote(bytes(32), "club"),
    ct.GroupMemberLeft(),
    ct.GroupMemberLeftNotice(),
    ct.GroupInviteResponse(True),
    ct.GroupDeleteContent((OWN.id,), ("A" * 43,), bytes(64)),
)


PARTS: tuple[ct.Part, ...] = (
    ct.Text("hello", (_POINTER,), _QUOTE, (ct.Preview("http://a", "t", _POINTER),), profile=_PROFILE),
    ct.Text(reaction=ct.Reaction(NOW_MS, FRIEND.id, "+"), sync_target=FRIEND.id, old_sent_ms=5),
    ct.Text(
        "join", invitation=ct.Invitation("http://a/b?public_key=c", "room"), blocks_community_requests=True
    ),
    ct.TimerUpdate(FRIEND.id, _PROFILE),
    *(ct.GroupUpdate(change, _PROFILE if k < 2 else None) for k, change in enumerate(_GROUP_CHANGES)),
    ct.Typing(True, NOW_MS),
    ct.ReadReceipt((NOW_MS, NOW_MS - 5)),
    ct.Unsend(NOW_MS, FRIEND.id),
    ct.Extraction(ct.ExtractionKind.MEDIA_SAVED, NOW_MS),
    ct.RequestResponse(True, _PROFILE),
    ct.Call(ct.CallKind.OFFER, "uuid", ("sdp",), (0,), ("audio",)),
)


EXPIRY = ct.Expiry(ct.ExpiryKind.AFTER_READ, 3600)


CONTENTS = (
    *(ct.write(ct.Message(NOW_MS, part, EXPIRY if k % 2 else None)) for k, part in enumerate(PARTS)),
    *(ct.write(ct.Message(NOW_MS, PARTS[0], EXPIRY, claim)) for claim in (_APRIL, _DRAFT)),
)


def _read_with(rules: ct.ReadRules) -> Callable[[bytes], object]:
    return lambda raw: ct.read(raw, rules=rules)


def _from_admin(raw: bytes) -> object:
    """Read a group update and check who signed it; what passes must be what the group signed."""
    message = ct.read(raw)
    if not isinstance(message.part, ct.GroupUpdate):
        return None
    change = message.part.change
    passed = ct.is_from_admin(SODIUM, GROUP.id, change, message.sent_ms, invited=OWN.id)
    if (
        passed
        and (change, message.sent_ms) not in _SIGNED_CHANGES
        and _text(change, message.sent_ms) not in _SIGNED_TEXTS
    ):
        raise AssertionError("a change passes that no admin signed")
    return passed


def _text(change: ct.GroupChange, sent_ms: int) -> bytes | None:
    return ct.signed_text(change, sent_ms, invited=OWN.id)


def _signed_change(change: ct.GroupChange) -> ct.GroupChange:
    if _text(change, NOW_MS) is None:
        return change
    signature = ct.admin_signature(SODIUM, GROUP.ed, change, NOW_MS, invited=OWN.id)
    return replace(change, admin_signature=signature)  # type: ignore[arg-type, call-arg]


_SIGNED_CHANGES = [(_signed_change(change), NOW_MS) for change in _GROUP_CHANGES]


_SIGNED_TEXTS = {_text(*signed) for signed in _SIGNED_CHANGES}


_SIGNED_CONTENTS = tuple(
    ct.write(ct.Message(sent_ms, ct.GroupUpdate(change))) for change, sent_ms in _SIGNED_CHANGES
)


def _claims(generation: pro_proof.Generation) -> Callable[[bytes], object]:
    def run(raw: bytes) -> object:
        claim = pro_signature.read_claim(envelope.decode(session_pb2.ProMessage, raw), generation)
        return claim, pro_signature.status_of(SODIUM, claim, BACKEND.public, b"signed", bytes(64), NOW_MS)

    return run


def _written_claim(claim: pro_signature.ProClaim) -> bytes:
    content = session_pb2.Content()
    pro_signature.write_claim(claim, content)
    return content.proMessage.SerializeToString()


def _data_messages() -> tuple[bytes, ...]:
    parsed = [envelope.decode(session_pb2.Content, raw) for raw in CONTENTS]
    return tuple(found.dataMessage.SerializeToString() for found in parsed if found.HasField("dataMessage"))


_BOTH = (RemoteProtocolError, LocalProtocolError)

DECODERS = (
    *(
        Decoder(
            f"contents._message.read/{name}",
            "protobuf",
            _read_with(ct.ReadRules(order)),
            CONTENTS[:-1],
            share=3,
        )
        for name, order in ct.READ_ORDERS.items()
    ),
    Decoder(
        "contents._message.read/draft of Pro",
        "protobuf",
        _read_with(ct.ReadRules(ct.READ_ORDERS["ios"], pro_proof.Generation.DRAFT)),
        CONTENTS,
    ),
    Decoder(
        "contents._message.read/time",
        "protobuf",
        lambda raw: ct.read(raw, outer_ms=NOW_MS, window_ms=5),
        CONTENTS[:4],
    ),
    Decoder("contents._group_change.is_from_admin", "protobuf", _from_admin, _SIGNED_CONTENTS, share=2),
    Decoder(
        "contents._visible.read_visible",
        "protobuf",
        lambda raw: _visible.read_visible(envelope.decode(session_pb2.DataMessage, raw)),
        _data_messages(),
        errors=_BOTH,
    ),
    Decoder(
        "contents._visible.read_timer_update",
        "protobuf",
        lambda raw: _visible.read_timer_update(envelope.decode(session_pb2.DataMessage, raw)),
        _data_messages(),
        errors=_BOTH,
        share=1,
    ),
    Decoder(
        "contents._profile.read_profile",
        "protobuf",
        lambda raw: _profile.read_profile(envelope.decode(session_pb2.DataMessage, raw)),
        _data_messages(),
        errors=_BOTH,
        share=1,
    ),
    Decoder(
        "contents._attachment.read_attachment",
        "protobuf",
        lambda raw: _attachment.read_attachment(envelope.decode(session_pb2.AttachmentPointer, raw)),
        (_attachment.write_attachment(_POINTER).SerializeToString(),),
        errors=_BOTH,
    ),
    *(
        Decoder(
            f"pro_signature.read_claim/{generation.name}",
            "protobuf",
            _claims(generation),
            (_written_claim(claim),),
            share=2,
        )
        for generation, claim in zip(pro_proof.Generation, (_APRIL, _DRAFT), strict=True)
    ),
    Decoder(
        "pro_signature.open_community_content",
        "raw",
        pro_signature.open_community_content,
        tuple(pro_signature.community_content(SODIUM, CONTENTS[0], key) for key in (None, _ROTATING)),
        growth=20,
    ),
    Decoder(
        "pro_signature.open_community_content/inside",
        "protobuf",
        lambda raw: pro_signature.open_community_content(padding.pad(raw)),
        CONTENTS,
        growth=20,
    ),
)
