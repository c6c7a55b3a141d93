"""Verification after each stage: the invariant that the next stage relies on."""
