from .dns_plans import always_an_address as always_an_address, late_clean_up as late_clean_up
from .elections import (
    election_downtimes as election_downtimes,
    split_vote_probability as split_vote_probability,
)
from .failovers import FailoverTimes as FailoverTimes, predict_failovers as predict_failovers
from .fencing import (
    FencedStorage as FencedStorage,
    Storage as Storage,
    StorageNode as StorageNode,
    no_stale_writes as no_stale_writes,
)
from .leases import (
    LeaseHolder as LeaseHolder,
    LockService as LockService,
    lock_cluster as lock_cluster,
    one_holder as one_holder,
)
from .naive_failover import NaiveFailoverNode as NaiveFailoverNode
from .quorum import (
    advance_commit as advance_commit,
    failures_survived as failures_survived,
    majority_commit_index as majority_commit_index,
    majority_side as majority_side,
    quorum_size as quorum_size,
    vote_outcome as vote_outcome,
)
from .raft.cluster import raft_cluster as raft_cluster
from .raft.messages import (
    AppendEntries as AppendEntries,
    AppendReply as AppendReply,
    Entry as Entry,
    PreVote as PreVote,
    PreVoteReply as PreVoteReply,
    RequestVote as RequestVote,
    VoteReply as VoteReply,
    last_position as last_position,
    last_possible_match as last_possible_match,
)
from .raft.node import RaftNode as RaftNode
from .raft.properties import (
    SAFETY as SAFETY,
    STEP_RULES as STEP_RULES,
    committed_entries_survive as committed_entries_survive,
    logs_match as logs_match,
    members_agree as members_agree,
    one_leader_per_term as one_leader_per_term,
    rules_of_every_moment as rules_of_every_moment,
    same_values as same_values,
    step_rule as step_rule,
    watched as watched,
)
from .raft.store import KeyValueNode as KeyValueNode, RaftGateway as RaftGateway
from .replays import (
    ChecksByTimer as ChecksByTimer,
    FirstLeads as FirstLeads,
    half_broken_switch as half_broken_switch,
    late_plan as late_plan,
    lease_by_timer as lease_by_timer,
    promoted_in_the_west as promoted_in_the_west,
    two_coasts as two_coasts,
)
from .shop import ShopNode as ShopNode, sold_twice as sold_twice
