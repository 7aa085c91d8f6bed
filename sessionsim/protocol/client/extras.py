"""What hangs on a text beside its body, once it lies on a file server."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sessionsim.protocol.contents import Attachment, Preview
from sessionsim.protocol.machine import Effect


class Extras(NamedTuple):
    """Files and links of one text. Args: attachments: in order; previews: of links in it."""

    attachments: tuple[Attachment, ...] = ()
    previews: tuple[Preview, ...] = ()


# Goes on with a message once its files are up: gets what to put into it, or why that failed; and the time.
Ready = Callable[[Extras | str, int], list[Effect]]
