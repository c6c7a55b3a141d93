"""Passes, one pipeline a stage: optimize → partition → place → lower, `verify-<stage>` after each."""
