"""Settings of one drop-in that are given outside a scenario, checked as a scenario's are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from sessionsim.core.errors import InvalidInput
from sessionsim.scenario.models import keys_of, settings_from, settings_model


def settings_given(title: str, config: type[Any], given: Mapping[str, Any], place: str) -> Any:
    """Make settings of the keys that are given, and of defaults.

    Args:
        title: of the drop-in, for messages.
        config: its settings dataclass.
        given: key, as a scenario writes it -> value, as TOML reads it.
        place: where they were given, for messages.

    Raises:
        InvalidInput: a key it has not, or a value that is not allowed.
    """
    keys = tuple(keys_of(config).values())
    for key in given:
        if key not in keys:
            raise InvalidInput(place, f"{title}, which sets {key}", f"settings of {title}: {', '.join(keys)}")
    try:
        checked = settings_model(title, config).model_validate(dict(given))
    except ValidationError as wrong:
        first = wrong.errors()[0]
        key, context = str(first["loc"][0]), first.get("ctx", {})
        allowed = str(context.get("allowed", first["msg"]))
        raise InvalidInput(place, f"{key}={given.get(key)}", allowed, str(context.get("hint", ""))) from wrong
    return settings_from(checked, config)
