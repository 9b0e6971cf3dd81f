"""`{name}` in a prompt: variables are told, every other brace stays."""

import pandas as pd
import pytest

from assent.core.errors import ConfigError
from assent_magics.interpolate import fill, interpolate

NAMES = {"x": 3, "name": "Ada", "a": 1, "n": 7, "_hidden": 1, "größe": 2}


@pytest.mark.parametrize(
    "prompt",
    [
        '{"a": 1}', "{'a': 1}", r"\frac{1}{2}", r"\frac{x}{n}", "{x:.2f}", "{x!r}", "{{name}}", "{name.upper()}",
        "{}", "{ x }", "{unknown}", "x_{n}", "x^{n}", "${x}", "f{x}", "{1}", "set {x, n}", "{x",
    ],
)  # fmt: skip
def test_what_is_no_variable_stays(prompt: str) -> None:
    assert interpolate(prompt, NAMES) == prompt


@pytest.mark.parametrize(
    ("prompt", "told"),
    [("is {x} even?", "is 3 even?"), ("({x}, {n})", "(3, 7)"), ("{name}", "'Ada'"), ("{größe} cm", "2 cm")],
)
def test_a_variable_is_told_by_its_repr(prompt: str, told: str) -> None:
    assert interpolate(prompt, NAMES) == told


def test_a_frame_is_told_by_schema_count_and_sample() -> None:
    frame = pd.DataFrame({"species": ["Adelie"] * 2000, "mass": range(2000)})
    told = interpolate("What is in {penguins}?", {"penguins": frame})
    assert "2,000 rows" in told
    assert "species" in told
    assert "mass int64" in told
    assert "Adelie" in told
    assert len(told) < 500
    assert "`penguins`" in told, "the model must see the name it can write in SQL"


def test_a_long_repr_is_cut_and_a_broken_one_is_told() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    assert len(interpolate("{big}", {"big": list(range(10_000))})) < 700
    assert "repr raised RuntimeError" in interpolate("{bad}", {"bad": Broken()})


def test_what_a_variable_holds_is_not_interpolated_again() -> None:
    assert interpolate("{a} {b}", {"a": "{b}", "b": 1}) == "'{b}' 1"


def test_a_command_takes_texts_only() -> None:
    assert fill("{run} --into {x}", {"run": "k3v9", "x": 3}) == "k3v9 --into {x}"


@pytest.mark.parametrize("name", ["api_key", "OPENAI_API_KEY", "token", "db_password", "client_secret"])
def test_a_variable_that_is_named_like_a_secret_is_not_told(name: str) -> None:
    with pytest.raises(ConfigError, match="seems to hold a secret"):
        interpolate(f"Use {{{name}}}.", {name: "s3cr3t-s3cr3t-s3cr3t"})


def test_a_secret_of_the_environment_is_not_told_under_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VENDOR_API_KEY", "sk-0123456789abcdef")
    for value in ("sk-0123456789abcdef", {"url": "https://sk-0123456789abcdef@host"}):
        with pytest.raises(ConfigError) as raised:
            interpolate("Look at {mine}.", {"mine": value})
        assert "sk-" not in str(raised.value)


@pytest.mark.parametrize(("name", "value"), [("key", "species"), ("token", ["a", "b"]), ("monkey", "s3cr3t-s3cr3t")])
def test_what_only_sounds_like_one_is_told(name: str, value: object) -> None:
    assert interpolate(f"{{{name}}}", {name: value}) == repr(value)
