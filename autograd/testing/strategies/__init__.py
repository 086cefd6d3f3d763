"""Hypothesis strategies: shapes, tensors, indices, convolutions, whole computation graphs.

This package alone imports Hypothesis, which comes with ``pip install 'ndgrad[test]'``.
"""

try:
    import hypothesis
except ImportError as error:
    raise ImportError(
        "autograd.testing.strategies draws examples with Hypothesis, which is not installed: "
        "pip install 'ndgrad[test]', or pip install hypothesis"
    ) from error

from autograd.testing.strategies.graphs import Graph, graphs
from autograd.testing.strategies.indices import indices
from autograd.testing.strategies.shapes import broadcastable, dtypes, layouts, shapes
from autograd.testing.strategies.values import tensor_tuples, tensors, values
from autograd.testing.strategies.windows import ConvCase, PoolCase, conv_cases, pool_cases

__all__ = [
    "ConvCase",
    "Graph",
    "PoolCase",
    "broadcastable",
    "conv_cases",
    "dtypes",
    "graphs",
    "hypothesis",
    "indices",
    "layouts",
    "pool_cases",
    "shapes",
    "tensor_tuples",
    "tensors",
    "values",
]
