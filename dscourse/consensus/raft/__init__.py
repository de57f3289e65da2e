"""Raft: Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm, USENIX ATC 2014."""
