"""What the CPU's allocator really handed out during a pass, as torch's profiler saw it.

Nothing here looks at tensors: it adds up the allocator's own events.
"""

from __future__ import annotations

import torch
from torch.overrides import TorchFunctionMode
from torch.profiler import ProfilerActivity, profile, record_function

from unetscope.tracing.contents import leaves

END = "the end of a function"


class _Marks(TorchFunctionMode):
    """Leaves a mark among the allocator's events at the end of each function."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if func.__name__ != "__get__" and leaves(result):
            with torch._C.DisableTorchFunction(), record_function(END):
                pass
        return result


def _events(nodes):
    for node in nodes:
        yield node
        yield from _events(node.children)


def allocated(model, kwargs):
    """Bytes that were allocated since the pass began: at the end of each function; at most."""
    with torch.no_grad(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        with record_function("begin"):
            pass
        with _Marks():
            output = model(**kwargs)
        with record_function("finish"):
            pass
        del output
    tree = seen.profiler.kineto_results.experimental_event_tree()
    events = sorted(_events(tree), key=lambda event: event.start_time_ns)
    names = [event.name for event in events]
    total, most, at_ends = 0, 0, []
    for event in events[names.index("begin") : names.index("finish")]:
        if event.name == END:
            at_ends.append(total)
        elif event.tag == torch._C._profiler._EventType.Allocation:
            total += event.extra_fields.alloc_size
            most = max(most, total)
    return at_ends, most
