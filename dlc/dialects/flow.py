"""`flow`: a whole program, with its run-time parameters and named results."""

from __future__ import annotations

from xdsl.dialects.builtin import ArrayAttr, StringAttr, SymbolNameConstraint, UnitAttr
from xdsl.ir import Attribute, Dialect, ParametrizedAttribute, Region, SSAValue
from xdsl.irdl import (
    IRDLOperation,
    irdl_attr_definition,
    irdl_op_definition,
    opt_prop_def,
    param_def,
    prop_def,
    region_def,
    traits_def,
    var_operand_def,
)
from xdsl.traits import IsolatedFromAbove, IsTerminator, SymbolOpInterface
from xdsl.utils.exceptions import VerifyException

from . import datatypes as t
from .dist import local_frame
from .frame import FrameType


@irdl_attr_definition
class ParameterAttr(ParametrizedAttribute):
    """Run-time scalar of a program: name, type, and default (`unit` when it must be given)."""

    name = "flow.parameter"
    parameter: StringAttr = param_def()
    type: Attribute = param_def()
    default: Attribute = param_def()

    def verify(self) -> None:
        if not t.is_data_type(self.type):
            raise VerifyException(f"parameter {self.parameter.data!r}: {self.type} is not a data type")

    @property
    def required(self) -> bool:
        """Whether the caller must give a value."""
        return isinstance(self.default, UnitAttr)


@irdl_op_definition
class ReturnOp(IRDLOperation):
    """Named results of the program, handed to the caller."""

    name = "flow.return"
    names = prop_def(ArrayAttr[StringAttr])
    values = var_operand_def()
    traits = traits_def(IsTerminator())
    assembly_format = "$names ($values^ `:` type($values))? attr-dict"

    def __init__(self, names: list[str], values: list[SSAValue]):
        super().__init__(
            operands=[values], properties={"names": ArrayAttr([StringAttr(name) for name in names])}
        )

    def verify_(self) -> None:
        names = [name.data for name in self.names]
        if len(names) != len(self.values):
            raise VerifyException(f"{len(names)} names for {len(self.values)} results")
        if len(set(names)) != len(names):
            raise VerifyException("result names must differ")


@irdl_op_definition
class ProgramOp(IRDLOperation):
    """A pipeline over files: a single block of table ops that ends in `flow.return`."""

    name = "flow.program"
    sym_name = prop_def(SymbolNameConstraint())
    parameters = opt_prop_def(ArrayAttr[ParameterAttr])
    returns = opt_prop_def(ArrayAttr[FrameType])
    stage = opt_prop_def(StringAttr)
    body = region_def("single_block")
    traits = traits_def(IsolatedFromAbove(), SymbolOpInterface())
    assembly_format = (
        "$sym_name (`parameters` $parameters^)? (`returns` $returns^)? (`stage` $stage^)?"
        " attr-dict-with-keyword $body"
    )

    def __init__(self, name: str, parameters: list[ParameterAttr], body: Region):
        super().__init__(
            properties={
                "sym_name": StringAttr(name),
                "parameters": ArrayAttr(parameters) if parameters else None,
                "returns": ArrayAttr(_result_frames(body)),
            },
            regions=[body],
        )

    def parameter(self, name: str) -> ParameterAttr | None:
        """The parameter of that name, if there is one."""
        return next((p for p in self.parameters or () if p.parameter.data == name), None)

    @property
    def return_op(self) -> ReturnOp:
        """The terminator."""
        last = self.body.block.last_op
        assert isinstance(last, ReturnOp)
        return last

    def verify_(self) -> None:
        if not isinstance(self.body.block.last_op, ReturnOp):
            raise VerifyException("the body must end in flow.return")
        names = [p.parameter.data for p in self.parameters or ()]
        if len(set(names)) != len(names):
            raise VerifyException("parameter names must differ")
        if self.returns is not None and list(self.returns) != _result_frames(self.body):
            raise VerifyException("the frames returned are not those that the program declares")


def _result_frames(body: Region) -> list[FrameType]:
    last = body.block.last_op
    return [local_frame(value) for value in last.values] if isinstance(last, ReturnOp) else []


Flow = Dialect("flow", [ProgramOp, ReturnOp], [ParameterAttr])
