"""UNets of diffusers that no family here covers, built by diffusers from their `config.json`.

The classes are those of a table: a file chooses among them, and can name no other code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from math import prod
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any
from warnings import catch_warnings, filterwarnings

from unetscope.errors import ConfigError, Place, UnetscopeError
from unetscope.findings import TOO_LARGE, Path, place_of
from unetscope.record import TensorSpec
from unetscope.sources.inputs import LARGEST, Given, leaves
from unetscope.sources.published_inputs import CLASSES
from unetscope.sources.published_sizes import Sizes
from unetscope.units import shape

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Published:
    """A `config.json` of a class of `CLASSES`.

    Attributes:
        name: of the network.
        kind: the class.
        options: of its constructor.
        places: where each of them stands.
        notes: what of the file was left out.
    """

    name: str
    kind: str
    options: Mapping[str, Any]
    places: Mapping[Path, Place]
    notes: tuple[str, ...] = ()

    @property
    def config(self) -> dict[str, Any]:
        """The file in the form of a config."""
        return {"name": self.name, "family": self.kind, "unet": dict(self.options)}

    @property
    def builder(self) -> str:
        """What builds it: `diffusers 0.42.1`.

        Raises:
            UnetscopeError: it is not installed.
        """
        if find_spec("diffusers") is None:
            raise UnetscopeError(
                f"no family here covers {self.kind}, and diffusers, which has it, is not installed",
                hint="pip install 'unetscope[diffusers]'",
            )
        from importlib.metadata import version  # it imports readers of archives and mail

        return f"diffusers {version('diffusers')}"

    def make(self) -> nn.Module:
        """The network.

        Raises:
            ConfigError: an option is unknown, or not of its type or within its bounds.
        """
        from unetscope.config.sections import check_section
        from unetscope.sources.published_options import section
        from unetscope.sources.torchvision_operators import lend_missing

        lend_missing()
        constructor = getattr(import_module(CLASSES[self.kind].module), self.kind)
        for finding in check_section(dict(self.options), section(constructor), ()):
            raise finding.error(self.places)
        with _unfilled():
            model: nn.Module = constructor.from_config(dict(self.options))
        return model

    def inputs(self, model: Any, dtype: str, sizes: Mapping[str, int | None]) -> Given:
        """What it is given where the user describes nothing; `sizes` may be None each.

        Raises:
            UnetscopeError: one of them is too large.
        """
        found = CLASSES[self.kind].inputs(Sizes(model.config, dtype, sizes, self.places))
        for name, tensor in leaves(found):
            if isinstance(tensor, TensorSpec) and prod(tensor.shape) > LARGEST:
                message = f"expected at most {LARGEST:,} elements, found {shape(tensor.shape)}"
                raise TOO_LARGE.at((name,), message).error(self.places)
        return Given((), found)

    @contextmanager
    def refusing(self, doing: str) -> Iterator[None]:
        """Say what the class raises in one message, at the option that most likely led to it.

        Raises:
            UnetscopeError: it raised something, or is too large.
        """
        from unetscope.sources.published_options import suspect
        from unetscope.sources.targets import foreign
        from unetscope.tracing.limits import bounded

        try:
            with foreign(doing), bounded(self._too_large), catch_warnings():
                filterwarnings("ignore", "Initializing zero-element tensors")
                filterwarnings("ignore", category=FutureWarning)  # what diffusers will change
                yield
        except UnetscopeError as error:
            cause = error.__cause__
            if isinstance(cause, ConfigError):
                raise cause from None
            if cause is None:
                raise
            said = " ".join(f"{type(cause).__name__}: {cause}".split())
            key = suspect(said, self.options)
            error.place = place_of(() if key is None else (key,), self.places)
            raise

    def _too_large(self) -> ConfigError:
        """That there are too many modules, at the option that most likely asks for them."""
        from unetscope.sources.published_options import most_layers
        from unetscope.tracing.limits import MOST_MODULES

        key = most_layers(self.options)
        message = f"expected a network of at most {MOST_MODULES:,} modules, found more"
        return TOO_LARGE.at((key,) if key else (), message).error(self.places)


def find(reference: str) -> Published | None:
    """The network of a file or folder in diffusers' form, if its class is one of `CLASSES`.

    Raises:
        ConfigError: there is no such file, or it is no JSON.
    """
    from unetscope.config.dialects import diffusers
    from unetscope.config.document import read
    from unetscope.config.files import locate, split_part

    name, part = split_part(reference)
    path = locate(name)
    if path.suffix.lower() != ".json":
        return _of_original(path, part)
    if part is not None:
        return None
    document = read(path)
    data = document.data
    kind = data.get(diffusers.CLASS_KEY) if isinstance(data, dict) else None
    if not isinstance(kind, str) or kind not in CLASSES:
        return None
    options = {key: value for key, value in data.items() if not diffusers.is_ignored(key)}
    return Published(diffusers.name_of(path), kind, options, document.places)


def _of_original(path: FilePath, part: str | None) -> Published | None:
    """The network of an original YAML file, if diffusers publishes its class."""
    from unetscope.config.dialects import VIDEO_UNETS
    from unetscope.config.files import read_text

    if not any(name in read_text(path) for name in VIDEO_UNETS):
        return None
    from unetscope.config.dialects import compvis
    from unetscope.config.document import read

    found = compvis.published(read(path), path, part)
    if found is None:
        return None
    for problem in found.problems:
        raise problem.error(found.places)
    return Published(path.stem, found.data["family"], found.data["unet"], found.places, found.notes)


def _unfilled() -> AbstractContextManager[None]:
    """Leave weights on meta, which have no values, as they are: some classes fill them for long."""
    import torch
    from diffusers.models.modeling_utils import no_init_weights

    is_meta = torch.get_default_device().type == "meta"
    without: AbstractContextManager[None] = no_init_weights() if is_meta else nullcontext()
    return without
