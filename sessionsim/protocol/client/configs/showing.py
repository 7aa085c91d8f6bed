"""Names and pictures that people show, as those follow them who read what they write (client-behaviour 6.5).

Every text carries its writer's profile. Whoever reads a newer one writes it down among the contacts, a config
which then goes to the own other devices, and fetches a picture that is not there yet: so do contacts, members
of the same groups, and the own other devices when the config comes. What was shown before the run is there.
What community posts say of their writers is not followed.

Event: `picture-fetched` (−1; value: as of `file-fetched`, see `client.files`).
Sources: session-desktop: ProfileManager.ts, AvatarDownloadJob.ts; session-android: ProfileUpdateHandler.kt;
session-ios: DisplayPictureDownloadJob.swift.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from sessionsim.core.columns import Cause, note_of
from sessionsim.core.errors import CannotOpen, RemoteProtocolError
from sessionsim.protocol.client.files.part import DOES_NOT_OPEN, LEADS_NOWHERE
from sessionsim.protocol.client.files.sealing import file_id_at
from sessionsim.protocol.configs.fields import MAX_NAME_BYTES, MAX_URL_BYTES, PICTURE_KEY_BYTES, Picture
from sessionsim.protocol.configs.values import MAX_INT
from sessionsim.protocol.contents import Profile
from sessionsim.protocol.files.avatar import ProfilePicture, open_picture
from sessionsim.protocol.files.client import download_request, downloaded
from sessionsim.protocol.machine import EVENT, Effect
from sessionsim.protocol.server_request import ServerAnswer

if TYPE_CHECKING:
    from sessionsim.protocol.client.configs.held import Held
    from sessionsim.protocol.client.files import Files

_NOTE: Final = note_of(Cause.FILE)


class Teller(Protocol):
    """What writes messages. Args: profile: put into them."""

    profile: Profile | None


class Showing:
    """What one device shows of its account, and what it knows others to show.

    Args:
        held: the account's configs.
        shown: what the account has shown until now.
        known: addresses of pictures that are there already.
        files: fetches pictures; None if it cannot.
    """

    def __init__(self, held: Held, shown: Profile, known: Iterable[str], files: Files | None) -> None:
        self._held, self._shown, self._files = held, shown, files
        self._there = set(known)
        self.tellers: list[Teller] = []  # What tells others what the account shows.

    def made(self, url: str) -> None:
        """Take it that an own picture is there, since this device has made it."""
        self._there.add(url)

    def compare(self, now_us: int) -> list[Effect]:
        """See whether the configs, which may have changed, say something else, and fetch what is missing."""
        own, picture = self._held.profile, self._held.profile.picture
        url, key = (picture.url, picture.key) if picture else ("", b"")
        is_later = own.updated_s >= (self._shown.updated_s or 0)
        if is_later and (own.name, url, key) != (
            self._shown.name, self._shown.picture_url, self._shown.key,
        ):  # fmt: skip
            self._shown = Profile(own.name, url, key, own.updated_s)
            for teller in self.tellers:
                teller.profile = self._shown
        effects = self._fetch(picture, now_us)
        for contact in self._held.contacts:
            effects += self._fetch(contact.picture, now_us)
        return effects

    def read(self, sender_id: bytes, profile: Profile, now_us: int) -> tuple[bool, list[Effect]]:
        """See what a message says of its writer; say whether that changes the contacts."""
        picture = _picture_of(profile)
        effects = self._fetch(picture, now_us)
        contact = self._held.contacts.get(sender_id)
        if contact is None or not 0 < len(profile.name.encode()) <= MAX_NAME_BYTES:
            return False, effects
        updated_s = contact.updated_s if profile.updated_s is None else profile.updated_s
        is_later = profile.updated_s is None or contact.updated_s < updated_s <= MAX_INT
        if not is_later or (profile.name, picture) == (contact.name, contact.picture):
            return False, effects
        self._held.contacts.set(replace(contact, name=profile.name, picture=picture, updated_s=updated_s))
        return True, effects

    def _fetch(self, picture: Picture | None, now_us: int) -> list[Effect]:
        files = self._files
        if picture is None or files is None or picture.url in self._there or not files.rules.downloads:
            return []
        self._there.add(picture.url)
        try:
            file_id = file_id_at(picture.url)
        except RemoteProtocolError:
            return [(EVENT, "picture-fetched", -1, LEADS_NOWHERE)]
        request = download_request(file_id)
        return files.transfers.download(
            files.server,
            lambda _exchange, _t_us: request,
            _NOTE,
            now_us,
            lambda answer, status, _t_us: [(EVENT, "picture-fetched", -1, _fetched(picture, answer, status))],
        )


def _picture_of(profile: Profile) -> Picture | None:
    """Give the picture a profile shows; None if there is none that a config could hold."""
    if len(profile.key) != PICTURE_KEY_BYTES or not 0 < len(profile.picture_url.encode()) <= MAX_URL_BYTES:
        return None
    return Picture(profile.picture_url, profile.key)


def _fetched(picture: Picture, answer: ServerAnswer | None, status: int) -> int:
    if answer is None:
        return status
    try:
        open_picture(ProfilePicture(picture.url, picture.key), downloaded(answer))
    except (CannotOpen, RemoteProtocolError):
        return DOES_NOT_OPEN
    return status
