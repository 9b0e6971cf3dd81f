"""Recorded exchanges with real providers, beside the repository: what was sent, and what came back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.chat_server import Reply

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "provider-cassettes"
_KEPT = ("retry-after",)


@dataclass(frozen=True)
class Exchange:
    """One request with the answer that it got. `sent` and the keys of `headers` are as they were recorded."""

    url: str
    sent: Any
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def reply(self) -> Reply:
        """The answer, for the loopback server to give again."""
        kind = self.headers.get("content-type", "application/json")
        kept = {name: value for name, value in self.headers.items() if name in _KEPT}
        return Reply([self.body], self.status, kind, kept)


def exchanges(name: str, method: str = "POST") -> list[Exchange]:
    """The POSTs of a recording, by its file's name without `.yaml`; skips the test where there are no recordings."""
    path = FOLDER / f"{name}.yaml"
    if not path.is_file():
        pytest.skip(f"the recordings of providers are not part of the repository: no {path.name} beside it")
    recorded = yaml.safe_load(path.read_text("utf-8"))["interactions"]
    return [_exchange(item) for item in recorded if item["request"]["method"] == method]


def _exchange(item: Mapping[str, Any]) -> Exchange:
    request, response = item["request"], item["response"]
    headers = {key.lower(): values[0] for key, values in (response.get("headers") or {}).items()}
    return Exchange(request["uri"], _sent(request), response["status"]["code"], headers, _body(response))


def _sent(request: Mapping[str, Any]) -> Any:
    if (parsed := request.get("parsed_body")) is not None:
        return parsed
    return json.loads(request["body"]) if request.get("body") else None


def _body(response: Mapping[str, Any]) -> bytes:
    if (parsed := response.get("parsed_body")) is not None:
        return json.dumps(parsed).encode()
    text = (response.get("body") or {}).get("string", "")
    return text if isinstance(text, bytes) else text.encode()
