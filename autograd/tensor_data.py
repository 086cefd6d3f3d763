"""The data of a tensor and its place in the graph; `autograd.tensor` adds the operations."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from itertools import count
from math import prod as product_of
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from autograd import creation, gradients, ops
from autograd.dtypes import (
    bool_,
    complex64,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    is_floating,
    uint8,
)
from autograd.errors import DtypeError, GraphError, InplaceError, ShapeError
from autograd.formatting import describe
from autograd.functions.arguments import shape_argument
from autograd.graph import Array, Node, TensorBase, new_tensor, watchers_of
from autograd.inplace import up_to_date

if TYPE_CHECKING:
    from typing_extensions import Self

    from autograd.tensor import Tensor

__all__ = ["RemovableHandle", "Size", "TensorData"]


# `Tensor` has methods of these names, which hide the types inside its body.
Bool: TypeAlias = bool
Int: TypeAlias = int


class Size(tuple[int, ...]):
    """The shape of a tensor: a tuple that can also count its elements."""

    __slots__ = ()

    def numel(self) -> int:
        """The product of the sizes."""
        return product_of(self)

    def __repr__(self) -> str:
        return f"Size([{', '.join(map(str, self))}])"


class RemovableHandle:
    """Takes a hook out again."""

    _ids = count()

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.hooks = hooks
        self.id = next(RemovableHandle._ids)

    def remove(self) -> None:
        """Take the hook out; nothing happens the second time."""
        self.hooks.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class TensorData(TensorBase):
    """What a tensor holds: its values, its place in the graph, and its other data types."""

    __slots__ = ()

    def __init__(self, *data: Any, requires_grad: Bool = False) -> None:
        if len(data) == 1 and not isinstance(data[0], Int):
            array = np.array(creation.array_of(data[0], float32))
        else:
            array = np.empty(shape_argument("Tensor", data) if data else (0,), np.float32)
        self._adopt(array, requires_grad)

    def _adopt(self, array: Array, requires_grad: Bool) -> None:
        """Begin as a leaf on an array."""
        self._array = array
        self._node = None
        self._requires_grad = requires_grad
        self._grad = None
        self._version = [0, 0]
        self._view = None
        self._hooks = None

    def _self(self) -> Tensor:
        """The tensor, as the type checker should see it: every instance is a `Tensor`."""
        return cast("Tensor", self)

    # Data

    @property
    def array(self) -> Array:
        """The NumPy array itself, for reading; writes to it go unnoticed (see `writable`)."""
        return self._array

    @property
    def data(self) -> Tensor:
        """A tensor on the same memory, outside the graph."""
        return self.detach()

    @data.setter
    def data(self, value: Any) -> None:
        array = creation.array_of(value, None)
        if self._requires_grad and not is_floating(array.dtype):
            raise DtypeError(f"data: this tensor requires grad, it cannot hold {array.dtype}")
        if self._node is not None and (array.shape, array.dtype) != (
            self._array.shape,
            self._array.dtype,
        ):
            raise ShapeError(
                f"data: a result of shape {self._array.shape} ({self._array.dtype}) in a graph "
                f"cannot be given {array.shape} ({array.dtype}); use detach() first"
            )
        self._array = array
        self._view = None
        self._version = value._version if isinstance(value, TensorBase) else [0, 0]

    def numpy(self, *, force: Bool = False) -> Array:
        """The values as a NumPy array on the same memory.

        Raises:
            RuntimeError: the tensor requires grad, and `force` is not set.
        """
        if self.requires_grad and not force:
            raise GraphError(
                "numpy: the tensor requires grad, and NumPy would not record; "
                "use tensor.detach().numpy()"
            )
        return self._array

    def item(self) -> Any:
        """The only value, as a Python number.

        Raises:
            ValueError: there is not exactly one.
        """
        if self._array.size != 1:
            raise ShapeError(f"item: expected one value, got shape {self._array.shape}")
        return self._array.item()

    def tolist(self) -> Any:
        """The values as nested lists of Python numbers."""
        return self._array.tolist()

    def detach(self) -> Tensor:
        """A tensor on the same memory, outside the graph."""
        return new_tensor(self._array, version=self._version)

    def detach_(self) -> Self:
        """Cut this tensor off the graph."""
        if self._view is not None:
            raise GraphError("detach_: a view stays part of its base; use detach()")
        self._node = None
        self._requires_grad = False
        return self

    @property
    def shape(self) -> Size:
        """The size of each axis."""
        return Size(self._array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """The data type of the values."""
        return np.dtype(self._array.dtype)

    @property
    def ndim(self) -> Int:
        """The number of axes."""
        return self._array.ndim

    @property
    def device(self) -> str:
        """Always "cpu"."""
        return "cpu"

    @property
    def itemsize(self) -> Int:
        """Bytes of one value."""
        return self._array.itemsize

    @property
    def nbytes(self) -> Int:
        """Bytes of all values."""
        return self._array.nbytes

    def size(self, dim: Int | None = None) -> Any:
        """The shape, or the size of one axis."""
        if dim is None:
            return self.shape
        try:
            return self._array.shape[dim]
        except IndexError:
            raise IndexError(f"size: dim {dim} is out of range for {self.ndim} dims") from None

    def dim(self) -> Int:
        """The number of axes."""
        return self._array.ndim

    def numel(self) -> Int:
        """The number of values."""
        return self._array.size

    nelement = numel

    def element_size(self) -> Int:
        """Bytes of one value."""
        return self._array.itemsize

    def stride(self, dim: Int | None = None) -> Any:
        """How many values apart neighbours along an axis lie in memory."""
        steps = tuple(step // self._array.itemsize for step in self._array.strides)
        return steps if dim is None else steps[dim]

    def data_ptr(self) -> Int:
        """The address of the first value."""
        return Int(self._array.ctypes.data)

    def is_contiguous(self) -> Bool:
        """Whether the values lie in memory row by row, without gaps."""
        return Bool(self._array.flags.c_contiguous)

    def contiguous(self) -> Tensor:
        """The tensor, or a copy that lies in memory row by row."""
        return self._self() if self.is_contiguous() else ops.clone(self)

    def is_complex(self) -> Bool:
        """Whether the values are complex numbers."""
        return Bool(self._array.dtype.kind == "c")

    def is_floating_point(self) -> Bool:
        """Whether the values are real floating-point numbers."""
        return Bool(self._array.dtype.kind == "f")

    # The graph

    @property
    def requires_grad(self) -> Bool:
        """Whether operations on this tensor are recorded."""
        self._look()
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, value: Bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: Bool = True) -> Self:
        """Record operations on this leaf from now on, or no longer.

        Raises:
            RuntimeError: the tensor is a result that requires grad; detach it instead.
            TypeError: its values are not floating-point.
        """
        up_to_date(self)
        if requires_grad and not is_floating(self._array.dtype):
            raise DtypeError(
                "requires_grad: only floating-point tensors can require grad, "
                f"this one is {self._array.dtype}"
            )
        if self._node is not None and not requires_grad:
            raise GraphError("requires_grad: this tensor is a result of others; detach it instead")
        if requires_grad and self._node is None:
            self._view = None  # from now on a leaf, as its detach() would be
        self._requires_grad = Bool(requires_grad)
        return self

    @property
    def grad(self) -> Tensor | None:
        """What backward passes have accumulated here; None before the first."""
        return self._grad

    @grad.setter
    def grad(self, value: Tensor | None) -> None:
        if value is not None:
            if not isinstance(value, TensorBase):
                raise TypeError(f"grad: expected a Tensor or None, got {type(value).__name__}")
            if value is self:
                raise ValueError("grad: a tensor cannot be its own gradient")
            if value._array.shape != self._array.shape:
                raise ShapeError(f"grad: shape {value._array.shape}, expected {self._array.shape}")
            if value._array.dtype != self._array.dtype:
                raise DtypeError(f"grad: is {value._array.dtype}, expected {self._array.dtype}")
        self._grad = value

    @property
    def grad_fn(self) -> Node | None:
        """The operation that made this tensor; None for a leaf."""
        self._look()
        return self._node

    def _look(self) -> None:
        """Bring the history up to date, if that can be done."""
        if self._view is not None:
            with suppress(InplaceError):
                up_to_date(self)

    @property
    def is_leaf(self) -> Bool:
        """Whether the tensor begins a graph, rather than being a result in it."""
        return self.grad_fn is None

    @property
    def _base(self) -> Tensor | None:
        return None if self._view is None else cast("Tensor", self._view.base)

    def backward(
        self,
        gradient: Any = None,
        retain_graph: Bool | None = None,
        create_graph: Bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the gradients of this tensor to the ``.grad`` of the leaves it depends on.

        Args:
            gradient: the gradient with respect to this tensor; may be left out for one value.
            retain_graph: keep what the graph saved, for another pass.
            create_graph: record the computation, for derivatives of higher order.
            inputs: accumulate into these tensors only.

        Raises:
            RuntimeError: see `autograd.backward`.
        """
        start = None if gradient is None else (gradient,)
        gradients.backward((self,), start, retain_graph, create_graph, inputs)

    def retain_grad(self) -> None:
        """Let backward fill the ``.grad`` of this result too."""
        if not self.requires_grad:
            raise GraphError("retain_grad: the tensor does not require grad")
        if self._node is not None:
            watchers_of(self._node).retained = weakref.ref(self._self())

    @property
    def retains_grad(self) -> Bool:
        """Whether `retain_grad` was asked for on this result."""
        watchers = None if self.grad_fn is None else self.grad_fn.watchers
        kept = None if watchers is None else watchers.retained
        return kept is not None and kept() is self

    def register_hook(self, hook: Callable[[Tensor], Tensor | None]) -> RemovableHandle:
        """Call a function with the gradient of this tensor; what it returns takes its place.

        Example:
            >>> from autograd import tensor
            >>> x = tensor([1.0, 2.0], requires_grad=True)
            >>> handle = x.register_hook(lambda gradient: gradient * 10)
            >>> x.sum().backward()
            >>> x.grad
            tensor([10., 10.])
        """
        if not self.requires_grad:
            raise GraphError("register_hook: the tensor does not require grad")
        if self._node is not None:
            hooks = watchers_of(self._node).hooks
        else:
            hooks = self._hooks = {} if self._hooks is None else self._hooks
        handle = RemovableHandle(hooks)
        hooks[handle.id] = hook
        return handle

    # Conversion

    def to(
        self,
        *args: Any,
        dtype: Any = None,
        device: Any = None,
        non_blocking: Bool = False,
        copy: Bool = False,
    ) -> Tensor:
        """The tensor, or a copy in another dtype: ``to(dtype)``, ``to("cpu")``, ``to(other)``.

        With one device there is nothing to wait for: `non_blocking` has no effect.
        """
        for value in args:
            if isinstance(value, TensorBase):
                dtype = value._array.dtype
            elif isinstance(value, str) and value.split(":")[0] in ("cpu", "cuda", "mps"):
                device = value
            elif value is not None and not isinstance(value, Bool):
                dtype = value
        creation.on_cpu("to", device)
        if dtype is None or np.dtype(dtype) == self._array.dtype:
            return ops.clone(self) if copy else self._self()
        return ops.cast(self, dtype=np.dtype(dtype))

    def type(self, dtype: Any = None) -> Any:
        """The tensor in another dtype, or the name of its own."""
        return str(self._array.dtype) if dtype is None else self.to(dtype)

    def type_as(self, other: Tensor) -> Tensor:
        """The tensor in the dtype of another."""
        return self.to(other.dtype)

    def cpu(self) -> Tensor:
        """The tensor itself."""
        return self._self()

    def float(self) -> Tensor:
        """In float32."""
        return self.to(float32)

    def double(self) -> Tensor:
        """In float64."""
        return self.to(float64)

    def half(self) -> Tensor:
        """In float16."""
        return self.to(float16)

    def long(self) -> Tensor:
        """In int64."""
        return self.to(int64)

    def int(self) -> Tensor:
        """In int32."""
        return self.to(int32)

    def short(self) -> Tensor:
        """In int16."""
        return self.to(int16)

    def char(self) -> Tensor:
        """In int8."""
        return self.to(int8)

    def byte(self) -> Tensor:
        """In uint8."""
        return self.to(uint8)

    def bool(self) -> Tensor:
        """Whether each value is nonzero."""
        return self.to(bool_)

    def cfloat(self) -> Tensor:
        """In complex64."""
        return self.to(complex64)

    def new_tensor(self, data: Any, *, dtype: Any = None, requires_grad: Bool = False) -> Tensor:
        """A tensor of data in this tensor's dtype."""
        return creation.tensor(data, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_zeros(self, *size: Any, dtype: Any = None, requires_grad: Bool = False) -> Tensor:
        """Zeros in this tensor's dtype."""
        return creation.zeros(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_ones(self, *size: Any, dtype: Any = None, requires_grad: Bool = False) -> Tensor:
        """Ones in this tensor's dtype."""
        return creation.ones(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_empty(self, *size: Any, dtype: Any = None, requires_grad: Bool = False) -> Tensor:
        """Unset memory of this tensor's dtype."""
        return creation.empty(*size, dtype=dtype or self.dtype, requires_grad=requires_grad)

    def new_full(
        self, size: Any, fill_value: Any, *, dtype: Any = None, requires_grad: Bool = False
    ) -> Tensor:
        """One value everywhere, in this tensor's dtype."""
        return creation.full(
            size, fill_value, dtype=dtype or self.dtype, requires_grad=requires_grad
        )

    # Python's own protocols

    def __repr__(self) -> str:
        return describe(self._self())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if self._array.ndim == 0 else object.__format__(self, spec)

    def __array__(self, dtype: Any = None, copy: Bool | None = None) -> Array:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def __copy__(self) -> Tensor:
        copied = self._like(self._array)
        copied._version = self._version
        if hasattr(self, "__dict__"):
            copied.__dict__.update(self.__dict__)
        return copied

    def __deepcopy__(self, memo: dict[Int, Any]) -> Tensor:
        if id(self) not in memo:
            copied = self._like(np.array(self._array))
            memo[id(self)] = copied
            copied._grad = None if self._grad is None else self._grad.detach().clone()
            if hasattr(self, "__dict__"):
                copied.__dict__.update(deepcopy(self.__dict__, memo))
        return cast("Tensor", memo[id(self)])

    def __reduce__(self) -> Any:
        self._check_leaf("pickle")
        extra = dict(self.__dict__) if hasattr(self, "__dict__") else {}
        return _rebuild, (type(self), self._array, self._requires_grad, extra)

    def _like(self, array: Array) -> Tensor:
        """A leaf of this class on another array."""
        self._check_leaf("copy")
        made = type(self).__new__(type(self))
        made._adopt(array, self._requires_grad)
        return made._self()

    def _check_leaf(self, name: str) -> None:
        if not self.is_leaf:
            raise GraphError(
                f"{name}: only leaf tensors can be copied as objects, this one is a result of "
                f"{self.grad_fn!r}; use detach() or clone()"
            )


def _rebuild(
    cls: type[TensorData], array: Array, requires_grad: bool, extra: dict[str, Any]
) -> TensorData:
    made = cls.__new__(cls)
    made._adopt(array, requires_grad)
    if extra:
        made.__dict__.update(extra)
    return made
