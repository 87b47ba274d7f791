"""Tables of a trace: each view chooses rows, columns and values, and formats nothing."""
