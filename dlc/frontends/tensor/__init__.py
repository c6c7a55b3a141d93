"""Functions over tensors, written in JAX or torch, as functions of StableHLO ops."""
