"""A store with one leader: its replicas, the operator that replaces a leader, and the gateway of its users."""
