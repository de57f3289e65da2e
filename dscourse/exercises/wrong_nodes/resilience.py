"""Wrong nodes of notebook 11."""

from __future__ import annotations

from dscourse.exercises._node_exercise import WrongNode

# ── A payment service ─────────────────────────────────────────────────────────────────────────────────────────────────

_PAY_HEAD = '''\
from dscourse.exercises.nodes.resilience import Authorise, Authorised, Capture
from dscourse.simulation import Node, Reply, Request

class Payments(Node):
    """Takes payments; its only peer is the bank."""

    def on_start(self, ctx):
        self.paid = ctx.stored or {}   # (client, key) -> amount; ctx.save(self.paid)
        self.under_way = {}            # (client, key) -> (amount, number of the request)
        self.bank = self.peers[0]

    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            key, amount = message.operation
'''
_PAY_END = "\nanswer = Payments\n"
PAY_STUB = (
    _PAY_HEAD
    + """\
            ...    # known? Reply(message.number, …) to the sender; else Authorise(…)
        elif isinstance(message, Authorised):
            ...    # does anybody wait for it? then Capture(…) and "ok", or "fail", 402
"""
    + _PAY_END
)
_ASKED = """\
            name = (sender, key)
            known = self.paid.get(name, self.under_way.get(name, (amount, 0))[0])
            if known != amount:
                ctx.send(sender, Reply(message.number, "fail", 422))
            elif name in self.paid:
                ctx.send(sender, Reply(message.number, "ok", "paid"))
            elif name in self.under_way:
                ctx.send(sender, Reply(message.number, "fail", 409))
            else:
                self.under_way[name] = (amount, message.number)
                ctx.send(self.bank, Authorise(sender, key, amount))
"""
_TOLD = """\
        elif isinstance(message, Authorised):
            name = (message.client, message.key)
            if name not in self.under_way:
                return
            amount, number = self.under_way.pop(name)
            if not message.ok:
                ctx.send(message.client, Reply(number, "fail", 402))
                return
            self.paid[name] = amount
            ctx.save(self.paid)
            ctx.send(self.bank, Capture(message.authorisation))
            ctx.send(message.client, Reply(number, "ok", "paid"))
"""


def _pay(asked: str = _ASKED, told: str = _TOLD, head: str = _PAY_HEAD) -> str:
    return head + asked + told + _PAY_END


_WAITS = """\
            if name not in self.under_way:
                return
            amount, number = self.under_way.pop(name)
"""
PAY_RIGHT = _pay()
PAY_EQUIVALENTS = (
    _pay(
        head=_PAY_HEAD.replace("ctx.stored or {}", "dict(ctx.stored or {})"),
        told=_TOLD.replace("            ctx.save(self.paid)\n", "").replace(
            '"paid"))\n', '"paid"))\n            ctx.save(self.paid)\n'
        ),
    ),
)
PAY_WRONG = (
    WrongNode(
        "saves when the bank has charged",
        _pay(
            told=_TOLD.replace("            ctx.save(self.paid)\n", "")
            + "        else:\n            ctx.save(self.paid)\n"
        ),
        "Yours saves the payment when the bank says that it has charged. A crash in between, and the client's next try finds no "
        "trace of the first and is charged again. Save before, or in the same step as, what can't be undone.",
        1,
    ),
    WrongNode(
        "keeps what is paid in memory only",
        _pay(told=_TOLD.replace("            ctx.save(self.paid)\n", "")),
        "A crash, and yours has forgotten who has paid: the next try of the same payment is charged again. What must outlive a "
        "crash is saved: `ctx.save(self.paid)`.",
        1,
    ),
    WrongNode(
        "looks first and reserves later",
        _pay(
            _ASKED.replace(
                """            elif name in self.under_way:
                ctx.send(sender, Reply(message.number, "fail", 409))
""",
                "",
            ),
            _TOLD.replace(
                _WAITS,
                """            if name not in self.under_way:
                return
            amount, number = self.under_way[name]
""",
            ),
        ),
        "Two copies of one request met in yours: neither found the payment made, both asked the bank, and both were captured. "
        "Between the look and the charge the key must be taken: whoever comes meanwhile gets 409.",
        1,
    ),
    WrongNode(
        "captures whatever the bank authorises",
        _pay(
            told=_TOLD.replace("self.under_way.pop(name)", "self.under_way[name]").replace(
                "            if not message.ok:\n",
                "            if not message.ok:\n                del self.under_way[name]\n",
            )
        ),
        "Two answers of the bank came for one payment, since it was asked again after a crash, and yours captured both: it went on "
        "waiting for an answer that it had. Take out of `under_way` what is settled, and ignore what you don't wait for.",
        2,
    ),
    WrongNode(
        "knows the key and not the client",
        _pay(
            _ASKED.replace("(sender, key)", "key"),
            _TOLD.replace("(message.client, message.key)\n", "message.key\n"),
        ),
        "Two clients used the same key, and yours told the second one that it had paid, with the first one's payment. Keys are the "
        "clients' own: remember (client, key).",
        0,
    ),
    WrongNode(
        "keeps failures for good",
        _pay(
            told=_TOLD.replace(
                """                ctx.send(message.client, Reply(number, "fail", 402))
""",
                """                self.under_way[name] = (amount, number)
                ctx.send(message.client, Reply(number, "fail", 402))
""",
            )
        ),
        "The bank said no, and yours never let go of the key: the next try, when the bank would say yes, is refused. Nothing was "
        "charged, so nothing need be remembered. (Who keeps failures, as Stripe does, has clients that take a new key for a new try.)",
        0,
    ),
    WrongNode(
        "remembers a reservation through a crash",
        _pay(
            _ASKED.replace(
                """                ctx.send(self.bank, Authorise""",
                """                ctx.save(self.paid | {("under way",): self.under_way})
                ctx.send(self.bank, Authorise""",
            ),
            head=_PAY_HEAD.replace(
                "        self.under_way = {}            #",
                '        self.under_way = self.paid.pop(("under way",), {})  #',
            ),
        ),
        "A crash came while a payment was under way, and since then yours refuses it: it saved that the key is taken, and "
        "whoever took it is gone. Here a crash must let go of it. (With more than one server, a reservation needs a time limit.)",
        1,
    ),
    WrongNode(
        "looks at the key alone",
        _pay(
            _ASKED.replace(
                """            known = self.paid.get(name, self.under_way.get(name, (amount, 0))[0])
            if known != amount:
                ctx.send(sender, Reply(message.number, "fail", 422))
            elif""",
                "            if",
            )
        ),
        "Somebody used a key again for another amount, and yours said that it was paid. It was not: refuse what bears a known key "
        "and isn't the same.",
        0,
    ),
)

# ── A circuit breaker ─────────────────────────────────────────────────────────────────────────────────────────────────

_BREAKER_HEAD = '''\
class Breaker:
    """Opens when half of the last four calls failed; tries again after 1.5 s, with two calls."""

    def __init__(self):
        self.enter("closed", 0.0)

    def enter(self, state, now):
        self.state, self.since = state, now
        self.results = []                # True or False, of calls that have begun since then
        self.probes = []                 # half-open: tokens of calls without a result

    def allow(self, now):
        """Return a token, which `record` gets back; None: no call now."""
'''
BREAKER_STUB = (
    _BREAKER_HEAD
    + """\
        ...                              # has a probe been silent for 3 s? is it time to try again?
        return (self.since, now)

    def record(self, now, ok, token):
        ...                              # did the call begin before the last change of state?
        ...                              # note the result; time to open, or to close?

answer = Breaker
"""
)
_ALLOW = """\
        if self.probes and now - self.probes[0][1] >= 3:
            self.enter("open", now)
        if self.state == "open" and now - self.since >= 1.5:
            self.enter("half-open", now)
        if self.state == "open" or (self.state == "half-open" and len(self.probes) + len(self.results) >= 2):
            return None
        token = (self.since, now)
        if self.state == "half-open":
            self.probes.append(token)
        return token
"""
_RECORD = """\

    def record(self, now, ok, token):
        if token[0] != self.since:
            return
        self.results.append(ok)
        if token in self.probes:
            self.probes.remove(token)
        last = self.results[-4:]
        if self.state == "half-open" and not ok:
            self.enter("open", now)
        elif self.state == "half-open" and len(last) == 2:
            self.enter("closed", now)
        elif self.state == "closed" and len(last) == 4 and last.count(False) >= 2:
            self.enter("open", now)

answer = Breaker
"""


def _breaker(old: str = "", new: str = "") -> str:
    right = _BREAKER_HEAD + _ALLOW + _RECORD
    return right.replace(old, new) if old else right


BREAKER_RIGHT = _breaker()
BREAKER_EQUIVALENTS = (
    _breaker(
        'self.enter("open", now)\n        if self.state == "open"',
        'self.enter("open", self.probes[0][1] + 3)\n        if self.state == "open"',
    ),
    _breaker("last.count(False) >= 2", "last.count(True) <= 2"),
)
BREAKER_WRONG = (
    WrongNode(
        "opens above the half",
        _breaker("last.count(False) >= 2", "last.count(False) > 2"),
        "Two of four had failed, which is half of them, and yours was still closed. At the limit it opens.",
        0,
    ),
    WrongNode(
        "judges the first calls",
        _breaker("len(last) == 4 and last.count(False) >= 2", "2 * last.count(False) >= len(last)"),
        "One call of one failed, and yours opened: 100 per cent. With fewer than four results there is no rate to speak of.",
        0,
    ),
    WrongNode(
        "counts over its whole life",
        _breaker("last = self.results[-4:]", "last = self.results").replace(
            "len(last) == 4 and last.count(False) >= 2",
            "len(last) >= 4 and 2 * last.count(False) >= len(last)",
        ),
        "Many calls had gone well, long ago, and so yours didn't see that now every call fails. Look at the last four and no others.",
        0,
    ),
    WrongNode(
        "adds up failures",
        _breaker("len(last) == 4 and last.count(False) >= 2", "self.results.count(False) >= 2"),
        "Yours counts failures and never forgets one: a failure now and then opens it. Only the last four calls count.",
        0,
    ),
    WrongNode(
        "lets everybody try",
        _breaker(
            """ or (self.state == "half-open" and len(self.probes) + len(self.results) >= 2)""",
            "",
        ),
        "The time was over, and yours let every caller try at once: a crowd upon a server that has just come back. Two calls try; "
        "the others wait for what becomes of them.",
        0,
    ),
    WrongNode(
        "waits for a probe for ever",
        _breaker(
            """        if self.probes and now - self.probes[0][1] >= 3:
            self.enter("open", now)
"""
        ),
        "A call that tried again was never answered, and yours has refused everybody since, though the server is well. After 3 s of "
        "silence it counts as failed.",
        0,
    ),
    WrongNode(
        "counts results of earlier calls",
        _breaker(
            """        if token[0] != self.since:
            return
"""
        ),
        "A call from before the circuit opened was answered late, and yours took it for one of those that try again. Ignore what "
        "began before the last change of state.",
        0,
    ),
    WrongNode(
        "stays half-open after a failure",
        _breaker(
            """        if self.state == "half-open" and not ok:
            self.enter("open", now)
        elif self.state == "half-open" and len(last) == 2:""",
            """        if self.state == "half-open" and last == [True, True]:""",
        ),
        "A call that tried again failed, and yours neither opened nor closed. One failure is enough: open again, for another 1.5 s.",
        0,
    ),
    WrongNode(
        "opens again without a fresh wait",
        _breaker(
            """        if self.state == "half-open" and not ok:
            self.enter("open", now)
""",
            """        if self.state == "half-open" and not ok:
            self.enter("open", now - 1.5)
""",
        ),
        "A call that tried again failed, and yours let the next ones try at once. The 1.5 s begin anew each time that it opens.",
        0,
    ),
    WrongNode(
        "closes after one good call",
        _breaker("len(last) == 2", "len(last) == 1"),
        "One good call, and yours let everybody through. It takes two that go well.",
        0,
    ),
)

# ── A client that keeps its limits ────────────────────────────────────────────────────────────────────────────────────

_CLIENT_HEAD = '''\
from dscourse.exercises.nodes.resilience import Answer, Ask
from dscourse.simulation import Node, Reply, Request

class Client(Node):
    """Asks its only peer for others: three attempts, a deadline, and a budget for retries."""

    def on_start(self, ctx):
        self.tokens = 10.0
        self.open = {}  # (client, number) -> [attempt under way or 0, attempts, what, deadline]

    def on_message(self, ctx, sender, message):
        if isinstance(message, Request):
            self.open[sender, message.number] = [0, 0, *message.operation]
            self.on_timer(ctx, f"again {sender} {message.number}")
        elif isinstance(message, Answer):
            self.ended(ctx, (message.client, message.number), message.attempt, message.ok)

    def on_timer(self, ctx, name):
        word, client, number = name.split()
        ...              # "again": an attempt, and the timer "silence …"; "silence": it has failed

    def ended(self, ctx, name, attempt, ok):
        ...              # for the attempt under way? tokens; then a reply, or a timer "again …"

answer = Client
'''
CLIENT_STUB = _CLIENT_HEAD
_BEGIN = """\
        client, number = name = (client, int(number))
        if name not in self.open:
            return
        under_way, made, what, deadline = self.open[name]
        if word == "silence":
            self.ended(ctx, name, under_way, False)
        elif ctx.now >= deadline:
            del self.open[name]
            ctx.send(client, Reply(number, "fail", None))
        else:
            self.open[name][:2] = made + 1, made + 1
            ctx.send(self.peers[0], Ask(client, number, made + 1, deadline, what))
            ctx.set_timer(f"silence {client} {number}", min(0.2, deadline - ctx.now))
"""
_ENDED = """\
        client, number = name
        if name not in self.open or attempt != self.open[name][0] or not attempt:
            return
        ctx.cancel_timer(f"silence {client} {number}")
        self.open[name][0] = 0
        made, deadline = self.open[name][1], self.open[name][3]
        self.tokens = min(10.0, self.tokens + 0.5) if ok else max(0.0, self.tokens - 1)
        wait = 0.1 * 2 ** (made - 1)
        if not ok and made < 3 and ctx.now + wait < deadline and self.tokens > 5:
            ctx.set_timer(f"again {client} {number}", wait)
        else:
            del self.open[name]
            ctx.send(client, Reply(number, "ok" if ok else "fail", None))
"""


def _client(old: str = "", new: str = "") -> str:
    gaps = _CLIENT_HEAD.split("        ...")
    begin, ended = (part.partition("\n")[2] for part in gaps[1:])
    right = gaps[0] + _BEGIN + begin + _ENDED + ended
    return right.replace(old, new) if old else right


CLIENT_RIGHT = _client()
CLIENT_EQUIVALENTS = (_client("2 ** (made - 1)", "made"),)
CLIENT_WRONG = (
    WrongNode(
        "sleeps until it is too late",
        _client(" and ctx.now + wait < deadline", ""),
        "Yours waited for an attempt that could only come too late. If the wait reaches the deadline, answer at once: the caller may "
        "still have time for something else.",
        0,
    ),
    WrongNode(
        "waits beyond the deadline",
        _client("min(0.2, deadline - ctx.now)", "0.2"),
        "The deadline passed during an attempt, and yours went on waiting for its 0.2 s. Wait for what is left, if that is less.",
        0,
    ),
    WrongNode(
        "has no budget",
        _client(" and self.tokens > 5", ""),
        "Everything fails, and yours tries everything three times: three times the load upon a server that can't bear one. With half of "
        "the tokens or fewer there is no retry.",
        0,
    ),
    WrongNode(
        "tries again at half",
        _client("self.tokens > 5", "self.tokens >= 5"),
        "With five tokens of ten yours tried again. It takes more than half.",
        0,
    ),
    WrongNode(
        "goes into debt",
        _client("max(0.0, self.tokens - 1)", "self.tokens - 1"),
        "In a long outage the tokens of yours fell far below 0, and when the server was well again it took as long until a retry was "
        "allowed. No fewer than 0.",
        0,
    ),
    WrongNode(
        "saves up tokens",
        _client("min(10.0, self.tokens + 0.5)", "self.tokens + 0.5"),
        "In good times yours saved up tokens without end, and in bad times it had them all to spend on retries. No more than 10.",
        0,
    ),
    WrongNode(
        "makes three retries",
        _client("made < 3", "made < 4"),
        "Three attempts are the first and two retries; yours made four.",
        0,
    ),
    WrongNode(
        "counts late answers",
        _client("attempt != self.open[name][0] or not attempt", "attempt != self.open[name][1]"),
        "An attempt was given up, and then its answer came, and yours counted it as well: two tokens for one attempt. What you don't "
        "wait for any more you ignore.",
        0,
    ),
    WrongNode(
        "sets a deadline of its own",
        _client("made + 1, deadline, what", "made + 1, ctx.now + 1.0, what"),
        "Yours told the server another deadline than it had been given, so the server will work on when nobody waits any more. Pass it on.",
        0,
    ),
)
