"""Resilience patterns: policies that are told the time and the luck, so that they work in a simulated cluster, in a
test and round a real call alike.

    from dscourse.resilience import CircuitBreaker, Retry, Timeout, compose
    compose(Retry(3), CircuitBreaker(), Timeout(0.3))
"""  # noqa: D205 - one sentence

import lazy_loader

# What stands in __init__.pyi is loaded when it is first asked for: a bare process needs a policy, and not all of this.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
