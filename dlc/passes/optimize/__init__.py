"""Logical optimisation: the same program, with less to do."""
