"""`Tensor`: an array that records what is done with it.

A public function takes its tensor first, so it serves as a method as it stands: one definition,
one signature, one docstring.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd import ops, random
from autograd.errors import ShapeError
from autograd.functions import (
    activation,
    arithmetic,
    arranging,
    comparison,
    cumulative,
    elementary,
    indexing,
    inplace,
    joining,
    ordering,
    products,
    reduction,
    shaping,
    trigonometry,
)
from autograd.functions.arguments import raw, shape_argument
from autograd.functions.ufuncs import UFUNCS
from autograd.graph import TensorBase, set_tensor_class
from autograd.tensor_data import RemovableHandle, Size, TensorData

if TYPE_CHECKING:
    # The methods of these names hide the types inside the class.
    Bool = bool
    Int = int
    Float = float

__all__ = ["RemovableHandle", "Size", "Tensor"]

OPERANDS: Any = (TensorBase, int, float, complex, np.ndarray, np.generic)
"""What an operator can work with; anything else may know itself how to work with a Tensor."""


class Tensor(TensorData):
    """An n-dimensional array whose operations are recorded, so that they can be differentiated.

    ``Tensor(sequence)`` makes float32 from nested sequences, an array or a tensor, and
    ``Tensor(2, 3)`` an unset tensor of that shape, as ``torch.Tensor``; `autograd.tensor` keeps
    data types and is the usual way.

    Example:
        >>> from autograd import tensor
        >>> x = tensor([1.0, 2.0, 3.0], requires_grad=True)
        >>> y = (x * x).sum()
        >>> y.backward()
        >>> x.grad
        tensor([2., 4., 6.])
    """

    __slots__ = ()

    # Operators. A NumPy array on the left hands over to `__array_ufunc__`.

    __hash__ = object.__hash__

    def __add__(self, other: Any) -> Tensor:
        return ops.add(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __radd__(self, other: Any) -> Tensor:
        return ops.add(other, self) if isinstance(other, OPERANDS) else NotImplemented

    def __sub__(self, other: Any) -> Tensor:
        return ops.sub(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __rsub__(self, other: Any) -> Tensor:
        return ops.sub(other, self) if isinstance(other, OPERANDS) else NotImplemented

    def __mul__(self, other: Any) -> Tensor:
        return ops.mul(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __rmul__(self, other: Any) -> Tensor:
        return ops.mul(other, self) if isinstance(other, OPERANDS) else NotImplemented

    def __truediv__(self, other: Any) -> Tensor:
        return ops.div(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __rtruediv__(self, other: Any) -> Tensor:
        return ops.div(other, self) if isinstance(other, OPERANDS) else NotImplemented

    def __pow__(self, other: Any) -> Tensor:
        return arithmetic.pow(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __rpow__(self, other: Any) -> Tensor:
        return arithmetic.pow(other, self) if isinstance(other, OPERANDS) else NotImplemented

    def __floordiv__(self, other: Any) -> Tensor:
        return (
            arithmetic.floor_divide(self, other) if isinstance(other, OPERANDS) else NotImplemented
        )

    def __rfloordiv__(self, other: Any) -> Tensor:
        return (
            arithmetic.floor_divide(other, self) if isinstance(other, OPERANDS) else NotImplemented
        )

    def __mod__(self, other: Any) -> Tensor:
        return arithmetic.remainder(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __rmod__(self, other: Any) -> Tensor:
        return arithmetic.remainder(other, self) if isinstance(other, OPERANDS) else NotImplemented

    def __matmul__(self, other: Any) -> Tensor:
        return products.matmul(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __rmatmul__(self, other: Any) -> Tensor:
        return products.matmul(other, self) if isinstance(other, OPERANDS) else NotImplemented

    def __neg__(self) -> Tensor:
        return ops.neg(self)

    def __pos__(self) -> Tensor:
        return elementary.positive(self)

    def __abs__(self) -> Tensor:
        return ops.abs(self)

    def __iadd__(self, other: Any) -> Tensor:
        return inplace.add_(self, other)

    def __isub__(self, other: Any) -> Tensor:
        return inplace.sub_(self, other)

    def __imul__(self, other: Any) -> Tensor:
        return inplace.mul_(self, other)

    def __itruediv__(self, other: Any) -> Tensor:
        return inplace.div_(self, other)

    def __ifloordiv__(self, other: Any) -> Tensor:
        return inplace.floor_divide_(self, other)

    def __imod__(self, other: Any) -> Tensor:
        return inplace.remainder_(self, other)

    def __ipow__(self, other: Any) -> Tensor:
        return inplace.pow_(self, other)

    def __iand__(self, other: Any) -> Tensor:
        return inplace.bitwise_and_(self, other)

    def __ior__(self, other: Any) -> Tensor:
        return inplace.bitwise_or_(self, other)

    def __ixor__(self, other: Any) -> Tensor:
        return inplace.bitwise_xor_(self, other)

    def __eq__(self, other: object) -> Tensor:  # type: ignore[override]  # elementwise
        return comparison.eq(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __ne__(self, other: object) -> Tensor:  # type: ignore[override]  # elementwise
        return comparison.ne(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __lt__(self, other: Any) -> Tensor:
        return comparison.lt(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __le__(self, other: Any) -> Tensor:
        return comparison.le(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __gt__(self, other: Any) -> Tensor:
        return comparison.gt(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __ge__(self, other: Any) -> Tensor:
        return comparison.ge(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __invert__(self) -> Tensor:
        return comparison.bitwise_not(self)

    def __and__(self, other: Any) -> Tensor:
        return (
            comparison.bitwise_and(self, other) if isinstance(other, OPERANDS) else NotImplemented
        )

    def __or__(self, other: Any) -> Tensor:
        return comparison.bitwise_or(self, other) if isinstance(other, OPERANDS) else NotImplemented

    def __xor__(self, other: Any) -> Tensor:
        return (
            comparison.bitwise_xor(self, other) if isinstance(other, OPERANDS) else NotImplemented
        )

    __rand__ = __and__
    __ror__ = __or__
    __rxor__ = __xor__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        function = UFUNCS.get(ufunc.__name__)
        if method != "__call__" or options or function is None:
            return NotImplemented
        return function(*inputs)

    # Containers and numbers

    def __getitem__(self, index: Any) -> Tensor:
        return indexing.read(self, index)

    def __setitem__(self, index: Any, value: Any) -> None:
        indexing.assign(self, index, value)

    def __len__(self) -> Int:
        if self._array.ndim == 0:
            raise TypeError("len: a 0-d tensor has no length")
        return int(self._array.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        if self._array.ndim == 0:
            raise TypeError("iter: a 0-d tensor cannot be iterated over")
        return iter(joining.unbind(self))

    def __contains__(self, value: Any) -> Bool:
        return bool((self._array == raw(value)).any())

    def __bool__(self) -> Bool:
        return bool(self._only("bool"))

    def __float__(self) -> Float:
        return float(self._only("float"))

    def __int__(self) -> Int:
        return int(self._only("int"))

    def __complex__(self) -> complex:
        return complex(self._only("complex"))

    def __index__(self) -> Int:
        array = self._array
        if array.dtype.kind not in "iub" or array.size != 1:
            raise TypeError(
                "index: only integer tensors with one value can be indices, "
                f"got {array.dtype} of shape {array.shape}"
            )
        return int(array.item())

    def _only(self, name: str) -> Any:
        if self._array.size != 1:
            raise ShapeError(
                f"{name}: the value of a tensor of shape {self._array.shape} is ambiguous; "
                "use any() or all(), or item() on one element"
            )
        return self._array.item()

    # Methods whose signature differs from the function's

    def reshape(self, *shape: Any) -> Tensor:
        """The same values in another shape; see `autograd.reshape`."""
        return shaping.reshape(self, shape_argument("reshape", shape))

    def view(self, *shape: Any) -> Tensor:
        """As `reshape`, but always on the same memory.

        Raises:
            ShapeError: the strides do not allow it.
        """
        wanted = shaping.full_shape("view", self._array.shape, shape_argument("view", shape))
        result = ops.reshape(self, shape=wanted)
        if result._view is None and self._array.size:
            raise ShapeError(
                f"view: a tensor of shape {self._array.shape} with these strides cannot be seen "
                f"as {result._array.shape} without copying; use reshape"
            )
        return result

    def view_as(self, other: Tensor) -> Tensor:
        """As `view`, in the shape of another tensor."""
        return self.view(*other.shape)

    def reshape_as(self, other: Tensor) -> Tensor:
        """As `reshape`, in the shape of another tensor."""
        return self.reshape(*other.shape)

    def permute(self, *dims: Any) -> Tensor:
        """A view with the axes in the order given."""
        return shaping.permute(self, shape_argument("permute", dims))

    def expand(self, *sizes: Any) -> Tensor:
        """A view that repeats axes of size 1; -1 keeps a size. See `autograd.broadcast_to`."""
        return shaping.expanded("expand", self, shape_argument("expand", sizes))

    broadcast_to = expand

    def expand_as(self, other: Tensor) -> Tensor:
        """As `expand`, to the shape of another tensor."""
        return shaping.expanded("expand_as", self, other.shape)

    def repeat(self, *repeats: Any) -> Tensor:
        """A copy repeated along each axis; see `autograd.tile`."""
        counts = shape_argument("repeat", repeats)
        if len(counts) < self._array.ndim:
            raise ShapeError(
                f"repeat: {len(counts)} counts for a tensor of {self._array.ndim} dimensions"
            )
        return joining.repeated("repeat", self, counts)

    def tile(self, *dims: Any) -> Tensor:
        """A copy repeated along the last axes; see `autograd.tile`."""
        return joining.tile(self, shape_argument("tile", dims))

    def t(self) -> Tensor:
        """The transpose of a matrix."""
        return shaping.t(self)

    @property
    def T(self) -> Tensor:  # noqa: N802 (PyTorch's name)
        """The tensor with its axes in reverse order."""
        return ops.permute(self, dims=tuple(reversed(range(self._array.ndim))))

    @property
    def mT(self) -> Tensor:  # noqa: N802 (PyTorch's name)
        """The tensor with its last two axes exchanged."""
        return shaping.transpose(self, -2, -1)

    def where(self, condition: Tensor, other: Any) -> Tensor:
        """The tensor where the condition holds, else `other`."""
        return ops.where(condition, self, other)

    def equal(self, other: Tensor) -> Bool:
        """Whether shape and all values are the same."""
        return np.array_equal(self._array, raw(other))

    # Public functions as they stand

    abs = elementary.abs
    absolute = elementary.absolute
    acos = trigonometry.acos
    acosh = trigonometry.acosh
    arccos = trigonometry.arccos
    arccosh = trigonometry.arccosh
    arcsin = trigonometry.arcsin
    arcsinh = trigonometry.arcsinh
    arctan = trigonometry.arctan
    arctanh = trigonometry.arctanh
    asin = trigonometry.asin
    asinh = trigonometry.asinh
    atan = trigonometry.atan
    atanh = trigonometry.atanh
    ceil = elementary.ceil
    cos = trigonometry.cos
    cosh = trigonometry.cosh
    deg2rad = trigonometry.deg2rad
    erf = elementary.erf
    erfc = elementary.erfc
    exp = elementary.exp
    exp2 = elementary.exp2
    expm1 = elementary.expm1
    fix = elementary.fix
    floor = elementary.floor
    frac = elementary.frac
    log = elementary.log
    log10 = elementary.log10
    log1p = elementary.log1p
    log2 = elementary.log2
    logit = elementary.logit
    neg = elementary.neg
    negative = elementary.negative
    positive = elementary.positive
    rad2deg = trigonometry.rad2deg
    reciprocal = elementary.reciprocal
    relu = elementary.relu
    round = elementary.round
    rsqrt = elementary.rsqrt
    sgn = elementary.sgn
    sigmoid = elementary.sigmoid
    sign = elementary.sign
    sin = trigonometry.sin
    sinh = trigonometry.sinh
    sqrt = elementary.sqrt
    square = elementary.square
    tan = trigonometry.tan
    tanh = trigonometry.tanh
    trunc = elementary.trunc

    add = arithmetic.add
    addcdiv = arithmetic.addcdiv
    addcmul = arithmetic.addcmul
    allclose = comparison.allclose
    atan2 = arithmetic.atan2
    bitwise_and = comparison.bitwise_and
    bitwise_not = comparison.bitwise_not
    bitwise_or = comparison.bitwise_or
    bitwise_xor = comparison.bitwise_xor
    clamp = arithmetic.clamp
    clamp_max = arithmetic.clamp_max
    clamp_min = arithmetic.clamp_min
    clip = arithmetic.clip
    div = arithmetic.div
    divide = arithmetic.divide
    eq = comparison.eq
    float_power = arithmetic.float_power
    floor_divide = arithmetic.floor_divide
    fmod = arithmetic.fmod
    ge = comparison.ge
    greater = comparison.greater
    greater_equal = comparison.greater_equal
    gt = comparison.gt
    is_nonzero = comparison.is_nonzero
    isclose = comparison.isclose
    isfinite = comparison.isfinite
    isinf = comparison.isinf
    isnan = comparison.isnan
    le = comparison.le
    lerp = arithmetic.lerp
    less = comparison.less
    less_equal = comparison.less_equal
    logaddexp = arithmetic.logaddexp
    logical_and = comparison.logical_and
    logical_not = comparison.logical_not
    logical_or = comparison.logical_or
    logical_xor = comparison.logical_xor
    lt = comparison.lt
    masked_fill = arithmetic.masked_fill
    maximum = arithmetic.maximum
    minimum = arithmetic.minimum
    mul = arithmetic.mul
    multiply = arithmetic.multiply
    nan_to_num = arithmetic.nan_to_num
    ne = comparison.ne
    not_equal = comparison.not_equal
    pow = arithmetic.pow
    remainder = arithmetic.remainder
    sub = arithmetic.sub
    subtract = arithmetic.subtract
    true_divide = arithmetic.true_divide
    xlogy = arithmetic.xlogy

    all = reduction.all
    amax = reduction.amax
    amin = reduction.amin
    aminmax = reduction.aminmax
    any = reduction.any
    argmax = ordering.argmax
    argmin = ordering.argmin
    argsort = ordering.argsort
    bincount = reduction.bincount
    count_nonzero = reduction.count_nonzero
    cummax = cumulative.cummax
    cummin = cumulative.cummin
    cumprod = cumulative.cumprod
    cumsum = cumulative.cumsum
    diff = cumulative.diff
    dist = reduction.dist
    logsumexp = reduction.logsumexp
    max = ordering.max
    mean = reduction.mean
    median = ordering.median
    min = ordering.min
    nanmean = reduction.nanmean
    nansum = reduction.nansum
    norm = reduction.norm
    prod = reduction.prod
    quantile = ordering.quantile
    sort = ordering.sort
    std = reduction.std
    sum = reduction.sum
    topk = ordering.topk
    unique = ordering.unique
    var = reduction.var

    argwhere = indexing.argwhere
    gather = indexing.gather
    index_add = indexing.index_add
    index_fill = indexing.index_fill
    index_select = indexing.index_select
    masked_select = indexing.masked_select
    narrow = indexing.narrow
    nonzero = indexing.nonzero
    scatter = indexing.scatter
    scatter_add = indexing.scatter_add
    select = indexing.select
    take = indexing.take
    take_along_dim = indexing.take_along_dim

    chunk = joining.chunk
    clone = shaping.clone
    diag = arranging.diag
    diag_embed = arranging.diag_embed
    diagonal = arranging.diagonal
    flatten = shaping.flatten
    flip = arranging.flip
    fliplr = arranging.fliplr
    flipud = arranging.flipud
    moveaxis = shaping.moveaxis
    movedim = shaping.movedim
    ravel = shaping.ravel
    repeat_interleave = joining.repeat_interleave
    roll = arranging.roll
    rot90 = arranging.rot90
    split = joining.split
    squeeze = shaping.squeeze
    swapaxes = shaping.swapaxes
    swapdims = shaping.swapdims
    tensor_split = joining.tensor_split
    transpose = shaping.transpose
    tril = arranging.tril
    triu = arranging.triu
    unbind = joining.unbind
    unflatten = shaping.unflatten
    unsqueeze = shaping.unsqueeze

    addmm = products.addmm
    baddbmm = products.baddbmm
    bmm = products.bmm
    cross = products.cross
    dot = products.dot
    inner = products.inner
    kron = products.kron
    matmul = products.matmul
    mm = products.mm
    mv = products.mv
    outer = products.outer
    trace = products.trace

    log_softmax = activation.log_softmax
    softmax = activation.softmax

    abs_ = inplace.abs_
    add_ = inplace.add_
    addcdiv_ = inplace.addcdiv_
    addcmul_ = inplace.addcmul_
    ceil_ = inplace.ceil_
    clamp_ = inplace.clamp_
    clip_ = inplace.clamp_
    copy_ = inplace.copy_
    cos_ = inplace.cos_
    div_ = inplace.div_
    erf_ = inplace.erf_
    exp_ = inplace.exp_
    expm1_ = inplace.expm1_
    fill_ = inplace.fill_
    floor_ = inplace.floor_
    floor_divide_ = inplace.floor_divide_
    index_add_ = inplace.index_add_
    lerp_ = inplace.lerp_
    log1p_ = inplace.log1p_
    log_ = inplace.log_
    masked_fill_ = inplace.masked_fill_
    mul_ = inplace.mul_
    neg_ = inplace.neg_
    pow_ = inplace.pow_
    reciprocal_ = inplace.reciprocal_
    relu_ = inplace.relu_
    remainder_ = inplace.remainder_
    round_ = inplace.round_
    rsqrt_ = inplace.rsqrt_
    scatter_ = inplace.scatter_
    scatter_add_ = inplace.scatter_add_
    sigmoid_ = inplace.sigmoid_
    sign_ = inplace.sign_
    sin_ = inplace.sin_
    sqrt_ = inplace.sqrt_
    square_ = inplace.square_
    sub_ = inplace.sub_
    tan_ = inplace.tan_
    tanh_ = inplace.tanh_
    trunc_ = inplace.trunc_
    zero_ = inplace.zero_

    uniform_ = random.uniform_
    normal_ = random.normal_
    bernoulli_ = random.bernoulli_
    random_ = random.random_
    bernoulli = random.bernoulli
    multinomial = random.multinomial


set_tensor_class(Tensor)
