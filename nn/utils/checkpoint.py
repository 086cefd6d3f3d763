"""Checkpoints: less memory for a training step, which takes longer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from autograd import recompute

__all__ = ["checkpoint", "checkpoint_sequential"]


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = False,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """Call ``function(*args, **kwargs)``; backward calls it again, rather than keep its values.

    Only the arguments and the outputs stay in memory in between. Gradients are the same, bit for
    bit, if the function computes the same both times, to which its random numbers are reset. It
    runs twice, with everything it does besides: batch norm updates its running statistics twice.

    Args:
        function: a function or a module.
        args: its arguments.
        use_reentrant: accepted as in PyTorch; there is one way here, which has no restrictions.
        preserve_rng_state: whether random numbers, as of dropout, are the same both times.
        kwargs: its keyword arguments.

    Raises:
        RuntimeError: in backward, if the second call depends on other tensors or returns other
            shapes, or if an argument was overwritten in between.

    Reference: Chen et al. 2016, arXiv:1604.06174.

    >>> import nn
    >>> from autograd import ones
    >>> layer, x = nn.Linear(3, 2), ones(1, 3)
    >>> checkpoint(layer, x).sum().backward()
    >>> layer.bias.grad.tolist()
    [1.0, 1.0]
    """
    return recompute(function, args, kwargs, preserve_rng_state=preserve_rng_state)


def checkpoint_sequential(
    functions: Iterable[Callable[..., Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = False,
    preserve_rng_state: bool = True,
) -> Any:
    """Call functions one after another, in segments that are checkpoints, but for the last.

    Args:
        functions: a `Sequential`, or functions of one argument.
        segments: how many; about the square root of the number of functions saves most.
        input: the argument of the first function.
        use_reentrant: see `checkpoint`.
        preserve_rng_state: see `checkpoint`.

    Raises:
        ValueError: there are not as many functions as segments.

    >>> import nn
    >>> from autograd import ones
    >>> model = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 1))
    >>> tuple(checkpoint_sequential(model, 2, ones(4, 3)).shape)
    (4, 1)
    """
    parts = list(functions)
    if not 1 <= segments <= len(parts):
        raise ValueError(
            f"checkpoint_sequential: segments must lie between 1 and {len(parts)}, the number of "
            f"functions, got {segments}"
        )
    size = len(parts) // segments
    out = input
    for segment in range(segments - 1):
        group = parts[segment * size : (segment + 1) * size]
        out = checkpoint(chain(group), out, preserve_rng_state=preserve_rng_state)
    return chain(parts[(segments - 1) * size :])(out)


def chain(functions: list[Callable[..., Any]]) -> Callable[[Any], Any]:
    """One function that calls several, one after another."""

    def run(value: Any) -> Any:
        for function in functions:
            value = function(value)
        return value

    return run
