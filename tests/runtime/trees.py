"""Short spellings for the expression trees and fragments of a plan."""

from typing import Any

Json = dict[str, Any]


def col(name: str, kind: str) -> Json:
    return {"f": "col", "name": name, "type": kind}


def lit(value: Any, kind: str) -> Json:
    return {"f": "lit", "value": value, "type": kind}


def call(name: str, kind: str, *args: Json, **attributes: Any) -> Json:
    return {"f": name, "type": kind, "args": list(args), "loc": 0, **attributes}


def fragment(*ops: Json, inputs: int = 1, outputs: list[int] | None = None) -> Json:
    """A fragment whose outputs are its last operator's unless told."""
    return {
        "version": 1,
        "inputs": inputs,
        "ops": [{"loc": 0, **op} for op in ops],
        "outputs": [inputs + len(ops) - 1] if outputs is None else outputs,
    }


def project(source: int = 0, **columns: Json) -> Json:
    return {"op": "project", "in": source, "columns": [[name, tree] for name, tree in columns.items()]}
