"""Values that any two replicas can merge, whatever each has seen: version vectors, registers, counters and a set."""
