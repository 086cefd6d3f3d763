"""Products of matrices and vectors agree with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from parity import agree, both_refuse, call, without_gradients

draw = np.random.default_rng(3)
def random(*shape): return draw.uniform(-2, 2, shape)

SHAPES = [((3,), (3,)), ((3,), (3, 4)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((3,), (5, 3, 4)), ((5, 2, 3), (3,)), ((5, 2, 3), (3, 4)),((2, 3), (5, 3, 4)), ((5, 2, 3), (5, 3, 4)), ((1, 2, 3), (5, 3, 4)), ((4, 1, 2, 3), (5, 3, 2)), ((4, 5, 2, 3), (5, 3, 1)), ((3,), (4, 5, 3, 2)), ((4, 5, 2, 3), (3,)), ((2, 0), (0, 3)), ((0, 2), (2, 3)), ((0, 2, 3), (3, 4)), ((2, 2, 0), (2, 0, 3)), ((0,), (0,)), ((2, 1), (1, 2)),]
A, B, C = random(2, 3), random(3, 4), random(2, 4)
EQUATIONS = [("ij,jk->ik", A, B), ("ij,jk", A, B), ("ij->ji", A), ("ij->", A), ("ij->j", A), ("ii->i", random(3, 3)), ("ii", random(3, 3)), ("i,j->ij", random(2), random(3)), ("i,i->", random(3), random(3)), ("bij,bjk->bik", random(2, 3, 4), random(2, 4, 5)), ("...ij,...jk->...ik", random(2, 3, 4), random(4, 5)), ("...i,...i->...", random(2, 1, 3), random(4, 3)), ("bhid,bhjd->bhij", random(2, 2, 3, 4), random(2, 2, 5, 4)), ("ij,ij->ij", A, A), ("ij,kl->ijkl", A, B), ("ij,jk,kl->il", A, B, random(4, 2)), ("bi,bj,ij->b", random(2, 3), random(2, 4), random(3, 4)), ("iij->j", random(3, 3, 2)), ("iji->j", random(3, 2, 3)), ("ij,j->i", A, random(3)), ("ba", A), ("...", A), ("...->...", A), ("i...->...", A), ("ij...,jk...->ik...", random(2, 3, 4), random(3, 2, 4)), ("ij,k->i", A, random(2)), ("i,i->i", random(3), random(1)), ("ij,jk->ik", random(2, 1), random(3, 4)), (" ij , jk -> ik ", A, B), ("Ij,jK->IK", A, B), ("ij,jk->ik", random(2, 0), random(0, 3)), ("ij->ij", random(0, 3)), (",ij->ij", np.array(2.0), A), ("ij,->ij", A, np.array(2.0)), ("ii,ij->j", random(3, 3), random(3, 2)), ("a,b,c->cab", random(2), random(3), random(4)),]
TABLE = [
    *[call("matmul", random(*x), random(*y)) for x, y in SHAPES],
    *[call("einsum", *eq) for eq in EQUATIONS], call("einsum", "ij,jk->ik", [A, B]), call("einsum", "ij,jk->ik", np.arange(6).reshape(2, 3), np.arange(6).reshape(3, 2)),
    call("mm", A, B), call("bmm", random(2, 3, 4), random(2, 4, 5)), call("mv", A, random(3)), call("dot", random(3), random(3)), call("inner", random(3), random(3)), call("inner", random(2, 3), random(4, 3)), call("inner", np.array(2.0), A), call("outer", random(3), random(2)),
    call("addmm", C, A, B), call("addmm", C[0], A, B, beta=0.5, alpha=2), call("baddbmm", random(2, 3, 5), random(2, 3, 4), random(2, 4, 5), beta=2, alpha=0.5), call("baddbmm", random(3, 5), random(2, 3, 4), random(2, 4, 5)), call("addmm", C, A, B, beta=0),
    call("trace", A), call("trace", random(3, 3)), call("tensordot", A, B, 1), call("tensordot", random(2, 3, 4), random(3, 4, 5)), call("tensordot", random(2, 3, 4), random(4, 2), ([0, 2], [1, 0])), call("tensordot", A, C, 0), call("tensordot", A, B, dims=([1], [0])), call("tensordot", A, A, 2), call("tensordot", A, B, ([-1], [-2])),
    call("matmul", np.arange(6).reshape(2, 3), np.arange(3)), call("matmul", np.float32(A), np.float32(B)), call("trace", np.arange(9).reshape(3, 3)), call("trace", np.arange(9, dtype=np.uint8).reshape(3, 3)),
]


@pytest.mark.parametrize("made", TABLE, ids=str)
def test_functions(made):
    agree(made)
