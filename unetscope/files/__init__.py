"""What unetscope keeps on disk: saved traces and locks, versioned and checked for damage."""
