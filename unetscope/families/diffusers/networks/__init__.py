"""diffusers' UNets as plain PyTorch, with the published parameter names."""
