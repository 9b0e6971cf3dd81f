"""What is defined in other languages is found by how it is indented and written."""

import pytest

from assent.memory.chunks.chunk import Chunk
from assent.memory.chunks.code import chunks, defined


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("function foo(a) {", "foo"),
        ("export default async function* foo(a) {", "foo"),
        ("const foo = (a, b) => {", "foo"),
        ("let foo = async x => x + 1", "foo"),
        ("foo <- function(x) {", "foo"),
        ("func (r *Reader) Close() error {", "Close"),
        ("type Adder struct {", "Adder"),
        ("pub(crate) unsafe fn go<'a>(x: &'a str) -> usize {", "go"),
        ("impl<T: Clone> Foo for Bar<T> {", "Foo"),
        ("public static final class Outer {", "Outer"),
        ("public Map<String, List<Integer>> get(int a) throws X {", "get"),
        ("static int\nfoo(int a)", ""),
        ("foo(int a,\nint b)\n{", "foo"),
        ("void Foo::bar(int (*f)(int)) const {", "Foo::bar"),
        ("CREATE OR REPLACE TEMP VIEW main.v AS", "main.v"),
        ('create table if not exists "orders" (', "orders"),
        ("backup() {", "backup"),
        ("def self.call(x)", "self.call"),
        ("if (a) {", ""),
        ("return foo(a) {", ""),
        ("foo(a);", ""),
        ("type = 5", ""),
        ("a = b + 1", ""),
        ("word", ""),
        ("", ""),
    ],
)
def test_what_a_line_defines_is_known_by_how_languages_write_it(line: str, name: str) -> None:
    assert defined(line) == name


_GO = """package main

// Adder adds.
type Adder struct {
\ta int

\tb int
}
func (a *Adder) Add(b int) int {
\tif b > 0 {

\t\treturn a.a + b
\t} else {
\t\treturn 1
\t}
}
"""

_C = """#include <stdio.h>

/*
 * Said.
 */
static int
foo(int a,
    int b)
{
    goto done;

done:
    return a;
}
int x;

int main(void)
{
    return 0;
}
"""

_SHELL = """set -e

# Says so.
foo() {
if true; then
echo 1

fi
}
bar() {
echo 2
}

foo
bar
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (_GO, [("", 1, 1), ("Adder", 3, 8), ("Add", 9, 16)]),
        (_C, [("", 1, 1), ("foo", 3, 14), ("", 15, 15), ("main", 17, 20)]),
        (_SHELL, [("", 1, 1), ("foo", 3, 9), ("bar", 10, 12), ("", 14, 15)]),
    ],
)
def test_each_definition_is_a_chunk_with_the_remark_above(text: str, found: list[tuple[str, int, int]]) -> None:
    assert [(one.title, one.first, one.last) for one in chunks(text)] == found


def test_what_is_too_long_is_what_it_consists_of() -> None:
    method = (
        "    /** Says. */\n    @Override\n    public int m{n}(int x) {{\n" + "        int y = x;\n" * 20 + "    }}\n\n"
    )
    found = list(chunks("class Big {\n    int a;\n\n" + "".join(method.format(n=n) for n in range(12)) + "}\n"))
    assert [one.title for one in found] == [f"Big.m{n}" for n in range(12)]
    assert found[0].text.startswith("class Big {\n    int a;\n\n    /** Says. */")
    assert all(one.text.startswith("    /** Says. */\n    @Override") for one in found[1:])


def test_statements_between_definitions_are_one_chunk() -> None:
    assert list(chunks("a()\n\nb()\n\nc()")) == [Chunk("", "a()\n\nb()\n\nc()", 1, 5)]


def test_braces_tell_the_depth_where_nothing_is_indented() -> None:
    body = "function f{n}(a) {{\nif (a) {{\n\nreturn g(a)\n}}\n}}\n"
    assert [one.title for one in chunks("".join(body.format(n=n) for n in range(3)))] == ["f0", "f1", "f2"]


@pytest.mark.parametrize("text", ["{\n" * 20_000 + "}\n" * 20_000, "\n".join(" " * n + "{" for n in range(1_500))])
def test_deep_nesting_is_cut_like_anything(text: str) -> None:
    found = list(chunks(text))
    assert len(found) > 20
    assert "".join("".join(one.text.split()) for one in found) == "".join(text.split())
