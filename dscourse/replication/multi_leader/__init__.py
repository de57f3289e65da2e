"""A store in which every replica takes writes: what conflicts, and what becomes of that."""
