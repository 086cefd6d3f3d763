"""Memory inside of kernels: less code than what Numba makes of `numpy.empty` and `numpy.zeros`."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

__all__ = ["empty", "zeros"]

ALIGNMENT = 64
"""Bytes, a line of the cache."""


def allocated(zero: bool) -> Any:
    """A function that makes a flat array of so many elements of the dtype of another array.

    Its elements are anything, or zero. It raises MemoryError.
    """

    def typed(_context: Any, like: Any, count: Any) -> Any:
        kind = types.Array(like.dtype, 1, "C")

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            count = arguments[1]
            array = context.make_array(kind)(context, builder)
            element = context.get_data_type(kind.dtype)
            size = ir.Constant(count.type, context.get_abi_sizeof(element))
            alignment = ir.Constant(ir.IntType(32), ALIGNMENT)
            bytes_in_all = builder.mul(count, size)
            owner = context.nrt.meminfo_alloc_aligned(builder, bytes_in_all, alignment)
            array.meminfo = owner
            array.data = builder.bitcast(
                context.nrt.meminfo_data(builder, owner), element.as_pointer()
            )
            array.parent = ir.Constant(array.parent.type, None)
            array.nitems, array.itemsize = count, size
            array.shape = cgutils.pack_array(builder, [count])
            array.strides = cgutils.pack_array(builder, [size])
            if zero:
                cgutils.memset(builder, array.data, bytes_in_all, 0)
            return array._getvalue()

        return kind(like, types.intp), generate

    return intrinsic(typed)


empty = allocated(False)
zeros = allocated(True)
