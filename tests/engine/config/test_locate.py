"""The locator finds every key and value of a TOML text where a person sees it."""

import itertools

import pytest
import tomlkit
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.config.load import parse
from engine.config.locate import ScanError, toml_places
from engine.config.sample import SAMPLE

TRICKY = '''# [not.a.table]
"quoted # key" = "a ] } # not a comment" # [nor.this]
lit = 'C:\\[x]'
multi = """
[fake]
key = 1 \\"""
"""""
raw = \'\'\'
x = [
\'\'\'
a.b."c.d" = 1
dates = [1979-05-27 07:32:00, 1979-05-27] # ]
list = [ # [
  [1, 2],
  { x = 1, y = [ { z = "}" } ] }, # }

  3 ]
[ spaced . table ]
k = true
[[rows]]
n = 1
[rows.sub]
m = 1
[[rows.inner]]
p = 1
[[rows.inner]]
p = 2
[[rows]]
n = 2
[rows.sub]
m = 2
[[rows.inner]]
p = 3
'''

WHERE = [
    (("quoted # key",), 2),
    (("lit",), 3),
    (("multi",), 4),
    (("raw",), 8),
    (("a", "b", "c.d"), 11),
    (("a", "b"), 11),
    (("dates", 1), 12),
    (("list",), 13),
    (("list", 0, 1), 14),
    (("list", 1, "y", 0, "z"), 15),
    (("list", 2), 17),
    (("spaced", "table", "k"), 19),
    (("rows", 0), 20),
    (("rows", 0, "sub"), 22),
    (("rows", 0, "inner", 1, "p"), 27),
    (("rows", 1, "n"), 29),
    (("rows", 1, "sub", "m"), 31),
    (("rows", 1, "inner", 0, "p"), 33),
    (("rows", 1, "absent", 5), 28),
    (("absent",), 1),
]


@pytest.mark.parametrize(("path", "line"), WHERE, ids=[str(path) for path, _ in WHERE])
def test_every_key_is_found_on_its_line(path, line):
    parse(TRICKY, "tricky.toml")
    assert toml_places(TRICKY).nearest(path).line == line


def test_columns_point_at_the_key_and_at_the_value():
    place = toml_places("[a]\n  port  =  99999\n").nearest(("a", "port"))
    assert (place.line, place.key_column, place.column) == (2, 3, 12)


def test_every_value_of_the_sample_stands_where_its_key_is_written():
    places, lines = toml_places(SAMPLE), SAMPLE.splitlines()

    def visit(path, value):
        place = places.nearest(path)
        if isinstance(value, dict):
            for key, inner in value.items():
                visit((*path, key), inner)
        elif isinstance(value, list):
            for index, inner in enumerate(value):
                visit((*path, index), inner)
        elif isinstance(path[-1], str):
            rest = lines[place.line - 1][place.key_column - 1 :]
            assert rest.startswith(f"{path[-1]} = ")

    visit((), parse(SAMPLE, "sample"))


@pytest.mark.parametrize(
    ("text", "offset"), [("a = [\n1", 4), ("a = {b = 1", 4), ("a = '''x", 4), ('a = "x\n', 4)]
)
def test_what_is_never_closed_is_known_by_where_it_opened(text, offset):
    with pytest.raises(ScanError) as caught:
        toml_places(text)
    assert caught.value.opened_at == offset
    assert caught.value.unclosed


trees = st.recursive(
    st.just(0) | st.text(st.sampled_from("a\"'[]{}#=\n\\"), max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.sampled_from("ab.#[]'\" "), max_size=4), inner, max_size=4)
    ),
    max_leaves=15,
)


@settings(max_examples=150, deadline=None, database=None)
@given(st.dictionaries(st.text(st.sampled_from("kl.#[] "), max_size=4), trees, max_size=5))
def test_numbers_in_any_document_stand_where_they_are_found(tree):
    counter = itertools.count(1000)

    def numbered(node):
        if isinstance(node, dict):
            return {key: numbered(inner) for key, inner in node.items()}
        if isinstance(node, list):
            return [numbered(inner) for inner in node]
        return node if isinstance(node, str) else next(counter)

    text = tomlkit.dumps(numbered(tree))
    places, lines = toml_places(text), text.split("\n")
    assert places.twice == []

    def visit(path, node):
        if isinstance(node, dict | list):
            pairs = node.items() if isinstance(node, dict) else enumerate(node)
            for step, inner in pairs:
                visit((*path, step), inner)
        elif isinstance(node, int):
            place = places.nearest(path)
            assert lines[place.line - 1][place.column - 1 :].startswith(str(node))

    visit((), parse(text, "x"))
