"""The machine that passes and predictions ask: plain data with queries, free of parsers and of the IR.

Results are in base units (B, s, B/s, FLOP/s, W); paths are text such as `n[0].s[1].ddr`, from the machine on.
No query lists the copies of a part: each costs what the description is long, not what the machine is large.
"""

import hashlib
import math
from dataclasses import dataclass, field
from functools import cached_property

from dlc.diagnostics import DlcError, SourceLoc, suggest
from dlc.hwspec import collectives, routes, usage
from dlc.hwspec.networks import Hop, Network
from dlc.hwspec.parts import (
    Counts,
    Part,
    Placed,
    Properties,
    Quantity,
    Resolver,
    Table,
    Type,
    Value,
    select,
    walk,
)


@dataclass(frozen=True)
class Island:
    """Equal places for gangs: `count` disjoint sets of `cores` cores, each in one instance of `container`.

    `container` is a path such as `n[*].s[*]`; `nodes` is 0 unless it spans several.
    """

    container: str
    cores: int
    count: int
    nodes: int


@dataclass(frozen=True)
class Machine:
    """A machine as described: `types` and `parts` hold what the text says, `tree` has the types filled in."""

    name: str
    types: tuple[Type, ...]
    parts: tuple[Part, ...]
    meta: tuple[tuple[str, str], ...] = ()
    loc: SourceLoc = field(default=SourceLoc("", 0), compare=False)
    total: Properties = ()

    @cached_property
    def tree(self) -> tuple[Part, ...]:
        """The parts with everything that their types say; raises `DLC403` to `DLC405` where that fails."""
        resolver = Resolver(self.types)
        for type_ in self.types:
            resolver.type(type_.part.name, type_.part.loc)
        return tuple(resolver.part(part) for part in self.parts)

    @cached_property
    def placed(self) -> tuple[Placed, ...]:
        """Every part once for all its instances, outer before inner."""
        return tuple(walk(self.tree))

    def of_kind(self, *kinds: str) -> list[Placed]:
        """The parts of some kinds."""
        return [placed for placed in self.placed if placed.part.kind in kinds]

    def count(self, kind: str) -> int:
        """How many instances of a kind there are, such as the gpus of the whole machine."""
        return sum(placed.copies for placed in self.of_kind(kind))

    @cached_property
    def cores(self) -> int:
        """Physical cores of all host processors."""
        return sum(placed.copies * int(placed.part.number("cores", 0) or 0) for placed in self.of_kind("cpu"))

    @cached_property
    def memory_bytes(self) -> int:
        """Host memory of one node, of the smallest where nodes differ; memory of gpus does not count."""
        return min((collectives.host_memory(node.part) for node in self.of_kind("node")), default=0)

    def flops(self, dtype: str = "f64", kind: str = "cpu") -> float:
        """Peak FLOP/s of all processors of a kind; those without a rate for `dtype` count nothing."""
        total = 0.0
        for placed in self.of_kind(kind):
            compute = placed.part.get("compute")
            rate = compute.get(dtype) if isinstance(compute, Table) else None
            total += placed.copies * rate.value if rate else 0.0
        return total

    def capacity(self, memory: str) -> int:
        """Bytes of all instances that a path selects; of a part without a capacity, those of its memories."""
        selected = select(self.tree, memory, self.loc)
        own = selected.part.number("capacity")
        if own is not None:
            return selected.count * int(own)
        below = (placed for placed in walk(selected.part.parts) if placed.part.kind == "memory")
        return selected.count * sum(
            placed.copies * int(placed.part.number("capacity", 0) or 0) for placed in below
        )

    @cached_property
    def router(self) -> routes.Router:
        """Finds ways, and remembers them."""
        return routes.Router(self.tree, self.placed, self.loc)

    def path(self, a: str, b: str) -> tuple[Hop, ...]:
        """The hops from one instance to another, none if they are the same; `DLC405` without a way.

        Networks route as shaped: a fat tree up and down, a torus axis by axis, a dragonfly minimally.
        Each hop has a `link`, the identity of the channel: messages whose ways hold the same link share its
        `bandwidth` (unless it is not `shared`); the two directions of a full-duplex wire are different links.
        The first way between two kinds of parts takes milliseconds, a further one microseconds a hop.
        """
        return self.router.route(a, b)

    def transfer_seconds(self, size: float, a: str, b: str) -> float:
        """Time for one message of `size` bytes from `a` to `b` on an idle machine."""
        return routes.seconds(self.path(a, b), size)

    def networks(self) -> dict[str, Network]:
        """The networks outside nodes by their path, such as `ib`; of copies, the one that stands for all."""
        return {
            ".".join(names): network for names, network in self.router.networks.items() if network.joins_nodes
        }

    def bisection(self, network: str = "") -> float:
        """B/s in one direction between the halves of a network that joins nodes, stated or that of its wires.

        Without a name that of the widest one; infinite where no network joins nodes. `DLC403` for an unknown
        name.
        """
        networks = self.networks()
        if network and network not in networks:
            guess = suggest(network, networks)
            fix = (
                f"did you mean `{guess}`?" if guess else f"known: {', '.join(networks)}" if networks else None
            )
            raise DlcError("DLC403", f"no network `{network}` joins nodes", loc=self.loc, help=fix)
        chosen = [networks[network]] if network else networks.values()
        return max((entry.bisection() for entry in chosen), default=math.inf)

    @cached_property
    def price_per_node_hour(self) -> Quantity | None:
        """What a node costs per hour, the mean where nodes differ; its unit is a currency per hour, as USD/h.

        None unless all nodes have a price in one currency.
        """
        return usage.price(self.of_kind("node"))

    @cached_property
    def power(self) -> usage.Power:
        """What all nodes draw, in W: of a node what it says, otherwise the sum of its parts."""
        return usage.power(self.of_kind("node"))

    def storage_seconds(
        self,
        storage: str,
        size: float,
        *,
        write: bool = False,
        requests: int = 1,
        clients: int = 1,
        prefixes: int = 1,
    ) -> float:
        """Time in which `clients` together read (or write) `size` bytes of a disk or store in `requests`.

        Bounded by the storage, by what each client gets, and by its rate of operations, which object stores
        have for each of the `prefixes` under which the objects lie. The network is not part of it.
        """
        part = select(self.tree, storage, self.loc).part
        return usage.storage_seconds(
            part, size, write=write, requests=requests, clients=clients, prefixes=prefixes
        )

    @cached_property
    def fabric(self) -> collectives.Fabric:
        """What ranks on host cores see of the machine: one channel within a node and one between nodes."""
        return collectives.fabric(self.placed, self.router)

    def exchange_seconds(self, bytes_per_rank: float, ranks: int) -> float:
        """Time in which every rank sends `bytes_per_rank` in equal shares to all `ranks`, itself included."""
        return collectives.exchange_seconds(self.fabric, bytes_per_rank, ranks)

    def broadcast_seconds(self, size: float, ranks: int) -> float:
        """Time in which one rank gives `size` bytes to all `ranks`."""
        return collectives.broadcast_seconds(self.fabric, size, ranks)

    def ranks_per_node(self, ranks: int) -> int:
        """Ranks on the fullest node when they fill the cores node by node; more than there are share them."""
        return math.ceil(self.fabric.spread(ranks)[1])

    def islands(self, k: int) -> tuple[Island, ...]:
        """The places for gangs of `k` cores, each within the smallest part that holds `k`.

        Each kind of node has an entry. A gang that needs more cores than a node has gets whole nodes.
        Empty when there are too few cores.
        """
        if k < 1:
            raise ValueError(f"an island has at least 1 core, not {k}")
        found: list[Island] = []
        for node in self.of_kind("node"):
            inner = self._holders(node, k)
            if inner:
                found += inner
            elif cores := cores_below(node.part):
                span = -(-k // cores)
                if node.copies >= span:
                    found.append(Island(node.path, span * cores, node.copies // span, span))
        return tuple(found)

    def _holders(self, outer: Placed, k: int) -> list[Island]:
        """The innermost parts at or below `outer` with at least `k` cores."""
        if cores_below(outer.part) < k:
            return []
        below = walk(outer.part.parts, f"{outer.path}.", outer.copies, (*outer.parents, outer.part))
        children = [
            placed
            for placed in below
            if len(placed.parents) == len(outer.parents) + 1 and placed.part.kind in ("group", "socket")
        ]
        inner = [island for child in children for island in self._holders(child, k)]
        return inner or [Island(outer.path, k, outer.copies * (cores_below(outer.part) // k), 0)]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the figures, whatever types, sources or comments there are."""
        digest = hashlib.sha256(self.name.encode())
        for placed in self.placed:
            figures = [(key, _figures(value)) for key, value in placed.part.properties]
            digest.update(repr((placed.part.kind, placed.path, placed.copies, figures)).encode())
        return digest.hexdigest()


def cores_below(part: Part) -> int:
    """Host cores of one instance of a part."""
    own = int(part.number("cores", 0) or 0) if part.kind == "cpu" else 0
    return own + sum(child.copies * cores_below(child) for child in part.parts)


def _figures(value: Value) -> object:
    """A value without its provenance."""
    match value:
        case Quantity():
            return (value.value, value.unit)
        case Table():
            return [(name, _figures(entry)) for name, entry in value.entries]
        case Counts():
            return tuple(item.value for item in value.items)
        case _:
            return value
