"""Products of matrices and vectors agree with PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

from parity import agree, both_refuse, call, check_table, uncovered

from autograd.functions import products

draw = np.random.default_rng(3)


def random(*shape):
    return draw.uniform(-2, 2, shape)


RANKS = [
    *[((3,), y) for y in [(3,), (3, 4), (5, 3, 4), (4, 5, 3, 2)]],
    *[((2, 3), y) for y in [(3,), (3, 4), (5, 3, 4), (4, 5, 3, 2)]],
    *[((5, 2, 3), y) for y in [(3,), (3, 4), (5, 3, 4), (1, 3, 4), (4, 5, 3, 2)]],
    *[((4, 1, 2, 3), y) for y in [(3,), (3, 2), (5, 3, 2), (4, 5, 3, 2), (1, 5, 3, 1)]],
    *[((2, 0), (0, 3)), ((0, 2), (2, 3)), ((0, 2, 3), (3, 4)), ((2, 2, 0), (2, 0, 3))],
    *[((0,), (0,)), ((2, 1), (1, 2)), ((1, 2, 3), (5, 3, 4))],
]
A, B, C = random(2, 3), random(3, 4), random(2, 4)
SCALAR = np.array(2.0)
WHOLE = np.arange(6).reshape(2, 3)

EINSUM = [
    ("ij,jk->ik", A, B),
    ("ij,jk", A, B),
    (" ij , jk -> ik ", A, B),
    ("Ij,jK->IK", A, B),
    ("ba", A),
    ("ij->ji", A),
    ("ij->", A),
    ("ij->j", A),
    ("ii->i", random(3, 3)),
    ("ii", random(3, 3)),
    ("iij->j", random(3, 3, 2)),
    ("iji->j", random(3, 2, 3)),
    ("ii,ij->j", random(3, 3), random(3, 2)),
    ("i,j->ij", random(2), random(3)),
    ("i,i->", random(3), random(3)),
    ("i,i->i", random(3), random(1)),
    ("ij,ij->ij", A, A),
    ("ij,j->i", A, random(3)),
    ("ij,k->i", A, random(2)),
    ("ij,kl->ijkl", A, B),
    ("ij,jk,kl->il", A, B, random(4, 2)),
    ("a,b,c->cab", random(2), random(3), random(4)),
    ("bi,bj,ij->b", random(2, 3), random(2, 4), random(3, 4)),
    ("bij,bjk->bik", random(2, 3, 4), random(2, 4, 5)),
    ("bhid,bhjd->bhij", random(2, 2, 3, 4), random(2, 2, 5, 4)),
    ("...", A),
    ("...->...", A),
    ("i...->...", A),
    ("...ij,...jk->...ik", random(2, 3, 4), random(4, 5)),
    ("...i,...i->...", random(2, 1, 3), random(4, 3)),
    ("ij...,jk...->ik...", random(2, 3, 4), random(3, 2, 4)),
    ("ij,jk->ik", random(2, 1), B),
    ("ij,jk->ik", random(2, 0), random(0, 3)),
    ("ij->ij", random(0, 3)),
    (",ij->ij", SCALAR, A),
    ("ij,->ij", A, SCALAR),
    ("ij,jk->ik", WHOLE, WHOLE.T),
]

PRODUCTS = [
    *[call("matmul", random(*x), random(*y)) for x, y in RANKS],
    call("matmul", WHOLE, np.arange(3)),
    *[call("einsum", *given) for given in EINSUM],
    call("einsum", "ij,jk->ik", [A, B]),
    call("mm", A, B),
    call("bmm", random(2, 3, 4), random(2, 4, 5)),
    call("mv", A, random(3)),
    call("dot", random(3), random(3)),
    call("inner", random(3), random(3)),
    call("inner", A, random(4, 3)),
    call("inner", SCALAR, A),
    call("outer", random(3), random(2)),
    call("addmm", C, A, B),
    call("addmm", C[0], A, B, beta=0.5, alpha=2),
    call("addmm", C, A, B, beta=0),
    call("baddbmm", random(2, 3, 5), random(2, 3, 4), random(2, 4, 5), beta=2, alpha=0.5),
    call("baddbmm", random(3, 5), random(2, 3, 4), random(2, 4, 5)),
    call("addmm", WHOLE, WHOLE, np.arange(9).reshape(3, 3), beta=2, alpha=-1),
    call("trace", A),
    call("trace", np.arange(9).reshape(3, 3)),
    call("trace", np.arange(9, dtype=np.uint8).reshape(3, 3)),
    call("tensordot", A, B, 1),
    call("tensordot", A, C, 0),
    call("tensordot", A, A, 2),
    call("tensordot", random(2, 3, 4), random(3, 4, 5)),
    call("tensordot", random(2, 3, 4), random(4, 2), ([0, 2], [1, 0])),
    call("tensordot", A, B, dims=([1], [0])),
    call("tensordot", A, B, ([-1], [-2])),
    call("cross", random(3), random(3), 0),
    call("cross", random(2, 3), random(2, 3), 1),
    call("cross", random(3, 4), random(3, 1), 0),
    call("cross", WHOLE, WHOLE[::-1], -1),
    call("kron", A, B),
    call("kron", random(2), random(3)),
    call("kron", A, random(2)),
    call("kron", random(2, 1, 2), A),
    call("kron", SCALAR, A),
    call("cdist", A, random(4, 3)),
    call("cdist", random(2, 4, 3), random(2, 5, 3), 1.0),
    call("cdist", A, A),
    call("cdist", random(2, 1, 3, 2), random(2, 4, 2), p=3.0),
]


@check_table(PRODUCTS)
def test_products(check):
    check()


def test_no_function_is_missing():
    assert not uncovered(products, PRODUCTS)


@st.composite
def equations(draw):
    """Terms over a few letters with sizes, one of which may be 1, and some of them as output."""
    letters = "abcde"
    sizes = {letter: draw(st.integers(1, 3)) for letter in letters}
    terms = draw(st.lists(st.lists(st.sampled_from(letters), max_size=3), min_size=1, max_size=3))
    used = sorted({letter for term in terms for letter in term})
    output = draw(st.permutations(used))[: draw(st.integers(0, len(used)))] if used else []
    stretched = draw(st.sampled_from([None, *letters]))
    operands = []
    for place, term in enumerate(terms):
        shape = [1 if letter == stretched and place else sizes[letter] for letter in term]
        operands.append(random(*shape))
    joined = ",".join("".join(term) for term in terms)
    arrow = draw(st.sampled_from(["explicit", "implicit"]))
    return (joined + ("->" + "".join(output) if arrow == "explicit" else ""), *operands)


@given(equations())
def test_einsum_of_drawn_equations(given):
    agree(call("einsum", *given))


REFUSED = [
    (call("matmul", A, A), "(2, 3)", "3 columns", "2 rows"),
    (call("matmul", A, SCALAR), "0-d"),
    (call("matmul", random(2, 2, 3), random(3, 3, 2)), "(2, 2, 3) and (3, 3, 2)"),
    (call("matmul", A, 2.0), "0-d"),
    (call("mm", A, random(3)), "2 dimensions", "(3,)"),
    (call("bmm", random(2, 2, 2), random(3, 2, 2)), "2", "3"),
    (call("mv", A, B), "1 dimensions", "(3, 4)"),
    (call("dot", random(2), random(3)), "2 and 3"),
    (call("outer", A, random(2)), "1 dimensions"),
    (call("trace", random(3)), "2 dimensions"),
    (call("einsum", "ij,jk->ik", A), "2 terms", "1 operands"),
    (call("einsum", "ij,jk->ik", A, A), "'j'", "3 and 2"),
    (call("einsum", "ijk->i", A), "3 axes", "2"),
    (call("einsum", "ij->ik", A), "'k'"),
    (call("einsum", "ij->ii", A), "twice"),
    (call("einsum", "i1->i", A), "letters"),
    (call("tensordot", A, A, 1), "axis 1", "axis 0"),
    (call("tensordot", A, B, 3), "3"),
    (call("cross", A, B, 0), "(2, 3)", "(3, 4)"),
    (call("cross", random(2), random(2), 0), "size 3"),
    (call("cdist", A, B), "(2, 3)", "(3, 4)"),
]


@pytest.mark.parametrize(("made", "words"), [(made, words) for made, *words in REFUSED], ids=str)
def test_refused(made, words):
    both_refuse(made, *words)
