"""dlc compiles dataflow programs of table operators to gangs of MPI processes."""

__version__ = "0.1.0"
