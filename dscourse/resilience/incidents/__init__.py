"""Services in a graph, incidents that they meet, and what each pattern and each level of defense is worth in them."""
