"""Transports: how bytes travel between the ranks of a run. `mpi` is imported only where it is used."""

from dlc.runtime.transport.base import PeerFailed, Transport
from dlc.runtime.transport.local import LocalTransport, run_local

__all__ = ["LocalTransport", "PeerFailed", "Transport", "run_local"]
