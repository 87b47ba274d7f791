"""Checkpoints: what the headers of weights files tell about a network; no weight is read."""
