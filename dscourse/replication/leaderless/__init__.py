"""A store without a leader: any node takes reads and writes, and asks enough replicas that they overlap."""
