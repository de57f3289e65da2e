from .naive_failover import Heartbeat as Heartbeat, NaiveFailoverNode as NaiveFailoverNode
