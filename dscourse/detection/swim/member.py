"""SWIM: a few members watch each member by turns, and news of a crash spreads like a rumour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dscourse.arguments import one_of, real, whole
from dscourse.detection.swim.member_list import MemberList
from dscourse.detection.swim.messages import Ack, Gossip, Join, Ping, PingRequest, Welcome
from dscourse.detection.swim.probe_order import RandomChoice, RoundRobin, some
from dscourse.detection.swim.rumours import ALIVE, FAULTY, SUSPECT, Rumour, RumourBuffer
from dscourse.detection.swim.suspicion import OpenSuspicion
from dscourse.detection.swim.theory import (
    swim_expected_confirmations,
    swim_retransmissions,
    swim_suspicion_bounds,
)
from dscourse.simulation import Node

if TYPE_CHECKING:
    from dscourse.simulation import Context

_RUMOURS_PER_MESSAGE = 6  # that fit on the back of one message
_RECONNECT_INTERVAL = 30.0  # seconds between pings to a random member believed faulty, in case it is not


class SwimMember(Node):
    """A member of a SWIM group: failure detector and membership list in one.

    Each period it pings one member. No answer within ``ack_timeout``: it asks ``indirect_probes`` others to ping
    for it. Still none by the end of the period: it suspects the member and says so. A suspect that hears of it
    refutes by raising its incarnation number; one that doesn't is declared faulty when the suspicion times out,
    sooner if other members confirm it. All news rides on pings and acknowledgements.

    Records ``suspect`` and ``trust`` as every detector does, and ``confirm`` when a suspect is declared faulty (all
    with ``peer``).

    Das, Gupta and Motivala (DSN 2002), with the extensions of memberlist that change what one sees: confirmations,
    a ping that tells its addressee what is held against it, and (from Serf) a ping now and then to a member believed
    faulty, so that a cut group grows together again. Not here: members that join or leave for good, probes over TCP,
    full state exchange, and Lifeguard's local health. In place of the exchange, whoever is told by another that he
    holds old news answers him in person.

    Args:
        node_id: of this member.
        peers: whom it can reach; the whole group in a full mesh.
        period: seconds between probes.
        ack_timeout: seconds to wait for the direct answer, less than ``period``.
        indirect_probes: members asked to ping for it; 0 for none.
        probe_order: ``"round_robin"`` goes through a shuffled list, so that at most 2N − 1 periods pass between
            two probes of the same member; ``"random"`` draws anew each time, as in the basic protocol.
        suspicion_multiplier: the shortest suspicion lasts this · max(1, log₁₀ N) periods; 0 declares a silent
            member faulty at once.
        suspicion_maximum_multiplier: the longest suspicion is this many times the shortest.
        retransmit_multiplier: a rumour is passed on this · ⌈log₁₀(N + 1)⌉ times by each member.
        gossip_interval: seconds between messages of rumours alone, while there are any; None for piggyback only.
        gossip_nodes: members that get such a message each time.
    """

    def __init__(
        self,
        node_id: str,
        peers: tuple[str, ...],
        *,
        period: float = 1.0,
        ack_timeout: float = 0.5,
        indirect_probes: int = 3,
        probe_order: str = "round_robin",
        suspicion_multiplier: float = 4.0,
        suspicion_maximum_multiplier: float = 6.0,
        retransmit_multiplier: int = 4,
        gossip_interval: float | None = None,
        gossip_nodes: int = 3,
    ) -> None:
        super().__init__(node_id, peers)
        self._period = real("period", period, above=0.0)
        self._ack_timeout = real("ack_timeout", ack_timeout, above=0.0)
        if self._ack_timeout >= self._period:
            raise ValueError(f"ack_timeout must be below the period of {period:g} s, got {ack_timeout:g} s")
        self._indirect = whole("indirect_probes", indirect_probes, at_least=0)
        order = one_of("probe_order", probe_order, ("round_robin", "random"))
        self._order = RoundRobin(peers) if order == "round_robin" else RandomChoice(peers)
        self._suspicion = real("suspicion_multiplier", suspicion_multiplier, at_least=0.0)
        self._longest = real("suspicion_maximum_multiplier", suspicion_maximum_multiplier, at_least=1.0)
        self._retransmit = whole("retransmit_multiplier", retransmit_multiplier, at_least=1)
        self._rumours = RumourBuffer(_RUMOURS_PER_MESSAGE)
        alone = gossip_interval is None
        self._gossip_interval = None if alone else real("gossip_interval", gossip_interval, above=0.0)
        self._gossip_nodes = whole("gossip_nodes", gossip_nodes, at_least=1)

        self.incarnation = 0
        self._members = MemberList(node_id, peers)
        self._suspicions: dict[str, OpenSuspicion] = {}
        self._welcome = False

        self._number = 0  # of my last ping
        self._probe_number = 0  # of the probe of this period
        self._target: str | None = None
        self._acked = True
        self._relays: dict[int, tuple[str, int]] = {}  # my number → who asked, its number
        self._older_relays: dict[int, tuple[str, int]] = {}
        self._gossiping = False
        self._last_reconnect = 0.0

    # ── What a learner may ask ────────────────────────────────────────────────────────────────────────────

    @property
    def suspected(self) -> list[str]:
        """Members under suspicion, in the order in which that came up."""
        return list(self._suspicions)

    @property
    def faulty(self) -> list[str]:
        """Members declared faulty."""
        return list(self._members.faulty)

    def status_of(self, member: str) -> str:
        """What this member believes of another: alive, suspect or faulty."""
        return self._members.entry(member)[0]

    # ── Handlers ──────────────────────────────────────────────────────────────────────────────────────────

    def on_start(self, ctx: Context) -> None:
        """Begin to probe at a random moment of the first period; a rebooted member first asks what it has missed."""
        if ctx.stored is None:
            ctx.save(self.incarnation)
        else:
            self._raise_incarnation(ctx, ctx.stored)
            self._ask_to_join(ctx)
        self._last_reconnect = ctx.now
        ctx.set_timer("period", ctx.rng.random() * self._period)
        self._show(ctx)

    def on_timer(self, ctx: Context, name: str) -> None:
        """A period begins, an answer is overdue, a suspicion has run out, or it is time to gossip or to ask again."""
        if name == "period":
            self._begin_period(ctx)
        elif name == "ack":
            self._ask_others(ctx)
        elif name == "gossip":
            self._gossip(ctx)
        elif name == "join":
            self._ask_to_join(ctx)
        else:
            self._declare_faulty(ctx, name.removeprefix("suspicion "))

    def on_message(self, ctx: Context, sender: str, message: Any) -> None:
        """Listen to the rumours, then answer, pass on or take note."""
        if isinstance(message, Welcome):
            self._welcome = True
            ctx.cancel_timer("join")
        if isinstance(message, Join):
            self._hear(ctx, Rumour(sender, ALIVE, message.incarnation))
            self._tell(ctx, sender, Welcome(self._members.differences()))
            return
        if not isinstance(message, Ping | Ack | PingRequest | Gossip | Welcome):
            return
        for rumour in message.rumours:
            if rumour.member == self.node_id:
                self._refute(ctx, rumour, sender)
            else:
                self._hear(ctx, rumour)
        if isinstance(message, Ping):
            self._tell(
                ctx, sender, Ack(message.number, self._rumours.take(self._members.held_against(sender)))
            )
        elif isinstance(message, Ack):
            self._on_ack(ctx, message.number)
        elif isinstance(message, PingRequest):
            self._number += 1
            self._relays[self._number] = (sender, message.number)
            self._ping(ctx, message.target, self._number)

    # ── Probing ───────────────────────────────────────────────────────────────────────────────────────────

    def _begin_period(self, ctx: Context) -> None:
        ctx.set_timer("period", self._period)
        if not self._acked and self._target is not None:
            self._accuse(ctx, self._target)
        self._older_relays, self._relays = self._relays, {}
        self._target = self._order.next(ctx.rng, self._members.has)
        self._acked = self._target is None
        if self._target is not None:
            self._number += 1
            self._probe_number = self._number
            self._ping(ctx, self._target, self._number)
            ctx.set_timer("ack", self._ack_timeout)
        if self._members.faulty and ctx.now - self._last_reconnect >= _RECONNECT_INTERVAL:
            self._last_reconnect = ctx.now
            self._number += 1
            faulty = self._members.faulty
            self._ping(ctx, faulty[int(ctx.rng.random() * len(faulty))], self._number)

    def _ping(self, ctx: Context, target: str, number: int) -> None:
        if target in self.peers:
            ctx.send(target, Ping(number, self._rumours.take(self._members.held_against(target))))

    def _tell(self, ctx: Context, member: str, message: Any) -> None:
        if member in self.peers:  # where links are missing or lead one way, one hears of members out of reach
            ctx.send(member, message)

    def _ask_others(self, ctx: Context) -> None:
        if self._acked or self._target is None:
            return
        for helper in self._some_members(ctx, self._indirect, but=self._target):
            ctx.send(helper, PingRequest(self._probe_number, self._target, self._rumours.take()))

    def _on_ack(self, ctx: Context, number: int) -> None:
        if not self._acked and number == self._probe_number:
            self._acked = True
            ctx.cancel_timer("ack")
            return
        asked = self._relays.pop(number, None) or self._older_relays.pop(number, None)
        if asked is not None:
            origin, its_number = asked
            self._tell(ctx, origin, Ack(its_number, self._rumours.take()))

    def _some_members(self, ctx: Context, count: int, but: str | None = None) -> list[str]:
        return some(self.peers, count, ctx.rng, lambda peer: peer != but and self._members.has(peer))

    # ── Believing ─────────────────────────────────────────────────────────────────────────────────────────

    def _accuse(self, ctx: Context, member: str) -> None:
        if self._members.has(member):
            self._hear(ctx, Rumour(member, SUSPECT, self._members.entry(member)[1], self.node_id))

    def _hear(self, ctx: Context, rumour: Rumour) -> None:
        """Take in one rumour about another: confirm a suspicion, believe it and pass it on, or ignore it."""
        status, incarnation = self._members.entry(rumour.member)
        if rumour.supersedes(status, incarnation):
            self._believe(ctx, rumour, status)
        elif rumour.status == SUSPECT == status and rumour.incarnation == incarnation:
            suspicion = self._suspicions[rumour.member]
            if suspicion.confirm(rumour.accuser):
                self._pass_on(ctx, rumour)
                ctx.set_timer(f"suspicion {rumour.member}", suspicion.left(ctx.now))

    def _refute(self, ctx: Context, rumour: Rumour, teller: str) -> None:
        """Contradict what is said about me: to all if it is news, else to ``teller``, who has missed the answer."""
        if rumour.status == ALIVE:
            return
        if rumour.incarnation >= self.incarnation:
            self._raise_incarnation(ctx, rumour.incarnation)
            self._pass_on(ctx, Rumour(self.node_id, ALIVE, self.incarnation))
        elif not self._rumours.holds(self.node_id):  # else it is being passed on as it is
            self._tell(ctx, teller, Gossip((Rumour(self.node_id, ALIVE, self.incarnation),)))

    def _believe(self, ctx: Context, rumour: Rumour, before: str) -> None:
        member, after = rumour.member, rumour.status
        self._members.believe(rumour)
        self._pass_on(ctx, rumour)
        if after == before != SUSPECT:
            return  # a newer incarnation of the same news
        self._end_suspicion(ctx, member)
        if after == SUSPECT:
            # Suspected anew in a newer incarnation: it answered meanwhile, and gets the full time to answer again.
            if before != SUSPECT:
                ctx.record("suspect", peer=member)
            self._start_suspicion(ctx, rumour)
        elif after == FAULTY:
            if before == ALIVE:
                ctx.record("suspect", peer=member)
            ctx.record("confirm", peer=member)
        else:
            ctx.record("trust", peer=member)
        self._show(ctx)

    def _start_suspicion(self, ctx: Context, rumour: Rumour) -> None:
        if self._suspicion == 0:
            self._declare_faulty(ctx, rumour.member)
            return
        size = self._members.size
        bounds = swim_suspicion_bounds(size, self._period, self._suspicion, self._longest)
        expected = swim_expected_confirmations(size, self._suspicion)
        suspicion = OpenSuspicion(ctx.now, rumour.accuser, expected, *bounds)
        self._suspicions[rumour.member] = suspicion
        ctx.set_timer(f"suspicion {rumour.member}", suspicion.left(ctx.now))

    def _end_suspicion(self, ctx: Context, member: str) -> None:
        if self._suspicions.pop(member, None) is not None:
            ctx.cancel_timer(f"suspicion {member}")

    def _declare_faulty(self, ctx: Context, member: str) -> None:
        status, incarnation = self._members.entry(member)
        if status == SUSPECT:
            self._believe(ctx, Rumour(member, FAULTY, incarnation), status)

    # ── Spreading ─────────────────────────────────────────────────────────────────────────────────────────

    def _pass_on(self, ctx: Context, rumour: Rumour) -> None:
        self._rumours.add(rumour, swim_retransmissions(self._members.size, self._retransmit))
        if self._gossip_interval is not None and not self._gossiping:
            self._gossiping = True
            ctx.set_timer("gossip", self._gossip_interval)

    def _gossip(self, ctx: Context) -> None:
        for member in self._some_members(ctx, self._gossip_nodes):
            if rumours := self._rumours.take():
                ctx.send(member, Gossip(rumours))
        self._gossiping = len(self._rumours) > 0
        if self._gossiping and self._gossip_interval is not None:
            ctx.set_timer("gossip", self._gossip_interval)

    # ── Coming back ───────────────────────────────────────────────────────────────────────────────────────

    def _raise_incarnation(self, ctx: Context, above: int) -> None:
        self.incarnation = above + 1
        ctx.save(self.incarnation)  # a rebooted member must be able to contradict its own obituary

    def _ask_to_join(self, ctx: Context) -> None:
        """Ask one member after the other, once a period, until one has answered."""
        if self._welcome:
            return
        for contact in self._some_members(ctx, 1):
            ctx.send(contact, Join(self.incarnation))
        ctx.set_timer("join", self._period)

    def _show(self, ctx: Context) -> None:
        suspects, faulty = list(self._suspicions), self._members.faulty
        if (
            len(suspects) + len(faulty) > 3
        ):  # a longer label is unreadable, and costly where half the group goes down
            label = f"{len(suspects)} suspect, {len(faulty)} faulty"
        else:
            label = ", ".join([*(f"{m} suspect" for m in suspects), *(f"{m} faulty" for m in faulty)])
        status = "suspicious" if suspects else "convinced" if faulty else "up"
        ctx.record("status", status=status, label=label)
