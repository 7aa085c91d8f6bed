"""Configs: what an account's devices, and a group's members, keep in common through the swarm (messages 5).

values   the data tree      diffs    what changed        message  one version with its history
merging  several versions   sealing  padding, encryption  parts    messages too large for one store
wrapping the old protobuf   kinds    which config is where and under which key
config   one config on one device: read, change, push, merge, dump
pushes   what goes to the swarm and when
user_profile, contacts, conversations, user_groups, group_info, group_members: typed access to the data
"""

from __future__ import annotations

from sessionsim.protocol.configs.config import Config, group_config, user_config
from sessionsim.protocol.configs.kinds import KINDS, Kind
from sessionsim.protocol.configs.rules import ConfigRules
from sessionsim.protocol.configs.shared import shared_config

__all__ = ["KINDS", "Config", "ConfigRules", "Kind", "group_config", "shared_config", "user_config"]
