"""Pure functions on traces."""
