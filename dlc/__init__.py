"""dlc compiles dataflow programs of table operators to gangs of MPI processes.

The names below come from the table front end on first use, so that `import dlc` stays instant.
"""

from importlib import import_module

TYPE_CHECKING = False  # type checkers know the name; the module `typing` takes milliseconds to import

if TYPE_CHECKING:
    from dlc.frontends.program import program
    from dlc.frontends.table.expression import Expr
    from dlc.frontends.table.frame import Frame, concat
    from dlc.frontends.table.functions import (
        coalesce,
        col,
        len,  # noqa: A004
        lit,
        max_horizontal,
        min_horizontal,
        when,
    )
    from dlc.frontends.table.scan import scan_csv, scan_parquet
    from dlc.frontends.table.types import (
        Boolean,
        Date,
        Datetime,
        Decimal,
        Duration,
        Float32,
        Float64,
        Int8,
        Int16,
        Int32,
        Int64,
        String,
        UInt8,
        UInt16,
        UInt32,
        UInt64,
    )

__version__ = "0.1.0"

__all__ = [
    "Boolean",
    "Date",
    "Datetime",
    "Decimal",
    "Duration",
    "Expr",
    "Float32",
    "Float64",
    "Frame",
    "Int8",
    "Int16",
    "Int32",
    "Int64",
    "String",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "coalesce",
    "col",
    "concat",
    "len",
    "lit",
    "max_horizontal",
    "min_horizontal",
    "program",
    "scan_csv",
    "scan_parquet",
    "when",
]

_MODULES = {
    "Expr": "table.expression",
    "Frame": "table.frame",
    "coalesce": "table.functions",
    "col": "table.functions",
    "concat": "table.frame",
    "len": "table.functions",
    "lit": "table.functions",
    "max_horizontal": "table.functions",
    "min_horizontal": "table.functions",
    "program": "program",
    "scan_csv": "table.scan",
    "scan_parquet": "table.scan",
    "when": "table.functions",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'dlc' has no attribute {name!r}")
    module = import_module(f"dlc.frontends.{_MODULES.get(name, 'table.types')}")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
