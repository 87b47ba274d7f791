"""Inputs of every kind, most of them sound documents with something wrong in them.

`CASES` has a strategy for each kind. `python benchmarks/fuzz.py` draws many cases; the suite draws
a few, and replays those that ever found something: `corpus/KIND.jsonl`, one case a line.
"""

from __future__ import annotations

import io
import json
import os
import re
import struct
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import cache
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from fuzz_oracle import Case
from hypothesis import strategies as st

from unetscope import cli
from unetscope.config.files import shipped
from unetscope.config.sections import keys_of
from unetscope.families.diffusers.unet2d_condition import UNet2DConditionConfig

CORPUS = Path(__file__).parent / "corpus"

NARROW = {
    "extends": "sd15",
    "name": "Narrow",
    "unet": {
        "block_out_channels": [8, 16],
        "down_block_types": ["CrossAttnDownBlock2D", "DownBlock2D"],
        "up_block_types": ["UpBlock2D", "CrossAttnUpBlock2D"],
        "layers_per_block": 1,
        "attention_head_dim": 2,
        "cross_attention_dim": 6,
        "norm_num_groups": 4,
        "norm_eps": 1e-5,
        "act_fn": "silu",
    },
    "inputs": {"batch": 1, "height": 16, "width": 16, "tokens": 5},
}
COMPVIS = {
    "model": {
        "target": "ldm.models.diffusion.ddpm.LatentDiffusion",
        "params": {
            "image_size": 16,
            "unet_config": {
                "target": "ldm.modules.diffusionmodules.openaimodel.UNetModel",
                "params": {
                    "image_size": 16, "in_channels": 4, "out_channels": 4, "model_channels": 32,
                    "attention_resolutions": [2, 1], "num_res_blocks": 1, "channel_mult": [1, 2],
                    "num_heads": 2, "use_spatial_transformer": True, "transformer_depth": 1,
                    "context_dim": 8, "use_checkpoint": True, "legacy": False,
                },
            },
        },
    }
}  # fmt: skip
SHAPES = {"conv_in.weight": [8, 4, 3, 3], "conv_in.bias": [8], "time.weight": [16, 8]}
LAYER = "{in_channels: 3, out_channels: 4, kernel_size: 3}"
SETTINGS = {
    "config": "narrow.yaml",
    "locks": "locks",
    "check": {"ignore": ["odd-size"]},
    "diff": {"fail-on": "cost", "max-params": "+1%", "max-memory": "64MiB", "macs": "warn"},
}

DIGITS = "9" * 5_000
NASTY = [
    "null", "true", "-1", "0", "1", "2", "7", "0.5", "1e400", "1e308", "NaN", "Infinity", ".inf",
    "-Infinity", str(10**8), str(2**31), str(2**63), str(-(2**63)), str(2**64), str(10**25), DIGITS,
    f"-{DIGITS}", f"0.{DIGITS}", f"1e{DIGITS}", '""', '"x"', f'"{"a" * 5_000}"', f'"{DIGITS}"',
    r'"\u001b[31mred\u0007\u009b2J"', r'"\u0000"', r'"\ud800"', r'"\u202e\u200b\u2028"',
    r'"a\nerror: b\r"', '"float32"', '"float31"', '"../../x"', '"a.b.c"', "[]", "{}", "[[]]",
    "[1, 2, 3]", '{"a": 1}', "[" * 1_000 + "]" * 1_000, "[" * 100_000 + "]" * 100_000,
    '{"a":' * 1_000 + "1" + "}" * 1_000, "[" + "0," * 20_000 + "0]", "\x1b[2J", "\x00", "*a",
    "&a 1", "!!python/object:os.system x", "0x10", "1_000", "2020-01-01", "${a}", "'",
]  # fmt: skip
"""Values as texts, for JSON and YAML alike."""
SPICE = [
    b"\x1b[31m", b"\x00", b"\xff", b"\xed\xa0\x80", b"\t", b"\r", b"\n", b"\xef\xbb\xbf",
    "é\u2028\u202e\u0085".encode(), b"\n<<<<<<< ours\n", b"\n=======\n", b"{", b"}", b"]", b": ",
    b"- ", b'"', b"'", b"#", b"&a ", b"*a", b"---\n", b"%", b"=", b",", b"..", b"-", b"0", b":",
    b"/", b"9" * 5_000, b"a" * 5_000, b"[" * 2_000,
]  # fmt: skip
WHOLE = [
    b"", b"\n", b"\x00" * 100, b"null", b"[]", b"{}", b"1", b'""', DIGITS.encode(), b"\xff\xfe",
    b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", b" " * 1_100_000,
    b"<<<<<<< ours\na: 1\n=======\na: 2\n>>>>>>> theirs\n", b"[" * 100_000, b'{"a":' * 100_000,
    b"a: " * 1_000, b"- " * 1_000, b'{"format_version":' + b"1" * 5_000,
    b'{"unetscope_trace":3}', b'{"unetscope_trace":2}', b'{"unetscope_trace":2,"trace":null}',
    b'{"format_version": 1}', b'{"format_version": 3, "name": "x"}', b"PK\x03\x04",
    b"unetscope lock, format 4\n", b"unetscope lock, format 5\n", b"\x1f\x8b\x08\x00",
    b"unetscope lock, format " + b"9" * 5_000,
]  # fmt: skip
THINGS = ["folder", "fifo", "loop", "nowhere", "/dev/zero", "/dev/null", "/proc/self/mem"]

_MARK = re.compile(r"""(["'])@@(\d+)@@\1""")
_COUNT = st.integers(0, 2**20)
_NASTY = st.integers(0, len(NASTY) - 1)
_EDITS = (
    "replace", "like", "like", "scale", "scale", "move", "delete", "double", "rename", "nest", "add"
)  # fmt: skip


@cache
def bases() -> dict[str, bytes]:
    """Sound files: a narrow config, its lock and its trace, and the trace of a single layer."""
    home = Path.cwd()
    with TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            Path("narrow.yaml").write_bytes(_yaml(NARROW))
            layer = ["torch.nn:Conv2d", "--kwargs", LAYER, "--input", "1,3,8,8"]
            for name, source in (("narrow", ["narrow.yaml"]), ("layer", layer)):
                for line in (["trace", "--save", f"{name}.json"], ["lock", "-o", f"{name}.lock"]):
                    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                        assert cli.run([*line, *source]) == 0
            return {path.name: path.read_bytes() for path in Path().iterdir()}
        finally:
            os.chdir(home)


def _yaml(document: Any) -> bytes:
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True).encode()


def _json(document: Any) -> bytes:
    return json.dumps(document, indent=1).encode()


def _toml(settings: Any, table: str = "tool.unetscope") -> bytes:
    """TOML of tables in tables; everything else is written as JSON is."""
    if not isinstance(settings, dict):
        return f"[tool]\nunetscope = {json.dumps(settings)}\n".encode()
    plain = [
        f"{json.dumps(k)} = {json.dumps(v)}" for k, v in settings.items() if not isinstance(v, dict)
    ]
    tables = [
        _toml(v, f"{table}.{json.dumps(k)}") for k, v in settings.items() if isinstance(v, dict)
    ]
    return "\n".join([f"[{table}]", *plain, ""]).encode() + b"".join(tables)


def _places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of each value below a document."""
    entries = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in entries:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


@st.composite
def edited(draw: Any, text: bytes, write: Callable[[Any], bytes]) -> bytes:
    """A JSON document with a few values changed, written as `write` does."""
    document = json.loads(text)
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        alike: dict[Any, list[Any]] = {}  # items of a list are alike: all kinds of values count
        for path in _places(document):
            alike.setdefault(tuple(k for k in path if isinstance(k, str)), []).append(path)
        if not alike:
            break
        paths = draw(st.sampled_from(list(alike.values())))
        path = paths[draw(_COUNT) % len(paths)]
        other = draw(st.sampled_from(list(alike.values())))[0]
        _edit(document, path, draw(st.sampled_from(_EDITS)), draw(_NASTY), other)
    marked = write(document).decode().replace("@@again", "")
    return _MARK.sub(lambda found: NASTY[int(found[2])], marked).encode("utf-8", "surrogatepass")


def _edit(document: Any, path: tuple[Any, ...], edit: str, number: int, other: Any) -> None:
    holder, key = _at(document, path[:-1]), path[-1]
    value, nasty = holder[key], f"@@{number}@@"
    if edit == "replace":
        holder[key] = nasty
    elif edit == "like":
        alike = [n for n, text in enumerate(NASTY) if _form(text) == _form(json.dumps(value))]
        holder[key] = f"@@{alike[number % len(alike)]}@@"
    elif edit == "scale" and type(value) in (int, float):
        holder[key] = (value + 1) * (-1, 10**8, 2**40)[number % 3]
    elif edit == "move":
        holder[key] = json.loads(json.dumps(_at(document, other)))
    elif edit == "delete":
        del holder[key]
    elif edit == "double" and isinstance(holder, list):
        holder.insert(key, value)
    elif edit == "double":
        holder[f"{key}@@again"] = value
    elif edit == "rename" and isinstance(holder, dict):
        holder[nasty] = holder.pop(key)
    elif edit == "add" and isinstance(value, dict | list):
        value.update({nasty: 1}) if isinstance(value, dict) else value.append(nasty)
    else:
        holder[key] = [value]


def _form(text: str) -> str:
    """What JSON would call a value: two of one form differ in more than their type."""
    return "1" if text.lstrip("-")[:1].isdigit() else text[:1] if text[:1] in '"[{' else ""


def _at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


@st.composite
def spoilt(draw: Any, text: bytes) -> bytes:
    """A text with something cut off, put in, left out or repeated."""
    at = draw(_COUNT) % (len(text) + 1)
    length = draw(st.integers(1, 40))
    change = draw(st.sampled_from(["spice", "spice", "cut", "leave", "repeat", "code", "mark"]))
    if change == "spice":
        return text[:at] + draw(st.sampled_from(SPICE)) + text[at:]
    if change == "code":
        form = draw(st.sampled_from(["utf-16", "utf-16-le", "utf-32", "utf-8-sig", "cp037"]))
        return text.decode("utf-8", "replace").encode(form, "replace")
    if change == "mark":
        return text.replace(b"\n", draw(st.sampled_from([b"\r\n", b"\r", b"\n\t", b"\n\n"])))
    rest = b"" if change == "cut" else text[at + length :]
    times = draw(st.sampled_from([2, 3, 1_000])) if change == "repeat" else 0
    return text[:at] + text[at : at + length] * times + rest


def files(text: bytes, write: Callable[[Any], bytes] = _json) -> st.SearchStrategy[bytes | str]:
    """A JSON document as a file with something wrong: a value, the text, all of it, or no file."""
    values = edited(text, write)
    sound = st.just(write(json.loads(text)))
    return st.integers(0, 199).flatmap(
        lambda n: values if n < 130 else (values | sound).flatmap(spoilt) if n < 185
        else st.sampled_from(WHOLE) if n < 197 else st.sampled_from(THINGS)
    )  # fmt: skip


_TOKENS = re.compile(rb'"[^"\n]*"|[\w.]+|[^\w\s]')
_TREE_EDITS = (
    "token", "token", "token", "swap", "delete", "double", "move", "indent", "range", "like", "add"
)  # fmt: skip
_ADDED = [
    b"x: Block",
    b"x: Block x0",
    b"x: SiLU as x",
    b"x = 1",
    b"x: [1]",
    b"| f",
    b"|   x,",
    b"body as x",
    b"in call 0, 1",
    b"0..999999999: SiLU",
    b"0..999999: Conv2d(4, 4, 3)",
    b"usual",
    b"totals",
    b'"\\u001b[2J": "\\u001b[2J"',
    b'"\\ud800": "\\ud800"',
    b"a." * 300 + b"a: SiLU",
    b"x: [" + b"9" * 99 + b"]",
]


@st.composite
def _edited_tree(draw: Any, text: bytes) -> bytes:
    """An indented text with a few lines changed: a word, the place, or what is below it."""
    lines = text.split(b"\n")
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        at = draw(_COUNT) % len(lines)
        edit = draw(st.sampled_from(_TREE_EDITS))
        line, other = lines[at], lines[draw(_COUNT) % len(lines)]
        indent = line[: len(line) - len(line.lstrip())]
        tokens = list(_TOKENS.finditer(line))
        if edit == "token" and tokens:
            token = tokens[draw(_COUNT) % len(tokens)]
            others = [found[0] for found in _TOKENS.finditer(other)] or [b""]
            nasty = NASTY[draw(_NASTY)].encode("utf-8", "surrogatepass")
            new = draw(st.sampled_from([nasty, others[draw(_COUNT) % len(others)]]))
            lines[at] = line[: token.start()] + new + line[token.end() :]
        elif edit == "swap":
            lines[at] = other
        elif edit == "delete":
            del lines[at : at + draw(st.sampled_from([1, 1, 5]))]
        elif edit == "double":
            lines[at:at] = lines[at : at + draw(st.sampled_from([1, 1, 20]))]
        elif edit == "move":
            lines.insert(draw(_COUNT) % len(lines), lines.pop(at))
        elif edit == "indent":
            lines[at] = draw(st.sampled_from([b"  ", b" ", b"\t", b"  " * 300])) + line
        elif edit == "range":
            lines[at] = re.sub(rb"(\d+):", rb"\1..%d:" % draw(_COUNT), line)
        elif edit == "like":
            lines[at] = line.partition(b"(")[0] + b" as " + other.split(b":")[0].strip()
        else:
            lines.insert(at, indent + draw(st.sampled_from(_ADDED)))
        lines = lines or [b""]
    return b"\n".join(lines)


def trees(text: bytes) -> st.SearchStrategy[bytes | str]:
    """An indented text as a file with something wrong, as `files` does with a document."""
    values = _edited_tree(text)
    return st.integers(0, 199).flatmap(
        lambda n: values if n < 150 else (values | st.just(text)).flatmap(spoilt) if n < 185
        else st.sampled_from(WHOLE) if n < 197 else st.sampled_from(THINGS)
    )  # fmt: skip


def words(*sound: str) -> st.SearchStrategy[str]:
    """An argument of the command line: a sound one that is spoilt, or a nasty value."""
    text = st.sampled_from([word.encode() for word in sound])
    drawn = text.flatmap(spoilt) | text.flatmap(spoilt).flatmap(spoilt) | st.sampled_from(
        [value.encode() for value in NASTY]
    ) | st.text(max_size=8).map(lambda t: t.encode("utf-8", "surrogatepass"))  # fmt: skip
    # What no process can be given is left out: NUL, and more bytes than Linux allows.
    return drawn.map(lambda t: t.replace(b"\0", b"")[:100_000].decode("utf-8", "surrogateescape"))


def commands(kind: str, file: str, lines: str, contents: Any, beside: str = "") -> Any:
    """Cases of one file: each line is a command, in which `@` is the file."""

    def case(line: str, content: bytes | str) -> Case:
        given = {file: content, **{name: bases()[name] for name in beside.split()}}
        return Case(kind, tuple(w.replace("@", file) for w in line.split()), given)

    return st.builds(case, st.sampled_from(lines.split("; ")), contents)


def options(kind: str, lines: str, texts: Any) -> Any:
    """Cases of one argument: each line is a command, in which `@` is the argument."""

    def case(line: str, text: str) -> Case:
        names = ("narrow.yaml", "narrow.lock", "narrow.json", "layer.json", "layer.lock")
        words = [w.replace("%", LAYER).replace("@", text) for w in line.split()]
        return Case(kind, tuple(words), {n: bases()[n] for n in names if n in words})

    return st.builds(case, st.sampled_from(lines.split("; ")), texts)


_ROOM = 4_096
"""Bytes after a header, enough for its tensors."""


def _header() -> dict[str, Any]:
    found: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in SHAPES.items():
        begin, end = end, end + 4 * prod(shape)
        found[name] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    return found


@st.composite
def _headers(draw: Any) -> bytes | str:
    """A checkpoint; the length before its header fits what became of it, mostly."""
    text = draw(files(_json(_header())))
    if isinstance(text, str):
        return text
    length = max(len(text) + draw(st.sampled_from([0, 0, 0, 0, 1, -1, 10**6, 2**40])), 0)
    content = length.to_bytes(8, "little") + text + bytes(_ROOM)
    return draw(st.just(content) | st.just(content) | spoilt(content) | st.just(text))


@st.composite
def damaged(draw: Any, content: bytes) -> bytes:
    """Bytes of which a few are others, as numbers of one to eight bytes, or something as `spoilt`.

    Most of what tells the form of a file stands at its beginning or at its end.
    """
    for _ in range(draw(st.integers(0, 3))):
        at = draw(_COUNT) % len(content)
        at = draw(st.sampled_from([at, at % 64, len(content) - 1 - at % 64]))
        size = draw(st.sampled_from([1, 1, 4, 8]))
        number = draw(st.sampled_from([0, 1, 2**7, 2**31, 2**63]) | st.integers(0, 2**64 - 1))
        number %= 2 ** (8 * size)
        content = content[:at] + number.to_bytes(size, "little") + content[at + size :]
    return draw(st.just(content) | st.just(content) | spoilt(content))


@cache
def weights() -> dict[str, bytes]:
    """The same tensors as GGUF, and as `torch.save` writes them today and wrote them once."""
    import torch

    tensors = {name: torch.zeros(shape) for name, shape in SHAPES.items()}
    found = {"gguf": _gguf()}
    for form, zipped in (("zip", True), ("pickle", False)):
        buffer = io.BytesIO()
        content = {"state_dict": tensors, "epoch": 1, "hyper": {"lr": 0.1, "name": "x"}}
        torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
        found[form] = buffer.getvalue()
    return found


def _gguf() -> bytes:
    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    found = b"GGUF" + struct.pack("<IQQ", 3, len(SHAPES), 2)
    found += text("general.architecture") + struct.pack("<I", 8) + text("sd1")
    found += text("numbers") + struct.pack("<IIQ3i", 9, 5, 3, 1, 2, 3)
    end = 0
    for name, shape in SHAPES.items():
        axes = shape[::-1]
        found += text(name) + struct.pack(f"<I{len(axes)}QIQ", len(axes), *axes, 0, end)
        end += 4 * prod(shape)
    return found + bytes(_ROOM)


def _weights(form: str) -> Any:
    """Cases of one form of weights; its suffix says nothing, or something else."""
    lines = f"{_CHECKPOINT}; identify @; identify @ --yaml; identify @ @ -f json"
    contents = st.deferred(lambda: damaged(weights()[form]))
    names = st.sampled_from(["x.ckpt", "x.gguf", "x.safetensors", "x.bin", "x"])
    return names.flatmap(lambda name: commands(form, name, lines, contents, "narrow.lock"))


_CHECKPOINT = "diff narrow.lock @; diff @ @; compare @; check @; trace @"
_CONFIG = (
    "show @; check @; check @ --sizes; trace @; trace @ --modules; params @; flops @; memory @; "
    "skips @; lock @; lock --check @ -o narrow.lock; compare @; diff @ narrow.lock; "
    "explain @ mid_block; sweep @ --height 16,32; params @ --names compvis"
)
_SAVED = (
    "trace @; trace @ --symbolic; trace @ --modules; trace @ -f json; skips @; params @; flops @; "
    "params @ --by module --match *; flops @ --by module; memory @; memory @ --sections blocks; "
    "explain @ .; lock @ -o new.lock; show @; check @; compare @; "
    "diff @ narrow.lock; diff narrow.lock @; trace @ -f html; flops @ --audit"
)
_OPTIONS = (
    "trace narrow.yaml --sections @; trace narrow.json --block @; trace narrow.json --depth @; "
    "trace narrow.json --ops @; trace narrow.yaml --device @; trace narrow.yaml --dtype @; "
    "show narrow.yaml --batch @; show narrow.yaml --height @; check narrow.yaml --width @; "
    "trace narrow.yaml --height @; memory narrow.yaml --tokens @; trace narrow.json --lang @; "
    "trace narrow.json --names @; trace narrow.json -f @; params narrow.json --by @; "
    "params narrow.json --depth @ --by module; params narrow.json --top @; "
    "params narrow.json --match @; params narrow.json --lora-rank @; params narrow.json "
    "--bytes-in @; explain narrow.json @; explain narrow.json mid_block --sections @; "
    "flops narrow.json --by @; flops narrow.json --steps @; memory narrow.json --sections @; "
    "memory narrow.json --top @; check narrow.yaml --ignore @; show narrow.yaml --controlnet @; "
    "diff narrow.yaml narrow.yaml --verify @"
)


@cache
def cases(kind: str) -> st.SearchStrategy[Case]:
    """Cases of one of `KINDS`."""
    return KINDS[kind]()


def _configs() -> Any:
    small = commands("config", "x.yaml", _CONFIG, files(_json(NARROW), _yaml), "narrow.lock")
    texts = st.sampled_from(sorted(shipped().values())).map(Path.read_bytes)
    return small | commands("config", "x.yaml", "show @; lock --check @", texts.flatmap(spoilt))


def _diffusers() -> Any:
    document = _json({"_class_name": "UNet2DConditionModel", **NARROW["unet"], "sample_size": 16})
    contents = files(document)
    folder = commands(
        "diffusers", "unet/config.json", "show unet; check unet; trace unet", contents
    )
    return folder | commands("diffusers", "config.json", _CONFIG, contents, "narrow.lock")


def _traces() -> Any:
    """Of a single layer mostly: what is found in them is small."""
    layer = files(bases()["layer.json"])
    narrow = files(bases()["narrow.json"])
    return commands("trace", "x.json", _SAVED, layer | layer | narrow, "narrow.lock")


def _locks() -> Any:
    lines = (
        "diff @ narrow.lock; diff narrow.lock @; diff @ @ --renamed; compare @; compare @ -f json; "
        "show @; check @; lock --check narrow.yaml -o @; lock narrow.yaml -o @; trace @; "
        "diff @ narrow.lock --names compvis; diff @ narrow.lock -f markdown; diff @ layer.lock"
    )
    contents = trees(bases()["layer.lock"]) | trees(bases()["narrow.lock"])
    return commands("lock", "x.lock", lines, contents, "narrow.lock narrow.yaml layer.lock")


def _indices() -> Any:
    name = "x.safetensors.index.json"
    index = {"metadata": {"total_size": 1}, "weight_map": dict.fromkeys(SHAPES, "a.safetensors")}
    text = _json(_header())
    shard = len(text).to_bytes(8, "little") + text + bytes(_ROOM)
    beside = {"a.safetensors": shard, "narrow.lock": bases()["narrow.lock"]}
    found = commands("index", name, f"{_CHECKPOINT}; identify @", files(_json(index)))
    return found.map(lambda case: replace(case, files={**case.files, **beside}))


def _sets() -> Any:
    key = st.sampled_from(list(keys_of(UNet2DConditionConfig)))
    sound = ("layers_per_block=1", "block_out_channels.1=16", "unet.block_out_channels[0]=8")
    nasty = st.sampled_from([value for value in NASTY if "\0" not in value])
    pairs = st.builds("{}={:.100000}".format, key, nasty)
    lines = "show narrow.yaml --set @; params narrow.yaml --set @; check narrow.yaml --set @"
    return options("set", lines, words(*sound) | pairs)


def _inputs() -> Any:
    sound = ("1,3,8,8", "input=1,3,8,8:float16", "input.0=1:int64", "input:={a: [1, 2]}")
    text = options("input", "trace torch.nn:Conv2d --kwargs % --input @", words(*sound))
    inputs = {"input": {"shape": [1, 3, 8, 8], "dtype": "float32"}, "t": "1:int64", "s": 0.5}
    line = "trace torch.nn:Conv2d --kwargs {} --input-file @".format("{in_channels:3}")
    sound = st.sampled_from(["1,3,8,8", "input=1,3,8,8", f"1,3,{10**6},{10**6}", "3,8,8:half"])
    fine = options("input", "trace torch.nn:Conv2d --kwargs % --input @", sound)
    return text | fine | commands("input", "in.yaml", line, files(_json(inputs), _yaml))


KINDS: dict[str, Callable[[], Any]] = {
    "config": _configs,
    "diffusers": _diffusers,
    "compvis": lambda: commands(
        "compvis", "x.yaml", _CONFIG, files(_json(COMPVIS), _yaml), "narrow.lock"
    ),
    "lock": _locks,
    "trace": _traces,
    "header": lambda: commands(
        "header", "x.safetensors", f"{_CHECKPOINT}; identify @; identify @ --yaml; identify @ @",
        _headers(), "narrow.lock",
    ),
    "index": _indices,
    "gguf": lambda: _weights("gguf"),
    "zip": lambda: _weights("zip"),
    "pickle": lambda: _weights("pickle"),
    "set": _sets,
    "input": _inputs,
    "kwargs": lambda: options(
        "kwargs", "trace torch.nn:Conv2d --input 1,3,8,8 --kwargs @",
        words(LAYER, "{in_channels: 3, out_channels: 4, kernel_size: [3, 3], bias: false}"),
    ),
    # A sweep may last: what is drawn is held against a lock, which cannot run at other sizes.
    "sweep": lambda: options(
        "sweep", "sweep narrow.lock --height @; sweep narrow.lock --height 1..10000 --batch @",
        words("64", "32,64,96", "32..128:32"),
    ) | options(
        "sweep", "sweep narrow.yaml --height @; sweep narrow.yaml --batch 1,2 --width @ --plot",
        st.sampled_from(["16", "16,32", "16..48:16", "1..4", f"1,{10**8}", DIGITS[:18], "7"]),
    ),
    "gate": lambda: options(
        "gate", "diff narrow.lock layer.lock --max-params @; diff layer.lock narrow.lock "
        "--max-macs @; diff layer.lock layer.lock --max-memory @; diff narrow.lock narrow.lock "
        "--fail-on @",
        words("+1%", "900M", "1.2B", "-5%", "+64MiB", "1GiB", "cost", "none"),
    ),
    "pyproject": lambda: commands(
        "pyproject", "pyproject.toml",
        "params; check; skips; lock narrow.yaml; diff narrow.lock narrow.lock",
        files(_json(SETTINGS), _toml), "narrow.yaml narrow.lock",
    ),
    "source": lambda: options(
        "source", "show @; check @; trace @; diff narrow.lock @; lock @ -o x.lock; compare @; "
        "trace narrow.yaml --controlnet @; lock @; explain @ mid_block",
        words(
            "narrow.yaml", "torch.nn:Conv2d", "HEAD~1:narrow.yaml", "a/b.py:Net", "torch:nn",
            "x.yaml#unet_config", "~/x", ".", "..", "/", "-", "--", "unet/", "a.safetensors",
            "/dev/null", "narrow.lock/x", "a:b:c.json",
        ),
    ),
    "option": lambda: options(
        "option", _OPTIONS,
        words("1", "mid_block", "down_blocks.0.resnets.*", "module,shapes", "fp16", "cpu", "type"),
    ),
}  # fmt: skip
"""Kind of input -> what makes the strategy of its cases."""


def stored(case: Case, why: str = "") -> str:
    """A case as a line of the corpus; long contents are packed."""

    def packed(content: bytes | str) -> Any:
        if isinstance(content, str):
            return {"thing": content}
        if len(content) > 2_000:
            return {"zlib": b64encode(zlib.compress(content, 9)).decode()}
        return content.decode("utf-8", "surrogateescape")

    files = {name: packed(content) for name, content in case.files.items()}
    files = {name: {"base": name} if bases().get(name) == case.files[name] else content
             for name, content in files.items()}  # fmt: skip
    return json.dumps({"found": why, "arguments": case.arguments, "files": files})


def read(line: str, kind: str) -> Case:
    """What `stored` wrote."""

    def content(packed: Any) -> bytes | str:
        if isinstance(packed, str):
            return packed.encode("utf-8", "surrogateescape")
        if "base" in packed:
            return bases()[packed["base"]]
        return packed["thing"] if "thing" in packed else zlib.decompress(b64decode(packed["zlib"]))

    entry = json.loads(line)
    files = {name: content(packed) for name, packed in entry["files"].items()}
    return Case(kind, tuple(entry["arguments"]), files)


def corpus() -> Iterator[tuple[str, str]]:
    """Kind and line of every case that was kept."""
    for path in sorted(CORPUS.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            yield path.stem, line
