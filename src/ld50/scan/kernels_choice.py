"""Which kernels run: those in C, or where they were not built, their plain-Python twins."""

from __future__ import annotations

import os
from types import ModuleType


def _choose() -> tuple[str, ModuleType]:
    wanted = os.environ.get("LD50_KERNELS", "")
    if wanted not in ("", "c", "python"):
        raise ValueError(f"LD50_KERNELS: expected 'c' or 'python', got {wanted!r}")
    if wanted != "python":
        try:
            from ld50.scan import _kernels

            return "c", _kernels
        except ImportError:
            if wanted == "c":
                raise
    from ld50.scan import kernels_py

    return "python", kernels_py


implementation: str
"""``c`` or ``python``: which kernels run."""
run: ModuleType
"""The module that has them."""
implementation, run = _choose()
