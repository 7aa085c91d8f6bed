"""The contract between a protocol machine and whatever hosts it.

A machine is a plain object. Time is an argument (integer microseconds), randomness a seeded `Entropy`
given at construction. Each call returns a sequence of effects, and an effect is a plain tuple whose first
item is its kind, because millions of them pass:

    (SEND, dst, conn, exchange, head, payload, note)
        Transmit `payload` to endpoint `dst`. `conn` is the connection handle: its low three bits are the
        `core.columns.Transport`, and there is one connection per (src, dst, handle). A handle with BACK
        stands for the connection that `dst` has opened to us under the handle without it: so go what a
        server tells without being asked, and the answers to that. `exchange` pairs a request with its answer:
        the requester chooses a number unique for itself, the answer repeats it. `head` of a request is an
        endpoint name from `core.columns.HEADS`, of an answer its status (int, 100 or more). `note` is for
        truth only; 0 inherits the note of the transmission that led to this one.
        Onion requests of clients, and the answers to them, may be of the kind `wire.unsealed` in place of
        bytes, if the host has said that it takes such.
    (CONNECT, dst, conn, exchange, note)
        Open the connection, if it is not open, and nothing more. Once it is, `receive` gets status CONNECTED
        from there; if it cannot be, `failed` is called.
    (CLOSE, dst, conn)
        Let go of a connection; the next transmission on it opens a new one.
    (CLOSE, dst, conn, exchange)
        Wait no longer for the answer to a request. Where connections carry one request at a time, the one
        that it went over is closed; nothing happens to others.
    (LATER, t_us, send)
        Transmit then what stands in a SEND, as if it left now in all but time: an answer that is held back
        keeps the note and the draws of what it answers.
    (WAKE_AT, t_us)
        Call `wake` then. One wake is pending; the latest wish wins.
    (DELIVER, sender_id, sent_ms, body, message_hash)
        Hand a message to the person: one that was received, or one that the person wrote on another device.
        sender_id: 33 bytes; body: str, or a record of `contents` for what is no text; message_hash: str.
    (LOG, what, ref, value)
        Tell truth what happened to message `ref`, see below.
    (EVENT, what, ref, value)
        Tell truth that something happened which is no message's fate. what: a name (str); ref: a message's
        number, its storage hash, or −1; value: int. Which names there are, the part says that has them.

Every message that a client is commanded to bring to others has a number, and is accounted for:

- The part that takes the command keeps the number, and names it in `pending`, until it has logged `stored`
  (int, time in µs: a node or server has confirmed it) or `failed` (str: why it was given up, or was not sent
  at all); exactly one of the two, once. So a message is at each moment with its sender, stored, or given up.
- Before the first attempt it logs `hash` (str: the storage hash, or whatever names the stored message for
  good; what a device delivers is recognised by it) and `written` ((time it was written, time nodes forget
  it), unix ms). Sealing again logs the new hash.
- For a message to several people it logs `to` with the ids (33 bytes each) of all accounts that shall get it,
  as far as the sender knows when it sends: their devices, and the other devices of the sender if it is among
  them, are then expected to deliver it. Of a direct message this is known without.
- `attempts` (int) tells how many there were so far. `sync_hash`, `sync_stored` and `sync_failed` are the same
  for a copy that only the sender's other devices get, which `pending_copies` names meanwhile.
- Who delivers a message names the hash under which it was stored. It delivers a message once, and never what
  it sent itself. What cannot be read, or is not to be shown, is not delivered.

At the end of a run `network.accounts_book` holds all this against what nodes and servers still keep.

The host gives each transmission a 64-bit draw address: that of a transmission which a machine starts in
`start`, `command` or `wake` is `mix(address of the machine, exchange)`; that of one caused by a received
transmission is `mix(address of the cause, k)` for the k-th SEND, counted from 1. Delays and jitter are
drawn from it alone. So a machine must choose exchange numbers that do not depend on unrelated events;
clients number each purpose apart.

Proof that the room is pure: `tests/network/test_host.py` drives the same machines under a heap loop and
under simpy and gets the same effects.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

SEND: Final = 0
WAKE_AT: Final = 1
DELIVER: Final = 2
LOG: Final = 3
EVENT: Final = 4
CONNECT: Final = 5
CLOSE: Final = 6
LATER: Final = 7

CONNECTED: Final = 1  # in place of a status; those of answers are 100 or more

BACK: Final = 8  # in a connection handle: opened by the other side

Effect = tuple[Any, ...]
Effects = Sequence[Effect]
NOTHING: Final[Effects] = ()


class Machine(Protocol):
    """What every client, service node or server is to its host."""

    def start(self, now_us: int) -> Effects:
        """Begin. Called once, before anything else."""

    def receive(
        self, src: int, conn: int, exchange: int, head: str | int, payload: bytes, now_us: int
    ) -> Effects:
        """Take a transmission that has arrived. Never raises on hostile bytes."""

    def failed(self, dst: int, conn: int, exchange: int, reason: str, now_us: int) -> Effects:
        """Learn that the transport could not deliver a request of ours: `unreachable` or `refused`."""

    def command(self, command: tuple[Any, ...], now_us: int) -> Effects:
        """Do what the person or the scenario wants, for example ("send", ref, recipient_id, body)."""

    def wake(self, now_us: int) -> Effects:
        """Act on time that has passed."""
