"""Layouts for every value, fragments, and the collectives between them."""
