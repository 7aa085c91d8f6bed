"""How many bytes a transmission takes on the wire, and what opening and keeping a connection costs.

The application bytes are exact; everything around them is counted here from stated sizes, as an observer of
IP traffic would count it: IP and TCP or UDP headers included, link-layer frames not. Left out: bare
acknowledgements, retransmissions, and the closing of connections.

    HTTPS   client to guard (desktop, android): HTTP/1.1 headers, TLS 1.3 records, TCP segments
    QUIC    client to guard (libsession on iOS): list [command, id, endpoint, body] of the request stream,
            1-RTT datagrams with short headers
    UDP     media of calls: many small datagrams stand in one transmission
    TLS     device to push platform: messages with a short head, TLS 1.3 records, TCP segments
    OMQ     snode to snode: ZeroMQ parts [endpoint, tag, body] or ["REPLY", tag, code, body], each in a
            CurveZMQ MESSAGE command in a ZMTP frame, in TCP segments

Which transport is used between whom: transport 3.6. All numbers are settings, see `wire_rules.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sessionsim.core.columns import Transport
from sessionsim.core.errors import LocalProtocolError
from sessionsim.network.wire_rules import WireRules
from sessionsim.protocol._defences import Defence

__all__ = ["ANDROID", "DESKTOP", "WireRules", "WireSizes", "sizes_under"]

# Client families that differ in their HTTP headers.
DESKTOP: Final = 0
ANDROID: Final = 1


class WireTable(dict[int, tuple[int, int]]):
    """Wire bytes and segments by `app_bytes << 5 | family << 4 | direction << 3 | transport`.

    The host looks sizes up here directly, eight times per onion exchange; what is missing is counted.
    """

    def __init__(self, sizes: WireSizes) -> None:
        super().__init__()
        self._sizes = sizes

    def __missing__(self, key: int) -> tuple[int, int]:
        found = self[key] = self._sizes.count(key & 7, key >> 3 & 1, key >> 5, key >> 4 & 1)
        return found


class WireSizes:
    """Counts wire bytes. Every answer is a function of its arguments; sizes met before are looked up."""

    __slots__ = ("_rules", "table")

    def __init__(self, rules: WireRules) -> None:
        self._rules = rules
        self.table = WireTable(self)  # for look-ups on the hot path

    def wire(self, transport: int, direction: int, app_bytes: int, family: int = DESKTOP) -> tuple[int, int]:
        """Give bytes on the wire and segments (QUIC: datagrams) of one transmission.

        Args:
            transport: see Transport.
            direction: 0 request, 1 answer.
            app_bytes: length of the payload, 0 or more.
            family: DESKTOP or ANDROID; only an HTTPS request depends on it.

        Raises:
            LocalProtocolError: an unknown transport or a negative length.
        """
        if app_bytes < 0 or direction not in (0, 1) or family not in (DESKTOP, ANDROID):
            raise LocalProtocolError(f"wire sizes: {app_bytes} bytes, direction {direction}, family {family}")
        return self.table[app_bytes << 5 | family << 4 | direction << 3 | transport]

    def handshake(self, transport: int) -> tuple[int, int, int]:
        """Give bytes of the opener, bytes of the other side, and round trips before data can be sent.

        HTTPS: TCP 1, TLS 1.3 1. QUIC: 1. OMQ: TCP 1, ZMTP greetings 1, HELLO/WELCOME 1, INITIATE/READY 1.
        """
        rules, header = self._rules, self._rules.tcp_header_bytes
        if transport == Transport.QUIC:
            return rules.quic_client_bytes, rules.quic_server_bytes, 1
        if transport in (Transport.HTTPS, Transport.TLS):
            # The client's hello and its finish, the server's flight and its tickets go out one after another.
            ours = rules.tls_client_bytes + header * max(2, self._segments(rules.tls_client_bytes))
            theirs = rules.tls_server_bytes + header * max(2, self._segments(rules.tls_server_bytes))
            return rules.tcp_open_bytes + header + ours, rules.tcp_open_bytes + theirs, 2
        if transport == Transport.OMQ:
            ours, theirs = rules.curve_client_bytes + 3 * header, rules.curve_server_bytes + 3 * header
            return rules.tcp_open_bytes + header + ours, rules.tcp_open_bytes + theirs, 4
        if transport == Transport.UDP:
            return rules.dtls_client_bytes, rules.dtls_server_bytes, 2
        raise LocalProtocolError(f"wire sizes: no transport {transport}")

    def keep_alive(self, transport: int) -> tuple[int, int]:
        """Give bytes of one keep-alive and the silence in us before it; (0, 0) where there is none."""
        if transport == Transport.QUIC and self._rules.quic_keepalive_us:
            return self._rules.quic_keepalive_bytes, self._rules.quic_keepalive_us
        if transport == Transport.TLS and self._rules.push_keepalive_us:
            return self._rules.push_keepalive_bytes, self._rules.push_keepalive_us
        return 0, 0

    @property
    def one_at_a_time(self) -> bool:
        """Whether a client's HTTPS connection carries one request at a time."""
        return self._rules.https_parallel == "connections"

    def idle_limit_us(self, transport: int) -> int:
        """Give the idle time after which a connection must be opened anew; only HTTPS has one."""
        return self._rules.https_idle_us if transport == Transport.HTTPS else 1 << 62

    def count(self, transport: int, direction: int, app_bytes: int, family: int) -> tuple[int, int]:
        """Count what `wire` gives, without looking it up."""
        rules = self._rules
        if transport == Transport.QUIC:
            stream = self._quic_stream(direction, app_bytes)
            segments = -(-stream // (rules.quic_datagram_bytes - rules.quic_packet_bytes))
            size = stream + segments * (rules.quic_packet_bytes + rules.udp_header_bytes)
        elif transport == Transport.UDP:
            segments = max(1, -(-app_bytes // rules.media_packet_bytes))
            size = app_bytes + segments * rules.udp_header_bytes
        else:
            if transport == Transport.HTTPS:
                stream = self._https_stream(direction, app_bytes, family)
            elif transport == Transport.OMQ:
                stream = self._omq_stream(direction, app_bytes)
            elif transport == Transport.TLS:
                plain = rules.push_frame_bytes + app_bytes
                stream = plain + rules.tls_record_bytes * -(-plain // rules.tls_payload_bytes)
            else:
                raise LocalProtocolError(f"wire sizes: no transport {transport}")
            segments = self._segments(stream)
            size = stream + segments * rules.tcp_header_bytes
        return size, segments

    def _segments(self, stream_bytes: int) -> int:
        return -(-stream_bytes // self._rules.tcp_payload_bytes)

    def _https_stream(self, direction: int, app_bytes: int, family: int) -> int:
        rules = self._rules
        request = rules.http_android_bytes if family == ANDROID else rules.http_desktop_bytes
        headers = rules.http_response_bytes if direction else request
        plain = headers + _digits(app_bytes) + app_bytes
        return plain + rules.tls_record_bytes * -(-plain // rules.tls_payload_bytes)

    def _quic_stream(self, direction: int, app_bytes: int) -> int:
        """Length of `N:l1:Ci<id>e9:onion_req<n>:<body>e`, answers `N:l1:Ri<id>e<n>:<body>e` (bencode)."""
        endpoint = 0 if direction else len("9:onion_req")
        inner = len("l1:Cie:e") + self._rules.quic_id_digits + endpoint + _digits(app_bytes) + app_bytes
        return _digits(inner) + 1 + inner

    def _omq_stream(self, direction: int, app_bytes: int) -> int:
        rules = self._rules
        parts: tuple[int, ...] = (rules.omq_endpoint_bytes, rules.omq_tag_bytes, app_bytes)
        if direction:
            parts = (len("REPLY"), rules.omq_tag_bytes, len("200"), app_bytes)
        # A ZMTP frame has 2 bytes of flags and size, or 9 where the size does not fit into one byte (RFC 23).
        bodies = [part + rules.curve_message_bytes for part in parts]
        return sum(body + (2 if body < 256 else 9) for body in bodies)


def _digits(number: int) -> int:
    return len(str(number))


def sizes_under(rules: WireRules, defences: Sequence[Defence]) -> WireSizes:
    """Give the sizes that hold where these defences are in force."""
    if any(defence.multiplexes for defence in defences):
        rules = replace(rules, https_parallel="shared")
    return WireSizes(rules)
