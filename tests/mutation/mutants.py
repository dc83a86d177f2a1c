"""Small changes to a function's source, one at a time: what a wrong keystroke would make of it.

Comparisons, arithmetic, `and` and `or`, `not`, numbers and booleans, `min` and `max`, conditions turned round,
returns of nothing, and calls and additions left out. Texts are left alone: they decide nothing.
"""

import ast
import copy
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
LONGEST, BRIEF = 100, 60
OTHER = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One function of one file, changed in one place; `code` is what it would run as.

    `name` says where and what without a line number, so that it stays the same while the file grows: the function,
    the statement's beginning, the change, and which of several alike it is.
    """

    path: str
    line: int
    function: str
    name: str
    code: CodeType

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.name}"


def mutants_of(path: str) -> Iterator[Mutant]:
    """Every mutant of a file's functions; a method's name has its class before it."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    for function, node in _functions(tree):
        alike: dict[str, int] = defaultdict(int)
        for index in range(len(list(_places(node)))):
            mutated = copy.deepcopy(tree)
            ((_, twin),) = [(of, one) for of, one in _functions(mutated) if of == function]
            statements = _statements(twin)
            old, change = list(_places(twin))[index]
            within, before = _said(statements[id(old)], BRIEF), _said(old)
            new = change(old)
            _put(twin, old, new)
            ast.fix_missing_locations(mutated)
            place = "" if old is statements[id(old)] else f"{within} | "
            name = f"{function}: {place}{before} -> {_said(new)}"
            alike[name] += 1
            name += f" #{alike[name]}" if alike[name] > 1 else ""
            code = _find(compile(mutated, path, "exec"), function)
            yield Mutant(path, old.lineno, function, name, code)


def _statements(function: ast.FunctionDef) -> dict[int, ast.AST]:
    """The innermost statement that each node stands in, by the node's id."""
    found: dict[int, ast.AST] = {}

    def enter(node: ast.AST, statement: ast.AST) -> None:
        statement = node if isinstance(node, ast.stmt) else statement
        found[id(node)] = statement
        for child in ast.iter_child_nodes(node):
            enter(child, statement)

    enter(function, function)
    return found


def _said(node: ast.AST, longest: int = LONGEST) -> str:
    """The first line of a node's source, of a condition only the condition."""
    text = ast.unparse(node).partition("\n")[0].removesuffix(":")
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _functions(tree: ast.AST, inside: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield inside + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{inside}{node.name}.")


def _find(code: CodeType, name: str) -> CodeType:
    for one in code.co_consts:
        if isinstance(one, CodeType):
            if one.co_qualname == name:
                return one
            if name.startswith(f"{one.co_qualname}."):
                return _find(one, name)
    raise LookupError(name)


def _places(function: ast.FunctionDef) -> Iterator[tuple[ast.AST, object]]:
    types = {
        id(one)
        for node in ast.walk(function)
        if isinstance(node, ast.AnnAssign)
        for one in ast.walk(node.annotation)
    }
    for statement in function.body:
        for node in ast.walk(statement):
            if id(node) in types:
                continue
            for change in _changes(node):
                yield node, change


def _changes(node: ast.AST) -> Iterator[object]:
    match node:
        case ast.Compare(ops=[only]) if type(only) in COMPARED:
            yield lambda one: ast.Compare(one.left, [COMPARED[type(one.ops[0])]()], one.comparators)
        case ast.BinOp(op=op) if type(op) in RECKONED:
            yield lambda one: ast.BinOp(one.left, RECKONED[type(one.op)](), one.right)
        case ast.AugAssign(op=op):
            yield lambda one: ast.Pass()
            if type(op) in RECKONED:
                yield lambda one: ast.AugAssign(one.target, RECKONED[type(one.op)](), one.value)
        case ast.BoolOp():
            yield lambda one: ast.BoolOp(ast.Or() if isinstance(one.op, ast.And) else ast.And(), one.values)
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield lambda one: one.operand
        case ast.Constant(value=bool()):
            yield lambda one: ast.Constant(not one.value)
        case ast.Constant(value=int()):
            yield lambda one: ast.Constant(one.value + 1)
        case ast.Call(func=ast.Name(id=name)) if name in OTHER:
            yield lambda one: ast.Call(ast.Name(OTHER[one.func.id], ast.Load()), one.args, one.keywords)
        case ast.If() | ast.IfExp():
            yield lambda one: _turned(one)
        case ast.Return(value=value) if value is not None and ast.unparse(value) != "None":
            yield lambda one: ast.Return(ast.Constant(None))
        case ast.Expr(value=ast.Call() | ast.Yield() | ast.YieldFrom()) | ast.Raise():
            yield lambda one: ast.Pass()


def _turned(one: ast.If | ast.IfExp) -> ast.AST:
    twin = copy.copy(one)
    twin.test = ast.UnaryOp(ast.Not(), one.test)
    return twin


def _put(tree: ast.AST, old: ast.AST, new: ast.AST) -> None:
    """Put one node in another's place."""
    ast.copy_location(new, old)
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, field, new)
                return
            if isinstance(value, list) and any(one is old for one in value):
                setattr(parent, field, [new if one is old else one for one in value])
                return
    raise LookupError(ast.dump(old))
