"""HDF5 files of strangers, as NumPy arrays: no link out of the file is followed, and sizes are checked first."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steadyhand.data.foreign import ForeignDataError, check_bytes
from steadyhand.runtime.logging import escaped, quoted

__all__ = ["attribute_text", "child", "children", "number_field", "opened_hdf5", "read_array"]


def opened_hdf5(path: Path) -> Any:
    """Open a file for reading.

    Raises:
        ForeignDataError: It is missing, or no HDF5 file.
    """
    import h5py

    try:
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        found = escaped(str(error), 120)
        raise ForeignDataError(f"{path}: expected an HDF5 file, found {found}; copy it again") from None


def child(group: Any, name: str) -> Any:
    """Return the group or data set `name` of a group; None where there is none.

    Raises:
        ForeignDataError: It is a link, or its values are in another file.
    """
    import h5py

    with damage(group):
        link = group.get(name, getlink=True)
        if link is None:
            return None
        found = group[name] if isinstance(link, h5py.HardLink) else None
        is_local = isinstance(found, h5py.Group) or (
            isinstance(found, h5py.Dataset) and not found.external and not found.is_virtual
        )
        if not is_local:
            raise ForeignDataError(
                f"{_place(group, name)}: expected values inside the file, found a link or values elsewhere; "
                "copy them into the file"
            )
        return found


def children(group: Any) -> list[str]:
    """Return the names in a group, sorted."""
    with damage(group):
        return sorted(group)


def number_field(data: Any) -> tuple[tuple[int, ...], str] | None:
    """Return shape of a row and type of a data set of numbers; None for other objects."""
    import h5py

    if not isinstance(data, h5py.Dataset) or data.dtype.kind not in "biuf" or not data.shape:
        return None
    return tuple(data.shape[1:]), str(data.dtype)


def read_array(group: Any, name: str, rows: int | None = None) -> NDArray[Any]:
    """Return a data set of numbers.

    Args:
        group: Its group.
        name: Its name.
        rows: Required length of the first axis; None = any.

    Raises:
        ForeignDataError: There is none, it holds no numbers, or it is too long, too short or too large.
    """
    data = child(group, name)
    with damage(group):
        if data is None or number_field(data) is None or (rows is not None and data.shape[0] != rows):
            wanted = f"{rows} rows of numbers" if rows is not None else "numbers"
            found = "nothing" if data is None else f"{getattr(data, 'shape', 'a group')}"
            raise ForeignDataError(f"{_place(group, name)}: expected {wanted}, found {found}; mend the file")
        for shape in (data.shape, data.chunks or ()):
            check_bytes(_place(group, name), shape, data.dtype)
        return np.asarray(data[()])


def attribute_text(group: Any, name: str) -> str:
    """Return an attribute that is a text; "" where there is none."""
    with damage(group):
        value = group.attrs.get(name, "")
        return value if isinstance(value, str) else ""


@contextmanager
def damage(group: Any) -> Iterator[None]:
    """Turn the errors that the HDF5 library raises on damaged files into one line."""
    try:
        yield
    except ForeignDataError:
        raise
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, MemoryError) as error:
        raise ForeignDataError(
            f"{_place(group, '')}: expected a whole HDF5 file, found {escaped(str(error), 120)}; copy it again"
        ) from None


def _place(group: Any, name: str) -> str:
    return quoted(f"{group.file.filename}:{group.name.rstrip('/')}/{name}".rstrip("/"), 160).strip("'")
