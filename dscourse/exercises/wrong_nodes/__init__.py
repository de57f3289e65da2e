"""Typical wrong nodes, one module a notebook: code, what is said to it, and how many faults show it."""
