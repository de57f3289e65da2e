"""Exercises in which the learner writes a node, one module a notebook; its exercise module takes in what it asks."""
