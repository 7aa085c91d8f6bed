"""What a client does with files: uploads before a message is stored, downloads of what messages point to."""

from __future__ import annotations

from sessionsim.protocol.client.files.part import Files
from sessionsim.protocol.client.files.rules import PLATFORMS, FileRules

__all__ = ["PLATFORMS", "FileRules", "Files"]
