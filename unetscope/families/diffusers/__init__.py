"""What diffusers' UNets share: their options, what these must satisfy, and their networks."""
