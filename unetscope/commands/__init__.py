"""One file a command: its options, one walk through the pipeline, an exit code."""
