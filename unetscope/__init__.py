"""See, count and lock the architecture of diffusion UNets."""

__version__ = "0.1.0"
