"""What quorums are worth: how stale reads are, and how often a history is not that of one copy."""
