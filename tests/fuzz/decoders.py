"""The table: every decoder of the protocol room, and every way in which foreign bytes reach it.

To add one, describe it in the module of its subject; `test_table` finds what is missing.
"""

from __future__ import annotations

from tests.fuzz.decoder import Decoder
from tests.fuzz.table import (
    _client,
    _client_configs,
    _client_files,
    _client_groups,
    _client_mailbox,
    _client_signals,
    _client_version2,
    _communities,
    _community_answers,
    _configs,
    _confirmations,
    _contents,
    _crypto,
    _devices,
    _files,
    _groups,
    _messages,
    _methods,
    _names,
    _node,
    _onion,
    _onion_server,
    _push,
    _rpc,
    _server_machines,
    _servers,
    _version2,
    _wire,
)

_SUBJECTS = (
    *(_wire, _rpc, _methods, _onion, _onion_server, _contents, _messages, _groups, _configs, _crypto, _names),
    *(_files, _communities, _community_answers, _servers, _server_machines, _push),
    *(_client, _client_configs, _client_files, _client_groups, _client_mailbox, _client_signals),
    *(_client_version2, _node, _version2, _devices, _confirmations),
)
DECODERS: tuple[Decoder, ...] = tuple(decoder for subject in _SUBJECTS for decoder in subject.DECODERS)
