"""Which sources a trusted name means: exactly that one, or those of a glob that is written as one."""

import os
from pathlib import Path

import pytest

from assent.core.errors import ConfigError
from assent.core.taint import Source
from assent.policy.document import read
from assent.policy.trust import covers, spelt

SECTION = """
[[trust]]
source = "web:api.example.com"
reason = "our own service"
until = 2090-01-01
"""


@pytest.mark.parametrize(
    ("trusted", "address", "meant"),
    [
        ("web:api.example.com", "https://api.example.com/v1/orders?x=1", True),
        ("web:api.example.com", "http://API.Example.com", True),
        ("web:api.example.com", "api.example.com:443", True),
        ("web:api.example.com", "https://api.example.com.evil.org/", False),
        ("web:api.example.com", "https://evil-api.example.com/", False),
        ("web:api.example.com", "https://x.api.example.com/", False),
        ("web:api.example.com", "https://api.example.com@evil.org/", False),
        ("web:api.example.com", "https://evil.org\\@api.example.com/", False),
        ("web:api.example.com", "https://evil.org/?api.example.com", False),
        ("web:api.example.com", "https://api.example.com:8443/", False),
        ("web:api.example.com", "file://api.example.com/etc/passwd", False),
        ("web:api.example.com", "s3://api.example.com/a", False),  # anybody's bucket
        ("web:api.example.com", "imap://api.example.com/INBOX", False),
        ("web:api.example.com:8443", "https://api.example.com:8443/", True),
        ("web:api.example.com", "https://аpi.example.com/", False),  # noqa: RUF001  # a Cyrillic letter
        ("web:*.example.com", "https://a.example.com/", True),
        ("web:*.example.com", "https://example.com.evil.org/", False),
        ("web:*.example.com", "https://evilexample.com/", False),
        ("https://example.com/data", "https://example.com/data", True),
        ("https://example.com/data", "http://example.com/data", False),
        ("https://example.com/data", "https://example.com/data/x", False),
        ("https://example.com/data", "https://example.com/data?redirect=evil.org", False),
        ("https://example.com/data/*", "https://example.com/data/x", True),
        ("https://example.com/data/*", "https://example.com/data/x?from=https://evil.org", False),
        ("https://example.com/data/*?y=1", "https://example.com/data/x?y=1", True),
        ("https://example.com/data/*?y=1", "https://example.com/data/x?y=2", False),
        ("https://example.com/data/*?*", "https://example.com/data/x?y=1&z=2", True),
        ("https://example.com/data/**", "https://example.com/data/..;/upload", False),
        ("https://example.com/data/**", "https://example.com.evil.org/data/x", False),
        ("web:*.example.com", "https://evil.org/a.example.com", False),
        ("web:*.example.com", "https://example.com/", False),
        ("web:*.example.com", "https://user:pw@a.example.com/", True),
        ("web:*.example.com", "https://a.example.com@evil.org/", False),
        ("web:*.example.com:8443", "https://a.example.com/", False),
        ("web:API.Example.com.", "https://api.example.com/", True),
        ("WEB:api.example.com", "https://api.example.com./", True),
        ("https://API.example.com/Data", "https://api.example.com/data", False),  # paths have capitals
        ("web:xn--exmple-cua.com", "https://xn--exmple-cua.com/", True),
        ("web:xn--exmple-cua.com", "https://exämple.com/", False),
        ("https://example.com/data/*", "https://example.com/data/x/y", False),
        ("https://example.com/data/**", "https://example.com/data/x/y", True),
        ("https://example.com/data/**", "https://example.com/data/../upload", False),
        ("https://example.com/data/**", "https://example.com/data/%2e%2e/upload", False),
        ("https://example.com/", "https://example.com/anything", True),
    ],
)
def test_hosts_are_meant_exactly(trusted: str, address: str, *, meant: bool) -> None:
    assert covers(spelt(trusted), Source("web", address)) is meant


@pytest.mark.parametrize(
    ("trusted", "path", "meant"),
    [
        ("orders.csv", "orders.csv", True),
        ("file:data/orders.csv", "data/orders.csv", True),
        ("file:data/orders.csv", "data/orders.csv.bak", False),
        ("file:data", "data/orders.csv", False),
        ("file:data/*.csv", "data/orders.csv", True),
        ("file:data/*.csv", "data/old/orders.csv", False),
        ("file:data/**", "data/old/orders.csv", True),
        ("file:data/**", "database/orders.csv", False),
        ("file:data/../secret.csv", "secret.csv", True),
        ("file:data/[ab].csv", "data/a.csv", False),
    ],
)
def test_paths_are_meant_exactly(
    trusted: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, meant: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    assert covers(spelt(trusted), Source("file", str(tmp_path.resolve() / path))) is meant


def test_a_link_out_of_a_trusted_folder_is_not_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "evil.csv").write_text("x")
    (tmp_path / "data" / "link.csv").symlink_to(tmp_path / "evil.csv")
    read_as = os.path.realpath("data/link.csv")  # as what is read is recorded
    assert not covers(spelt("file:data/**"), Source("file", read_as))
    assert covers(spelt("data/link.csv"), Source("file", read_as))


def test_another_kind_is_another_source() -> None:
    assert not covers("web:x", Source("mail", "x"))
    assert covers("agent:helper", Source("agent", "helper"))
    assert covers(spelt("mail:inbox*"), Source("mail", "inbox-2"))


@pytest.mark.parametrize(
    "text", ["", "file:", "web:", "web:a b", "web:host/path", "ftp://host/x", "mail:", "web:exämple.com", "web:a..b"]
)
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        spelt(text)


@pytest.mark.parametrize(
    "text",
    ["*", "file:*", "file:/**", "file:data/../../../../../../../../../../../**", "web:*", "web:**", "web:*.com",
     "https://*.org/x", "tool:*", "agent:**", "mail:*", "code:?",
     "mail:*@*", "mail:?*@*.*", "file:/**.csv", "file:/**/orders.csv", "file:/*/orders.csv", "file:/d*/**"],
)  # fmt: skip
def test_what_names_everything_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="would trust whatever comes"):
        spelt(text)


def test_a_home_is_ones_own_and_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert spelt("~/orders.csv") == f"file:{tmp_path.resolve()}/orders.csv"
    with pytest.raises(ConfigError, match="nobody's home"):
        spelt("file:~no-such-user/orders.csv")


def test_the_organisations_file_may_trust() -> None:
    [trust] = read(SECTION, "policy.toml", "organisation").sections["trust"]
    assert (trust.source, trust.scope, trust.by) == ("web:api.example.com", "workspace", "organisation's policy.toml:2")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SECTION, "policy.toml:2: trust loosens"),
    ],
)
def test_a_workspaces_file_may_not(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(text, "policy.toml", "workspace")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (('reason = "our own service"\n', ""), "policy.toml:2: trust needs reason"),
        (("until = 2090-01-01\n", ""), "policy.toml:2: trust needs until"),
        (("2090-01-01", '"2h"'), "no end|no moment|date"),
        (("source =", "sorce ="), "unknown key 'sorce'; did you mean 'source'"),
        (("web:api.example.com", "web:*"), "policy.toml:3: .*would trust whatever comes"),
        (("web:api.example.com", "tool:*"), "would trust whatever comes"),
        (("web:api.example.com", "file:~/orders.csv"), "another file for each user"),
        (("web:api.example.com", "data/orders.csv"), "another file for each user"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_line(change: tuple[str, str], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(SECTION.replace(*change), "policy.toml", "organisation")
