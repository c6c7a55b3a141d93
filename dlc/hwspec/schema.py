"""What a machine description may say: kinds of parts, their properties, and what may hold what.

One table serves the checks of the text, the suggestions in messages and the documentation; a test keeps the
operations of the `hw` dialect in step with it.
"""

from dataclasses import dataclass, field

DTYPES = ("f64", "f32", "tf32", "f16", "bf16", "f8", "f4", "i64", "i32", "i16", "i8", "i4")
"""Element types that a processor may give rates for, each also with the suffix `_tensor` for matrix units."""

RATES = (*DTYPES, *(f"{dtype}_tensor" for dtype in DTYPES))
PROVENANCES = ("spec", "measured", "assumed")
SCOPES = ("core", "socket", "node")


@dataclass(frozen=True)
class Property:
    """The value that a property takes.

    `form` is a base unit for a quantity ("1" for a number without unit), or one of `count` (whole number),
    `rates` (FLOP/s by element type), `text`, `texts`, `flag`, `choice`, `path`, `paths`, `type`, `numbers`.
    """

    form: str
    doc: str
    required: bool = False
    choices: tuple[str, ...] = ()
    positive: bool = True


@dataclass(frozen=True)
class Kind:
    """A kind of part: its operation in the `hw` dialect, its properties and the kinds that it may hold."""

    op: str
    doc: str
    properties: dict[str, Property] = field(default_factory=dict[str, Property])
    holds: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    """Kinds whose types a part of this kind may take besides its own."""


def _need(form: str, doc: str) -> Property:
    return Property(form, doc, required=True)


_POWER = {"power": Property("W", "power drawn under load")}
_DELAY = {
    "latency": Property("s", "time until the first byte arrives; 0 when left out", positive=False),
    "overhead": Property("s", "time that the sending processor spends on one message", positive=False),
}
_CHANNEL = {
    "bandwidth": _need("B/s", "peak rate in one direction"),
    "sustained": Property("B/s", "rate that programs reach, used in place of `bandwidth` when given"),
    **_DELAY,
    "duplex": Property(
        "choice", "whether both directions run at full rate at once", choices=("full", "half")
    ),
}
_SCOPE = {"scope": Property("choice", "joins all parts of this level to one another", choices=SCOPES)}
_PROCESSOR = {
    "smt": Property("count", "hardware threads per core"),
    "clock": Property("Hz", "clock rate"),
    "isa": Property("texts", "instruction sets"),
    "launch": Property("s", "time to start a kernel", positive=False),
    **_POWER,
}
_CORES = Property("count", "physical cores that programs may use", required=True)
_COMPUTE = Property("rates", "peak rate by element type")
_STORAGE = {
    "read": Property("B/s", "rate of reading"),
    "write": Property("B/s", "rate of writing"),
    "latency": _DELAY["latency"],
    "read_operations": Property("IO/s", "reads per second"),
    "write_operations": Property("IO/s", "writes per second"),
}
_IN_PROCESSOR = ("memory", "cache")
_IN_NODE = (
    *("group", "socket", "cpu", "gpu", "accel", "memory", "cache"),
    *("disk", "nic", "switch", "interconnect", "link", "network"),
)
IN_MACHINE = (
    *("cluster", "group", "node", "switch", "nic", "store", "disk"),
    *("interconnect", "link", "network", "island", "grid"),
)
_IN_GROUP = (*_IN_NODE, *(kind for kind in IN_MACHINE if kind not in _IN_NODE))

KINDS: dict[str, Kind] = {
    "cluster": Kind("group", "a part of a machine with nodes of its own", dict(_POWER), IN_MACHINE),
    "group": Kind("group", "any other grouping: a rack, a drawer, a NUMA domain", dict(_POWER), _IN_GROUP),
    "node": Kind("node", "what runs one operating system", dict(_POWER), _IN_NODE),
    "socket": Kind("group", "a package with processors and their memory", dict(_POWER), _IN_NODE),
    "cpu": Kind(
        "processor", "a host processor", {"cores": _CORES, "compute": _COMPUTE, **_PROCESSOR}, _IN_PROCESSOR
    ),
    "gpu": Kind("processor", "a graphics processor", {"compute": _COMPUTE, **_PROCESSOR}, _IN_PROCESSOR),
    "accel": Kind("processor", "any other accelerator", {"compute": _COMPUTE, **_PROCESSOR}, _IN_PROCESSOR),
    "memory": Kind(
        "memory",
        "memory that its processor, or the processors beside it, address directly",
        {
            "capacity": _need("B", "usable size"),
            "bandwidth": _need("B/s", "peak rate"),
            "sustained": _CHANNEL["sustained"],
            "latency": _DELAY["latency"],
            **_POWER,
        },
    ),
    "cache": Kind(
        "cache",
        "a cache level",
        {
            "capacity": _need("B", "size of one instance"),
            "per": Property("choice", "the level that has one instance each", choices=SCOPES),
            "line": Property("B", "size of a cache line"),
            "bandwidth": Property("B/s", "peak rate"),
            "latency": _DELAY["latency"],
        },
    ),
    "disk": Kind("disk", "storage of one node", {"capacity": _need("B", "usable size"), **_STORAGE}),
    "store": Kind(
        "store",
        "storage that all nodes share",
        {
            "kind": Property(
                "choice", "a file system or an object store", required=True, choices=("file", "object")
            ),
            "capacity": Property("B", "usable size"),
            **_STORAGE,
            "attach": Property("paths", "the networks or parts that lead to it"),
        },
    ),
    "nic": Kind("nic", "a network interface", {**_CHANNEL, **_POWER}, types=("interconnect",)),
    "switch": Kind(
        "switch", "joins the links that end at it", {"ports": Property("count", "number of ports"), **_DELAY}
    ),
    "interconnect": Kind(
        "link", "a medium: the type of links, or one that joins a whole level", {**_CHANNEL, **_SCOPE}
    ),
    "link": Kind("link", "a wire between two parts", dict(_CHANNEL), types=("interconnect",)),
    "network": Kind(
        "network",
        "joins many parts in a regular way",
        {
            "attach": _need("paths", "the parts that are joined"),
            "via": Property("type", "the interconnect that its wires are made of"),
            **_CHANNEL,
            "bandwidth": Property(
                "B/s", "peak rate of one wire, when neither `via` nor what is attached has one"
            ),
        },
        types=("interconnect",),
    ),
    "island": Kind(
        "island", "a named share of the machine for one gang", {"members": _need("paths", "its parts")}
    ),
    "grid": Kind(
        "grid",
        "parts arranged as a mesh of devices",
        {
            "over": _need("path", "the parts, in order"),
            "shape": _need("numbers", "the extent of each axis"),
            "axes": Property("texts", "the name of each axis"),
        },
    ),
}

TYPED = tuple(kind for kind in KINDS if kind not in {"link", "network", "island", "grid", "cluster"})
"""Kinds that `type` can define."""

TOPOLOGIES: dict[str, dict[str, Property]] = {
    "star": {"ports": Property("count", "ports of the one switch; it never blocks")},
}
"""Shapes of networks with their arguments."""
