"""Tables and labelled arrays as files: Parquet for data frames, NetCDF for xarray.

A file appears whole or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from kerasmeta.analysis.study import Table


def write_parquet(table: Table, path: Path) -> Path:
    """Writes a table. Columns of text are dictionary-encoded, as repeated words are.

    A column's attributes are the metadata of its Parquet field
    (`pyarrow.parquet.read_schema(path).field(name).metadata`).
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays, fields = [], []
    for name, values in table.columns.items():
        array = pa.array(values)
        if values.dtype.kind in "UO":
            array = array.dictionary_encode()
        metadata = dict(table.attributes.get(name, {}))
        fields.append(pa.field(name, array.type, metadata=metadata or None))
        arrays.append(array)
    made = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    with _replacing(path) as temporary:
        pq.write_table(made, temporary, compression="zstd")
    return path


def write_netcdf(dataset: Any, path: Path) -> Path:
    """Writes an `xarray.Dataset` as NetCDF 4, lightly compressed."""
    compressed = {"zlib": True, "complevel": 1, "shuffle": True}
    encoding = {
        name: compressed
        for name, variable in dataset.data_vars.items()
        if variable.ndim and np.issubdtype(variable.dtype, np.number)
    }
    with _replacing(path) as temporary:
        dataset.to_netcdf(temporary, engine="h5netcdf", encoding=encoding)
    return path


@contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that replaces it when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
