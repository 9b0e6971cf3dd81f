"""Which host a text names; and nothing where programs would read different ones."""

import pytest

from assent.policy.host import Host, host_of, one_of


@pytest.mark.parametrize(
    ("text", "name", "port"),
    [
        ("https://Example.COM/a?b#c", "example.com", 443),
        ("http://example.com:8080", "example.com", 8080),
        ("example.com", "example.com", None),
        ("example.com:99", "example.com", 99),
        ("https://good.com:pw@evil.com/", "evil.com", 443),
        ("https://good.com%40@evil.com/", "evil.com", 443),
        ("https://evil.com#@good.com", "evil.com", 443),
        ("https://evil.com?.good.com", "evil.com", 443),
        ("ws://[::1]:9/", "::1", 9),
        ("https://[::ffff:10.0.0.1]/", "10.0.0.1", 443),
        ("HTTPS://127.0.0.1./", "127.0.0.1", 443),
        ("postgresql+psycopg://good.com/db", "good.com", None),
        ("xn--mnchen-3ya.de", "xn--mnchen-3ya.de", None),
    ],
)
def test_the_host_that_is_meant(text: str, name: str, port: int | None) -> None:
    assert host_of(text) == Host(name, port)


@pytest.mark.parametrize(
    "text",
    [
        "", " example.com", "https://evil.com\\@good.com", "https://good.com\t.evil.com", "https://ex\u0430mple.com",
        "https://a@b@good.com", "http://127.1/", "http://2130706433", "http://0x7f000001", "http://0177.0.0.1",
        "https:///good.com", "https:good.com", "javascript:alert(1)", "//good.com", "/good.com", "a@good.com",
        "https://good.com:port", "https://good.com:99999", "https://go%6fd.com", "https://good..com", "-a.com",
        "https://good\u3002com", "https://[::1", "good.com:",
        "file://good.com/etc/passwd", "s3://good.com/a", "FILE://good.com/a", "jar:http://good.com", "hf+x://good.com",
    ],
)  # fmt: skip
def test_what_could_be_read_in_two_ways_is_not_told(text: str) -> None:
    assert host_of(text) is None


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a.com", "https://a.com:8443", True),
        ("a.com", "https://b.a.com", False),
        ("a.com:8443", "https://a.com:8443", True),
        ("a.com:8443", "https://a.com", False),
        ("a.com:443", "https://a.com", True),
        ("a.com:443", "a.com", None),
        ("*.a.com", "https://b.c.a.com", True),
        ("*.a.com", "https://a.com", False),
        ("*.a.com", "https://evila.com", False),
        ("*.a.com:443", "b.a.com", None),
        ("10.0.0.1", "http://[::ffff:10.0.0.1]", True),
        ("A.com.", "a.COM", True),
    ],
)
def test_a_list_of_hosts(pattern: str, text: str, expected: bool | None) -> None:
    assert one_of([pattern]).holds(text) is expected


@pytest.mark.parametrize("pattern", ["", "*", "a.*", "https://a.com", "a.com/b", "x@a.com", "*.*.com", "a b"])
def test_what_is_no_host_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="is no host"):
        one_of([pattern])
