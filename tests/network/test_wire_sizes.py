"""Wire sizes worked by hand, and what must hold for any size."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionsim.core.columns import Transport
from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.settings import facts_of
from sessionsim.network import wire_rules
from sessionsim.network.wire_sizes import ANDROID, DESKTOP, WireRules, WireSizes

HTTPS, QUIC, OMQ = Transport.HTTPS, Transport.QUIC, Transport.OMQ
SIZES = WireSizes(WireRules())
# Round numbers, so that the cases below can be checked by eye.
PLAIN = WireSizes(
    WireRules(
        tcp_header_bytes=40, tcp_payload_bytes=1000, http_desktop_bytes=100, http_android_bytes=150,
        http_response_bytes=50, tls_payload_bytes=10_000, quic_datagram_bytes=1050, quic_packet_bytes=50,
    )
)  # fmt: skip


@pytest.mark.parametrize(
    ("transport", "direction", "app_bytes", "family", "wire", "segments"),
    [
        # 100 headers + 3 digits + 500 + one record of 22, in one segment
        (HTTPS, 0, 500, DESKTOP, 625 + 40, 1),
        (HTTPS, 0, 500, ANDROID, 675 + 40, 1),
        (HTTPS, 1, 500, DESKTOP, 575 + 40, 1),
        (HTTPS, 1, 500, ANDROID, 575 + 40, 1),
        # exactly one segment of 1,000, and one byte more
        (HTTPS, 0, 875, DESKTOP, 1000 + 40, 1),
        (HTTPS, 0, 876, DESKTOP, 1001 + 80, 2),
        # plaintext 100 + 4 + 9,896 = 10,000 is one record, the next byte opens a second
        (HTTPS, 0, 9896, DESKTOP, 10_022 + 11 * 40, 11),
        (HTTPS, 0, 9897, DESKTOP, 10_045 + 11 * 40, 11),
        (HTTPS, 1, 0, DESKTOP, 50 + 1 + 22 + 40, 1),
        # 526:l1:Ci123e9:onion_req500:<500>e: 4 + (1 + 3 + 5 + 11 + 4 + 500 + 1)
        (QUIC, 0, 500, DESKTOP, 529 + 50 + 28, 1),
        # 514:l1:Ri123e500:<500>e
        (QUIC, 1, 500, DESKTOP, 518 + 50 + 28, 1),
        # 1,000 bytes of stream fit into one datagram: 4 + 996 = 971 of body with 25 around it
        (QUIC, 0, 971, DESKTOP, 1000 + 78, 1),
        (QUIC, 0, 972, DESKTOP, 1001 + 4 + 0 * 78 + 2 * 78 - 4, 2),
        # frames 2 + 33 + 16, 2 + 33 + 15, 9 + 33 + 500
        (OMQ, 0, 500, DESKTOP, 51 + 50 + 542 + 40, 1),
        # frames 2 + 33 + 5, 2 + 33 + 15, 2 + 33 + 3, 9 + 33 + 500
        (OMQ, 1, 500, DESKTOP, 40 + 50 + 38 + 542 + 40, 1),
        # a body of 222 with its 33 just fits a short frame
        (OMQ, 0, 222, DESKTOP, 51 + 50 + 257 + 40, 1),
        (OMQ, 0, 223, DESKTOP, 51 + 50 + 265 + 40, 1),
    ],
)
def test_size_worked_by_hand(
    transport: int, direction: int, app_bytes: int, family: int, wire: int, segments: int
) -> None:
    assert PLAIN.wire(transport, direction, app_bytes, family) == (wire, segments)
    assert PLAIN.wire(transport, direction, app_bytes, family) == (wire, segments)  # now remembered


def test_quic_stream_is_the_bencode_it_claims_to_be() -> None:
    for body in (0, 9, 10, 99, 970, 4321):
        inner = b"l1:Ci123e9:onion_req%d:%se" % (body, b"x" * body)
        assert SIZES._quic_stream(0, body) == len(b"%d:%s" % (len(inner), inner))
        inner = b"l1:Ri123e%d:%se" % (body, b"x" * body)
        assert SIZES._quic_stream(1, body) == len(b"%d:%s" % (len(inner), inner))


def test_http_texts_are_whole_header_blocks() -> None:
    for text in (wire_rules._DESKTOP_HEADERS, wire_rules._ANDROID_HEADERS, wire_rules._RESPONSE_HEADERS):
        assert text.endswith("\r\n\r\n")
        assert text.count("\r\n\r\n") == 1
        assert "Content-Length: \r\n" in text
        assert all(": " in line for line in text.split("\r\n")[1:-2])
    assert (
        "User-Agent: WhatsApp\r\nAccept-Language: en-us\r\n" in wire_rules._DESKTOP_HEADERS
    )  # transport 3.6


@settings(deadline=None, max_examples=300, derandomize=True)
@given(st.sampled_from(Transport), st.integers(0, 1), st.integers(0, 200_000), st.integers(0, 1))
def test_more_bytes_never_take_fewer_on_the_wire(
    transport: int, direction: int, app_bytes: int, family: int
) -> None:
    size, segments = SIZES.wire(transport, direction, app_bytes, family)
    more, more_segments = SIZES.wire(transport, direction, app_bytes + 1, family)
    assert size < more
    assert segments <= more_segments
    assert (size, segments) == WireSizes(WireRules()).wire(transport, direction, app_bytes, family)
    limit = {QUIC: 1200 + 28, Transport.UDP: 90 + 28}.get(Transport(transport), 1500)
    assert segments * limit >= size > (segments - 1) * limit
    assert size > app_bytes


def test_family_shows_in_https_requests_only() -> None:
    for transport in Transport:
        for direction in (0, 1):
            differ = SIZES.wire(transport, direction, 700) != SIZES.wire(transport, direction, 700, ANDROID)
            assert differ == (transport == HTTPS and direction == 0)


def test_handshakes_worked_by_hand() -> None:
    # SYN 60, ACK 52, hello 517 + 52, finish 80 + 52; SYN-ACK 60, flight and tickets 1,801 + 2 x 52
    assert SIZES.handshake(HTTPS) == (60 + 52 + 597 + 104, 60 + 1801 + 104, 2)
    assert SIZES.handshake(QUIC) == (2 * 1228, 1228 + 328, 1)
    assert SIZES.handshake(OMQ) == (60 + 52 + 64 + 202 + 306 + 156, 60 + 64 + 170 + 72 + 156, 4)


def test_a_push_on_a_kept_connection_worked_by_hand() -> None:
    # head 60 and body 1,000 in one record of 22 more, in one segment of 52 more
    assert SIZES.wire(Transport.TLS, 0, 1000) == SIZES.wire(Transport.TLS, 1, 1000) == (1134, 1)
    assert SIZES.handshake(Transport.TLS) == SIZES.handshake(HTTPS)
    assert SIZES.keep_alive(Transport.TLS) == (78, 28 * 60 * 10**6)
    assert WireSizes(WireRules(push_keepalive_us=0)).keep_alive(Transport.TLS) == (0, 0)


def test_media_worked_by_hand() -> None:
    # 4,500 bytes in 50 datagrams of 90, each with 28 bytes of headers
    assert SIZES.wire(Transport.UDP, 0, 4_500) == (4_500 + 50 * 28, 50)
    assert SIZES.wire(Transport.UDP, 0, 0) == (28, 1)
    assert SIZES.handshake(Transport.UDP) == (1_200, 1_200, 2)
    assert SIZES.keep_alive(Transport.UDP) == (0, 0)


def test_large_certificate_takes_more_segments() -> None:
    large = WireSizes(WireRules(tls_server_bytes=4 * 1448))
    assert large.handshake(HTTPS)[1] == 60 + 4 * 1448 + 4 * 52


def test_only_kept_connections_show_that_they_live_and_only_https_closes_when_idle() -> None:
    assert SIZES.keep_alive(QUIC) == (68, 10_000_000)
    assert SIZES.keep_alive(HTTPS) == SIZES.keep_alive(OMQ) == (0, 0)
    assert WireSizes(WireRules(quic_keepalive_us=0)).keep_alive(QUIC) == (0, 0)
    assert SIZES.idle_limit_us(HTTPS) == 10_000_000
    assert min(SIZES.idle_limit_us(QUIC), SIZES.idle_limit_us(OMQ)) > 10**15


@pytest.mark.parametrize("arguments", [(5, 0, 10), (0, 2, 10), (0, 0, -1), (0, 0, 10, 2), (7, 1, 0)])
def test_impossible_transmission_is_our_mistake(arguments: tuple[int, ...]) -> None:
    with pytest.raises(LocalProtocolError):
        WireSizes(WireRules()).wire(*arguments)
    with pytest.raises(LocalProtocolError):
        SIZES.handshake(5)


def test_every_rule_is_a_setting_with_source_and_bounds_around_its_default() -> None:
    facts = facts_of(WireRules)
    assert set(facts) == {field.name for field in dataclasses.fields(WireRules)}
    for name, fact in facts.items():
        value = getattr(WireRules(), name)
        assert fact.source
        if fact.choices:
            assert value in fact.choices
            continue
        assert (fact.low or 0) <= value <= (fact.high if fact.high is not None else value)
