"""Planting faults in the source text of rules, and of the functions that they call."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from types import CodeType, FunctionType
from typing import Any, TypeAlias

from autograd.op import Op
from autograd.testing.faults import Fault, put, rules_of, where

__all__ = ["source_faults"]

Rule: TypeAlias = Callable[..., Any]
Edit: TypeAlias = tuple[str, ast.expr]

OPPOSITE: dict[type[ast.operator], tuple[str, ast.operator]] = {
    ast.Add: ("sign", ast.Sub()),
    ast.Sub: ("sign", ast.Add()),
    ast.Mult: ("factor", ast.Div()),
    ast.Div: ("factor", ast.Mult()),
    ast.Pow: ("factor", ast.Mult()),
}
NEIGHBOUR: dict[type[ast.cmpop], ast.cmpop] = {
    ast.Lt: ast.LtE(),
    ast.LtE: ast.Lt(),
    ast.Gt: ast.GtE(),
    ast.GtE: ast.Gt(),
    ast.Eq: ast.NotEq(),
    ast.NotEq: ast.Eq(),
}


def edits(node: ast.expr) -> Iterator[Edit]:
    """What could have been written by mistake in place of an expression."""
    if isinstance(node, ast.BinOp):
        left, right = node.left, node.right
        if type(node.op) in OPPOSITE:
            kind, operator = OPPOSITE[type(node.op)]
            yield kind, ast.BinOp(left, operator, right)
        yield "dropped term", left
        if isinstance(node.op, (ast.Add, ast.Mult)):
            yield "dropped term", right
        else:
            yield "swapped operands", ast.BinOp(right, node.op, left)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.Not)):
        yield "sign", node.operand
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in NEIGHBOUR:
        yield "wrong tie", ast.Compare(node.left, [NEIGHBOUR[type(node.ops[0])]], node.comparators)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield "wrong branch", ast.BoolOp(other, node.values)
    elif isinstance(node, ast.IfExp):
        yield "wrong branch", ast.IfExp(node.test, node.orelse, node.body)
    elif isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield "wrong branch", ast.Constant(not node.value)
        elif isinstance(node.value, int):
            yield "off by one", ast.Constant(node.value + 1)
        elif isinstance(node.value, float):
            yield "factor", ast.Constant(2 * node.value if node.value else 1.0)
    elif isinstance(node, ast.Call):
        first = node.args[:2]
        if len(first) == 2 and not any(isinstance(argument, ast.Starred) for argument in first):
            swapped = [*first[::-1], *node.args[2:]]
            yield "swapped operands", ast.Call(node.func, swapped, node.keywords)


class Editor(ast.NodeTransformer):
    """Applies one edit, counted through the tree; leaves messages of errors alone."""

    def __init__(self, wanted: int) -> None:
        self.wanted = wanted
        self.seen = 0
        self.done: tuple[str, str, str] | None = None

    def visit(self, node: ast.AST) -> Any:
        if isinstance(node, (ast.Raise, ast.JoinedStr, ast.arguments)):
            return node
        if isinstance(node, ast.expr):
            for kind, edit in edits(node):
                if self.seen == self.wanted:
                    self.seen += 1
                    self.done = (kind, ast.unparse(node), ast.unparse(edit))
                    return ast.copy_location(deepcopy(edit), node)
                self.seen += 1
        return self.generic_visit(node)


@dataclass(frozen=True)
class Text:
    """The source of a rule: a lambda, or a function with a name."""

    tree: ast.AST
    name: str | None
    scope: dict[str, Any]

    def compiled(self, tree: ast.AST, scope: dict[str, Any]) -> Rule:
        if self.name is None:
            body = ast.Expression(tree)  # type: ignore[arg-type]  # the tree is a lambda
            rule: Rule = eval(compile(ast.fix_missing_locations(body), "<fault>", "eval"), scope)
            return rule
        module = ast.Module([tree], [])  # type: ignore[list-item]  # the tree is a function
        exec(compile(ast.fix_missing_locations(module), "<fault>", "exec"), scope)
        made: Rule = scope[self.name]
        return made


@cache
def parsed(path: str) -> ast.Module:
    with open(path, encoding="utf-8") as file:
        return ast.parse(file.read())


def text_of(rule: Rule) -> Text | None:
    """The source of a rule; None if it cannot be told."""
    if not isinstance(rule, FunctionType) or rule.__closure__:
        return None
    code = rule.__code__
    try:
        if rule.__name__ != "<lambda>":
            source = textwrap.dedent(inspect.getsource(rule))
            function = ast.parse(source).body[0]
            if isinstance(function, ast.FunctionDef):
                function.decorator_list = []
                return Text(function, rule.__name__, rule.__globals__)
            return None
        lambdas = [
            node
            for node in ast.walk(parsed(code.co_filename))
            if isinstance(node, ast.Lambda)
            and node.lineno == code.co_firstlineno
            and tuple(a.arg for a in node.args.args) == code.co_varnames[: code.co_argcount]
        ]
    except (OSError, TypeError, SyntaxError):
        return None
    if len(lambdas) > 1:
        lambdas = [node for node in lambdas if same_code(node, code)]
    return Text(lambdas[0], None, rule.__globals__) if lambdas else None


def same_code(node: ast.Lambda, code: CodeType) -> bool:
    """Whether a lambda in a source file is the one that was compiled to this code."""
    compiled = compile(ast.Expression(node), "<fault>", "eval").co_consts[0]
    return (
        isinstance(compiled, CodeType)
        and compiled.co_code == code.co_code
        and compiled.co_names == code.co_names
        and compiled.co_varnames == code.co_varnames
        and repr(compiled.co_consts) == repr(code.co_consts)
    )


def helpers_of(text: Text, package: str) -> list[FunctionType]:
    """The functions that a rule calls, and those that they call, from the primitives' modules."""
    found: list[FunctionType] = []
    todo = [text]
    while todo:
        current = todo.pop()
        for node in ast.walk(current.tree):
            value = current.scope.get(node.id) if isinstance(node, ast.Name) else None
            if not isinstance(value, FunctionType) or value in found:
                continue
            helper = text_of(value) if value.__module__.startswith(package) else None
            if helper is not None:
                found.append(value)
                todo.append(helper)
    return found


def edited(text: Text) -> Iterator[tuple[str, str, ast.AST]]:
    """The source with each edit in turn."""
    wanted = 0
    while True:
        editor = Editor(wanted)
        tree = editor.visit(deepcopy(text.tree))
        if editor.done is None:
            return
        kind, before, after = editor.done
        yield kind, f"`{after}` for `{before}`", tree
        wanted += 1


def source_faults(op: Op) -> Iterator[Fault]:
    """All faults in the source of the rules of a primitive, and of what they call."""
    package = op.forward.__module__.rsplit(".", 1)[0]
    for position, rule in rules_of(op):
        text = text_of(rule)
        if text is None:
            continue
        for kind, what, tree in edited(text):
            changed = text.compiled(tree, dict(text.scope))
            yield Fault(kind, f"{where(op, position)}: {what}", put(op, position, changed))
        helpers = helpers_of(text, package)
        for helper in helpers:
            source = text_of(helper)
            assert source is not None
            for kind, what, tree in edited(source):
                changed = linked(text, helpers, helper, tree)
                yield Fault(kind, f"{source.name}: {what}", put(op, position, changed))


def linked(
    rule: Text, helpers: Sequence[FunctionType], changed: FunctionType, tree: ast.AST
) -> Rule:
    """A rule that calls copies of its helpers, one of them edited, each with globals of its own."""
    scopes = [dict(rule.scope)]
    copies: dict[Any, Rule] = {}
    for helper in helpers:
        source = text_of(helper)
        assert source is not None
        scope = dict(source.scope)
        copies[helper] = source.compiled(tree if helper is changed else source.tree, scope)
        scopes.append(scope)
    for scope in scopes:
        for name, value in scope.items():
            if isinstance(value, FunctionType) and value in copies:
                scope[name] = copies[value]
    return rule.compiled(rule.tree, scopes[0])
