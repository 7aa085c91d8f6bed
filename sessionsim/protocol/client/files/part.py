"""Files of messages: encrypted and uploaded before the message is stored, downloaded by who reads it.

A text with files waits until all of them lie on the server; texts written after it may go out before it, as
on the real clients, whose uploads are jobs of their own. If one upload fails for good, the message does.
Who gets a message fetches its files at once, every device of the recipient and the sender's other devices.

Events: `file-uploaded` (message; value: bytes of the blob), `file-fetched` (message; value: 200, or the
status of the failure: 0 for no answer, 404 for gone, -1 for a blob that the key does not open, -2 for a
pointer that leads nowhere).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import ProtocolError, RemoteProtocolError
from sessionsim.core.intents import File
from sessionsim.protocol import contents
from sessionsim.protocol.client.extras import Extras, Ready
from sessionsim.protocol.client.files import sealing
from sessionsim.protocol.client.files.rules import FileRules
from sessionsim.protocol.client.files.sealing import SealedUpload
from sessionsim.protocol.client.files.transfers import Transfers
from sessionsim.protocol.client.links import Links
from sessionsim.protocol.client.parts import Handler
from sessionsim.protocol.contents import Attachment, Preview, Text
from sessionsim.protocol.files.client import download_request, downloaded, upload_request, uploaded
from sessionsim.protocol.machine import EVENT, LOG, Effect
from sessionsim.protocol.server_request import ServerAnswer
from sessionsim.protocol.wire.onion_server import ServerAddress

if TYPE_CHECKING:
    from sessionsim.protocol.client.machine import Client
    from sessionsim.protocol.client.sealing import Opened

DOES_NOT_OPEN: Final = -1
LEADS_NOWHERE: Final = -2
_BAD_ANSWER: Final = 0


class _Bundle:
    """The files of one message on their way to the server."""

    __slots__ = ("dropped", "over", "pointers", "preview", "ready", "ref")

    def __init__(self, ref: int, n_files: int, preview: Preview | None, ready: Ready) -> None:
        self.ref, self.ready, self.preview, self.over = ref, ready, preview, False
        self.dropped = False  # nobody waits for what is still on its way
        self.pointers: list[Attachment | None] = [None] * n_files


class Files:
    """The part of a client that moves files.

    Args:
        client: whose.
        server: the file server.
        rules: the platform's.
        links: knows what lies behind links; None in a run without such.
    """

    def __init__(
        self, client: Client, server: ServerAddress, rules: FileRules, links: Links | None = None
    ) -> None:
        self.links = links
        self._client, self.server, self.rules = client, server, rules
        self.transfers = Transfers(client, rules)
        self._bundles: dict[int, _Bundle] = {}
        client.readers.append(self.read)

    @property
    def commands(self) -> Mapping[str, Handler]:
        return {"send-files": self.send}

    def start(self, now_us: int) -> list[Effect]:
        return []

    def next_due_us(self) -> int | None:
        return self.transfers.next_due_us()

    def wake(self, now_us: int) -> list[Effect]:
        return self.transfers.wake(now_us)

    def pending(self) -> Iterable[int]:
        """Give the messages whose files are on their way."""
        return tuple(self._bundles)

    def forget(self, reason: str, now_us: int) -> list[Effect]:
        """Give up the messages whose files are on their way; their uploads are tried no more."""
        bundles, self._bundles = list(self._bundles.values()), {}
        effects: list[Effect] = []
        for bundle in bundles:
            bundle.over = bundle.dropped = True
            effects += bundle.ready(reason, now_us)
        return effects

    def has_extras(self, ref: int, files: Sequence[File]) -> bool:
        """Say whether something hangs on a message, so that it has to go through `attach`."""
        return bool(files) or (self.links is not None and self.links.has(ref))

    # --- sending ------------------------------------------------------------------------------------------

    def send(
        self, ref: int, recipient_id: bytes, body: str, files: tuple[File, ...], now_us: int
    ) -> list[Effect]:
        """Send a direct text with files."""

        def ready(extras: Extras | str, t_us: int) -> list[Effect]:
            if isinstance(extras, str):
                return [(LOG, "failed", ref, extras)]
            return self._client.outbox.accept_with(ref, recipient_id, body, extras, t_us)

        return self.attach(ref, files, ready, now_us)

    def attach(
        self,
        ref: int,
        files: tuple[File, ...],
        ready: Ready,
        now_us: int,
    ) -> list[Effect]:
        """Upload the files of a message and the picture of its link, if it has one, then go on with it.

        Args:
            ref: number of the message.
            files: what hangs on it.
            ready: is called once, when all are up or one has failed; at once if there is none to upload.
        """
        found = self.links.claim(ref) if self.links is not None else None
        image = found.image if found else None
        every = (*files, *((image,) if image else ()))
        if any(file.size_bytes > self.rules.max_bytes for file in every):
            return ready("a file too large", now_us)
        bundle = _Bundle(ref, len(every), found.preview if found else None, ready)
        if not every:
            return ready(self._extras(bundle, has_image=False), now_us)
        self._bundles[ref] = bundle
        effects: list[Effect] = []
        for place, file in enumerate(every):
            effects += self._upload(bundle, place, file, image is not None, now_us)
        return effects

    def _upload(self, bundle: _Bundle, place: int, file: File, has_image: bool, now_us: int) -> list[Effect]:
        address = bundle.ref.to_bytes(8, "little") + bytes((place,))
        sealed = sealing.seal(self._client, self.rules.encryption, file, address)
        request = upload_request(sealed.blob, style=self._client.rules.body_style)
        return self.transfers.upload(
            self.server,
            lambda _exchange, _t_us: request,
            note_of(Cause.FILE, bundle.ref),
            now_us,
            lambda answer, status, t_us: self._up(bundle, place, sealed, has_image, answer, status, t_us),
            lambda: not bundle.dropped,
        )

    def _up(
        self, bundle: _Bundle, place: int, sealed: SealedUpload, has_image: bool,
        answer: ServerAnswer | None, status: int, now_us: int,
    ) -> list[Effect]:  # fmt: skip
        """Note that a file lies on the server, or that it never will."""
        try:
            if answer is None:
                raise RemoteProtocolError(f"upload: status {status}")
            file_id = uploaded(answer).file_id
        except RemoteProtocolError as wrong:
            if bundle.over:
                return []
            bundle.over = True
            del self._bundles[bundle.ref]
            return bundle.ready(str(wrong) if answer is None else "upload: malformed answer", now_us)
        told: Effect = (EVENT, "file-uploaded", bundle.ref, len(sealed.blob))
        if bundle.over:
            return [told]
        url = sealing.address_of(self._client, file_id, self.rules.encryption)
        bundle.pointers[place] = _with_url(sealed.pointer, url)
        if None in bundle.pointers:
            return [told]
        bundle.over = True
        del self._bundles[bundle.ref]
        return [told, *bundle.ready(self._extras(bundle, has_image), now_us)]

    @staticmethod
    def _extras(bundle: _Bundle, has_image: bool) -> Extras:
        pointers = tuple(pointer for pointer in bundle.pointers if pointer is not None)
        if bundle.preview is None:
            return Extras(pointers)
        image = pointers[-1] if has_image else None
        preview = Preview(bundle.preview.url, bundle.preview.title, image)
        return Extras(pointers[:-1] if has_image else pointers, (preview,))

    # --- receiving ----------------------------------------------------------------------------------------

    def read(self, message_hash: str, opened: Opened, now_us: int) -> list[Effect]:
        """Fetch the files that a message points to."""
        if not self.rules.downloads:
            return []
        try:
            part = contents.read(opened.content).part
        except ProtocolError:
            return []
        if not isinstance(part, Text):
            return []
        images = (preview.image for preview in part.previews if preview.image is not None)
        effects: list[Effect] = []
        for pointer in (*part.attachments, *images):
            effects += self.fetch(message_hash, pointer, now_us)
        return effects

    def fetch(self, message_hash: str, pointer: Attachment, now_us: int) -> list[Effect]:
        """Download one file of a message."""
        try:
            file_id = sealing.file_id_at(pointer.url)
        except RemoteProtocolError:
            return [(EVENT, "file-fetched", message_hash, LEADS_NOWHERE)]
        request = download_request(file_id)
        return self.transfers.download(
            self.server,
            lambda _exchange, _t_us: request,
            note_of(Cause.FILE),
            now_us,
            lambda answer, status, _t_us: [
                (EVENT, "file-fetched", message_hash, _fetched(pointer, answer, status))
            ],
        )


def _with_url(pointer: Attachment, url: str) -> Attachment:
    return Attachment(
        url, pointer.key, pointer.digest, pointer.size_bytes, pointer.content_type, pointer.file_name,
        pointer.caption, pointer.flags, pointer.width, pointer.height,
    )  # fmt: skip


def _fetched(pointer: Attachment, answer: ServerAnswer | None, status: int) -> int:
    if answer is None:
        return status
    try:
        blob = downloaded(answer)
    except RemoteProtocolError:
        return _BAD_ANSWER
    return status if sealing.opens(pointer, blob) else DOES_NOT_OPEN
