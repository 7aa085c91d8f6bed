"""Reading the parameters of one call, field by field, from JSON or bencode (transport 5.1).

The two differ in what binary values look like: JSON has base64 (signatures, tokens, data), bencode raw bytes.
What a text says about wrong values is the server's. Where the server lets several spellings pass for one
value, so do we:

    keys      66 or 64 hex digits in either case, or, in JSON too, a string of exactly 33 or 32 bytes
    base64    padded or not; bits of the last letter beyond the value are not looked at
    tokens    base64 or hex
    lists     a single value stands for a list of one
    JSON      of a key that occurs twice the last counts; null is as good as absent

Bencode whose keys do not ascend, or occur twice, is refused whole (`bencode`), where the server would read it
up to there. Of several faults in one request the server names the first in its order, which may not be ours.
Source: session-storage-server: oxenss/rpc/client_rpc_endpoints.cpp parse_field, load_pk_signature.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import orjson

from sessionsim.core.errors import RemoteProtocolError
from sessionsim.protocol.authorisation import TOKEN_BYTES, Subaccount
from sessionsim.protocol.namespaces import MAX_NAMESPACE, MIN_NAMESPACE
from sessionsim.protocol.wire.rpc import HASH_LENGTH
from sessionsim.protocol.wire.rpc_calls import Signer

ACCOUNT_BYTES: Final = 33  # Source: transport 1.2
SIGNATURE_BYTES: Final = 64
MAX_INT64: Final = (1 << 63) - 1
MAX_INT32: Final = (1 << 31) - 1
# Source: oxenss/rpc/client_rpc_endpoints.cpp parse_field: less would be seconds instead of milliseconds.
LEAST_TIMESTAMP_MS: Final = 1_000_000_000
BASE64: Final = re.compile(r"[A-Za-z0-9+/]*", re.ASCII)
DIGITS: Final = re.compile(r"-?\d{1,20}", re.ASCII)
_SIGNATURE_LENGTHS: Final = (86, 88)  # Source: transport 5.2, base64 without and with padding
_TOKEN_BASE64_LENGTH: Final = TOKEN_BYTES // 3 * 4
_REMEMBERED_KEYS: Final = 4096  # Assumption: accounts polled in turn; each repeats in every part of a batch
_ECHO_LENGTH: Final = 64  # Assumption: the real server echoes wrong input at any length, and as it came


class Refused(RemoteProtocolError):
    """A request is answered with an error. Args: status: its code; text: what the answer says."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def invalid(text: str) -> Refused:
    """Refuse parameters the way the server does."""
    return Refused(400, f"invalid request: {text}")


@lru_cache(maxsize=_REMEMBERED_KEYS)
def bytes_of_hex(text: str) -> bytes:
    """Read hex; empty if it is none, shorter if it has the blanks that `fromhex` skips."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def unbase64(text: str, complaint: str) -> bytes:
    """Read base64, padded or not. Raises Refused."""
    if len(text) % 4 == 0 and not text.endswith("==="):
        try:
            return binascii.a2b_base64(text, strict_mode=True)
        except ValueError:
            raise invalid(complaint) from None
    bare = text.rstrip("=")
    padding = -len(bare) % 4
    if padding == 3 or len(text) - len(bare) not in (0, padding) or BASE64.fullmatch(bare) is None:
        raise invalid(complaint)
    return binascii.a2b_base64(bare + "=" * padding)


def is_hash(text: str) -> bool:
    """Say whether a text is a message hash: 43 letters of base64."""
    return len(text) == HASH_LENGTH and BASE64.fullmatch(text) is not None


class Fields:
    """The parameters of one call.

    Args:
        values: by name; JSON values, or what `bencode.decode` gives under keys turned to text.
        is_json: which of the two.
    """

    __slots__ = ("_get", "is_json")

    def __init__(self, values: Mapping[str, Any], is_json: bool = True) -> None:
        self._get, self.is_json = values.get, is_json

    def has(self, name: str) -> bool:
        """Say whether a field is given and not null."""
        return self._get(name) is not None

    def any(self, name: str) -> Any:
        """Give a field as it stands; None if it is not given."""
        return self._get(name)

    def octets(self, name: str) -> bytes | None:
        """Give the bytes of a string field, UTF-8 in JSON; None if it is not given."""
        value = self._get(name)
        if self.is_json and type(value) is str:
            return value.encode()
        if value is None or (type(value) is bytes and not self.is_json):
            return value
        raise _wrong(name, "string")

    def text(self, name: str) -> str | None:
        """Give a text field; None if it is not given."""
        value = self._get(name)
        if self.is_json and (value is None or type(value) is str):
            return value
        octets = self.octets(name)
        return None if octets is None else octets.decode("latin-1")

    def flag(self, name: str) -> bool:
        """Give a switch, off if it is not given; bencode writes 0 and 1."""
        value = self._get(name)
        if self.is_json:
            if value is None or type(value) is bool:
                return bool(value)
        elif value is None or (type(value) is int and value in (0, 1)):
            return bool(value)
        raise _wrong(name, "boolean")

    def number(self, name: str) -> int | None:
        """Give a whole number of 64 bits; JSON may write it as text, as old clients do (transport 5.4)."""
        value = self._get(name)
        if self.is_json and type(value) is str:
            if DIGITS.fullmatch(value) is None or abs(int(value)) > MAX_INT64:
                shown = orjson.dumps(value[:_ECHO_LENGTH]).decode()
                raise invalid(f"Invalid value given for '{name}': {shown}")
            return int(value)
        if value is None or (type(value) is int and abs(value) <= MAX_INT64):
            return value
        raise _wrong(name, "integer")

    def small(self, name: str) -> int:
        """Give a whole number of 32 bits, 0 if it is not given."""
        value = self._get(name)
        if value is None:
            return 0
        if type(value) is not int or abs(value) > MAX_INT32:
            raise _wrong(name, "integer")
        return value

    def smalls(self, name: str) -> list[int]:
        """Give a list of whole numbers of 32 bits, empty if it is not given."""
        values = self._listed(name, int, "integer array")
        if any(abs(value) > MAX_INT32 for value in values):
            raise _wrong(name, "integer array")
        return values

    def timestamp(self, name: str) -> int | None:
        """Give a time in unix ms; None if it is not given. JSON refuses what must be seconds."""
        value = self._get(name)
        if value is None:
            return None
        if type(value) is not int or not 0 <= value <= MAX_INT64:
            raise _wrong(name, "integer timestamp (in milliseconds)")
        if self.is_json and value < LEAST_TIMESTAMP_MS:
            raise invalid(f"Invalid timestamp for '{name}': timestamp must be in milliseconds")
        return value

    def needed_timestamp(self, name: str) -> int:
        """Give a time in unix ms that must be given."""
        value = self.timestamp(name)
        if value is None:
            raise missing(name)
        return value

    def timestamps(self, name: str) -> list[int] | None:
        """Give a list of times in unix ms; None if it is not given. Seconds pass, as in the server."""
        if not self.has(name):
            return None
        values = self._listed(name, int, "timestamp array")
        if any(not 0 <= value <= MAX_INT64 for value in values):
            raise _wrong(name, "timestamp array")
        return values

    def namespace(self, name: str = "namespace") -> int | None:
        """Give a namespace; None if it is not given."""
        return self._namespace(name, "16-bit integer")

    def namespace_or_all(self, name: str = "namespace") -> int | None:
        """Give a namespace, 0 if it is not given; None for the word `all`."""
        if self._get(name) == ("all" if self.is_json else b"all"):
            return None
        return self._namespace(name, 'integer or "all"') or 0

    def _namespace(self, name: str, kind: str) -> int | None:
        value = self._get(name)
        if value is None:
            return None
        if type(value) is not int:
            raise _wrong(name, kind)
        if MIN_NAMESPACE <= value <= MAX_NAMESPACE:
            return value
        if self.is_json:
            raise invalid(f"Invalid value given for '{name}': value out of range")
        raise _wrong(name, kind)

    def hashes(self, *, checked: bool = True) -> tuple[str, ...]:
        """Give the field `messages`: at least one text, each a message hash if it is to be checked."""
        if not self.has("messages"):
            raise missing("messages")
        texts = self._texts("messages")
        if not texts:
            raise invalid("messages does not contain any message hashes")
        for text in texts if checked else ():
            if not is_hash(text):
                shown = "".join(c if c.isprintable() else "?" for c in text[:_ECHO_LENGTH])
                raise invalid(f"invalid message hash: {shown}")
        return tuple(texts)

    def tokens(self, name: str, verb: str) -> tuple[bytes, ...]:
        """Give a list of subaccount tokens. Args: verb: what is done with them, for the error."""
        if not self.has(name):
            raise missing(name)
        if self.is_json:
            complaint = f"invalid {verb}: expected base64 or hex-encoded subaccount tag"
            return tuple(_token(text, complaint) for text in self._texts(name))
        tokens = self._listed(name, bytes, "string array")
        if any(len(token) != TOKEN_BYTES for token in tokens):
            raise invalid(f"invalid {verb} subaccount: invalid subaccount tag length")
        return tuple(tokens)

    def account(
        self, complaint: str = "Pubkey must be 66 hex digits (33 bytes) long", *, alias: bool = False
    ) -> bytes:
        """Give the account, 33 bytes. Args: alias: the method also takes it as `pubKey`."""
        usual = self._get("pubkey")
        if type(usual) is str and len(usual) == 2 * ACCOUNT_BYTES and not (alias and self.has("pubKey")):
            raw = bytes_of_hex(usual)
            if len(raw) == ACCOUNT_BYTES and self.is_json:
                return raw
        octets = self.octets("pubkey")
        if alias:
            other = self.octets("pubKey")
            if octets is not None and other is not None:
                raise invalid("Cannot specify both 'pubkey' and 'pubKey'")
            octets = other if octets is None else octets
        if octets is None:
            raise missing("pubkey")
        key = _key(octets, ACCOUNT_BYTES)
        if key is None:
            raise invalid(complaint)
        return key

    def signer(self, *, alias: bool = False, subaccounts: bool = True) -> Signer:
        """Give who asks, with the signature, which must be there.

        Args:
            alias: the method also takes the account as `pubKey`.
            subaccounts: the method takes tokens; others do not look at them.
        """
        account, signature = self.account(alias=alias), self._get("signature")
        if signature is None:
            raise missing("signature")
        ed25519, named = None, self.octets("pubkey_ed25519")
        if named is not None:
            if account[0] != 5:
                raise invalid("pubkey_ed25519 is only permitted for 05[...] pubkeys")
            if len(named) not in (32, 64):
                raise invalid("Invalid pubkey_ed25519: expected 64 hex char or 32 byte pubkey")
            ed25519 = _key(named, 32)
            if ed25519 is None:
                raise invalid("invalid pubkey_ed25519: value is not hex")
        raw = self._signature("signature", "signature")
        return Signer(account, ed25519, raw, self._subaccount() if subaccounts else None)

    def _signature(self, name: str, what: str) -> bytes:
        """Give the bytes of a signature that is given. Args: what: it is called in an error."""
        value = self._get(name)
        if not self.is_json:
            raw, complaint = self.octets(name), "invalid signature: expected 64-byte Ed25519 signature"
        else:
            complaint = f"invalid {what}: expected base64 encoded Ed25519 signature"
            if type(value) is not str:
                raise _wrong(name, "string")
            if len(value) not in _SIGNATURE_LENGTHS:
                raise invalid(complaint)
            raw = unbase64(value, complaint)
        if raw is None or len(raw) != SIGNATURE_BYTES:
            raise invalid(complaint)
        return raw

    def _subaccount(self) -> Subaccount | None:
        if not self._get("subaccount"):
            self.octets("subaccount")
            return None
        token = self.octets("subaccount") or b""
        if self.octets("subaccount_sig") is None:
            raise invalid("invalid subaccount: subaccount_sig is required when using subaccount")
        if self.is_json:
            complaint = "invalid subaccount: expected base64 or hex-encoded subaccount token"
            token = _token(token.decode("latin-1"), complaint)
        elif len(token) != TOKEN_BYTES:
            raise invalid("invalid subaccount token: invalid token length")
        return Subaccount(token, self._signature("subaccount_sig", "subaccount signature"))

    def _texts(self, name: str) -> list[str]:
        if self.is_json:
            return self._listed(name, str, "string array")
        return [octets.decode("latin-1") for octets in self._listed(name, bytes, "string array")]

    def _listed(self, name: str, kind: type, described: str) -> list[Any]:
        value = self._get(name)
        if value is None:
            return []
        values = value if type(value) is list else [value]
        if any(type(item) is not kind for item in values):
            raise _wrong(name, described)
        return values


def missing(name: str) -> Refused:
    """Refuse a call that lacks a field."""
    return invalid(f"Required field '{name}' missing")


def _wrong(name: str, kind: str) -> Refused:
    return invalid(f"Invalid value given for '{name}': expected {kind}")


def _key(octets: bytes, size: int) -> bytes | None:
    if len(octets) == size:
        return octets
    if len(octets) != 2 * size:
        return None
    raw = bytes_of_hex(octets.decode("latin-1"))
    return raw if len(raw) == size else None


def _token(text: str, complaint: str) -> bytes:
    if len(text) == _TOKEN_BASE64_LENGTH:
        raw = unbase64(text, complaint)
    elif len(text) == 2 * TOKEN_BYTES:
        raw = bytes_of_hex(text)
    else:
        raw = b""
    if len(raw) != TOKEN_BYTES:
        raise invalid(complaint)
    return raw
