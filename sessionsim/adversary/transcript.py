"""Everything in a run's bytes that somebody can read: made once, for all observers.

Reading is dear and its results do not depend on who reads: a layer opens to the same plaintext for whoever
holds a key of it. So the requests, answers and layers of all rows that some observer has are read once, with
all the keys that some observer has, and noted together with what one needs to read them. `closure` then gives
each observer its share; it is the gate, and a test holds its result against a transcript made of one
observer's rows and keys alone.

Rows are taken in time order, some thousands at a time: requests first, then answers, under the ciphers found
in the requests. An answer to what nobody can read, or can read only with what later rows say, waits for the
end. Byte strings are fetched one by one and not kept; of such a piece of a run they are at hand for both.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any, Final

import numpy as np

from sessionsim.adversary.collector import collector_paused
from sessionsim.adversary.columns import Ints, Places, column
from sessionsim.adversary.keyring import Keys
from sessionsim.adversary.layers import NONE, Layers, Opened, Ways, ways_by_name
from sessionsim.adversary.leaks import Leak, keys_of, leaks_of
from sessionsim.adversary.meaning import OK, Meaning
from sessionsim.adversary.observation import public_names
from sessionsim.adversary.polls import EmptyAnswers, Polls
from sessionsim.adversary.readers import (
    FROM_NODE,
    ONION_HEADS,
    read_answer,
    read_answer_ciphertext,
    read_clear_answer,
    read_node_answer,
    read_plaintext,
    read_request,
)
from sessionsim.adversary.roles import roles_of
from sessionsim.adversary.terms import BASE64, UNKNOWN, Answer, Body, Call, Innermost, Layer
from sessionsim.core.blob_store import strings
from sessionsim.core.errors import CannotOpen
from sessionsim.core.view import AT_ENDPOINT, Table, View
from sessionsim.protocol.crypto import suite_named
from sessionsim.protocol.crypto.layer import Layer as Cipher

_NO_EXCHANGE: Final = -1
# Rows that are read together: their strings fit into what `core.blob_store` keeps. Assumption: as do polls.
_PIECE: Final = 16384
_IN_CLEAR: Final = re.compile(rb"[ -~]{32,}")  # what is sealed has no such text by chance
_COLUMNS: Final = ("row", "t_us", "src", "dst", "conn", "exchange", "head", "direction", "blob")
_FindWays = Callable[[Keys], Ways]


class Transcript:
    """What can be read in a run.

    Args:
        view: what all observers concerned have together: the view of their joint position.
        ways: how keys are found for layers; None for the index by public key.
    """

    def __init__(self, view: View, ways: _FindWays | None = None) -> None:
        leaked: Sequence[Leak] = ()
        while more := self._make(view, ways, leaked):  # what they open was not opened yet
            leaked = more

    def _make(self, view: View, ways: _FindWays | None, leaked: Sequence[Leak]) -> Sequence[Leak]:
        """Read everything. Args: leaked: secrets in clear. Returns all of them, if some are new."""
        self.view = view
        self.nodes = view.nodes
        self.suite = suite_named(view.suite, memo=False)
        self.keys = Keys((*view.keys, *keys_of(leaked)))
        found = ways(self.keys) if ways else ways_by_name(self.keys, view.nodes.x25519, view.server_keys)
        self.layers = Layers(self.suite, self.keys, found, self._inside, None if ways else view.nodes)
        self._servers = {key: endpoint for endpoint, key in view.server_keys.items()}
        self.meaning = Meaning(self.suite, self.keys, public_names(view), self.calls_again)
        for leak in leaked:
            leak.number(self.keys, self.meaning.openings)
        self._polls = Polls(self.meaning, partial(read_plaintext, nodes=view.nodes))
        self._empty = EmptyAnswers(self.meaning)
        self.ciphers: list[
            tuple[Cipher | None, str]
        ] = []  # of each request: what opens its answer, and style
        self._found: list[int] = []  # of each request: where it was read first
        self.addressees = array("q")  # of each request: who it was for, an endpoint; UNKNOWN for a name
        self._answer_of: dict[int, int] = {}  # of each byte string that an onion answer is
        self._answered: set[tuple[int, int]] = set()  # request and answer
        # Answers that do not open, though their requests do, and those with something in clear.
        self._closed: set[int] = set()
        self._place = NONE
        rows = view.rows
        here = (rows["place"] == AT_ENDPOINT) & (rows["exchange"] != _NO_EXCHANGE)
        some: Any = slice(None) if here.all() else here  # without copying where nothing is left out
        self.rows: Table = {name: rows[name][some].astype(np.int64, copy=False) for name in _COLUMNS}
        n = len(self.rows["row"])
        # Of each row: number of the outermost layer, of a request in clear, of an answer; the row it answers.
        self.layer, self.request, self.answer, self.asked = (np.full(n, NONE, np.int64) for _ in range(4))
        self.answer_marks: list[bytes] = []
        with collector_paused():
            self._read()
            for haul in view.hauls:
                self.meaning.take_haul(haul)
            self.leaks, more = leaks_of(self.meaning, self.keys)
            self.meaning.openings.finish()
        self._by_number = np.argsort(self.rows["row"], kind="stable")
        self._numbers = self.rows["row"][self._by_number]
        return more

    def __len__(self) -> int:
        return len(self.rows["row"])

    @property
    def tries(self) -> int:
        """How often a key was tried on a layer."""
        return self.layers.tries

    def places_of(self, numbers: Ints) -> Ints:
        """Give where rows stand here, by their numbers in the run; rows that are not here are left out."""
        at = np.searchsorted(self._numbers, numbers)
        known = at < len(self._numbers)
        known[known] = self._numbers[at[known]] == numbers[known]
        return self._by_number[at[known]]

    @cached_property
    def receiver_roles(self) -> Ints:
        """Give, for each row, the bits of the roles in which its receiver got it; 0 for none."""
        sender, receiver = roles_of(self.rows, self.view.blobs, len(self.nodes), self.view.servers)
        bits = np.where(receiver >= 0, 1 << np.maximum(receiver, 0).astype(np.int64), 0)
        # Who sends to itself has the roles of both ends.
        itself = (self.rows["src"] == self.rows["dst"]) & (sender >= 0)
        bits[itself] |= 1 << sender[itself].astype(np.int64)
        return bits

    @cached_property
    def keys_inside(self) -> list[tuple[int, bytes]]:
        """Find the keys of all ids that anybody has in what was opened: number of the message, key."""
        ids = {account.id for _, account in self.keys.accounts()} | self.view.ids | self.meaning.ids()
        return self.meaning.openings.insides.find({one[1:] for one in ids})

    @cached_property
    def rows_of_layer(self) -> Places:
        """Find rows by their outermost layer."""
        return Places(self.layer)

    @cached_property
    def rows_of_request(self) -> Places:
        """Find rows by their request in clear."""
        return Places(self.request)

    @cached_property
    def rows_of_answer(self) -> Places:
        """Find rows by their answer."""
        return Places(self.answer)

    @cached_property
    def _around(self) -> tuple[dict[int, int], dict[int, int]]:
        child, request = column(self.layers.child), column(self.layers.request)
        outer, last = np.flatnonzero(child >= 0), np.flatnonzero(request >= 0)
        parents = dict(zip(child[outer].tolist(), outer.tolist(), strict=True))
        return parents, dict(zip(request[last].tolist(), last.tolist(), strict=True))

    def chain(self, request: int) -> list[int]:
        """Give the layers around a request, from the outside in; none for one in clear."""
        return self.outwards(self._around[1].get(request, NONE))

    def outwards(self, layer: int) -> list[int]:
        """Give a layer and those around it, from the outside in."""
        parents, chain = self._around[0], list[int]()
        while layer >= 0:
            chain.append(layer)
            layer = parents.get(layer, NONE)
        return chain[::-1]

    def _payloads(self, places: Ints) -> Iterator[tuple[int, int, int, bytes]]:
        """Give place, head, receiver and bytes of some rows, of those whose bytes were kept."""
        rows = self.rows
        heads, receivers = (rows[name][places].tolist() for name in ("head", "dst"))
        payloads = strings(self.view.blobs, rows["blob"][places])
        for place, head, dst, payload in zip(places.tolist(), heads, receivers, payloads, strict=True):
            if payload is not None:
                yield place, head, dst, payload

    def _read(self) -> None:
        """Read all rows."""
        self._pair()
        asking = self.rows["direction"] == 0
        answering, waiting = ~asking & (self.asked >= 0), list[Ints]()
        for begin in range(0, len(self), _PIECE):
            piece = slice(begin, begin + _PIECE)
            self._read_requests(begin + np.flatnonzero(asking[piece]))
            places = begin + np.flatnonzero(answering[piece])
            requests = self._asked_for(places)
            self._read_answers(places[requests >= 0], requests[requests >= 0])
            waiting.append(places[requests < 0])
        late = np.concatenate(waiting) if waiting else np.empty(0, np.int64)
        self._read_answers(late, self._asked_for(late))

    def _read_requests(self, places: Ints) -> None:
        n_nodes, servers = len(self.nodes), self.view.servers
        layer, request, meaning, again = self.layer, self.request, self.meaning, self.layers.met_again
        met = array("q"), array("q")  # places and layers, of those on their way further
        for place, head, dst, payload in self._payloads(places):
            number = again(payload) if head == FROM_NODE else NONE
            if number >= 0:
                met[0].append(place)
                met[1].append(number)
                continue
            self._place = place
            term = read_request(head, payload, dst if dst < n_nodes or dst in servers else UNKNOWN)
            if isinstance(term, Layer):
                layer[place] = self.layers.meet(term)
                if term.beside:
                    meaning.take_beside(meaning.named_in_row, place, term.beside)
            elif term is not None and (term.calls or term.beside):
                request[place] = self._add_request(term, None, "", b"", dst)
            else:
                meaning.take_unread(meaning.named_in_row, place, payload)
        layer[column(met[0])] = column(met[1])

    def _inside(self, number: int, depth: int, layer: Layer, opened: Opened) -> tuple[int, int]:
        """Take what a layer held: numbers of the next layer and of the request."""
        again = None if layer.server else self._polls.find(opened.plaintext)
        if again is not None:
            self._add_cipher(opened.cipher, again[0].style, opened.node, layer.addressee)
            return NONE, self._polls.take(again)
        term = read_plaintext(opened.plaintext, self.nodes, layer.server)
        if isinstance(term, Layer):
            if term.beside:
                self.meaning.take_beside(self.meaning.named_in_layer, number, term.beside)
            return self.layers.meet(term, depth + 1), NONE
        if isinstance(term, Innermost):
            body, cipher, style = term.body, opened.cipher, term.style
            if not body.calls:
                self.meaning.take_unread(self.meaning.named_in_layer, number, opened.plaintext)
            request = self._add_request(body, cipher, style, opened.node, layer.addressee)
            if not layer.server:
                self._polls.learn(opened.plaintext, term, request)
            return NONE, request
        self.meaning.take_unread(self.meaning.named_in_layer, number, opened.plaintext)
        return NONE, NONE

    def _add_request(
        self, body: Body, cipher: Cipher | None, style: str, public: bytes, addressee: int
    ) -> int:
        self._add_cipher(cipher, style, public, addressee)
        return self.meaning.take_request(body, public)

    def _add_cipher(self, cipher: Cipher | None, style: str, public: bytes, addressee: int) -> None:
        if cipher is not None:
            cipher.rest()
        self.ciphers.append((cipher, style))
        self._found.append(self._place)
        self.addressees.append(addressee if addressee != UNKNOWN else self._servers.get(public, UNKNOWN))

    def _asked_for(self, places: Ints) -> Ints:
        """Give the request that each answer is to, as far as it has been read; NONE for others."""
        asked = self.asked[places]
        child, request = (column(values) for values in (self.layers.child, self.layers.request))
        layer = self.layer[asked]
        while len(deeper := np.flatnonzero((layer >= 0) & (child[layer] >= 0) if len(child) else ())):
            layer[deeper] = child[layer[deeper]]
        found = self.request[asked].copy()
        onioned = layer >= 0
        found[onioned] = request[layer[onioned]]
        return found

    def _read_answers(self, places: Ints, requests: Ints) -> None:
        """Number answers, and open each distinct one under the cipher of the request that it is to."""
        head, blob = (self.rows[name][places].astype(np.int64, copy=False) for name in ("head", "blob"))
        onioned = np.isin(self.rows["head"][self.asked[places]], list(ONION_HEADS))
        # On its way back an answer is the same string in several rows, of which one is enough.
        alike = onioned & (head == OK) & (blob >= 0)
        kind = np.where(alike, blob * (len(self.ciphers) + 1) + requests + 1, ~places)
        _, first, inverse = np.unique(kind, return_index=True, return_inverse=True)
        chosen, number = np.sort(first), np.full(len(places), NONE, np.int64)
        columns = (values[chosen].tolist() for values in (head, blob, onioned, requests))
        number[chosen] = list(self._distinct_answers(*columns))
        number = number[first[inverse]]
        self.answer[places] = number
        # What is no answer, answers what nobody knows, or does not open as it should may still name somebody.
        closed = np.isin(number, list(self._closed)) if self._closed else np.zeros(len(number), np.bool_)
        unread = places[closed | (np.where(onioned, number, requests) < 0)]
        for place, _head, _dst, payload in self._payloads(unread):
            self.meaning.take_unread(self.meaning.named_in_row, place, payload)

    def _distinct_answers(
        self, heads: list[int], blobs: list[int], onioned: list[bool], requests: list[int]
    ) -> Iterator[int]:
        """Open answers; gives the number of each. Args: columns of one length; the requests they answer."""
        payloads = strings(self.view.blobs, blobs)
        for head, blob, onion, request, payload in zip(
            heads, blobs, onioned, requests, payloads, strict=True
        ):
            number, ciphertext = self._answer_of.get(blob, NONE) if onion else NONE, b""
            if number < 0 and payload is not None:
                ciphertext = read_answer_ciphertext(head, payload) if onion else payload
                if ciphertext:
                    number = len(self.answer_marks)
                    self.answer_marks.append(ciphertext[:8])
                    if onion:
                        self._answer_of[blob] = number
                        if not payload.isascii() and _IN_CLEAR.search(payload):
                            self._closed.add(number)
            yield number
            if number < 0 or payload is None or request < 0 or (request, number) in self._answered:
                continue
            self._answered.add((request, number))
            if not self._take_answer(request, number, head, payload, ciphertext) and onion:
                self._closed.add(number)

    def _take_answer(self, request: int, answer: int, status: int, payload: bytes, ciphertext: bytes) -> bool:
        """Note an answer. Args: ciphertext: in it; empty where it must be read first.

        Returns:
            Whether it opens under the cipher of its request.
        """
        cipher, style = self.ciphers[request]
        text = b""
        if cipher is not None and style == BASE64 and payload.isascii():  # nearly all
            try:
                text = self.layers.opener.open_again(
                    cipher, ciphertext or read_answer_ciphertext(OK, payload)
                )
            except CannotOpen:
                return False
            if self._empty.take(request, answer, text):
                return True
            read = read_node_answer(text, len(self.meaning.calls[request]))
        else:
            read = self._answer(request, status, payload)
        if read is not None:
            self.meaning.take_answer(request, answer, read)
            if text:
                self._empty.learn(request, text, read)
        return read is not None

    def _pair(self) -> None:
        """Find the request that each answer answers: the last before it of that number on its connection."""
        rows, places = self.rows, np.arange(len(self), dtype=np.int64)
        asking = rows["direction"] == 0
        asker = np.where(asking, rows["src"], rows["dst"])
        order = np.lexsort((rows["exchange"], asker, rows["conn"]))  # of equal ones the earlier first
        keys = [rows[name][order] for name in ("exchange", "conn")] + [asker[order]]
        begins = np.ones(len(order), np.bool_)
        begins[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
        # Of each place in this order: where the last request or the last beginning of a number stands.
        spot = np.where(asking[order] | begins, places, 0)
        last = np.maximum.accumulate(spot) if len(spot) else spot
        found = np.where(asking[order[last]], order[last], NONE) if len(spot) else spot
        answers = ~asking[order]
        self.asked[order[answers]] = found[answers]

    def inwards(self, layer: int) -> list[int]:
        """Give a layer and those inside it, as far as anybody opens them."""
        chain = []
        while layer >= 0:
            chain.append(layer)
            layer = self.layers.child[layer]
        return chain

    def answer_again(self, request: int, place: int) -> Answer | None:
        """Read the answer in a row once more, with all its fields."""
        payload = self.view.blobs[int(self.rows["blob"][place])]
        return self._answer(request, int(self.rows["head"][place]), payload)

    def calls_again(self, request: int) -> tuple[Call, ...]:
        """Read a request once more, with all its fields, which are not kept."""
        *_, last = self.unwrapped(self._found[request])
        body = last.body if isinstance(last, Innermost) else last
        return body.calls if isinstance(body, Body) else ()

    def unwrapped(self, place: int) -> Iterator[Layer | Innermost | Body | None]:
        """Read a row once more, layer by layer, with all keys that anybody here has."""
        yield from (term for term, _ in self.peeled(place))

    def peeled(self, place: int) -> Iterator[tuple[Layer | Innermost | Body | None, Opened | None]]:
        """`unwrapped`, each with the layer that it came out of; None for what arrived."""
        rows, n_nodes = self.rows, len(self.nodes)
        head, dst, blob = (int(rows[name][place]) for name in ("head", "dst", "blob"))
        known = dst < n_nodes or dst in self.view.servers
        term: Layer | Innermost | Body | None
        term, opened = read_request(head, self.view.blobs[blob], dst if known else UNKNOWN), None
        yield term, opened
        while isinstance(term, Layer):
            opened = next((found for _, found in self.layers.open_again(term)), None)
            term = None if opened is None else read_plaintext(opened.plaintext, self.nodes, term.server)
            yield term, opened

    def _answer(self, request: int, status: int, payload: bytes) -> Answer | None:
        n_calls = len(self.meaning.calls[request])
        cipher, style = self.ciphers[request]
        if cipher is None:
            return read_clear_answer(status, payload, n_calls)
        return read_answer(cipher, style, payload, n_calls)
