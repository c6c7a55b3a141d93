"""Training: a loss, parameters and the rows of a frame become loops of batches, calls and updates."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from os import PathLike
from typing import Any

from xdsl.dialects import scf
from xdsl.dialects.arith import ConstantOp
from xdsl.dialects.builtin import IndexType, IntegerAttr
from xdsl.ir import Block, Operation, SSAValue

from dlc.diagnostics import DlcError, SourceLoc
from dlc.dialects import nn
from dlc.frontends import recording
from dlc.frontends.location import attribute, caller
from dlc.frontends.table.errors import bad_argument
from dlc.frontends.table.frame import Frame

from .arguments import (
    Columns,
    directory,
    element_types,
    key_columns,
    require_callable,
    require_frame,
    require_labels,
    require_numbers,
    tensor_columns,
)
from .call import call, identifier
from .constants import parameters
from .keys import row_keys
from .optimizers import Adam, Optimizer, Update, trace_update
from .trace import Traced, trace_function
from .training import Training, trace_training
from .untyped import jax, tree_util
from .values import Tensor, to_tensors

ROWS_AT_A_TIME = 1024
"""Rows for which a rank computes a metric at a time."""


@dataclass(frozen=True)
class Metric:
    """What is computed of the parameters after every epoch: a mean over the rows of a frame.

    `function(params, *tensors)` returns one number; `columns` makes the tensors, as in `train`.
    """

    function: Callable[..., Any]
    frame: Frame
    columns: Columns
    dtype: str | Sequence[str] = "f32"


@dataclass(frozen=True)
class Model:
    """Trained `params`, tensors in the tree that they were given in, and the notes of training, a row each.

    The columns of `history` are epoch, step, name (`loss` or that of a metric) and value.
    """

    params: Any
    history: Frame


def train(
    loss: Callable[..., Any],
    params: Any,
    frame: Frame,
    columns: Columns,
    *,
    epochs: int = 1,
    batch: int = 1024,
    optimizer: Optimizer | None = None,
    seed: int = 0,
    micro_batches: int = 4,
    dtype: str | Sequence[str] = "f32",
    metrics: Mapping[str, Metric] | None = None,
    keys: Sequence[str] | None = None,
    checkpoint: str | PathLike[str] | None = None,
    resume: bool = True,
) -> Model:
    """Minimise `loss(params, *tensors)`, a mean over rows, on the rows of a frame.

    Args:
        loss: pure function of JAX over the parameters and a tensor for each entry of `columns`
        params: tree of floating-point arrays
        frame: the rows
        columns: a list of names gives a matrix of rows × names, a single name a vector
        epochs: how often every row is seen
        batch: rows of a step
        optimizer: Adam with a learning rate of 0.001 unless given
        seed: of the order of the rows in every epoch
        micro_batches: pieces of a batch, of which each lies on one rank; the most ranks that can share in a
            step, and a divisor of `batch`. The same for every number of ranks, as are the results
        dtype: element type of the tensors, one for all or one each
        metrics: what is computed after every epoch, by name
        keys: columns whose hash deals the rows to the micro-batches; those of the last grouping unless given
        checkpoint: directory for the state after every epoch
        resume: go on from the checkpoint if there is one

    Raises:
        DlcError: DLC101 to DLC117 for what does not fit

    """
    loc = caller()
    require_frame(frame, loc)
    require_numbers(loc, epochs=epochs, batch=batch, micro_batches=micro_batches, seed=seed)
    columns = tensor_columns(columns, loc)
    metrics = metrics if metrics is not None else {}
    require_labels(metrics, loc, Metric)
    kept = directory(checkpoint, loc)
    if batch % micro_batches:
        raise bad_argument(
            f"{micro_batches} micro-batches do not divide a batch of {batch} rows",
            loc,
            "choose a batch that is a multiple of micro_batches",
        )
    tensors = to_tensors(frame.value, columns, element_types(dtype, columns, loc), loc)
    require_callable(loss, [params, *tensors], "the loss", loc)
    name = identifier(loss)
    optimizer = _optimizer(optimizer, loc)
    job = _Training(
        trace_training(loss, params, [tensor.spec for tensor in tensors], name=name, loc=loc),
        trace_update(optimizer, params, name=f"{name}.{type(optimizer).__name__.lower()}"),
        [_Evaluation.of(label, metric, params, micro_batches, loc) for label, metric in metrics.items()],
        params,
        loc,
    )
    dealt = key_columns(keys, frame.value, loc) if keys is not None else row_keys(frame.value, columns)
    data = _Data(frame.value, tensors, batch, micro_batches, seed, dealt)
    results = job.build(data, epochs, kept, resume)
    history = nn.HistoryOp(results[:1])
    history.location = attribute(loc)
    count = len(jax.tree.leaves(params))
    trained = [Tensor(value) for value in results[:count]]
    return Model(jax.tree.unflatten(jax.tree.structure(params), trained), Frame(history.result))


@dataclass(frozen=True)
class _Data:
    """Rows to train on or to evaluate on, and how they are cut."""

    frame: SSAValue
    tensors: Sequence[Tensor]
    size: int
    micro_batches: int
    seed: int
    keys: Sequence[str]

    def batches(self, epoch: SSAValue | None) -> nn.BatchesOp:
        """All rows in the order of an epoch, or in an order of their own."""
        values = [tensor.value for tensor in self.tensors]
        return nn.BatchesOp(self.frame, values, epoch, self.size, self.micro_batches, self.seed, self.keys)


@dataclass(frozen=True)
class _Evaluation:
    """A metric, traced."""

    label: str
    traced: Traced
    data: _Data

    @classmethod
    def of(cls, label: str, metric: Metric, params: Any, micro_batches: int, loc: SourceLoc) -> _Evaluation:
        """Rows are dealt as those to train on, which are often of the same frame."""
        require_frame(metric.frame, loc)
        frame, columns = metric.frame.value, tensor_columns(metric.columns, loc)
        tensors = to_tensors(frame, columns, element_types(metric.dtype, columns, loc), loc)
        require_callable(metric.function, [params, *tensors], f"metric '{label}'", loc)
        specs = [tensor.spec for tensor in tensors]
        traced = trace_function(metric.function, [params, *specs], name=f"metric.{label}", loc=loc)
        if [result.shape for result in traced.results] != [()]:
            raise bad_argument(
                f"metric '{label}' returns something else than one number", loc, "return a mean"
            )
        size = micro_batches * ROWS_AT_A_TIME
        data = _Data(frame, tensors, size, micro_batches, 0, row_keys(frame, columns))
        return cls(label, traced, data)


class _Training:
    """Builds the loops of one training."""

    def __init__(
        self,
        training: Training,
        update: Update,
        evaluations: Sequence[_Evaluation],
        params: Any,
        loc: SourceLoc,
    ):
        self.training, self.update, self.evaluations, self.loc = training, update, evaluations, loc
        flat, _ = tree_util.tree_flatten_with_path(params)
        self.names = [tree_util.keystr(path, simple=True, separator=".") or "params" for path, _ in flat]
        self.leaves = [leaf for _, leaf in flat]
        self.state_names = [f"optimizer.{result.name}" for result in update.init.results]

    def build(self, data: _Data, epochs: int, checkpoint: str | None, resume: bool) -> Sequence[SSAValue]:
        """Parameters and state of the optimiser after the last epoch."""
        initial = parameters(self.names, self.leaves, self.loc)
        carried = [*initial, *call(self.update.init.function, None, initial, self.loc)]
        first, model = _number(0), self._fingerprint()
        names = [*self.names, *self.state_names]
        if checkpoint is not None and resume:
            load = nn.LoadOp(carried, names, checkpoint, model, optional=True)
            first, carried = load.epoch, list(load.tensors)
        held = [evaluation.data.batches(None) for evaluation in self.evaluations]

        def epoch(index: SSAValue, values: Sequence[SSAValue]) -> tuple[list[Operation], Sequence[SSAValue]]:
            batches = data.batches(index)
            steps = nn.StepsOp(batches.batches)
            loop = _loop(
                _number(0), steps.steps, values, lambda step, now: self._step(batches, index, step, now)
            )
            after = [
                op
                for pair in zip(self.evaluations, held, strict=True)
                for op in self._note(*pair, index, loop)
            ]
            if checkpoint is not None:
                after.append(nn.SaveOp(loop.results, index, names, checkpoint, model))
            return [batches, steps, loop, *after], loop.results

        outer = _loop(first, _number(epochs), carried, epoch)
        for op in (outer, *(value.owner for value in outer.operands), *held):
            assert isinstance(op, Operation)
            for inner in op.walk():
                inner.location = attribute(self.loc)
        recording.here().loops.append(outer)
        return outer.results

    def _step(
        self, batches: nn.BatchesOp, epoch: SSAValue, step: SSAValue, carried: Sequence[SSAValue]
    ) -> tuple[list[Operation], Sequence[SSAValue]]:
        batch = nn.BatchOp(batches.batches, step)
        arguments = [*carried[: len(self.names)], *batch.tensors]
        left = call(self.training.forward.function, batch.rows, arguments, self.loc)
        kept = [(left if kind == "result" else arguments)[index] for kind, index in self.training.given]
        gradients = call(self.training.backward.function, batch.rows, kept, self.loc)
        after = call(self.update.update.function, batch.rows, [*carried, *gradients], self.loc)
        log = nn.LogOp("loss", left[0], epoch, step)
        return [batch, _owner(left), _owner(gradients), _owner(after), log], after

    def _note(
        self, evaluation: _Evaluation, held: nn.BatchesOp, epoch: SSAValue, loop: scf.ForOp
    ) -> list[Operation]:
        batch = nn.BatchOp(held.batches, None)
        arguments = [*loop.results[: len(self.names)], *batch.tensors]
        value = call(evaluation.traced.function, batch.rows, arguments, self.loc)
        return [batch, _owner(value), nn.LogOp(evaluation.label, value[0], epoch, None)]

    def _fingerprint(self) -> str:
        """What a checkpoint must agree with: names, shapes and types of parameters and state."""
        shapes = [(result.name, result.shape, result.dtype) for result in self.update.update.results]
        return sha256(repr((self.names, shapes)).encode()).hexdigest()[:16]


Body = Callable[[SSAValue, Sequence[SSAValue]], tuple[list[Operation], Sequence[SSAValue]]]


def _loop(first: SSAValue, last: SSAValue, carried: Sequence[SSAValue], body: Body) -> scf.ForOp:
    """A loop whose body takes the index and the carried values, and gives its ops and the next values."""
    block = Block(arg_types=[IndexType(), *(value.type for value in carried)])
    index, *values = block.args
    operations, after = body(index, values)
    inside = set(operations)
    for op in operations:
        block.add_ops(_numbers(op, inside))
        block.add_op(op)
    block.add_op(scf.YieldOp(*after))
    return scf.ForOp(first, last, _number(1), list(carried), block)


def _numbers(op: Operation, inside: set[Operation]) -> list[Operation]:
    """Constants that an op reads and that stand nowhere yet."""
    owners = [value.owner for value in op.operands]
    return [
        o for o in dict.fromkeys(owners) if isinstance(o, ConstantOp) and o.parent is None and o not in inside
    ]


def _number(value: int) -> SSAValue:
    return ConstantOp(IntegerAttr(value, IndexType())).result


def _owner(values: Sequence[SSAValue]) -> Operation:
    owner = values[0].owner
    assert isinstance(owner, Operation)
    return owner


def _optimizer(optimizer: object, loc: SourceLoc) -> Optimizer:
    if optimizer is None:
        return Adam()
    if not isinstance(optimizer, Optimizer):
        raise DlcError(
            "DLC117",
            f"optimizer={optimizer!r} is no optimiser",
            loc=loc,
            help="as in optimizer=dlc.Adam(0.001)",
        )
    return optimizer
