"""Runs a compiled plan on the ranks of an MPI job (or on threads, or alone). Imports no compiler."""
