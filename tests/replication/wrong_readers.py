"""Two ways in which a user's own writes are promised and not kept."""

from dscourse.replication import Gateway, SingleLeaderReplica


class TakesReceivedForApplied(SingleLeaderReplica):
    """Compares a reader's position with what it has received: the reader finds the old value."""

    def has_applied(self, token):
        return token[1] <= self.received


class TellsByTheClock(Gateway):
    """Reads from any replica once its own clock says that a second has gone by since the user wrote."""

    def __init__(self, *args, **settings):
        super().__init__(*args, **settings)
        self.wrote_at = {}

    def _first_choice(self, ctx, operation):
        if operation[0] == "put":
            self.wrote_at[operation[1]] = ctx.now
        recent = ctx.now - self.wrote_at.get(operation[1], -1.0) < 1.0
        return self.leader if recent else super()._first_choice(ctx, operation)

    def token(self, client, key):
        return (0, 0)
