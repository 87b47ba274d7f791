"""Published weights: what their headers tell of a network, without reading a weight."""
