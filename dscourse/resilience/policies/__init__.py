"""One policy a module: each is told the time and the luck, and has an `around` that puts it round a step of a call."""
