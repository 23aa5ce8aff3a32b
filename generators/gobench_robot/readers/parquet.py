"""Chosen columns and rows of parquet files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gobench_robot.readers.arrays import BREAKS
from gobench_robot.readers.contract import BrokenError, Floats
from gobench_robot.readers.folder import why

EPISODE = "episode_index"


def rows(path: str, columns: Sequence[str] | None, episode: int | None, what: str) -> Any:
    """A pyarrow Table of some columns, all rows or those of one episode. Raises BrokenError."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            if lost := [name for name in columns or () if name not in file.schema_arrow.names]:
                raise BrokenError("metadata", f"{what} has no column {lost[0]}.")
            if episode is None:
                return file.read(columns=columns, use_threads=False)
            groups = [g for g in range(file.num_row_groups) if _may_hold(file, g, episode)]
            table = file.read_row_groups(groups, columns=columns, use_threads=False)
            return table.filter(pc.equal(table.column(EPISODE), episode))
    except (*BREAKS, pa.ArrowException) as error:
        raise BrokenError("unreadable", f"{what} is no whole parquet file: {why(error)}") from None


def column(table: Any, name: str, what: str) -> Floats:
    """Numbers, or lists of equally many numbers, as float64 [rows, numbers]. Raises BrokenError."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if name not in table.column_names:
        raise BrokenError("metadata", f"{what}: there is no column {name}.")
    values = table.column(name).combine_chunks()
    try:
        width = 1
        if (
            pa.types.is_list(values.type)
            or pa.types.is_large_list(values.type)
            or pa.types.is_fixed_size_list(values.type)
        ):
            lengths = pc.list_value_length(values).unique().to_pylist()
            if len(lengths) != 1 or lengths[0] is None:
                raise BrokenError("shape", f"{what}: {name} has rows of different lengths.")
            width, values = lengths[0], values.flatten()
        if values.null_count or not (pa.types.is_floating(values.type) or pa.types.is_integer(values.type)):
            raise BrokenError(
                "shape", f"{what}: {name} is {values.type} with {values.null_count} gaps, not numbers."
            )
        found: Floats = values.to_numpy(zero_copy_only=False).astype(np.float64).reshape(len(table), width)
    except (*BREAKS, pa.ArrowException) as error:
        raise BrokenError("unreadable", f"{what}: {name}: {why(error)}") from None
    return found


def _may_hold(file: Any, group: int, episode: int) -> bool:
    """Whether a row group can have rows of an episode, by the statistics of its column."""
    metadata = file.metadata.row_group(group)
    for place in range(metadata.num_columns):
        about = metadata.column(place)
        if about.path_in_schema == EPISODE and about.statistics is not None and about.statistics.has_min_max:
            return bool(about.statistics.min <= episode <= about.statistics.max)
    return True
