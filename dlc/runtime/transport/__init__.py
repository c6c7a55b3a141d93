"""Transports: how bytes travel between the ranks of a run. `mpi` is imported only where it is used."""

from dlc.runtime.transport.base import PeerFailed, Pending, Transport
from dlc.runtime.transport.local import LocalTransport, run_local

__all__ = ["LocalTransport", "PeerFailed", "Pending", "Transport", "run_local"]
