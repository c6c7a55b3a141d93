"""What using a machine takes: power, money, and time at its storage. Pure functions of parts."""

from dataclasses import dataclass

from dlc.hwspec.parts import Part, Placed, Provenance, Quantity


@dataclass(frozen=True)
class Power:
    """Power in W: `idle`, and `busy` under load. 0 where the description says nothing."""

    idle: float
    busy: float


def power(nodes: list[Placed]) -> Power:
    """What all nodes draw together."""
    return Power(
        *(sum(node.copies * _watts(node.part, name) for node in nodes) for name in ("idle", "power"))
    )


def _watts(part: Part, name: str) -> float:
    own = part.number(name)
    return own if own is not None else sum(inner.copies * _watts(inner, name) for inner in part.parts)


def price(nodes: list[Placed]) -> Quantity | None:
    """The mean price of a node; None unless all have one in the same currency."""
    prices = [node.part.get("price") for node in nodes]
    known = [entry for entry in prices if isinstance(entry, Quantity)]
    if len(known) < len(nodes) or len({entry.unit for entry in known}) != 1:
        return None
    if len(known) == 1:
        return known[0]
    total = sum(node.copies * entry.value for node, entry in zip(nodes, known, strict=True))
    return Quantity(total / sum(node.copies for node in nodes), known[0].unit, Provenance())


def storage_seconds(
    storage: Part, size: float, *, write: bool, requests: int, clients: int, prefixes: int
) -> float:
    """The longer of moving the bytes and of serving the requests, after the latency of the first."""
    name, other = ("write", "read") if write else ("read", "write")
    rate = storage.number(name) or storage.number(other)
    client, operations = storage.number("client"), storage.number(f"{name}_operations")
    rates = [limit for limit in (rate, client and client * clients) if limit]
    served = operations and operations * (prefixes if storage.text("operations_per") == "prefix" else 1)
    moving = size / min(rates) if rates else 0.0
    return (storage.number("latency", 0.0) or 0.0) + max(moving, requests / served if served else 0.0)
