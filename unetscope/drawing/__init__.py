"""A network as a picture: boxes and arcs with coordinates, and a spelling for each form.

Column is time and row is resolution, which is the normal form of a UNet: the encoder goes down on
the left, the decoder up on the right, and what one pushes faces what the other pops. `figure` says
what there is to draw, a layout where it stands (`u_of_cells`, `u_of_pixels`, and for networks that
are no U `columns_of_cells` and `columns_of_pixels`), a spelling how it looks (`forms`). `overlay`
makes one figure of two networks.
"""
