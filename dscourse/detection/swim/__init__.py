"""SWIM: a few members watch each member by turns, and news of a crash spreads like a rumour."""
