"""Stable Diffusion 1.5 as an article rewrites it."""
