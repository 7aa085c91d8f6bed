"""The sizes that transports add to a message, as settings.

All are stated assumptions or come from an RFC; `wire_sizes.py` counts with them. Sizes of HTTP headers are
the lengths of the texts that stand here, so that anyone can see what they hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sessionsim.core.settings import setting
from sessionsim.core.units import US_PER_S

# Texts of HTTP headers without the digits of the content length. Source: transport 3.6 for the request line,
# User-Agent and Accept-Language; session-storage-server: oxenss/server/https.cpp (render) for the answer.
# Assumption: the rest is what the libraries add (node-fetch 2 and OkHttp 4 on the clients, uWebSockets on the
# storage server), and Android sends the same User-Agent and Accept-Language as the desktop.
_HOST_HEADER = "Host: 240.100.10.10:22021\r\n"
_DESKTOP_HEADERS: Final = (
    "POST /onion_req/v2 HTTP/1.1\r\nUser-Agent: WhatsApp\r\nAccept-Language: en-us\r\nAccept: */*\r\n"
    "Content-Length: \r\nAccept-Encoding: gzip,deflate\r\nConnection: keep-alive\r\n" + _HOST_HEADER + "\r\n"
)
_ANDROID_HEADERS: Final = (
    "POST /onion_req/v2 HTTP/1.1\r\nUser-Agent: WhatsApp\r\nAccept-Language: en-us\r\n"
    "Content-Type: application/json; charset=utf-8\r\nContent-Length: \r\n"
    + _HOST_HEADER
    + "Connection: Keep-Alive"
    "\r\nAccept-Encoding: gzip\r\n\r\n"
)
_RESPONSE_HEADERS: Final = (
    "HTTP/1.1 200 OK\r\nServer: Oxen Storage Server/2.11.3\r\nContent-Type: text/plain\r\nuWebSockets: 20\r\n"
    "Content-Length: \r\n\r\n"
)
_TEXT_SOURCE: Final = (
    "Assumption: length of the header text in network/wire_rules.py, digits of the length apart"
)


@dataclass(frozen=True, slots=True)
class WireRules:
    """Sizes that transports add. Bytes, unless the name says otherwise."""

    tcp_header_bytes: int = setting(
        52,
        unit="bytes",
        doc="IPv4 and TCP headers of one segment, with time stamps.",
        source="RFC 791 (20), RFC 9293 (20), RFC 7323 (12)",
        low=40,
        high=120,
    )
    tcp_payload_bytes: int = setting(
        1_448,
        unit="bytes",
        doc="Largest payload of a TCP segment.",
        source="Assumption: Ethernet paths of 1,500 bytes, less 52 bytes of headers",
        low=200,
        high=65_000,
    )
    tls_record_bytes: int = setting(
        22,
        unit="bytes",
        doc="What a TLS 1.3 record adds: header 5, inner content type 1, authentication tag 16.",
        source="RFC 8446, sections 5.1 and 5.2",
        low=0,
        high=400,
    )
    tls_payload_bytes: int = setting(
        16_384,
        unit="bytes",
        doc="Largest plaintext of a TLS record.",
        source="RFC 8446, section 5.1",
        low=64,
        high=16_384,
    )
    http_desktop_bytes: int = setting(
        len(_DESKTOP_HEADERS), unit="bytes", doc="HTTP request headers of the desktop client.",
        source=_TEXT_SOURCE, low=0, high=10_000,
    )  # fmt: skip
    http_android_bytes: int = setting(
        len(_ANDROID_HEADERS), unit="bytes", doc="HTTP request headers of the Android client.",
        source=_TEXT_SOURCE, low=0, high=10_000,
    )  # fmt: skip
    http_response_bytes: int = setting(
        len(_RESPONSE_HEADERS), unit="bytes", doc="HTTP response headers of a storage server.",
        source=_TEXT_SOURCE, low=0, high=10_000,
    )  # fmt: skip
    udp_header_bytes: int = setting(
        28,
        unit="bytes",
        doc="IPv4 and UDP headers of one datagram.",
        source="RFC 791 (20), RFC 768 (8)",
        low=28,
        high=100,
    )
    quic_datagram_bytes: int = setting(
        1_200,
        unit="bytes",
        doc="Largest UDP payload of a QUIC datagram.",
        source="Assumption: the size RFC 9000, section 14 guarantees; path MTU discovery may find more",
        low=200,
        high=65_000,
    )
    quic_packet_bytes: int = setting(
        47,
        unit="bytes",
        doc="What a 1-RTT packet adds: flags 1, connection id 20, number 2, tag 16, STREAM header 8.",
        source="Assumption: RFC 9000, sections 17.3.1 and 19.8, with connection ids of the longest size",
        low=20,
        high=150,
    )
    quic_id_digits: int = setting(
        3,
        doc="Decimal digits of the request number in the QUIC request stream.",
        source="Assumption: hundreds of requests on one connection",
        low=1,
        high=18,
    )
    omq_tag_bytes: int = setting(
        15,
        unit="bytes",
        doc="Random tag by which OxenMQ pairs an answer with its request.",
        source="Assumption: longest string that C++ keeps in place",
        low=0,
        high=200,
    )
    omq_endpoint_bytes: int = setting(
        16,
        unit="bytes",
        doc="Name of the endpoint in an OxenMQ request.",
        source="transport 3.6: sn.onion_request",
        low=1,
        high=200,
    )
    curve_message_bytes: int = setting(
        33,
        unit="bytes",
        doc="What a CurveZMQ MESSAGE adds to a part: command name 8, short nonce 8, tag 16, flags 1.",
        source="ZeroMQ RFC 26, section MESSAGE; libzmq: src/curve_mechanism_base.cpp",
        low=0,
        high=200,
    )
    tcp_open_bytes: int = setting(
        60,
        unit="bytes",
        doc="A SYN or SYN-ACK segment with its options.",
        source="Assumption: RFC 791 (20), RFC 9293 (20) and the 20 bytes of options of current systems",
        low=40,
        high=120,
    )
    tls_client_bytes: int = setting(
        597,
        unit="bytes",
        doc="TLS handshake records of the client: ClientHello 517, ChangeCipherSpec and Finished 80.",
        source="Assumption: measured with OpenSSL 3 against OpenSSL 3 in memory",
        low=100,
        high=20_000,
    )
    tls_server_bytes: int = setting(
        1_801,
        unit="bytes",
        doc="TLS handshake records of the server: flight with RSA-2048 certificate 1,291, two tickets 510.",
        source="Assumption: measured as above with a certificate like that of session-storage-server: "
        "oxenss/server/server_certificates.cpp; one of P-256 would take 582 less",
        low=100,
        high=40_000,
    )
    quic_client_bytes: int = setting(
        2_456,
        unit="bytes",
        doc="QUIC handshake of the client: two datagrams padded to 1,200 with their headers.",
        source="Assumption: RFC 9000, section 14.1, for the Initial and for the flight that follows",
        low=1_200,
        high=40_000,
    )
    quic_server_bytes: int = setting(
        1_556,
        unit="bytes",
        doc="QUIC handshake of the server: one datagram of 1,200, one of 300, with their headers.",
        source="Assumption: raw public key in place of a certificate (transport 3.6: pinned Ed25519)",
        low=1_200,
        high=40_000,
    )
    curve_client_bytes: int = setting(
        572,
        unit="bytes",
        doc="ZMTP and CURVE handshake of the opener: greeting 64, HELLO 202, INITIATE 306.",
        source="Assumption: ZeroMQ RFC 23 and 26 with 40 bytes of metadata",
        low=100,
        high=20_000,
    )
    curve_server_bytes: int = setting(
        306,
        unit="bytes",
        doc="ZMTP and CURVE handshake of the other side: greeting 64, WELCOME 170, READY 72.",
        source="Assumption: ZeroMQ RFC 23 and 26 with 40 bytes of metadata",
        low=100,
        high=20_000,
    )
    https_parallel: str = setting(
        "connections",
        doc="What requests do that a client makes to a guard at a time: each opens a connection while the "
        "others are busy, as HTTP/1.1 does, or all share one.",
        source="transport 3.6: an HTTP agent of Node, OkHttp; uWebSockets speaks HTTP/1.1",
        choices=("connections", "shared"),
    )
    https_idle_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="Idle time after which the storage server closes an HTTPS connection; then it is opened anew.",
        source="session-storage-server: oxenss/server/https_mhd.cpp (connection_timeout_s, as uWebSockets)",
        low=0,
    )
    quic_keepalive_us: int = setting(
        10 * US_PER_S,
        unit="us",
        doc="Silence after which a QUIC client sends a keep-alive; 0 switches it off.",
        source="transport 3.6",
        low=0,
    )
    media_packet_bytes: int = setting(
        90,
        unit="bytes",
        doc="Payload of one datagram of a call's media.",
        source="Assumption: 20 ms of Opus at 28 kbit/s, 70 bytes, with 20 bytes of RTP and SRTP",
        low=20,
        high=1_400,
    )
    dtls_client_bytes: int = setting(
        1_200,
        unit="bytes",
        doc="Datagrams of the opener before media can flow: checks, ClientHello, certificate, Finished.",
        source="Assumption: RFC 8445 and RFC 6347 with certificates of P-256",
        low=100,
        high=20_000,
    )
    dtls_server_bytes: int = setting(
        1_200,
        unit="bytes",
        doc="The same of the other side.",
        source="Assumption: as above",
        low=100,
        high=20_000,
    )
    push_frame_bytes: int = setting(
        60,
        unit="bytes",
        doc="Head of a message on a device's connection to its push platform: names, numbers, times.",
        source="Assumption: neither Apple nor Google publishes these protocols",
        low=0,
        high=2_000,
    )
    push_keepalive_us: int = setting(
        28 * 60 * US_PER_S,
        unit="us",
        doc="Silence after which a device shows its push platform that it is there; 0 switches it off.",
        source="Assumption: 28 min, Google's interval on mobile networks, for all platforms",
        low=0,
    )
    push_keepalive_bytes: int = setting(
        78,
        unit="bytes",
        doc="One such sign: headers 52, TLS record 22, message 4.",
        source="Assumption: a few bytes of message",
        low=40,
        high=1_500,
    )
    quic_keepalive_bytes: int = setting(
        68,
        unit="bytes",
        doc="One keep-alive datagram: headers 28, flags 1, connection id 20, number 2, PING 1, tag 16.",
        source="Assumption: RFC 9000, sections 17.3.1 and 19.2",
        low=30,
        high=1_500,
    )
