"""The one part of the build that pyproject.toml cannot say: the optional C kernels.

They are built against Python's limited API, so that one wheel serves every version from 3.11 on,
and are optional: without a compiler the plain-Python twins do the same work, slowly.
"""

import os
import sys
from pathlib import Path

from setuptools import Extension, setup

windows = sys.platform == "win32"


def extension(name: str, sources: Path) -> Extension:
    """The C files of a folder as one module."""
    return Extension(
        name,
        sources=sorted(str(path) for path in sources.glob("*.c")),
        depends=sorted(str(path) for path in sources.glob("*.h")),
        define_macros=[("Py_LIMITED_API", "0x030B0000")],
        extra_compile_args=["/O2"]
        if windows
        else ["-O3", "-g0", "-std=c11", "-Wall", "-Wextra", "-fvisibility=hidden"],
        py_limited_api=True,
        optional=os.environ.get("LD50_REQUIRE_KERNELS") != "1",
    )


setup(
    ext_modules=[
        extension("ld50.scan._kernels", Path("src/ld50/scan/c")),
        extension("ld50.corpus._jsonstrings", Path("src/ld50/corpus/c")),
    ],
    exclude_package_data={"": ["*.c", "*.h"]},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
