"""The small UNet that an article teaches."""
