from typing import Any

from numpy.typing import NDArray

def strings(
    data: bytes,
    starts: NDArray[Any],
    ends: NDArray[Any],
    names: tuple[bytes, ...],
    offsets: NDArray[Any],
    valid: NDArray[Any],
    outs: tuple[NDArray[Any], ...],
    /,
) -> bool: ...
