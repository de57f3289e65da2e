"""dscourse: learn why organisations build distributed systems by running, breaking and repairing them."""

__version__ = "0.1.0"
