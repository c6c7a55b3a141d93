"""dlc compiles dataflow programs of parallel operators, on tables and tensors, to gangs of MPI processes.

The names below come from the front ends on first use, so that `import dlc` stays instant.
"""

from importlib import import_module

TYPE_CHECKING = False  # type checkers know the name; the module `typing` takes milliseconds to import

if TYPE_CHECKING:
    import polars
    from xdsl.dialects.builtin import ModuleOp

    from dlc.frontends.program import Program, program
    from dlc.frontends.table.expression import Expr
    from dlc.frontends.table.frame import Frame, concat
    from dlc.frontends.table.functions import (
        coalesce,
        col,
        len,  # noqa: A004
        lit,
        max_horizontal,
        min_horizontal,
        param,
        when,
    )
    from dlc.frontends.table.scan import scan_csv, scan_parquet
    from dlc.frontends.table.types import (
        Boolean,
        DataType,
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
    from dlc.frontends.tensor.call import jax
    from dlc.frontends.tensor.optimizers import SGD, Adam, AdamW
    from dlc.frontends.tensor.torch import TorchFunction, torch
    from dlc.frontends.tensor.train import Metric, Model, train
    from dlc.frontends.tensor.values import Tensor, scalars

__version__ = "0.1.0"

__all__ = [
    "SGD",
    "Adam",
    "AdamW",
    "Boolean",
    "DataType",
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
    "Metric",
    "Model",
    "Program",
    "String",
    "Tensor",
    "TorchFunction",
    "UInt8",
    "UInt16",
    "UInt32",
    "UInt64",
    "coalesce",
    "col",
    "concat",
    "jax",
    "len",
    "lit",
    "max_horizontal",
    "min_horizontal",
    "param",
    "program",
    "scalars",
    "scan_csv",
    "scan_parquet",
    "torch",
    "train",
    "when",
]

_MODULES = {
    "program": ("Program", "program"),
    "table.expression": ("Expr",),
    "table.frame": ("Frame", "concat"),
    "table.functions": (
        "coalesce",
        "col",
        "len",
        "lit",
        "max_horizontal",
        "min_horizontal",
        "param",
        "when",
    ),
    "table.scan": ("scan_csv", "scan_parquet"),
    "tensor.call": ("jax",),
    "tensor.optimizers": ("SGD", "Adam", "AdamW"),
    "tensor.torch": ("TorchFunction", "torch"),
    "tensor.train": ("Metric", "Model", "train"),
    "tensor.values": ("Tensor", "scalars"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'dlc' has no attribute {name!r}")
    # A frame collected outside of a program runs through the driver, of which the front end knows nothing.
    from dlc.frontends import recording

    recording.runner = _run
    value = globals()[name] = getattr(import_module(f"dlc.frontends.{_HOME.get(name, 'table.types')}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def _run(module: "ModuleOp") -> "polars.DataFrame | None":
    from dlc.driver import collect

    return collect(module)
