"""Write an operation, test it, see the failure explained, mend it: ``python -m demos.custom_op``.

The operation scales the columns of a matrix, ``x * gain**2``, with a gradient of its own. The
first version has two mistakes; the tester finds one after the other and says what they are.
Drawing the inputs of the tests takes Hypothesis: ``pip install 'ndgrad[test]'``.
"""

from __future__ import annotations

from typing import Any

from autograd import Function, Tensor, float64, tensor
from autograd.testing import OpSpec, check_gradients, suite


class FirstTry(Function):
    """``x * gain**2``, x (N, C), gain (C,)"""

    @staticmethod
    def forward(ctx: Any, x: Tensor, gain: Tensor) -> Tensor:
        ctx.save_for_backward(x, gain)
        return x * gain**2

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, gain = ctx.saved_tensors
        return gradient * gain**2, gradient * x * gain


class SecondTry(FirstTry):
    """The gain is stretched over the rows, so its gradient is summed over them."""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, gain = ctx.saved_tensors
        return gradient * gain**2, (gradient * x * gain).sum(0)  # (N, C) -> (C,)


class Scale(FirstTry):
    """``d gain**2 / d gain = 2 * gain``"""

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        x, gain = ctx.saved_tensors
        return gradient * gain**2, (gradient * x * 2 * gain).sum(0)  # (N, C) -> (C,)


TestScale = suite(OpSpec(Scale, reference=lambda x, gain: x * gain**2, inputs=[(3, 2), (2,)]))


def main() -> None:
    """Check the three versions, then run every test on the one that is right."""
    x = tensor([[0.5, -1.0], [2.0, 0.3], [-0.7, 1.2]], dtype=float64)
    gain = tensor([0.4, -0.6], dtype=float64)
    for operation in (FirstTry, SecondTry, Scale):
        result = check_gradients(operation.apply, x, gain, raise_exception=False)
        print(f"{operation.__name__}\n{result}\n")
    tests = TestScale()
    names = [name for name in dir(tests) if name.startswith("test_")]
    for name in names:
        getattr(tests, name)()
    print(f"Scale passes {len(names)} tests: {', '.join(name[5:] for name in names)}")


if __name__ == "__main__":
    main()
