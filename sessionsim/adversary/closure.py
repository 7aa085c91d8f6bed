"""One observer's share of a transcript: what it can open and read, since when, and what belongs together.

Two rows belong to one exchange when
- they are request and answer of one exchange number on one connection, seen at an operated end of it, or
- they hold one ciphertext of an onion layer or answer, in clear or inside a layer that the observer opens: by
  the wire format these are fresh random strings that occur in one exchange only.
Node keys, account ids, hashes and stored messages occur in many exchanges and link none.

Layers are opened to the least fixpoint: each yields at most one further layer, under keys that are all held
by a known time, so following every chain to its end is enough; answers open under ciphers that came out of
requests and yield only leaves. A test compares it with exhaustive trial.

All times are minima: when a layer, request or answer could be read at the earliest, and, in `linked_us`, when
two places of an exchange were joined by a chain of rows and openings that were all there (the bottleneck of
the best chain, as in Kruskal's algorithm).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

import numpy as np

from sessionsim.adversary.columns import Ints, column, first_of
from sessionsim.adversary.keyring import NEVER, NO_KEY
from sessionsim.adversary.layers import NONE
from sessionsim.adversary.leaks import leaked_us
from sessionsim.adversary.transcript import Transcript
from sessionsim.adversary.trees import Link, earliest_tree, walk
from sessionsim.core.errors import LocalProtocolError
from sessionsim.core.view import AT_ENDPOINT, View


class Closure:
    """All that follows from a view by opening, reading and linking.

    Args:
        view: what the observer has.
        transcript: what can be read in the run, made from this view and others together; None makes it.
    """

    def __init__(self, view: View, transcript: Transcript | None = None) -> None:
        self.view = view
        self.transcript = transcript if transcript is not None else Transcript(view)
        self.held = self.transcript.keys.held(view.keys)
        self.t_row = self._see()
        layers = self.transcript.layers
        self._child, self._request = column(layers.child), column(layers.request)
        self.t_layer, self.t_open = self._open()
        self.t_read = self._read()
        self._trees: dict[int, Mapping[int, list[Link]]] = {}  # of the parts that were asked about
        self.t_answer = first_of(self.transcript.answer, self.t_row, len(self.transcript.answer_marks), NEVER)

    def _see(self) -> Ints:
        """Give when each row of the transcript was seen at an endpoint; NEVER where it was not."""
        rows, transcript = self.view.rows, self.transcript
        here = np.flatnonzero((rows["place"] == AT_ENDPOINT) & (rows["exchange"] != NONE))
        places = transcript.places_of(rows["row"][here].astype(np.int64))
        if len(places) != len(here):
            raise LocalProtocolError("a view with rows that its transcript was not made from")
        t_row = np.full(len(transcript), NEVER, np.int64)
        t_row[places] = rows["t_us"][here]
        return t_row

    def _open(self) -> tuple[Ints, Ints]:
        """Give when each layer was there, and when it was opened."""
        n = len(self.transcript.layers)
        t_layer = first_of(self.transcript.layer, self.t_row, n, NEVER)
        bounded_us = self._where_bounded()
        ways = [column(keys) for keys in self.transcript.layers.keys]
        child = self._child
        inner = np.flatnonzero(child >= 0)
        while True:
            t_open = np.full(n, NEVER, np.int64)
            for way in ways:
                some = np.flatnonzero(way != NO_KEY)
                keys = way[some]
                since = self.held.since_us[keys]
                there = np.where(self.held.roles[keys] > 0, bounded_us[some], t_layer[some])
                t_open[some] = np.minimum(t_open[some], np.maximum(since, there))
            deeper = t_layer.copy()
            np.minimum.at(deeper, child[inner], t_open[inner])
            if np.array_equal(deeper, t_layer):
                return t_layer, t_open
            t_layer = deeper

    def _where_bounded(self) -> Ints:
        """Give when each layer came to its addressee in a role in which the observer looks at that node."""
        transcript, roles = self.transcript, self.held.roles
        bounded = np.full(len(transcript.layers), NEVER, np.int64)
        if not roles.any():
            return bounded
        outermost = np.flatnonzero(transcript.layer >= 0)
        layer = transcript.layer[outermost]
        key = column(transcript.layers.keys[0])[layer]
        allowed = np.where(key >= 0, roles[key], 0) & transcript.receiver_roles[outermost]
        some = allowed > 0
        np.minimum.at(bounded, layer[some], self.t_row[outermost[some]])
        return bounded

    def _read(self) -> Ints:
        """Give when each request could be read."""
        n = len(self.transcript.meaning.calls)
        t_read = first_of(self.transcript.request, self.t_row, n, NEVER)
        some = self._request >= 0
        np.minimum.at(t_read, self._request[some], self.t_open[some])
        return t_read

    @cached_property
    def t_answered(self) -> Ints:
        """When each answer that was read in the transcript could be read by this observer."""
        request, answer = (column(values) for values in self.transcript.meaning.answers)
        return np.maximum(self.t_read[request], self.t_answer[answer])

    @cached_property
    def t_had(self) -> Ints:
        """When the bytes of each message were had first: in a request, in an answer, out of a swarm."""
        meaning = self.transcript.meaning
        had = np.full(len(meaning.hashes), NEVER, np.int64)
        for (holder, message, _), t_us in (
            (meaning.in_request, self.t_read),
            (meaning.in_answer, self.t_answered),
            (meaning.mail_in_request, self.t_read),
            (meaning.mail_in_answer, self.t_answered),
        ):
            np.minimum.at(had, column(message), t_us[column(holder)])
        for haul in self.view.hauls:
            number = meaning.hauled[haul.number]
            had[number] = min(int(had[number]), haul.t_us)
        for whole, parts in meaning.openings.wholes.items():
            had[whole] = max(int(had[part]) for part in parts)
        return had

    @cached_property
    def t_own(self) -> Ints:
        """When each secret was had without opening a message: held, or read where it stands in clear."""
        leaks = self.transcript.leaks
        in_clear_us = leaked_us(leaks, len(self.held.since_us), self.string_us) if leaks else NEVER
        return np.minimum(self.held.since_us, in_clear_us)

    def string_us(self, term: str) -> int:
        """Give when a name could be read first, wherever it stands."""
        return min((t_us for t_us, _, _ in self.readings(term)), default=NEVER)

    def readings(self, term: str) -> Iterator[tuple[int, str, int]]:
        """Give where a name stands: when that could be read, the kind of place, and its number."""
        meaning, number = self.transcript.meaning, self.transcript.meaning.name(term)
        for kind, table, times in (
            ("row", meaning.named_in_row, self.t_row),
            ("layer", meaning.named_in_layer, self.t_open),
            ("request", meaning.named_in_request, self.t_read),
            ("answer", meaning.named_in_answer, self.t_answered),
        ):
            places = column(table[0])[np.flatnonzero(column(table[1]) == number)]
            yield from ((int(times[place]), kind, place) for place in places.tolist())

    @cached_property
    def t_secret(self) -> Ints:
        """When each secret was had first: held, or taken out of a message that another secret opened."""
        t_secret = self.t_own.copy()
        opening, secret = (column(values) for values in self.transcript.meaning.openings.handed)
        while len(opening):
            before = t_secret.copy()
            np.minimum.at(t_secret, secret, self._opened_at(opening, t_secret))
            if np.array_equal(before, t_secret):
                break
        return t_secret

    def _opened_at(self, opening: Ints, t_secret: Ints) -> Ints:
        """Give when openings could be done. Args: t_secret: when each secret was had."""
        message, key = (column(values)[opening] for values in self.transcript.meaning.openings.opened)
        return np.maximum(self.t_had[message], t_secret[key])

    @cached_property
    def openings(self) -> dict[int, tuple[int, int]]:
        """For each message that was opened: since when, and the number of the opening that was first."""
        found: dict[int, tuple[int, int]] = {}
        messages = self.transcript.meaning.openings.opened[0]
        t_us = self._opened_at(np.arange(len(messages)), self.t_secret)
        for opening, (number, since_us) in enumerate(zip(messages, t_us.tolist(), strict=True)):
            if since_us < found.get(number, (NEVER, NONE))[0]:
                found[number] = (since_us, opening)
        return found

    def opened_us(self, opening: int) -> int:
        """Give when one opening could be done; NEVER for one that could not."""
        return int(self._opened_at(np.array([opening]), self.t_secret)[0])

    def handed_by(self, secret: int) -> int:
        """Give the number of the opening that gave a secret first; NONE for one held from outside."""
        t_us = int(self.t_secret[secret])
        if t_us == int(self.t_own[secret]):
            return NONE
        opening, out = (column(values) for values in self.transcript.meaning.openings.handed)
        some = opening[out == secret]
        return int(some[np.argmin(self._opened_at(some, self.t_secret))])

    def reading(self, request: int) -> tuple[int, list[tuple[int, int]]]:
        """Say where a request that is read was read first, and how.

        Returns:
            The place of the row, and the layers that were opened with the keys used, from the outside in.
        """
        for place in self.transcript.rows_of_request.of(request):
            if self.t_row[place] == self.t_read[request]:
                return place, []
        return self._way(self.transcript.chain(request), int(self.t_read[request]))

    def opening(self, layer: int) -> tuple[int, list[tuple[int, int]]]:
        """Say where a layer that is opened was opened first, and how; as `reading`."""
        return self._way(self.transcript.outwards(layer), int(self.t_open[layer]))

    def _way(self, layers: list[int], t_us: int) -> tuple[int, list[tuple[int, int]]]:
        """Find the row from which a chain of layers could be opened at a time, and the keys."""
        for depth, layer in enumerate(layers):
            way = layers[depth:]
            for place in self.transcript.rows_of_layer.of(layer):
                keys = [self._key(one, place if one == layer else NONE) for one in way]
                if max(int(self.t_row[place]), *(since_us for _, since_us in keys)) == t_us:
                    return place, [(one, key) for one, (key, _) in zip(way, keys, strict=True)]
        raise LocalProtocolError(f"layers {layers} are not opened here")

    def _key(self, layer: int, place: int) -> tuple[int, int]:
        """Give the key that opens a layer first, and since when it can; NEVER where it may not here."""
        best = (NO_KEY, NEVER)
        for keys in self.transcript.layers.keys:
            key = keys[layer]
            if key == NO_KEY:
                continue
            roles, since_us = int(self.held.roles[key]), int(self.held.since_us[key])
            if roles and (place == NONE or not roles & int(self.transcript.receiver_roles[place])):
                continue
            if since_us < best[1]:
                best = (key, since_us)
        return best

    def answered_at(self, read: int) -> int:
        """Give the place of the first row with an answer. Args: read: its number among those read."""
        answer = self.transcript.meaning.answers[1][read]
        places = self.transcript.rows_of_answer.of(answer)
        return min(places, key=lambda place: (int(self.t_row[place]), place))

    # --- what belongs together -------------------------------------------------------------------------
    # Things are numbered through: rows, then layers, requests and answers.

    @cached_property
    def _offsets(self) -> tuple[int, int, int, int]:
        layers = len(self.t_row)
        requests = layers + len(self.t_layer)
        answers = requests + len(self.t_read)
        return layers, requests, answers, answers + len(self.t_answer)

    def layer_thing(self, layer: int) -> int:
        """Give the number of a layer among all things."""
        return self._offsets[0] + layer

    def request_thing(self, request: int) -> int:
        """Give the number of a request among all things."""
        return self._offsets[1] + request

    def place_of(self, thing: int) -> int:
        """Give the place of the row at which a row, opened layer or request that is read was had first."""
        layers, requests, answers, _ = self._offsets
        if thing < layers:
            return thing
        if thing < requests:
            return self.opening(thing - layers)[0]
        assert thing < answers
        return self.reading(thing - requests)[0]

    def is_row(self, thing: int) -> bool:
        """Say whether a thing is a row, and its number the place."""
        return thing < self._offsets[0]

    def shared(self, thing: int) -> tuple[str, bytes]:
        """Name a string that rows share: what it is, and its first bytes."""
        layers, requests, answers, _ = self._offsets
        if thing < requests:
            return "ciphertext", self.transcript.layers.marks[thing - layers]
        return "answer ciphertext", self.transcript.answer_marks[thing - answers]

    @cached_property
    def _edges(self) -> tuple[Ints, Ints, Ints]:
        """All links there are: two things, and since when they are linked."""
        transcript, t_row = self.transcript, self.t_row
        layers, requests, answers, _ = self._offsets
        places = np.arange(len(t_row), dtype=np.int64)
        numbers = np.arange(len(self.t_open), dtype=np.int64)
        asked = transcript.asked
        parts = [
            (places, np.where(transcript.layer >= 0, layers + transcript.layer, NONE), t_row),
            (places, np.where(transcript.request >= 0, requests + transcript.request, NONE), t_row),
            (places, np.where(transcript.answer >= 0, answers + transcript.answer, NONE), t_row),
            (places, asked, np.maximum(t_row, np.where(asked >= 0, t_row[asked], 0))),
            (layers + numbers, np.where(self._child >= 0, layers + self._child, NONE), self.t_open),
            (layers + numbers, np.where(self._request >= 0, requests + self._request, NONE), self.t_open),
        ]
        links = list[tuple[Ints, ...]]()
        for part in parts:
            there = np.flatnonzero((part[1] >= 0) & (part[2] < NEVER))
            links.append(tuple(values[there] for values in part))
        one, other, t_us = (np.concatenate([link[k] for link in links]) for k in range(3))
        return one, other, t_us

    @cached_property
    def part(self) -> Ints:
        """Which connected part each thing is in; every thing that is not there is a part by itself."""
        # Here, since a seventh of all that the program loads at its start hangs on it.
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        one, other, _ = self._edges
        n = self._offsets[-1]
        graph = coo_array((np.ones(len(one), np.int8), (one, other)), shape=(n, n))
        return np.asarray(connected_components(graph, directed=False)[1], np.int64)

    @cached_property
    def clients(self) -> tuple[Ints, Ints, Ints]:
        """Give, for each connected part, its one client, the first row with it, and the first to it.

        NONE where no client, or more than one, is an end of the part, or no answer goes to it.
        """
        rows, n = self.transcript.rows, int(self.part.max(initial=NONE)) + 1
        seen = self.t_row < NEVER
        part = self.part[: len(seen)]
        servers = np.fromiter(self.view.servers, np.int64, len(self.view.servers))
        ends, places = [], []
        for column_ in ("src", "dst"):
            end = rows[column_].astype(np.int64)
            outside = (end >= len(self.view.nodes)) & ~np.isin(end, servers)
            places.append(np.flatnonzero(seen & outside))
            ends.append(end[places[-1]])
        client, place = np.concatenate(ends), np.concatenate(places)
        least, most = np.full(n, NEVER, np.int64), np.full(n, NONE, np.int64)
        np.minimum.at(least, part[place], client)
        np.maximum.at(most, part[place], client)
        alone = least == most
        to_client = (rows["direction"][place] == 1) & (rows["dst"][place] == most[part[place]])
        firsts = [self._earliest(part, place[chosen], n) for chosen in (slice(None), to_client)]
        return tuple(np.where(alone, values, NONE) for values in (most, *firsts))  # type: ignore[return-value]

    def _earliest(self, part: Ints, places: Ints, n: int) -> Ints:
        """Give, for each of n parts, the earliest of some places in it; NONE for none."""
        first = np.full(n, NONE, np.int64)
        order = places[np.lexsort((places, self.t_row[places]))][::-1]
        first[part[order]] = order
        return first

    @cached_property
    def _links_of(self) -> tuple[Ints, Ints]:
        """Order links by the part they are in: the order, and where each part begins in it."""
        one, _, _ = self._edges
        part = self.part[one]
        order = np.argsort(part, kind="stable")
        begins = np.searchsorted(part[order], np.arange(int(self.part.max(initial=-1)) + 2))
        return order, begins

    def links(self, part: int) -> list[Link]:
        """Give the links of one part, by the time since when they are there."""
        order, begins = self._links_of
        chosen = order[begins[part] : begins[part + 1]]
        columns = (values[chosen].tolist() for values in self._edges)
        return sorted(map(Link._make, zip(*columns, strict=True)), key=lambda link: link.t_us)

    def linked_us(self, start: int, end: int) -> int:
        """Give since when two things of one part are joined by links that are all there."""
        path = self.path(start, end)
        return max((link.t_us for link in path), default=-NEVER)

    def path(self, start: int, end: int) -> Sequence[Link]:
        """Give the chain of links between two things of one part that was complete first."""
        part = int(self.part[start])
        tree = self._trees.get(part)
        if tree is None:
            tree = self._trees[part] = earliest_tree(self.links(part))
        return walk(tree, start, end)
