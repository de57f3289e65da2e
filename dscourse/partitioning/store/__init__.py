"""A partitioned store on the simulated cluster: routing, secondary indexes, transactions, and what they cost."""
