from .naive_failover import NaiveFailoverNode as NaiveFailoverNode
from .shop import ShopNode as ShopNode, sold_twice as sold_twice
