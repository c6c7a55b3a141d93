"""A machine goes into the `hw` dialect, through its text, and comes back the same."""

import io
from pathlib import Path

import pytest
from xdsl.dialects.builtin import FileLineColLoc, FloatAttr, StringAttr, f64
from xdsl.parser import Parser
from xdsl.printer import Printer
from xdsl.utils.exceptions import VerifyException

from dlc import dialects, hwspec
from dlc.diagnostics import DlcError
from dlc.dialects.hw import OPS_BY_KIND, Hw, MachineOp, PartOp, QuantityAttr
from dlc.dialects.quantity import PROVENANCES, UNITS
from dlc.hwspec import schema
from dlc.hwspec.units import BASE_UNITS

EVERYTHING = """
type interconnect wire {
  bandwidth = 100 Gbit/s @spec("data sheet"); duplex = half; sharing = fatpipe
  latency = 1 us @measured("ping", 3 %)
}
type node base {
  cpu c { cores = 4; isa = ["avx2", "fma"] }
  memory ram { capacity = 8 GiB; bandwidth = 20 GB/s }
}
type node N extends base {
  group d[0..1] {
    accel a { compute = { bf16_tensor: 275 TFLOP/s }; memory hbm { capacity = 1 GB; bandwidth = 1 TB/s } }
  }
  nic h : wire { affinity = d[0] }
  switch w { ports = 4 }; link c -> d[*].a : wire { overhead = 0 s }; link c <-> h : wire
  cache l { per = socket; shared_by = 2; capacity = 1 MB }; disk k { capacity = 1 TB; write = 1 GB/s }
  interconnect shm { scope = core; bandwidth = 10 GB/s }
}
machine m {
  meta { source = "a test" }
  total { nodes = 4 @spec; compute = { bf16_tensor: 2200 TFLOP/s @spec("sum") }; memory = 32 GiB }
  node n[0..3] : N { power = 1 kW; idle = 200 W; price = 2.5 EUR/h @spec }
  network net : star(ports = 36 @spec) { attach = n[*].h; via = wire }
  network tree : fat_tree(down = [2, 2] @spec("plan"), up = [1]) { attach = n[*].h; bisection = 2 GB/s }
  network mesh : torus(dims = [4, 2], wrap = false) { attach = n[*].d[*].a; bandwidth = 5 GB/s; hop = 1 us }
  store s {
    kind = object; read = 8 GB/s; client = 1 GB/s; read_operations = 5500 IO/s; operations_per = prefix
    attach = [net]
  }
  island i { members = [n[0..1], n[3]] }
  grid g { over = n[*].d[*].a; shape = [4, 2]; axes = ["node", "chip"] }
}
"""


def printed(op: MachineOp, **options: bool) -> str:
    stream = io.StringIO()
    Printer(stream=stream, **options).print_op(op)
    return stream.getvalue()


def parsed(text: str) -> MachineOp:
    module = Parser(dialects.context(), text).parse_module()
    module.verify()
    op = module.body.block.first_op
    assert isinstance(op, MachineOp)
    return op


@pytest.mark.parametrize("generic", [False, True])
@pytest.mark.parametrize("name", [*hwspec.catalog_names(), "everything"])
def test_text_to_model_to_ir_text_and_back_is_the_same_machine(name: str, generic: bool) -> None:
    machine = hwspec.loads(EVERYTHING) if name == "everything" else hwspec.load(name)
    op = hwspec.to_ir(machine)
    op.verify()
    assert hwspec.from_ir(parsed(printed(op, print_generic_format=generic))) == machine


def test_every_operation_keeps_its_place_in_the_description(tmp_path: Path) -> None:
    file = tmp_path / "m.hw"
    file.write_text(
        "machine m {\n  node n {\n    cpu c { cores = 4 }\n"
        "    memory r { capacity = 1 B; bandwidth = 1 B/s }\n  }\n}\n"
    )
    op = hwspec.to_ir(hwspec.load(file))
    lines = {
        inner.name: inner.location.line.data
        for inner in op.walk()
        if isinstance(inner.location, FileLineColLoc)
    }
    assert lines == {"hw.machine": 1, "hw.node": 2, "hw.processor": 3, "hw.memory": 4}
    again = parsed(printed(op, print_debuginfo=True))
    loc = hwspec.from_ir(again).tree[0].loc
    assert (loc.file, loc.line, loc.column) == (str(file), 2, 8)


def test_a_large_machine_is_a_few_operations() -> None:
    assert sum(1 for _ in hwspec.to_ir(hwspec.load("strand")).walk()) < 30


def test_the_machine_of_hand_written_ir_is_checked() -> None:
    op = parsed(
        "hw.machine @m { hw.node @n { hw.processor cpu @c "
        'attributes {cores = #hw.quantity<4.0 : f64, "1", "spec">} } }'
    )
    with pytest.raises(DlcError, match="node n has no memory"):
        hwspec.from_ir(op)


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        (
            'duplex = "both", bandwidth = #hw.quantity<1.0 : f64, "B/s", "spec">',
            "duplex of nic h must be one of",
        ),
        ('bandwidth = #hw.quantity<0.0 : f64, "B/s", "spec">', "bandwidth of nic h must be positive"),
    ],
)
def test_what_only_ir_can_say_is_checked_as_well(figures: str, message: str) -> None:
    op = parsed(f"hw.machine @m {{ hw.node @n {{ hw.nic @h attributes {{{figures}}} }} }}")
    with pytest.raises(DlcError, match=message):
        hwspec.from_ir(op)


@pytest.mark.parametrize(
    ("value", "unit", "provenance", "message"),
    [
        (1.0, "GB", "spec", "unit must be one of"),
        (1.0, "B", "guess", "provenance must be one of"),
        (-1.0, "B", "spec", "finite and at least 0"),
        (float("inf"), "B", "spec", "finite and at least 0"),
    ],
)
def test_a_quantity_is_in_a_base_unit_and_says_where_it_is_from(
    value: float, unit: str, provenance: str, message: str
) -> None:
    with pytest.raises(VerifyException, match=message):
        QuantityAttr(FloatAttr(value, f64), StringAttr(unit), StringAttr(provenance))


def test_dialect_and_schema_say_the_same() -> None:
    assert UNITS == BASE_UNITS
    assert PROVENANCES == schema.PROVENANCES
    assert set(OPS_BY_KIND) == set(schema.KINDS)
    structure = {"sym_name", "count", "type", "ends", "directed", "topology", "arguments"}
    for kind, row in schema.KINDS.items():
        op = OPS_BY_KIND[kind]
        assert op.name == f"hw.{row.op}"
        assert issubclass(op, PartOp)
        known = set(op.get_irdl_definition().properties) - structure
        described = {
            name
            for other in schema.KINDS
            if OPS_BY_KIND[other] is op
            for name in schema.KINDS[other].properties
        }
        # A link may be an interconnect with a scope; what a network is made of is its type.
        assert known - ({"kind"} if op.KINDS else set()) == described - {"via"}, kind


def test_every_operation_of_the_dialect_is_documented() -> None:
    assert all(op.__doc__ for op in Hw.operations)
