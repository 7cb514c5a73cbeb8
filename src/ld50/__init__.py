"""ld50: toxicology for language-model training data.

import ld50
found = ld50.scan("customer.jsonl")
found.findings, found.clean_mask()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ld50.core.version import VERSION as __version__

if TYPE_CHECKING:
    from ld50.api import Scan, scan

__all__ = ["Scan", "__version__", "scan"]


def __getattr__(name: str) -> Any:
    # Imported on first use: `ld50 --help` and `import ld50` need neither numpy nor pyarrow.
    if name in ("scan", "Scan"):
        from ld50 import api

        return getattr(api, name)
    if name == "study":
        import importlib

        return importlib.import_module("ld50.study")
    raise AttributeError(f"module 'ld50' has no attribute {name!r}")
