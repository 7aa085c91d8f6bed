"""Where the servers are that clients use beside the nodes: which there are, their names, sites and keys.

    file        files of messages and profiles      asked through last hops
    push        subscriptions of fast-mode devices   asked through last hops; subscribes at nodes
    community   rooms                                asked through last hops; several, rooms spread over them
    seed        node lists for new clients           asked directly
    turn        relays for the media of calls         asked directly, at addresses
    web         a site that people link to            asked directly by who writes the link
    apple, google, huawei   push platforms           told by the push server, connected to by devices

Endpoint numbers follow those of the clients, in the order of KINDS. A server has an Ed25519 pair and the
X25519 pair converted from it, drawn from the seed: the secrets of the real ones are not known, so neither are
their public keys used. Addresses are in 248.0.0.0/8, beside nodes and clients.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sessionsim.core.errors import InvalidInput
from sessionsim.core.seeds import Seeds
from sessionsim.core.settings import setting
from sessionsim.network.places import sites_of_country
from sessionsim.protocol.crypto import KeyPair, real
from sessionsim.protocol.wire.onion_server import ServerAddress

KINDS: Final = ("file", "push", "community", "seed", "apple", "google", "huawei", "turn", "web")
# Host names by kind; of further servers of a kind see `_host`.
# Source: client-behaviour 6.4, 6.5; transport 4. That of a community is an Assumption: anyone may run one.
_HOSTS: Final[Mapping[str, tuple[str, ...]]] = {
    "file": ("filev2.getsession.org",),
    "push": ("push.getsession.org",),
    "community": ("open.getsession.org",),
    "seed": ("seed1.getsession.org", "seed2.getsession.org", "seed3.getsession.org"),
    "apple": ("api.push.apple.com",),
    "google": ("fcm.googleapis.com",),
    "huawei": ("push-api.cloud.huawei.com",),
    "web": ("www.example.org",),
    "turn": tuple(f"{name}.getsession.org" for name in ("freyr", "angus", "hereford", "holstein", "brahman")),
}
# Source: transport 3.4 (https), client-behaviour 6.5 (the file server is asked by http), transport 4 (seeds).
_PORTS: Final[Mapping[str, int]] = {"file": 80, "push": 443, "community": 443, "seed": 4443} | dict.fromkeys(
    ("apple", "google", "huawei", "turn", "web"), 443
)
# Assumption: 248.0.0.0/8 for servers, of the block reserved for future use (RFC 1112, section 4).
SERVER_BLOCK: Final = 248 << 24
_COUNTRY: Final = re.compile(r"[A-Z]{2}\Z", re.ASCII)
_MOST: Final = 100  # Assumption: servers of one kind; more is a slip of the pen
# Clients know one of them by name. Source: client-behaviour 6.4, 6.5
_SINGLE: Final = ("file", "push", "apple", "google", "huawei", "web")


def _countries(what: str, default: tuple[str, ...], source: str) -> tuple[str, ...]:
    return setting(  # type: ignore[no-any-return]
        default, doc=f"Countries where the {what} stand, one for each; none for an empty list.", source=source
    )


_PLACE: Final = "Assumption: where it stands is not published"
_EDGE: Final = "Assumption: one place; the real ones have many, so that delays to devices are shorter"


@dataclass(frozen=True, slots=True)
class ServerRules:
    """Which servers there are, and which of them are off."""

    file_in: tuple[str, ...] = _countries("file servers", ("DE",), _PLACE)
    push_in: tuple[str, ...] = _countries("push servers", ("DE",), _PLACE)
    community_in: tuple[str, ...] = _countries("community servers", ("DE",), _PLACE)
    seed_in: tuple[str, ...] = _countries(
        "seed nodes",
        ("FI", "FI", "US", "US", "US"),
        "transport 4 has five addresses; Assumption: the countries of the networks they belong to",
    )
    apple_in: tuple[str, ...] = _countries("push platforms of Apple", ("US",), _EDGE)
    google_in: tuple[str, ...] = _countries("push platforms of Google", ("US",), _EDGE)
    huawei_in: tuple[str, ...] = _countries("push platforms of Huawei", ("SG",), _EDGE)
    turn_in: tuple[str, ...] = _countries("TURN servers", ("DE", "DE", "US", "US", "SG"), _PLACE)
    web_in: tuple[str, ...] = _countries(
        "web sites that people link to", ("US",), "Assumption: one site stands for all"
    )
    off: tuple[str, ...] = setting(
        (),
        doc="Kinds of servers that do not answer.",
        source="Assumption: all work",
    )

    def __post_init__(self) -> None:
        for kind in KINDS:
            self._check(kind)
        for kind in self.off:
            if kind not in KINDS:
                raise InvalidInput("off", kind, "kinds of servers: " + ", ".join(KINDS))

    def countries(self, kind: str) -> tuple[str, ...]:
        """Give the countries of one kind of server."""
        found: tuple[str, ...] = getattr(self, f"{kind}_in")
        return found

    def _check(self, kind: str) -> None:
        codes = self.countries(kind)
        for code in codes:
            if not _COUNTRY.match(code):
                raise InvalidInput(f"{kind}_in", code, 'countries of two capital letters, like "DE"')
            try:
                sites_of_country(code)
            except InvalidInput as wrong:
                raise InvalidInput(f"{kind}_in", code, wrong.allowed) from wrong
        if len(codes) > _MOST or (kind in _SINGLE and len(codes) > 1):
            raise InvalidInput(
                f"{kind}_in", f"{len(codes)} servers", f"at most {_MOST}; one of {', '.join(_SINGLE)}"
            )


@dataclass(frozen=True, slots=True)
class PlacedServer:
    """One server.

    Args:
        kind: one of KINDS. number: among those of its kind.
        endpoint: its number in the run.
        host: name that last hops and clients know it by.
        country, site: where it stands.
        ip: IPv4 address as an integer. port: where it listens.
        ed, x: its keys.
        off: it never answers.
    """

    kind: str
    number: int
    endpoint: int
    host: str
    country: str
    site: int
    ip: int
    port: int
    ed: KeyPair
    x: KeyPair
    off: bool

    @property
    def owner(self) -> str:
        """How the table of keys calls it: `server:file`, of further ones `server:community-1`."""
        return f"server:{self.kind}" + (f"-{self.number}" if self.number else "")

    @property
    def address(self) -> ServerAddress:
        """What a client knows of it. Source: client-behaviour 6.5 (the file server by http)."""
        return ServerAddress(self.host, self.x.public, "http" if self.kind == "file" else "https")


def place_servers(rules: ServerRules, first_endpoint: int, seeds: Seeds) -> tuple[PlacedServer, ...]:
    """Place the servers of a run. A server depends on the seed, its kind and number and its country alone.

    Args:
        first_endpoint: number of the first of them.
    """
    placed: list[PlacedServer] = []
    for place, kind in enumerate(KINDS):
        for number, country in enumerate(rules.countries(kind)):
            sites = sites_of_country(country)
            ed = real.ed25519_keypair(seeds.key("server", kind, number))
            placed.append(
                PlacedServer(
                    kind,
                    number,
                    first_endpoint + len(placed),
                    _host(kind, number),
                    country,
                    sites[seeds.address("server-place", kind, number) * len(sites) >> 64],
                    SERVER_BLOCK + (place << 16) + (number << 8) + 1,
                    _PORTS[kind],
                    ed,
                    real.x25519_of_ed25519(ed),
                    kind in rules.off,
                )
            )
    return tuple(placed)


def by_kind(servers: tuple[PlacedServer, ...]) -> dict[str, tuple[int, ...]]:
    """Give the endpoints of every kind that there is."""
    kinds = dict.fromkeys(server.kind for server in servers)
    return {kind: tuple(one.endpoint for one in servers if one.kind == kind) for kind in kinds}


def _host(kind: str, number: int) -> str:
    names = _HOSTS[kind]
    return names[number] if number < len(names) else f"{kind}{number + 1}.example"
