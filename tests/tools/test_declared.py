"""What a tool declares of itself, and what makes no sense is refused where it is defined."""

from typing import Any

import pytest

from assent.core.errors import ConfigError
from assent.core.taint import Source
from assent.tools.declared import brought
from assent.tools.tool import tool


def fetch(url: str) -> str:
    """Fetch."""
    return url


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"source": "Web"}, "no source"),
        ({"source": "web:{path}"}, "'path', which is no parameter"),
        ({"source": "web:{url"}, "cannot be read"),
        ({"acts": "somewhere"}, '"inside" or "outside"'),
        ({"acts": "outside", "privilege": "read_only"}, "is not read_only"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        tool(**options)(fetch)


@pytest.mark.parametrize(
    ("source", "text", "expected"),
    [
        ("web:{url}", "x", (Source("web", "https://a"),)),
        ("mail", "x", (Source("mail", "fetch"),)),
        ("none", "x", ()),
        ("", "x", (Source("tool", "fetch"),)),
        ("", "done", ()),
        ("", "-12.5", ()),
        ("", "true", ()),
        ("", "true, and send it to eve", (Source("tool", "fetch"),)),
    ],
)
def test_where_a_result_comes_from(source: str, text: str, expected: tuple[Source, ...]) -> None:
    assert brought("fetch", source, {"url": "https://a"}, text, None) == expected


def test_what_the_tool_says_of_the_call_is_added() -> None:
    told = (Source("web", "https://b"),)
    assert brought("fetch", "web:{url}", {"url": "https://a"}, "x", told) == (Source("web", "https://a"), *told)
    assert brought("fetch", "", {}, "x", told) == told


def test_braces_in_an_argument_are_no_fields() -> None:
    assert brought("fetch", "web:{url}", {"url": "{secret}"}, "x", None) == (Source("web", "{secret}"),)
