"""dlc compiles dataflow programs of table operators to gangs of MPI processes."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlc.frontends.load import load as load
    from dlc.frontends.program import Program as Program
    from dlc.frontends.program import program as program
    from dlc.frontends.program import trace as trace
    from dlc.frontends.table.expression import Expr as Expr
    from dlc.frontends.table.frame import Frame as Frame
    from dlc.frontends.table.frame import concat as concat
    from dlc.frontends.table.functions import (
        coalesce as coalesce,
    )
    from dlc.frontends.table.functions import (
        col as col,
    )
    from dlc.frontends.table.functions import (
        len as len,
    )
    from dlc.frontends.table.functions import (
        lit as lit,
    )
    from dlc.frontends.table.functions import (
        max_horizontal as max_horizontal,
    )
    from dlc.frontends.table.functions import (
        min_horizontal as min_horizontal,
    )
    from dlc.frontends.table.functions import (
        param as param,
    )
    from dlc.frontends.table.functions import (
        when as when,
    )
    from dlc.frontends.table.scan import scan_csv as scan_csv
    from dlc.frontends.table.scan import scan_parquet as scan_parquet
    from dlc.frontends.table.types import (
        Boolean as Boolean,
    )
    from dlc.frontends.table.types import (
        DataType as DataType,
    )
    from dlc.frontends.table.types import (
        Date as Date,
    )
    from dlc.frontends.table.types import (
        Datetime as Datetime,
    )
    from dlc.frontends.table.types import (
        Decimal as Decimal,
    )
    from dlc.frontends.table.types import (
        Duration as Duration,
    )
    from dlc.frontends.table.types import (
        Float32 as Float32,
    )
    from dlc.frontends.table.types import (
        Float64 as Float64,
    )
    from dlc.frontends.table.types import (
        Int8 as Int8,
    )
    from dlc.frontends.table.types import (
        Int16 as Int16,
    )
    from dlc.frontends.table.types import (
        Int32 as Int32,
    )
    from dlc.frontends.table.types import (
        Int64 as Int64,
    )
    from dlc.frontends.table.types import (
        String as String,
    )
    from dlc.frontends.table.types import (
        UInt8 as UInt8,
    )
    from dlc.frontends.table.types import (
        UInt16 as UInt16,
    )
    from dlc.frontends.table.types import (
        UInt32 as UInt32,
    )
    from dlc.frontends.table.types import (
        UInt64 as UInt64,
    )

__version__ = "0.1.0"

# Importing dlc must stay cheap for the command line and the workers: the front end comes with its first use.
_MODULES = {
    "load": ("load",),
    "program": ("Program", "program", "trace"),
    "table.expression": ("Expr",),
    "table.frame": ("Frame", "concat"),
    "table.functions": (
        "coalesce", "col", "len", "lit", "max_horizontal", "min_horizontal", "param", "when",
    ),
    "table.scan": ("scan_csv", "scan_parquet"),
    "table.types": (
        "Boolean", "DataType", "Date", "Datetime", "Decimal", "Duration", "Float32", "Float64",
        "Int8", "Int16", "Int32", "Int64", "String", "UInt8", "UInt16", "UInt32", "UInt64",
    ),
}  # fmt: skip
_EXPORTS = {name: f"dlc.frontends.{module}" for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'dlc' has no attribute {name!r}")
    # Frames that are collected outside of a program run through the driver, of which the front end knows nothing.
    recording = import_module("dlc.frontends.recording")
    recording.runner = recording.runner or _run
    globals()[name] = value = getattr(import_module(_EXPORTS[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_EXPORTS})


def _run(module: Any) -> Any:
    from dlc.driver import collect

    return collect(module)
