"""What runs: the event loop and its parts. Nothing below knows it but `run`."""
