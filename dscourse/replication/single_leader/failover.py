"""A fixed procedure for when the leader is silent: fence it, ask who has what, promote the one that has most.

One operator decides, so that two leaders of one epoch cannot be; who decides if the operator is gone, or cut off, is
the subject of elections. How long real procedures take, with their documented settings:

- Patroni: a leader's lock is good for ``ttl`` = 30 s and renewed every ``loop_wait`` = 10 s, with ``retry_timeout``
  = 10 s for what it depends on; loop_wait + 2 · retry_timeout ≤ ttl (Patroni, "Dynamic configuration settings"). So it
  takes 20 to 30 s until the lock of a dead leader has run out.
- MongoDB: heartbeats every 2 s, an election after 10 s of silence; the median until there is a new primary should not
  exceed 12 s (MongoDB Manual, "Replica Set Elections").
- Amazon RDS: with a standby typically 60 to 120 s ("Failing over a Multi-AZ DB instance"), as a cluster of three
  typically under 35 s ("Failing over a Multi-AZ DB cluster").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dscourse.arguments import node_ids, one_of, real, truth, whole
from dscourse.replication.single_leader.log import Inspect, Position, Promote, Report, copies_needed
from dscourse.replication.single_leader.replica import MODES
from dscourse.simulation import Context, Node


@dataclass(frozen=True)
class Choice:
    """Who is to lead, and at what price.

    Attributes:
        node: the new leader; None if none is to be made.
        lost: from which index to which acknowledged writes are, or may be, lost with it; None if none are. The second
            is None if nobody knows how many.
        explanation: why, in words.
    """

    node: str | None
    lost: tuple[int, int | None] | None
    explanation: str


def choose_successor(
    received: Mapping[str, Position],
    *,
    acknowledged: int = 0,
    certain: bool = True,
    accept_loss: bool = False,
) -> Choice:
    """Choose the replica that has *received* most, of those that can be reached; or none, if that loses writes.

    What it has applied doesn't matter: it applies the rest before it leads. Of several with the same log the first is
    taken.

    Args:
        received: where the log of each replica within reach ends, on its disk.
        acknowledged: up to which index the old leader is known to have told clients that their writes are safe.
        certain: whether one of these must have whatever was acknowledged after that.
        accept_loss: promote nevertheless, and say what is lost.
    """
    if not received:
        return Choice(None, None, "no replica can be reached")
    best = max(received, key=lambda node: received[node])  # the first of the best
    have = received[best][1]
    if have < acknowledged:
        lost: tuple[int, int | None] | None = (have + 1, acknowledged)
        price = f"writes {have + 1} to {acknowledged} were acknowledged, and nobody within reach has them"
    elif not certain:
        lost = (have + 1, None)
        price = f"those out of reach may have acknowledged writes after {have}"
    else:
        return Choice(best, None, f"{best} has received up to {have}, and nobody can have acknowledged more")
    if accept_loss:
        return Choice(best, lost, f"{best} has received up to {have}, more than the others; {price}")
    return Choice(None, lost, f"nobody is promoted: {price}")


@dataclass(frozen=True)
class Configuration:
    """A leader and those whose acknowledgements it counts; the leader of epoch 1 counts all."""

    epoch: int
    leader: str
    followers: tuple[str, ...]

    def reaches_acknowledged(self, reached: Sequence[str], needed: int) -> bool:
        """Whether somebody reached has every write that this leader can have acknowledged, now and later.

        A write is acknowledged when ``needed`` followers have it. If fewer than that are out of reach, none of them is
        acknowledged without one within reach: who has it, or will refuse it, since it knows of a newer epoch.
        """
        return self.leader in reached or sum(one not in reached for one in self.followers) < needed


class FailoverOperator(Node):
    """Watches the leader, and replaces it when it is silent.

    1. It asks every replica how things stand, again and again. A leader that doesn't answer for ``timeout`` seconds is
       taken for dead. It may not be: it may be slow, or only out of this machine's reach.
    2. It makes a new epoch and tells all replicas: those that hear of it take nothing from the old leader any more.
    3. After ``patience`` seconds it promotes, of those that have answered, the one that has received most. If that may
       lose acknowledged writes, it refuses and goes on asking, unless it is told to ``accept_loss``.

    Only those that answered are followers whose acknowledgements count from then on. Once others are back and have
    nearly caught up, it makes a further epoch, with the same leader and all of them. (Under async nobody counts.)

    Args:
        node_id: its name.
        peers: those it is linked with.
        replicas: the machines that hold copies.
        leader: who leads at first; by default the first of the replicas.
        mode: of the replicas.
        acknowledgements: of the replicas.
        accept_loss: promote even if acknowledged writes may be lost; by default only where async gives no choice.
        interval: seconds between two questions.
        timeout: seconds of silence after which a leader is replaced.
        patience: seconds to wait for answers before the choice.
    """

    def __init__(
        self,
        node_id: str,
        peers: Sequence[str],
        *,
        replicas: Sequence[str],
        leader: str | None = None,
        mode: str = "sync",
        acknowledgements: int = 1,
        accept_loss: bool | None = None,
        interval: float = 0.25,
        timeout: float = 1.0,
        patience: float = 0.25,
    ) -> None:
        super().__init__(node_id, peers)
        self._replicas = node_ids("replicas", replicas)
        self._mode = one_of("mode", mode, MODES)
        self._acknowledgements = whole("acknowledgements", acknowledgements, at_least=1)
        self._accept_loss = mode == "async" if accept_loss is None else truth("accept_loss", accept_loss)
        self._interval = real("interval", interval, above=0.0)
        self._timeout = real("timeout", timeout, above=0.0)
        self._patience = real("patience", patience, above=0.0)
        first = self._replicas[0] if leader is None else leader
        others = tuple(node for node in self._replicas if node != first)
        self.epoch = 1
        self._configurations = [Configuration(1, first, others)]  # all in which writes may be acknowledged
        self._known_acknowledged = 0
        self._heard: dict[str, float] = {}
        self._reports: dict[str, Report] = {}
        self.choosing = False

    @property
    def leader(self) -> str | None:
        """Who leads, as far as it knows; None while it chooses."""
        return None if self.choosing else self._configurations[-1].leader

    def on_start(self, ctx: Context) -> None:
        """Watch; after a crash, begin with a new epoch, since the last one may have a leader that nobody noted."""
        if ctx.stored is None:
            self._watch(ctx)
            return
        self.epoch, configurations, self._known_acknowledged = ctx.stored
        self._configurations = [Configuration(*one) for one in configurations]
        self._begin_to_choose(ctx)

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Note how things stand at a replica."""
        if not isinstance(message, Report) or message.epoch != self.epoch:
            return
        self._reports[sender] = message
        self._heard[sender] = ctx.now
        present = self._configurations[-1]
        if message.leading and (present.epoch, present.leader) == (self.epoch, sender):
            self._configurations = [present]  # it has all that was acknowledged earlier, on enough disks
            is_back = self._mode != "async" and any(self._is_back(ctx, node) for node in self._replicas)
            self._known_acknowledged = message.acknowledged
            if is_back:
                self._begin_to_choose(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """Ask again, or choose."""
        if name == "choose":
            self._choose(ctx)
        elif ctx.now - self._heard[self._configurations[-1].leader] > self._timeout:
            self._begin_to_choose(ctx)
        else:
            self._ask(ctx)
            ctx.set_timer("ask", self._interval)

    def _watch(self, ctx: Context) -> None:
        self.choosing = False
        leader = self._configurations[-1].leader
        self._heard = {leader: ctx.now}
        ctx.record("status", status="follower", label=f"watches {leader}")
        self._ask(ctx)
        ctx.set_timer("ask", self._interval)

    def _is_back(self, ctx: Context, node: str) -> bool:
        """Whether a replica that doesn't count as a follower has answered of late, with all but the latest writes."""
        present = self._configurations[-1]
        if node in (present.leader, *present.followers) or node not in self._reports:
            return False
        epoch, index = self._reports[node].last
        recent = ctx.now - self._heard[node] <= self._interval
        return recent and epoch == self._reports[present.leader].last[0] and index >= self._known_acknowledged

    def _begin_to_choose(self, ctx: Context) -> None:
        self.choosing = True
        self.epoch += 1
        self._save(ctx)
        ctx.cancel_timer("ask")
        ctx.record("status", status="candidate", label=f"makes epoch {self.epoch}")
        self._ask_anew(ctx)

    def _ask_anew(self, ctx: Context) -> None:
        self._reports.clear()
        self._ask(ctx)
        ctx.set_timer("choose", self._patience)

    def _choose(self, ctx: Context) -> None:
        last_leader = self._configurations[-1].leader
        order = sorted(self._reports, key=lambda node: (node != last_leader, self._replicas.index(node)))
        choice = choose_successor(
            {node: self._reports[node].last for node in order},
            acknowledged=self._known_acknowledged,
            certain=all(
                one.reaches_acknowledged(
                    order, copies_needed(self._mode, len(one.followers), self._acknowledgements)
                )
                for one in self._configurations
            ),
            accept_loss=self._accept_loss,
        )
        ctx.record(
            "choice", leader=choice.node, lost=choice.lost and list(choice.lost), why=choice.explanation
        )
        if choice.node is None:
            self._ask_anew(ctx)
            return
        followers = tuple(node for node in self._replicas if node in self._reports and node != choice.node)
        self._configurations.append(Configuration(self.epoch, choice.node, followers))
        self._known_acknowledged = min(self._known_acknowledged, self._reports[choice.node].last[1])
        self._save(ctx)
        ctx.send(choice.node, Promote(self.epoch, followers))
        self._watch(ctx)

    def _ask(self, ctx: Context) -> None:
        for node in self._replicas:
            ctx.send(node, Inspect(self.epoch))

    def _save(self, ctx: Context) -> None:
        configurations = [(one.epoch, one.leader, one.followers) for one in self._configurations]
        ctx.save((self.epoch, configurations, self._known_acknowledged))
