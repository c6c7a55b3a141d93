"""From a module of torch to a function of JAX: torch exports ATen operations, JAX traces through them.

Inference, training, gradients and any number of rows thus come from the one path that functions of JAX take.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Generator, Sequence
from contextlib import contextmanager, redirect_stderr
from importlib import import_module
from io import StringIO
from typing import Any

import numpy as np

from dlc.diagnostics import DlcError, SourceLoc
from dlc.frontends.failure import failures
from dlc.frontends.libraries import is_library
from dlc.frontends.location import caller

from .extras import require
from .specs import DTYPES, RowTensor
from .torch_graph import TorchFunction, place_of, user_frame

# Rows of the example; torch treats 0 and 1 as special, and a layer is unlikely to have so many features.
_ROWS = 23
# Composite operations that are clearer, and easier to split by rows, as one.
_KEPT = ("linear", "matmul", "scaled_dot_product_attention", "cross_entropy_loss")


def from_torch(
    module: Any, shapes: Sequence[RowTensor | Sequence[int | None]], *, loc: SourceLoc | None = None
) -> TorchFunction:
    """Export a `torch.nn.Module` for inputs of these shapes, which begin with None for the rows.

    A plain shape means f32; `RowTensor((None, 8), "i64")` has a type. The module is taken in the mode it is
    in: `module.eval()` first, unless it is to be trained. Raises DLC114 where it depends on data, DLC115 for
    what has no counterpart, DLC116 for shapes that do not fit and DLC117 for bad arguments.
    """
    require("torch")
    torch: Any = import_module("torch")
    loc = loc or caller()
    if not isinstance(module, torch.nn.Module):
        raise _bad(f"{module!r} is no torch.nn.Module", "give a module, such as nn.Linear(3, 1)", loc)
    inputs = [_input(shape, loc) for shape in shapes]
    examples = tuple(_example(torch, given) for given in inputs)
    rows = torch.export.Dim("rows", min=1)
    dynamic = torch.export.ShapesCollection()
    for example in examples:
        dynamic[example] = {0: rows}
    with _explained(loc), _quiet():
        program = torch.export.export(module, examples, dynamic_shapes=dynamic)
        table = torch.export.default_decompositions()
        for name in _KEPT:
            table.pop(getattr(_aten(), name).default, None)
        program = program.run_decompositions(table)
    _check_mutations(program, loc)
    _unmerged(program.graph)
    nodes = _needed(program.graph)
    same = _canonical_names(module)
    sources = {
        str(spec.arg.name): same.get(spec.target, str(spec.target))
        for spec in program.graph_signature.input_specs
        if spec.target is not None
    }
    trainable = {name for name, parameter in module.named_parameters() if parameter.requires_grad}
    known = {**program.constants, **program.state_dict}
    arrays = {name: _array(known[name], name, loc) for name in sources.values()}
    params = {name: value for name, value in arrays.items() if name in trainable}
    constants = {name: value for name, value in arrays.items() if name not in trainable}
    return TorchFunction(params, constants, nodes, sources, loc)


def torch(module: Any, *shapes: RowTensor | Sequence[int | None]) -> TorchFunction:
    """A `torch.nn.Module` as a function of JAX and its parameters, for inputs of these shapes.

    Shapes begin with None for the rows, as in `dlc.torch(nn.Linear(8, 1), (None, 8))`. The module is taken in
    the mode it is in. Raises DLC114 to DLC117 at the line of the module that is at fault.
    """
    return from_torch(module, shapes, loc=caller())


def _aten() -> Any:
    return import_module("torch").ops.aten


def _bad(message: str, help: str, loc: SourceLoc) -> DlcError:
    return DlcError("DLC117", message, loc=loc, help=help)


def _input(shape: RowTensor | Sequence[int | None], loc: SourceLoc) -> RowTensor:
    if not isinstance(shape, RowTensor | Sequence):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise _bad(f"{shape!r} is no shape", "write (None, 3) for rows of three numbers", loc)
    given = shape if isinstance(shape, RowTensor) else RowTensor(tuple(shape))
    if not given.shape or given.shape[0] is not None or None in given.shape[1:]:
        raise _bad(
            f"the shape {given.shape} does not begin with None, or has more than one",
            "write (None, 3) for rows of three numbers",
            loc,
        )
    return given


def _example(torch: Any, given: RowTensor) -> Any:
    sizes = [_ROWS if size is None else size for size in given.shape]
    return torch.zeros(sizes, dtype=getattr(torch, DTYPES[given.dtype]))


def _array(tensor: Any, name: str, loc: SourceLoc) -> np.ndarray:
    try:
        return tensor.detach().cpu().numpy()
    except TypeError:
        raise _bad(
            f"'{name}' is of type {tensor.dtype}, which NumPy does not have", "call module.float() first", loc
        ) from None


def _canonical_names(module: Any) -> dict[str, str]:
    """The one name of a parameter that several layers share."""
    first: dict[int, str] = {}
    return {
        name: first.setdefault(id(parameter), name)
        for name, parameter in module.named_parameters(remove_duplicate=False)
    }


def _needed(graph: Any) -> list[Any]:
    """The nodes of a graph without assertions and what only those use."""
    for node in reversed(list(graph.nodes)):
        if "assert" in str(node.target) or (node.op == "call_function" and not node.users):
            graph.erase_node(node)
    return list(graph.nodes)


def _unmerged(graph: Any) -> None:
    """Let linear layers keep the leading dimensions of their input.

    torch's attention merges rows with another dimension before its last layer and parts them after it, which
    would tie the rows of all ranks together.
    """
    for linear in graph.find_nodes(op="call_function", target=_aten().linear.default):
        before, users = linear.args[0], list(linear.users)
        if before.target is _aten().view.default and len(users) == 1 and users[0].target is before.target:
            (source, merged), (_, parted) = before.args, users[0].args
            if len(merged) == 2 and len(parted) > 2:
                users[0].prepend(linear)  # the sizes that the new shape names stand before
                with graph.inserting_before(linear):
                    shape = [*parted[:-1], merged[-1]]
                    view = graph.call_function(before.target, (source, shape))
                view.meta = before.meta
                linear.replace_input_with(before, view)
                users[0].replace_all_uses_with(linear)


def _check_mutations(program: Any, loc: SourceLoc) -> None:
    changed = list(program.graph_signature.buffers_to_mutate.values())
    if changed:
        norm = next((node for node in program.graph.nodes if "batch_norm" in str(node.target)), None)
        raise DlcError(
            "DLC115",
            f"the module changes its buffer '{changed[0]}' when it is called, which is not supported",
            loc=loc if norm is None else place_of(norm, loc),
            help="call module.eval() first, or use nn.LayerNorm or nn.GroupNorm for batch normalisation",
        )


@contextmanager
def _quiet() -> Generator[None]:
    """Keeps torch's own account of an export, which runs to pages, from the terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextmanager
def _explained(loc: SourceLoc) -> Generator[None]:
    try:
        with failures(loc):
            yield
    except DlcError as error:
        cause = error.__cause__
        if error.code != "DLC112" or cause is None:
            raise
        raise _diagnosis(cause, error.loc or loc) or error from cause


def _diagnosis(error: BaseException, loc: SourceLoc) -> DlcError | None:
    """The diagnostic for an exception of torch.export; None for one of the user's own."""
    text = str(error)
    kind = type(error).__name__
    first = text.strip().split("\n")[0]
    if "DataDependent" in kind or "data-dependent" in first:
        return DlcError(
            "DLC114",
            "the module branches or indexes by values of a tensor, which are known only when the plan runs",
            loc=user_frame(text) or loc,
            help="choose between values with torch.where",
        )
    if "Constraints violated" in text or "specialized" in text:
        return DlcError(
            "DLC114",
            "the module does not take any number of rows: it fixes the first dimension of an input",
            loc=loc,
            help="take sizes from the input, as in x.shape[0], and make tensors with x.new_zeros(…)",
        )
    if isinstance(error, RuntimeError | ValueError | IndexError) and _of_torch(error):
        return DlcError(
            "DLC116",
            f"the shapes of tensors do not fit: {first}",
            loc=loc,
            help="compare the layers with the shapes given to from_torch",
        )
    return None


def _of_torch(error: BaseException) -> bool:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and is_library(trace.tb_frame.f_code.co_filename)
