"""What `check` finds in configs and networks, and the gate of `diff` and `lock`."""
