from .bounded import BoundedLoadRing as BoundedLoadRing
from .cache_pool import cache_pool as cache_pool, database_load as database_load
from .directory import DirectoryPartitioner as DirectoryPartitioner
from .handover import (
    growing_cluster as growing_cluster,
    handed_over as handed_over,
    keys_held as keys_held,
)
from .hot_keys import (
    HotKey as HotKey,
    LruCache as LruCache,
    SpaceSaving as SpaceSaving,
    split_hot_key as split_hot_key,
    spread_hot_keys as spread_hot_keys,
)
from .keys import Key as Key, hash_key as hash_key, hash_keys as hash_keys
from .maglev import MaglevPartitioner as MaglevPartitioner, maglev_table as maglev_table
from .numbered import (
    JumpPartitioner as JumpPartitioner,
    ModuloPartitioner as ModuloPartitioner,
    jump_hash as jump_hash,
)
from .partitioner import Partitioner as Partitioner
from .ranges import KeyRange as KeyRange, RangePartitioner as RangePartitioner
from .rebalancing import (
    Rebalance as Rebalance,
    load_counts as load_counts,
    load_imbalance as load_imbalance,
    rebalance as rebalance,
)
from .rendezvous import RendezvousPartitioner as RendezvousPartitioner
from .ring import ConsistentHashRing as ConsistentHashRing
from .skew import (
    twitter_zipf_exponents as twitter_zipf_exponents,
    zipf_keys as zipf_keys,
    zipf_probabilities as zipf_probabilities,
)
from .store.nodes import (
    Application as Application,
    CoordinatingNode as CoordinatingNode,
    Proxy as Proxy,
    StorageNode as StorageNode,
    partitioned_node as partitioned_node,
    store_network as store_network,
)
from .store.pricing import Price as Price, price as price
