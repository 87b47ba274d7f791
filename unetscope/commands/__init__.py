"""One file a command: options, one walk through the pipeline, an exit code."""
