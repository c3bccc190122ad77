"""Arrow and Parquet tables of strangers, as NumPy arrays: sizes are checked before anything is decoded."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steadyhand.data.foreign import MOST_BYTES, ForeignDataError, check_bytes
from steadyhand.runtime.logging import escaped, quoted

__all__ = ["column_array", "decode_picture", "read_arrow", "read_parquet"]

VALUE_BYTES = 8  # at most, of one number of a column


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> Any:
    """Return a pyarrow table with those of `columns` that the file has; None = all.

    Raises:
        ForeignDataError: The file is missing, damaged, or would not fit into memory.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            facts = file.metadata
            groups = [facts.row_group(index) for index in range(facts.num_row_groups)]
            parts = [group.column(index) for group in groups for index in range(group.num_columns)]
            chosen = [part for part in parts if columns is None or _is_in(part.path_in_schema, columns)]
            size = sum(max(part.num_values * VALUE_BYTES, part.total_uncompressed_size) for part in chosen)
            if size > MOST_BYTES:
                raise ForeignDataError(_too_large(path, size))
            names = file.schema_arrow.names if columns is None else [n for n in columns if n in file.schema_arrow.names]
            return file.read(columns=names)
    except FileNotFoundError:
        raise ForeignDataError(f"{path}: expected a Parquet file, found none; copy the whole data set") from None
    except (pa.ArrowException, OSError, ValueError) as error:
        if isinstance(error, ForeignDataError):
            raise
        raise ForeignDataError(
            f"{path}: expected a Parquet file, found {escaped(str(error), 120)}; copy it again"
        ) from None


def read_arrow(path: Path) -> Any:
    """Return the table of an Arrow file, memory-mapped.

    Raises:
        ForeignDataError: It is damaged.
    """
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as source:
            return pa.ipc.open_file(source).read_all()
    except (pa.ArrowException, OSError) as error:
        found = escaped(str(error), 120)
        raise ForeignDataError(f"{path}: expected an Arrow file, found {found}; copy it again") from None


def column_array(column: Any, shape: Sequence[int], what: str) -> NDArray[Any]:
    """Return a column of (nested lists of) numbers as an array (rows, *shape).

    Args:
        column: A pyarrow array or chunked array.
        shape: Shape of one row.
        what: Name of the column, for the error.

    Raises:
        ForeignDataError: Rows are missing, have another shape, or hold no numbers.
    """
    import pyarrow as pa

    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(array, pa.ChunkedArray):  # of an empty column
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    rows = len(array)
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    while pa.types.is_list(array.type) or pa.types.is_large_list(array.type) or pa.types.is_fixed_size_list(array.type):
        lengths = np.unique(np.asarray(array.value_lengths())) if array.null_count == 0 else np.zeros(2)
        if len(lengths) > 1:
            raise ForeignDataError(f"{quoted(what)}: expected rows of one length, found others; mend the data set")
        array = array.flatten()
    check_bytes(what, (rows, *shape), np.float64)
    kind = array.type
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    if not is_number or array.null_count or len(array) != rows * int(np.prod(shape)):
        raise ForeignDataError(
            f"{quoted(what)}: expected {rows} rows of numbers of shape {tuple(shape)}, found {len(array)} of {kind} "
            f"with {array.null_count} missing"
        )
    return np.asarray(array.to_numpy(zero_copy_only=False)).reshape(rows, *shape)


def decode_picture(data: bytes, shape: Sequence[int], what: str) -> NDArray[np.uint8]:
    """Return a PNG or JPEG picture as RGB bytes (h, w, 3).

    Raises:
        ForeignDataError: It is no such picture, or has another size.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as picture:
            if picture.size != (shape[1], shape[0]):
                raise ForeignDataError(
                    f"{quoted(what)}: expected a picture of {shape[1]} x {shape[0]}, "
                    f"found {picture.size[0]} x {picture.size[1]}"
                )
            return np.asarray(picture.convert("RGB"))
    except (OSError, SyntaxError, Image.DecompressionBombError) as error:
        found = escaped(str(error), 100)
        raise ForeignDataError(f"{quoted(what)}: expected a PNG or JPEG picture, found {found}") from None


def _is_in(path: str, columns: Sequence[str]) -> bool:
    return any(path == name or path.startswith(f"{name}.") for name in columns)


def _too_large(path: Path, size: int) -> str:
    return f"{path}: expected at most {MOST_BYTES >> 30} GiB of values, found {size / (1 << 30):.1f} GiB; it is damaged"
