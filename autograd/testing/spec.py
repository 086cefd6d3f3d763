"""What an operation promises, as data from which its tests are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import Field, dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from autograd.dtypes import float16, float32, float64
from autograd.function import Function
from autograd.op import Op
from autograd.primitive import OPS, Case
from autograd.testing.reproduce import name_of

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from autograd.tensor import Tensor

__all__ = ["CaseCall", "OpSpec", "specs_of"]

Shape: TypeAlias = tuple[int, ...]
TIES = "ties"


@dataclass(frozen=True)
class OpSpec:
    """An operation and what it promises.

    Attributes:
        fn: a function of tensors, a subclass of `Function`, a primitive, or a module.
        reference: the same on NumPy arrays, for its values; None if there is nothing to compare.
        inputs: how many inputs of any shapes that broadcast; or the shape of each; or a Hypothesis
            strategy that draws a tensor or a tuple of tensors.
        domain: the open interval of the values, or one for each input.
        kinks: numbers at which it has no derivative, and "ties" if it has none where values are
            equal. Given as a mapping, numbers lead to the derivative that is to be used there.
        order: up to which order derivatives exist.
        options: keyword arguments for the function.
        dtypes: the types that it works in and keeps.
        name: what to call it; by default its own name.

    Example:
        >>> import numpy as np
        >>> from autograd import relu
        >>> from autograd.testing import OpSpec, suite
        >>> spec = OpSpec(relu, reference=lambda x: np.maximum(x, 0), kinks={0.0: 0.0})
        >>> TestRelu = suite(spec)  # pytest finds and runs it
    """

    fn: Any
    reference: Callable[..., Any] | None = None
    inputs: Any = 1
    domain: Any = (-2.0, 2.0)
    kinks: Sequence[float | str] | Mapping[float, float] | str = ()
    order: int = 2
    options: Mapping[str, Any] = field(default_factory=dict)
    dtypes: tuple[Any, ...] = (float16, float32, float64)
    name: str = ""

    @property
    def title(self) -> str:
        """Its name."""
        return self.name or name_of(self.fn)

    @property
    def any_shape(self) -> bool:
        """Whether it takes all shapes that broadcast."""
        return isinstance(self.inputs, int)

    @property
    def ties(self) -> bool:
        """Whether it has no derivative where values are equal."""
        return self.kinks == TIES or TIES in self.kinks

    @property
    def kink_values(self) -> tuple[float, ...]:
        """The numbers at which it has no derivative."""
        if isinstance(self.kinks, str):
            return ()
        return tuple(float(kink) for kink in self.kinks if kink != TIES)

    def settings(self) -> dict[str, str]:
        """What is not as it is by default, as code; without functions and inputs."""
        found: dict[str, str] = {}
        for field_ in fields(self):
            value = getattr(self, field_.name)
            if field_.name in ("fn", "reference", "inputs") or value == self.default(field_):
                continue
            if field_.name == "dtypes":
                value = tuple(np.dtype(dtype).name for dtype in value)
            found[field_.name] = repr(value)
        return found

    @staticmethod
    def default(field_: Field[Any]) -> Any:
        """The value of a field that was not given."""
        return {} if field_.name == "options" else field_.default

    def call(self, dtype: Any = float64) -> Callable[..., Any]:
        """The operation as a function of tensors of a data type.

        A module is copied in that type; floating-point arrays among the options are converted.
        """
        fn = self.fn
        if isinstance(fn, type) and issubclass(fn, Function):
            fn = fn.apply
        elif isinstance(fn, CaseCall):
            return fn.to(dtype)
        elif hasattr(fn, "named_parameters") and hasattr(fn, "to"):
            fn = deepcopy(fn).to(dtype)
        options = {name: converted(value, dtype) for name, value in self.options.items()}
        return partial(fn, **options) if options else fn

    def draws(self, **changes: Any) -> SearchStrategy[tuple[Tensor, ...]]:
        """Tuples of inputs in float64, inside the domain and away from kinks.

        Args:
            changes: of what is passed on to `strategies.tensor_tuples`, such as ``layout``.
        """
        from autograd.testing import strategies

        st = strategies.hypothesis.strategies
        settings: dict[str, Any] = {
            "domain": self.domain,
            "avoid": self.kink_values,
            "distinct": self.ties,
            **changes,
        }
        if isinstance(self.inputs, st.SearchStrategy):
            return self.inputs.map(lambda drawn: drawn if isinstance(drawn, tuple) else (drawn,))
        if isinstance(self.inputs, int):
            shapes = strategies.broadcastable(self.inputs, max_dims=2, max_side=3)
            return shapes.flatmap(lambda drawn: strategies.tensor_tuples(drawn, **settings))
        return strategies.tensor_tuples([tuple(shape) for shape in self.inputs], **settings)


def converted(value: Any, dtype: Any) -> Any:
    """Floating-point arrays, also inside tuples, and data types, in another data type."""
    if isinstance(value, np.dtype) and value.kind == "f":
        return np.dtype(dtype)
    if isinstance(value, np.ndarray) and value.dtype.kind == "f":
        return value.astype(dtype)
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(converted(item, dtype) for item in value)
    return value


class CaseCall:
    """A primitive as a function of the tensors of one of its cases.

    Args:
        name: of the primitive in `OPS`.
        number: which case.
    """

    def __init__(self, name: str, number: int = 0) -> None:
        self.op: Op = OPS[name]
        self.number = number
        self.case: Case = self.op.cases[number]
        self.attributes: Mapping[str, Any] = self.case.attributes
        self.constants: Mapping[str, Any] = self.case.constants
        self.__name__ = f"{name}, case {number}"
        self.code = f'CaseCall("{name}", {number})'

    def __call__(self, *tensors: Any) -> Any:
        given = iter(tensors)
        arguments = [
            self.constants[name] if name in self.constants else next(given, None)
            for name in self.op.inputs
        ]
        return self.op(*arguments, *given, **self.attributes)

    def to(self, dtype: Any) -> CaseCall:
        """The same with constants and attributes in a data type."""
        made = CaseCall(self.op.name, self.number)
        made.attributes = {k: converted(v, dtype) for k, v in self.case.attributes.items()}
        made.constants = {k: converted(v, dtype) for k, v in self.case.constants.items()}
        return made


def specs_of(op: Op) -> list[OpSpec]:
    """What a primitive promises: one for each of its cases.

    Raises:
        ValueError: it has none.
    """
    if not op.cases:
        raise ValueError(
            f"{op.name}: registered without a case, so it cannot be tested; give @primitive "
            "case=Case(shapes=...), with domain and avoid where values or kinks matter"
        )
    found = []
    for number, case in enumerate(op.cases):
        kinks: tuple[float | str, ...] = case.avoid
        found.append(
            OpSpec(
                CaseCall(op.name, number),
                inputs=case.shapes,
                domain=case.domain,
                kinks=(*kinks, TIES) if case.distinct else kinks,
                order=case.order,
                name=f"{op.name}, case {number}",
            )
        )
    return found
