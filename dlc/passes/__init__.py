"""Passes, one pipeline a stage: optimize → partition → place → lower, `verify-<stage>` after each."""

STAGES = ("flow", "opt", "dist", "placed", "plan")
"""The stages of compilation, first to last; here, so that a command line can name them without a compiler."""
