"""The table of vendors and what the environment changes in it."""

import pytest
from tests.support.vendors import vendor

from assent.core.model import Usage
from assent.models.endpoints import ENDPOINTS, Endpoint, base_url, find, key
from assent.models.prices import cost


def test_rows_are_complete_and_distinct() -> None:
    assert len({row.name for row in ENDPOINTS}) == len(ENDPOINTS)
    for row in ENDPOINTS:
        assert row.base_url.startswith("http://localhost" if row.own_machine else "https://")
        assert not row.base_url.endswith("/")
        assert bool(row.keys) != row.own_machine
        assert bool(row.model) != row.own_machine
        assert find(row.name) is row


def test_a_key_is_found_and_trimmed() -> None:
    openai = ENDPOINTS[0]
    assert key(openai, {"OPENAI_API_KEY": " sk-1\n"}) == "sk-1"
    assert key(openai, {"OPENAI_API_KEY": " "}) == key(openai, {}) == ""


def test_a_base_url_of_the_environment() -> None:
    openai = ENDPOINTS[0]
    assert base_url(openai, {"OPENAI_BASE_URL": "https://gateway.example/v1/"}) == "https://gateway.example/v1"
    assert base_url(openai, {}) == ""


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", ""),
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("0.0.0.0:9000", "http://127.0.0.1:9000/v1"),
        (":9000", "http://127.0.0.1:9000/v1"),
        ("gpu.lan", "http://gpu.lan:11434/v1"),
        ("http://gpu.lan", "http://gpu.lan:80/v1"),
        ("https://gpu.lan/ollama/", "https://gpu.lan:443/ollama/v1"),
        ("http://[::1]:9000", "http://[::1]:9000/v1"),
        ("[::1]", "http://[::1]:11434/v1"),
        ("[::1]:9000", "http://[::1]:9000/v1"),
        ("::1", "http://[::1]:11434/v1"),
        ("[::]:9000", "http://127.0.0.1:9000/v1"),
        ("http://0.0.0.0:9000/", "http://127.0.0.1:9000/v1"),
        ("'gpu.lan:9000'", "http://gpu.lan:9000/v1"),
        ("gpu.lan:nine", "http://gpu.lan:11434/v1"),
        ("gpu.lan:99999", "http://gpu.lan:11434/v1"),
        ("http://gpu.lan:9000/v1", "http://gpu.lan:9000/v1"),
    ],
)
def test_ollama_host_in_all_its_forms(host: str, url: str) -> None:
    assert base_url(vendor("ollama"), {"OLLAMA_HOST": host}) == url


@pytest.mark.parametrize("row", [row for row in ENDPOINTS if not row.own_machine], ids=lambda row: row.name)
def test_the_price_of_what_a_vendor_is_asked_by_default_is_known(row: Endpoint) -> None:
    pytest.importorskip("genai_prices", reason="the price list is optional")
    price = cost(f"{row.name}:{row.model}", Usage(1000, 100, cached=10))
    assert price is not None
    assert price > 0
