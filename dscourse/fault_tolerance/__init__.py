"""Faults and redundancy: what can break, how many copies that takes, and how often the whole is up.

- `availability`: series, parallel, k of n, nines, downtime, MTTF and MTTR, where failures are independent;
  `shared_causes`: the same where they aren't.
- `tolerance`: "tolerant to faults of type F" as a statement that can be tested.
- `experiments`: the four kinds of fault on the simulated cluster (`replicated_reads`, `generals`); `replicas`: how many
  copies each takes.
- `standby`: hot, warm and cold, measured. `reachability`: whom a crash cuts off on a graph.
- `byzantine`, `byzantine_search`: the Byzantine generals, and a search for a treason that works.
- `failure_record`: what nine years of real failures say about independence.

Everywhere a wrong type raises a TypeError, a value that can't be a ValueError, and an unknown name a LookupError.
"""

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a bare process needs a node, and not all of this.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
