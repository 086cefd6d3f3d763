"""Memory inside of kernels, which give it back themselves: `release`.

Numba would count references to it, in code of its own that is compiled when a program starts.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from autograd.kernels.late_numba import cgutils, intrinsic, types

__all__ = ["empty", "release", "zeros"]

ALIGNMENT = 64
"""Bytes, a line of the cache."""
WORD, ADDRESS = ir.IntType(64), ir.IntType(8).as_pointer()


def number(value: int) -> Any:
    return ir.Constant(WORD, value)


def call(builder: Any, name: str, result: Any, argument: Any) -> Any:
    """Call a function of the C library."""
    kind = ir.FunctionType(result, [argument.type])
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [argument])


def head_of(builder: Any, place: Any) -> Any:
    """Where, before an array that begins at a place, the address of all its memory is."""
    return builder.inttoptr(builder.sub(place, number(8)), WORD.as_pointer())


def allocated(zero: bool) -> Any:
    """A function that makes a flat array of so many elements of the dtype of another one.

    Or of the type of a number. Its elements are anything, or zero. It raises MemoryError.
    """

    def typed(_context: Any, like: Any, count: Any) -> Any:
        kind = types.Array(getattr(like, "dtype", like), 1, "C")

        def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
            count = arguments[1]
            array = context.make_array(kind)(context, builder)
            element = context.get_data_type(kind.dtype)
            size = ir.Constant(count.type, context.get_abi_sizeof(element))
            bytes_in_all = builder.mul(count, size)
            size_with_head = builder.add(bytes_in_all, number(ALIGNMENT))
            start = builder.ptrtoint(call(builder, "malloc", ADDRESS, size_with_head), WORD)
            with cgutils.if_unlikely(builder, builder.icmp_unsigned("==", start, number(0))):
                context.call_conv.return_user_exc(builder, MemoryError, ("no memory in a kernel",))
            # malloc leaves at least 8 bytes before the next line of the cache, for its own address
            place = builder.and_(builder.add(start, number(ALIGNMENT)), number(-ALIGNMENT))
            builder.store(start, head_of(builder, place))
            array.meminfo = ir.Constant(array.meminfo.type, None)
            array.data = builder.inttoptr(place, element.as_pointer())
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


@intrinsic
def release(_context: Any, array: Any) -> Any:
    """Give back the memory of an array of `empty` or `zeros`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        start = builder.load(head_of(builder, builder.ptrtoint(data, WORD)))
        call(builder, "free", ir.VoidType(), builder.inttoptr(start, ADDRESS))
        return context.get_dummy_value()

    return types.void(array), generate
