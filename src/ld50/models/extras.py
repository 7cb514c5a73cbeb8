"""Whether the packages that training needs are there, and the words when they are not."""

from __future__ import annotations

from importlib.util import find_spec

from ld50.core.errors import MissingExtraError

_NEEDED = ("torch", "transformers", "tokenizers", "safetensors")


def require_lab() -> None:
    """Raises `MissingExtraError` unless the packages of the extra `lab` are installed."""
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise MissingExtraError(
            f"Training and measuring models needs {', '.join(missing)}: pip install 'ld50[lab]'."
        )
