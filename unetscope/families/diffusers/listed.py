"""A list of tensors, to which layers are added by what they are."""

from __future__ import annotations

Shape = tuple[int, ...]


class Listed(dict[str, Shape]):
    """Shapes by name."""

    def linear(self, path: str, given: int, made: int, *, bias: bool = True) -> None:
        """A linear layer."""
        self[f"{path}.weight"] = (made, given)
        if bias:
            self[f"{path}.bias"] = (made,)

    def conv(self, path: str, given: int, made: int, kernel: int = 3) -> None:
        """A convolution."""
        self[f"{path}.weight"] = (made, given, kernel, kernel)
        self[f"{path}.bias"] = (made,)

    def norm(self, path: str, channels: int) -> None:
        """A norm with scale and shift."""
        self[f"{path}.weight"] = self[f"{path}.bias"] = (channels,)

    def mlp(self, path: str, given: int, made: int) -> None:
        """Two linear layers, as behind the sinusoids of a time."""
        self.linear(f"{path}.linear_1", given, made)
        self.linear(f"{path}.linear_2", made, made)

    def resnet(
        self, path: str, given: int, made: int, temb: int, *, shifts: bool, shortcut: bool = False
    ) -> None:
        """A ResNet that reads a time embedding of `temb` numbers; `shortcut` forces that layer."""
        self.norm(f"{path}.norm1", given)
        self.conv(f"{path}.conv1", given, made)
        self.linear(f"{path}.time_emb_proj", temb, 2 * made if shifts else made)
        self.norm(f"{path}.norm2", made)
        self.conv(f"{path}.conv2", made, made)
        if shortcut or given != made:
            self.conv(f"{path}.conv_shortcut", given, made, 1)

    def attention(
        self, path: str, asks: int, answers: int, inner: int, *, bias: bool = False
    ) -> None:
        """Queries of tokens `asks` wide, keys and values of tokens `answers` wide."""
        self.linear(f"{path}.to_q", asks, inner, bias=bias)
        self.linear(f"{path}.to_k", answers, inner, bias=bias)
        self.linear(f"{path}.to_v", answers, inner, bias=bias)
        self.linear(f"{path}.to_out.0", inner, asks)

    def transformer(
        self,
        path: str,
        channels: int,
        inner: int,
        read: int,
        depth: int,
        *,
        linear: bool = False,
        only_cross: bool = False,
        gated: bool = False,
    ) -> None:
        """A `Transformer2DModel` that reads a text of so many channels."""
        self.norm(f"{path}.norm", channels)
        project = self.linear if linear else self._pointwise
        project(f"{path}.proj_in", channels, inner)
        for index in range(depth):
            at = f"{path}.transformer_blocks.{index}"
            self.attention(f"{at}.attn1", inner, read if only_cross else inner, inner)
            self.attention(f"{at}.attn2", inner, read, inner)
            for norm in ("norm1", "norm2", "norm3"):
                self.norm(f"{at}.{norm}", inner)
            self.feed_forward(f"{at}.ff", inner)
            if gated:
                self._gate(f"{at}.fuser", inner, read)
        project(f"{path}.proj_out", inner, channels)

    def feed_forward(self, path: str, dim: int) -> None:
        """A gated network that widens tokens fourfold."""
        self.linear(f"{path}.net.0.proj", dim, 8 * dim)
        self.linear(f"{path}.net.2", 4 * dim, dim)

    def _gate(self, path: str, dim: int, read: int) -> None:
        self.linear(f"{path}.linear", read, dim)
        self.attention(f"{path}.attn", dim, dim, dim)
        self.feed_forward(f"{path}.ff", dim)
        self.norm(f"{path}.norm1", dim)
        self.norm(f"{path}.norm2", dim)
        self[f"{path}.alpha_attn"] = self[f"{path}.alpha_dense"] = ()

    def _pointwise(self, path: str, given: int, made: int) -> None:
        self.conv(path, given, made, 1)
