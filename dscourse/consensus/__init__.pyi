from .naive_failover import NaiveFailoverNode as NaiveFailoverNode
