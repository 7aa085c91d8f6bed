"""The door to the heavy libraries of the extra `analysis`: `with analysis(): from sklearn… import …`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sessionsim.core.errors import InvalidInput


@contextmanager
def analysis() -> Iterator[None]:
    """Say how to install what an import inside the block does not find.

    Raises:
        InvalidInput: scikit-learn or lifelines is not installed.
    """
    try:
        yield
    except ImportError as gone:
        raise InvalidInput(
            gone.name or "library", "not installed", "scikit-learn and lifelines installed",
            'Install them with: pip install "sessionsim[analysis]".',
        ) from gone  # fmt: skip
