"""A front end at the other end of a comm: keeps what a widget says, and speaks to it."""

from typing import Any

from comm.base_comm import BaseComm
from ipywidgets import Widget


class FrontEnd(BaseComm):
    """The messages that would reach the page; `say` is what the page would send."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        super().__init__(target_name="jupyter.widget")

    def publish_msg(self, msg_type: str, data: Any = None, *_rest: Any, **_keys: Any) -> None:
        if msg_type == "comm_msg":
            self.heard.append(data)

    @property
    def custom(self) -> list[dict[str, Any]]:
        return [data["content"] for data in self.heard if data["method"] == "custom"]

    @property
    def updates(self) -> list[dict[str, Any]]:
        return [data["state"] for data in self.heard if data["method"] == "update"]

    def say(self, content: dict[str, Any]) -> None:
        data = {"method": "custom", "content": content}
        self.handle_msg({"content": {"data": data}, "buffers": []})


def connect(widget: Widget, front_end: FrontEnd) -> None:
    widget.comm = front_end
    front_end.on_msg(widget._handle_msg)
    front_end.heard.clear()
