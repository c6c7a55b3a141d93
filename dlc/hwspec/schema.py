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
    `counts` (whole numbers), `price` (currency per hour), `rates` (FLOP/s by element type), `text`, `texts`,
    `flag`, `choice`, `path`, `paths`, `type`, `numbers` (whole numbers that are no figures).
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


_POWER = {
    "power": Property("W", "power drawn under load"),
    "idle": Property("W", "power drawn when idle", positive=False),
}
_DELAY = {
    "latency": Property("s", "time until the first byte arrives; 0 when left out", positive=False),
    "overhead": Property("s", "time that the sending processor spends on one message", positive=False),
}
_CHANNEL = {
    "bandwidth": _need("B/s", "peak rate in one direction"),
    "sustained": Property("B/s", "rate that programs reach, used in place of `bandwidth` when given"),
    **_DELAY,
    "hop": Property("s", "time that each further switch on the way adds", positive=False),
    "duplex": Property(
        "choice",
        "whether both directions run at full rate at once; full when left out",
        choices=("full", "half"),
    ),
    "sharing": Property(
        "choice",
        "whether messages share the bandwidth, or each has it to itself (`fatpipe`); shared when left out",
        choices=("shared", "fatpipe"),
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
    "read_operations": Property("IO/s", "reads (GET) per second"),
    "write_operations": Property("IO/s", "writes (PUT) per second"),
}
_CLIENT = {
    "client": Property("B/s", "rate that one client gets at most"),
    "operations_per": Property(
        "choice",
        "what the rates of operations hold for; the store when left out",
        choices=("store", "prefix"),
    ),
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
    "node": Kind(
        "node",
        "what runs one operating system",
        {**_POWER, "price": Property("price", "what one node costs per hour")},
        _IN_NODE,
    ),
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
            "shared_by": Property(
                "count", "cores that share one instance, when neither one nor all of the level"
            ),
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
            **_CLIENT,
            "attach": Property("paths", "the networks or parts that lead to it"),
        },
    ),
    "nic": Kind(
        "nic",
        "a network interface",
        {
            **_CHANNEL,
            "affinity": Property(
                "paths", "the sockets or processors beside it, dealt out to its copies in order"
            ),
            **_POWER,
        },
        types=("interconnect",),
    ),
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
            "bisection": Property("B/s", "rate in one direction between the halves of what is attached"),
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
    "fat_tree": {
        "radix": Property("count", "ports of a switch, when `down` and `up` are left out"),
        "levels": Property("count", "levels of switches; the fewest that hold all parts when left out"),
        "taper": Property("1", "ports of a leaf switch towards parts for each port upwards; 1 never blocks"),
        "down": Property("counts", "children of a switch of each level, the leaf level first"),
        "up": Property("counts", "parents of a switch of each level but the top one"),
    },
    "rail_optimised": {
        "rails": Property("count", "nics of a node, each on a rail of its own", required=True),
        "nodes": Property("count", "nodes of a unit, which share a leaf switch for each rail", required=True),
        "uplinks": Property("count", "uplinks of a leaf switch; as many as `nodes` when left out"),
    },
    "torus": {
        "dims": Property("counts", "the extent of each axis; the last axis runs fastest", required=True),
        "wrap": Property("flag", "whether the axes close to rings; true when left out"),
    },
    "dragonfly": {
        "groups": Property(
            "count", "groups of routers; a wire joins each two routers of a group", required=True
        ),
        "routers": Property("count", "routers of a group", required=True),
        "hosts": Property("count", "attached parts of a router", required=True),
        "links": Property("count", "wires of a router to other groups", required=True),
    },
}
"""Shapes of networks with their arguments."""

TOTALS: dict[str, Property] = {
    "nodes": Property("count", "nodes of the machine"),
    "cores": Property("count", "physical cores of all host processors"),
    "gpus": Property("count", "graphics processors"),
    "accels": Property("count", "other accelerators"),
    "memory": Property("B", "memory of all hosts"),
    "compute": Property("rates", "rate of all processors by element type"),
}
"""What may be stated of a machine as a whole, to be compared with its parts."""
