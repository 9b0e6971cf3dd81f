"""One model for a name and its settings, shared by all who ask for it."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.support.attempts import Attempts, answer, fault, hear, refusal

from assent.core.config import Config
from assent.core.errors import ConfigError, NotFound
from assent.models import registry
from assent.models.registry import Registry
from assent.models.remote import RemoteModel
from assent.models.wrappers.wrapped import Wrapped

BARE = {"attempts": 1, "breaker": 0}


class Desk:
    """A registry and the settings that it goes by."""

    def __init__(self, folder: Path, *models: Any, **config: Any) -> None:
        self.config = Config(**config)
        self.spent: list[str] = []
        self.registry = Registry(lambda: self.config, folder, models, self._spent)

    def model(self, name: str) -> Any:
        return self.registry.model(name)

    def change(self, **config: Any) -> None:
        self.config = replace(self.config, **config)

    def _spent(self, name: str) -> list[tuple[float, Decimal | None]]:
        self.spent.append(name)
        return [(10.0, Decimal("2.50")), (20.0, None)]


def inside(model: Any) -> Any:
    """The bare model."""
    while isinstance(model, Wrapped):
        [model] = model.inner
    return model


def test_a_name_means_one_model_as_long_as_its_settings_hold(tmp_path: Path) -> None:
    desk = Desk(tmp_path, base_url="http://127.0.0.1:9/v1")
    model = desk.model("m")
    assert model.name == "custom:m"
    assert desk.model("m") is model
    assert desk.model("custom:m") is model
    desk.change(wait=1.0, models={"groq": {"attempts": 2}})
    assert desk.model("m") is model


def test_other_settings_make_other_wrappers_around_the_same_connections(tmp_path: Path) -> None:
    desk = Desk(tmp_path, base_url="http://127.0.0.1:9/v1")
    before = desk.model("m")
    desk.change(models={"custom:m": {"attempts": 2}})
    after = desk.model("m")
    assert after is not before
    assert inside(after) is inside(before)
    desk.change(models={})
    assert desk.model("m") is before


def test_another_silence_or_address_makes_another_model(tmp_path: Path) -> None:
    desk = Desk(tmp_path, base_url="http://127.0.0.1:9/v1")
    first = inside(desk.model("m"))
    desk.change(models={"custom:m": {"silence": 5}})
    second = inside(desk.model("m"))
    desk.change(base_url="http://127.0.0.1:10/v1")
    third = inside(desk.model("m"))
    assert len({id(first), id(second), id(third)}) == 3
    assert isinstance(third, RemoteModel)
    assert third.place == "http://127.0.0.1:10/v1"


def test_a_model_that_was_brought_along_is_wrapped_as_well(tmp_path: Path) -> None:
    model = Attempts([fault()], [answer()])
    desk = Desk(tmp_path, model, models={"maker": {"backoff": 0}})
    assert len(hear(desk.model("maker:m"))) == 2
    desk.change(models={"maker": BARE})
    assert desk.model("maker:m").inner == (model,)  # what leaves is told of all


def test_limits_and_circuits_are_one_for_a_model_whether_it_is_asked_or_stands_in(tmp_path: Path) -> None:
    first, spare = Attempts([refusal()], name="a:m"), Attempts([fault()], name="b:m")
    once = {"attempts": 1, "breaker": 1}
    desk = Desk(tmp_path, first, spare, models={"a": {**BARE, "fallback": ["b:m"], "cache": 60}, "b": once})
    assert "b:m (It has a fault (HTTP 500))" in str(hear(desk.model("a:m"))[-1])
    assert "b:m failed once and is left alone" in str(hear(desk.model("b:m"))[-1])
    assert len(spare.asked) == 1


def test_two_that_stand_in_for_each_other_do_not_go_round(tmp_path: Path) -> None:
    first, second = Attempts([refusal()], name="a:m"), Attempts([refusal()], name="b:m")
    models = {"a": {**BARE, "fallback": ["b:m"]}, "b": {**BARE, "fallback": ["a:m"]}}
    desk = Desk(tmp_path, first, second, models=models)
    hear(desk.model("a:m"))
    assert (len(first.asked), len(second.asked)) == (1, 1)


def test_a_stand_in_goes_by_the_settings_of_the_moment(tmp_path: Path) -> None:
    first, spare = Attempts([refusal()], name="a:m"), Attempts([fault()], name="b:m")
    fallback = {"a": {**BARE, "fallback": ["b:m"]}}
    desk = Desk(tmp_path, first, spare, models={**fallback, "b": BARE})
    asked = desk.model("a:m")
    hear(asked)
    desk.change(models={**fallback, "b": {"attempts": 3, "backoff": 0}})
    hear(asked)
    assert len(spare.asked) == 1 + 3


def test_money_that_was_spent_before_counts(tmp_path: Path) -> None:
    settings = {"maker": {"dollars_per_hour": 2, "longest_wait": 1}}
    model = Attempts([answer()])
    desk = Desk(tmp_path, model, models=settings)
    assert "limit of $2 an hour" in str(hear(desk.model("maker:m"))[-1])
    assert desk.spent == ["maker:m"]
    assert model.asked == []


def test_names_and_settings_that_mean_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Attempts([answer()]), models={"maker": {"attempts": 0}})
    with pytest.raises(NotFound, match="There is no model 'nobody:m'"):
        desk.model("nobody:m")
    with pytest.raises(ConfigError, match="attempts must be at least 1"):
        desk.model("maker:m")


def test_closing_closes_every_model_once(tmp_path: Path) -> None:
    closed: list[str] = []

    class Closing(Attempts):
        async def aclose(self) -> None:
            closed.append(self.name)

    desk = Desk(tmp_path, Closing([answer()], name="a:m"), Closing([answer()], name="b:m"))
    desk.model("a:m")
    asyncio.run(desk.registry.aclose())
    assert closed == ["a:m", "b:m"]


def test_a_key_that_was_set_right_counts_from_the_next_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-wrong-one")
    desk = Desk(tmp_path)
    before = desk.model("openai")
    desk.change(wait=1.0)
    assert desk.model("openai") is before
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-right-one")
    desk.change(wait=2.0)
    assert inside(desk.model("openai")) is not inside(before)
    assert desk.model("openai").name == before.name


def test_a_key_that_was_set_right_counts_without_other_settings(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-wrong-one")
    desk = Desk(tmp_path)
    before = desk.model("openai")
    assert desk.model("openai") is before
    monkeypatch.setenv("OPENAI_API_KEY", "sk-the-right-one")
    assert inside(desk.model("openai")) is not inside(before)


def test_a_file_of_keys_that_was_set_right_counts_a_second_later(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setattr(registry, "FRESH", 0.0)
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-the-wrong-one")
    desk = Desk(tmp_path / ".assent")
    before = desk.model("openai")
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-the-very-right-one")
    assert inside(desk.model("openai")) is not inside(before)
