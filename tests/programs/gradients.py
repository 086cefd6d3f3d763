"""Steps that differentiate."""

from __future__ import annotations

import numpy as np

import autograd
from autograd import enable_grad, float64, no_grad, tensor
from programs.base import Base
from programs.jets import SLOTS, spoilt


class Gradients(Base):
    def output(self):
        """A tensor to differentiate, mostly one that can be, and recent."""
        if self.chance(8):
            return self.draw(lambda h: h.values.size > 0)
        fair = [h for h in self.handles if h.requires and h.values.size]
        whole = [h for h in fair if not h.spoilt(self.freed)]
        chosen = whole if whole and not self.chance(3) else fair
        return self.pick(chosen[-8:]) if chosen else None

    def found(self, act, needs_no_grad, reads, doubtful):
        """The result of a backward pass, or None where it may refuse, and has."""
        try:
            return act()
        except autograd.GraphError:
            assert needs_no_grad or spoilt(reads, self.freed)
        except autograd.InplaceError:
            assert spoilt(reads, self.freed) or doubtful
        self.seen["spoilt"] += 1
        return None

    def differentiate(self):
        handle, second = self.output(), self.chance(2)
        if handle is None:
            return
        g = self.values(handle.values.shape)
        leaves = [real for _, real, _ in self.leaves]
        self.lines.append(f"grad({handle}, leaves, {g.tolist()}, create_graph={second})")

        def act():
            with enable_grad() if self.recording() else no_grad():
                return autograd.grad(
                    handle.real,
                    leaves,
                    tensor(g, dtype=float64),
                    retain_graph=True,
                    create_graph=second,
                    allow_unused=True,
                )

        reads = handle.layer.reads
        grads = self.found(act, not handle.requires, reads, handle.doubtful)
        if grads is None:
            return
        assert handle.requires
        jet = handle.read(True)
        first = g.ravel() @ jet.j.reshape(-1, SLOTS)
        for gradient, (_, _, slots) in zip(grads, self.leaves, strict=True):
            self.compare(gradient, first[slots])
        self.seen["gradient"] += 1
        if second:
            self.contract(grads, np.tensordot(g.ravel(), jet.h.reshape(-1, SLOTS, SLOTS), 1), reads)

    def contract(self, grads, hessian, reads):
        """Remember a sum over gradients, to be differentiated at once or later."""
        weights = self.values(SLOTS)
        total = 0.0
        for gradient, (_, real, slots) in zip(grads, self.leaves, strict=True):
            if gradient is not None and gradient.requires_grad:
                weight = tensor(weights[slots].reshape(real.shape), dtype=float64)
                total = total + (gradient * weight).sum()
        expected = weights @ hessian
        memories = {read[0] for read in reads if not isinstance(read, int)}
        memories |= {handle.memory for handle, _, _ in self.leaves}
        now = frozenset((memory, memory.writes) for memory in memories)
        if isinstance(total, float):
            assert np.abs(expected).max() < 1e-9
            return
        self.pending.append((total, len(self.leaves), expected, now | reads))
        if self.chance(2):
            self.second()

    def second(self):
        if not self.pending:
            return
        total, count, expected, reads = self.pending.pop(self.choose(len(self.pending)))
        self.lines.append("grad of the weighted sum of gradients")
        leaves = self.leaves[:count]
        again = self.found(
            lambda: autograd.grad(
                total, [real for _, real, _ in leaves], retain_graph=True, allow_unused=True
            ),
            False,
            reads,
            False,
        )
        if again is not None:
            for gradient, (_, _, slots) in zip(again, leaves, strict=True):
                self.compare(gradient, expected[slots])
            self.seen["second gradient"] += 1

    def backward(self):
        handle, retain = self.output(), not self.chance(4)
        if handle is None or not handle.requires:
            return
        g = self.values(handle.values.shape)
        given = tensor(g, dtype=float64)
        self.lines.append(f"{handle}.backward({g.tolist()}, retain_graph={retain})")
        done = self.found(
            lambda: handle.real.backward(given, retain_graph=retain) or True,
            False,
            handle.layer.reads,
            handle.doubtful,
        )
        assert np.array_equal(given.array, g)
        if done is not None:
            first = g.ravel() @ handle.read(True).j.reshape(-1, SLOTS)
            for place, (_, _, slots) in enumerate(self.leaves):
                self.expected[place] = self.expected.get(place, 0) + first[slots]
            self.seen["backward"] += 1
        if not retain:
            self.freed |= {read for read in handle.layer.reads if isinstance(read, int)}

    def compare(self, gradient, expected):
        values = 0.0 if gradient is None else gradient.array.ravel()
        scale = max(1.0, np.abs(expected).max(initial=0.0))
        assert np.abs(values - expected).max(initial=0.0) < 1e-8 * scale, (values, expected)
