"""Front ends: a program in Python in, the `flow` stage of the IR out."""
