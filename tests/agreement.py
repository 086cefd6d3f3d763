"""Operations against PyTorch: values, gradients, and gradients of these."""

from __future__ import annotations

import numpy as np
import pytest

import autograd
from autograd import ops, tensor

torch = pytest.importorskip("torch")

DTYPES = ("float32", "float64")


def random(seed, *shapes, dtype="float64"):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def close(ours, theirs, what):
    ours, theirs = ours.detach().numpy(), theirs.detach().numpy()
    assert ours.dtype == theirs.dtype, what
    assert ours.shape == theirs.shape, what
    tolerance = 1e-9 if ours.dtype == np.float64 else 2e-4
    scale = max(1.0, float(np.max(np.abs(theirs), initial=0.0)))
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale, err_msg=what)


def agree(ours, theirs, arrays, *, second=True):
    """Value, gradients, and the gradients of a random combination of these are PyTorch's."""
    mine = [tensor(array, requires_grad=True) for array in arrays]
    other = [torch.tensor(array, requires_grad=True) for array in arrays]
    out, expected = ours(*mine), theirs(*other)
    close(out, expected, "value")
    seed = random(1, expected.shape, dtype=arrays[0].dtype)[0]
    seeds = tensor(seed, requires_grad=True), torch.tensor(seed, requires_grad=True)
    first = autograd.grad(out, mine, seeds[0])
    expected_first = torch.autograd.grad(expected, other, seeds[1], create_graph=second)
    for place, (one, two) in enumerate(zip(first, expected_first, strict=True)):
        close(one, two, f"gradient of input {place}")
    if not second:
        return
    graph = autograd.grad(ours(*mine), mine, seeds[0], create_graph=True)
    factors = random(2, *(array.shape for array in arrays), dtype=arrays[0].dtype)
    total = sum((g * tensor(f)).sum() for g, f in zip(graph, factors, strict=True))
    expected_total = sum(
        (g * torch.tensor(f)).sum() for g, f in zip(expected_first, factors, strict=True)
    )
    third = autograd.grad(total, [*mine, seeds[0]], allow_unused=True)
    expected_third = torch.autograd.grad(expected_total, [*other, seeds[1]], allow_unused=True)
    for place, (one, two) in enumerate(zip(third, expected_third, strict=True)):
        if one is None or two is None:
            present = one if two is None else two
            assert present is None or not np.any(present.detach().numpy())
            continue
        close(one, two, f"second gradient of input {place}")


def conv(x, weight, bias, stride, padding, dilation, groups):
    pairs = tuple((p, p) for p in padding)
    return ops.conv(x, weight, bias, stride=stride, padding=pairs, dilation=dilation, groups=groups)


def zeros(*shape, dtype="float32"):
    return tensor(np.zeros(shape, dtype))
