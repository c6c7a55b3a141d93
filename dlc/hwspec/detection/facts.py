"""What detection finds out, as plain data; 0 and "" stand for what is not known. Base units throughout."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cache:
    """One cache level: `cpus` hardware threads share an instance, a socket has `instances` of it."""

    name: str
    size: int
    line: int
    cpus: int
    instances: int = 1


@dataclass(frozen=True)
class Disk:
    """A block device; `kind` is nvme, ssd, hdd, or "" where a hypervisor hides what it is."""

    name: str
    size: int
    kind: str = ""
    model: str = ""


@dataclass(frozen=True)
class Nic:
    """A network interface that is up; `rate` in B/s and one direction, `kind` is infiniband or ethernet."""

    name: str
    kind: str
    rate: float = 0.0


@dataclass(frozen=True)
class Gpu:
    """A graphics processor; `link` is the rate of its PCIe slot in one direction, `numa` its domain or -1.

    `bus` is its PCI address; `peers` has, for what NVLink leads to, its address, "switch" or "cpu", and the
    rate of all those links in one direction.
    """

    name: str
    memory: int = 0
    bandwidth: float = 0.0
    clock: float = 0.0
    f32: float = 0.0
    f64: float = 0.0
    link: float = 0.0
    numa: int = -1
    bus: str = ""
    peers: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True)
class Allocation:
    """What Slurm has given to this job: processors of each node as Slurm counts them, memory of a node."""

    job: str
    nodes: tuple[str, ...]
    cpus: tuple[int, ...]
    cpus_here: int = 0
    tasks: int = 0
    memory: int = 0
    gpus: int = 0
    gpu_type: str = ""


@dataclass(frozen=True)
class Facts:
    """All that was read about the node at hand; `sockets` has the usable cores of each.

    `nominal` says that `clock` is the rate the kernel states, not that of the moment. `domains` has, for
    each NUMA domain with processors, the index of its socket.
    """

    sockets: tuple[int, ...]
    threads: int = 1
    clock: float = 0.0
    nominal: bool = False
    isa: tuple[str, ...] = ()
    caches: tuple[Cache, ...] = ()
    domains: tuple[int, ...] = (0,)
    memory: int = 0
    memory_limit: int = 0
    cpu_quota: float = 0.0
    disks: tuple[Disk, ...] = ()
    nics: tuple[Nic, ...] = ()
    gpus: tuple[Gpu, ...] = ()
    allocation: Allocation | None = None
    mpi: str = ""
