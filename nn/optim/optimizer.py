"""What all optimizers share: parameter groups, state, saving, and the walk over the parameters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from itertools import chain
from typing import Any, TypeAlias

import numpy as np

from autograd import Tensor, enable_grad, no_grad, tensor, writable

Array: TypeAlias = np.ndarray[Any, Any]
Params: TypeAlias = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]


class Optimizer:
    """Base of all optimizers.

    A subclass defines `update`, which changes one parameter that has a gradient, or a `step` of its
    own. The layout of ``state_dict()`` is PyTorch's.

    Args:
        params: tensors, (name, tensor) pairs, or dicts with such an iterable under ``"params"``
            and options that differ from the defaults.
        defaults: the options of groups that do not give their own.

    Raises:
        TypeError: for something that is no tensor or has no order.
        ValueError: for no parameters, a parameter twice, a non-leaf, or an option out of range.
    """

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor):
            raise TypeError(
                f"{self._name}: params must be an iterable of tensors or dicts, got one Tensor; "
                "write [tensor]"
            )
        self.defaults = defaults
        self.state: defaultdict[Any, Any] = defaultdict(dict)
        self.param_groups: list[dict[str, Any]] = []
        self._steps = 0
        given = self._listed(params)
        if not given:
            raise ValueError(f"{self._name}: got an empty parameter list")
        groups = given if isinstance(given[0], dict) else [{"params": given}]
        for group in groups:
            self.add_param_group(group)

    @property
    def _name(self) -> str:
        return type(self).__name__

    def __repr__(self) -> str:
        lines = []
        for index, group in enumerate(self.param_groups):
            lines.append(f"Parameter Group {index}")
            lines += [f"    {key}: {group[key]}" for key in sorted(group) if key != "params"]
        return "\n".join([f"{self._name} (", *lines, ")"])

    def check(self, options: dict[str, Any]) -> None:
        """Raise ValueError for an option out of range; called for each new group."""

    def update(self, param: Tensor, values: Array, grad: Array, group: dict[str, Any]) -> None:
        """Change one parameter in place; `step` calls this for each that has a gradient.

        Args:
            param: the key of its entry in ``self.state``.
            values: its memory, (d0, d1, ...).
            grad: the memory of its gradient.
            group: the options.
        """
        raise NotImplementedError(f"{self._name}: defines neither update() nor step()")

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient.

        Args:
            closure: computes the loss and its gradients anew; called once, before the update.

        Returns:
            what the closure returned, or None.
        """
        loss = None
        if closure is not None:
            with enable_grad():
                loss = closure()
        with no_grad(), np.errstate(all="ignore"):
            # A parameter that cannot be written raises before any of them has changed.
            work = [
                (param, writable(param), param.grad.array, group)
                for group in self.param_groups
                for param in group["params"]
                if param.grad is not None
            ]
            for param, values, grad, group in work:
                self.update(param, values, grad, group)
        self._steps += 1
        return loss

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or fill them with zeros."""
        for param in chain.from_iterable(group["params"] for group in self.param_groups):
            if param.grad is None:
                continue
            if set_to_none:
                param.grad = None
            else:
                with no_grad():
                    param.grad = param.grad.detach().zero_()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, such as layers unfrozen during training."""
        if not isinstance(param_group, dict):
            raise TypeError(
                f"{self._name}: a parameter group must be a dict, got {type(param_group).__name__}"
            )
        if "params" not in param_group:
            raise ValueError(
                f"{self._name}: a parameter group needs the key 'params', "
                f"got {', '.join(map(repr, param_group)) or 'none'}"
            )
        group = {**self.defaults, **param_group, **self._named(param_group["params"])}
        self._check_params(group)
        self.check(group)
        self.param_groups.append(group)

    def _listed(self, params: Any) -> list[Any]:
        if isinstance(params, (set, frozenset)):
            raise TypeError(
                f"{self._name}: params must have an order that stays the same from run to run, "
                "got a set; use a list"
            )
        return list(params)

    def _named(self, params: Any) -> dict[str, Any]:
        """The entries ``params``, and ``param_names`` where (name, tensor) pairs were given."""
        given = [params] if isinstance(params, Tensor) else self._listed(params)
        pairs = [item for item in given if isinstance(item, tuple) and len(item) == 2]
        if not pairs:
            return {"params": given}
        if len(pairs) != len(given):
            raise ValueError(
                f"{self._name}: either all parameters have names or none, "
                f"got {len(pairs)} names for {len(given)} parameters"
            )
        return {"params": [param for _, param in pairs], "param_names": [name for name, _ in pairs]}

    def _check_params(self, group: dict[str, Any]) -> None:
        others = {id(param) for other in self.param_groups for param in other["params"]}
        seen: set[int] = set()
        for index, param in enumerate(group["params"]):
            if not isinstance(param, Tensor):
                raise TypeError(
                    f"{self._name}: parameter {index} must be a Tensor, got {type(param).__name__}"
                )
            if not param.is_leaf:
                raise ValueError(
                    f"{self._name}: parameter {index} of shape {tuple(param.shape)} is the result "
                    "of an operation; only leaf tensors can be optimized"
                )
            if id(param) in seen or id(param) in others:
                where = "twice in one group" if id(param) in seen else "in two groups"
                raise ValueError(
                    f"{self._name}: parameter {index} of shape {tuple(param.shape)} appears {where}"
                )
            seen.add(id(param))
        if self.param_groups and ("param_names" in group) != (
            "param_names" in self.param_groups[0]
        ):
            raise ValueError(f"{self._name}: either all groups have parameter names or none")

    def state_dict(self) -> dict[str, Any]:
        """State and options with parameters replaced by their index; tensors are not copied.

        Example:
            >>> from autograd import tensor
            >>> from nn.optim import SGD
            >>> optimizer = SGD([tensor([1.0], requires_grad=True)], lr=0.5)
            >>> optimizer.state_dict()["param_groups"][0]["lr"]
            0.5
        """
        params = list(chain.from_iterable(group["params"] for group in self.param_groups))
        index = {id(param): position for position, param in enumerate(params)}
        groups = [
            {key: value for key, value in group.items() if key != "params"}
            | {"params": [index[id(param)] for param in group["params"]]}
            for group in self.param_groups
        ]
        state = {index.get(id(key), key): value for key, value in self.state.items()}
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what `state_dict` returned; tensors are copied, in the parameters' dtype.

        Raises:
            ValueError: for another number of groups or parameters, or state of another shape.
                Nothing has changed then.
        """
        missing = [key for key in ("state", "param_groups") if key not in state_dict]
        if missing:
            raise ValueError(
                f"{self._name}.load_state_dict: lacks {' and '.join(map(repr, missing))}, "
                f"has {', '.join(map(repr, state_dict)) or 'nothing'}"
            )
        saved = [dict(group) for group in state_dict["param_groups"]]
        sizes = [len(group["params"]) for group in self.param_groups]
        saved_sizes = [len(group["params"]) for group in saved]
        if sizes != saved_sizes:
            raise ValueError(
                f"{self._name}.load_state_dict: groups of {saved_sizes} parameters saved, "
                f"groups of {sizes} expected"
            )
        by_index = dict(
            zip(
                chain.from_iterable(group["params"] for group in saved),
                chain.from_iterable(group["params"] for group in self.param_groups),
                strict=True,
            )
        )
        state: defaultdict[Any, Any] = defaultdict(dict)
        for index, entry in state_dict["state"].items():
            if index in by_index:
                state[by_index[index]] = self._adopt(by_index[index], index, entry)
            else:
                state[index] = deepcopy(entry)
        groups = []
        for group, other in zip(self.param_groups, saved, strict=True):
            options = {key: deepcopy(value) for key, value in other.items() if key != "params"}
            if "param_names" in group:
                options.setdefault("param_names", group["param_names"])
            new = {**self.defaults, **options, "params": group["params"]}
            self.check(new)
            groups.append(new)
        self.state = state
        self.param_groups = groups

    def _adopt(self, param: Tensor, index: Any, entry: dict[str, Any]) -> dict[str, Any]:
        adopted: dict[str, Any] = {}
        for key, value in entry.items():
            if not isinstance(value, Tensor):
                adopted[key] = deepcopy(value)
                continue
            if value.shape not in ((), param.shape):
                raise ValueError(
                    f"{self._name}.load_state_dict: state {index}: {key} has shape "
                    f"{tuple(value.shape)}, the parameter {tuple(param.shape)}"
                )
            # A count of steps must not be rounded to the 11 bits of a float16 parameter.
            dtype = value.dtype if key == "step" else param.dtype
            adopted[key] = tensor(np.array(value.array, dtype, order="C"))
        return adopted


def check_at_least_zero(optimizer: Optimizer, options: dict[str, Any], *names: str) -> None:
    for name in names:
        value = options[name]
        if isinstance(value, Tensor) and value.numel() != 1:
            raise ValueError(
                f"{type(optimizer).__name__}: {name} must have one element, "
                f"got shape {tuple(value.shape)}"
            )
        if not float(value) >= 0.0:
            raise ValueError(f"{type(optimizer).__name__}: {name} must be at least 0, got {value}")


def check_betas(optimizer: Optimizer, options: dict[str, Any]) -> None:
    betas = options["betas"]
    if len(betas) != 2 or not all(0.0 <= float(beta) < 1.0 for beta in betas):
        raise ValueError(
            f"{type(optimizer).__name__}: betas must be two numbers in [0, 1), got {betas}"
        )


def new_count() -> Tensor:
    """The count of updates of one parameter, as PyTorch stores it: a float32 scalar."""
    return tensor(np.zeros((), np.float32))


def count_step(state: dict[str, Any]) -> float:
    """Count one more update of a parameter and return how many there are now."""
    count = writable(state["step"])
    count += 1.0
    return float(count)
