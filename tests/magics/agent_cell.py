"""An agent cell in a live kernel, sent and answered as a front end does."""

import json
from typing import Any, Literal

from tests.jupyter.live import LiveKernel, Message, answers

Front = Literal["widget", "stdin", "none"]
_METADATA: dict[Front, dict[str, str]] = {"widget": {"cellId": "c0ffee"}, "stdin": {}, "none": {"cellId": "c0ffee"}}
_SHOWS = ("display_data", "update_display_data", "execute_result")


class AgentCell:
    """A cell that was sent to the kernel from a notebook ("widget"), a console ("stdin") or nbclient ("none")."""

    def __init__(self, kernel: LiveKernel, code: str, front: Front = "widget") -> None:
        self.kernel = kernel
        content = {"code": code, "silent": False, "store_history": True, "stop_on_error": False}
        content |= {"allow_stdin": front != "none", "user_expressions": {}}
        message = kernel.client.session.msg("execute_request", content, metadata=_METADATA[front])
        kernel.client.shell_channel.send(message)
        self.id: str = message["header"]["msg_id"]

    def reply(self) -> Message:
        return self.kernel.reply(self.id)

    def done(self) -> str:
        """Wait for its successful end; all that it printed and displayed."""
        reply = self.reply()
        assert reply["status"] == "ok", reply
        return self.shown()

    def failed(self) -> str:
        """Wait for an end by one line and no traceback; that line, and all that was shown before."""
        reply = self.reply()
        assert reply["status"] == "error", reply
        shown = self.shown()
        assert "Traceback" not in shown + "".join(reply["traceback"])
        return f"{reply['ename']}: {reply['evalue']}\n{shown}"

    def shown(self) -> str:
        """What stands under the finished cell, as text."""
        self.kernel.status("idle", self.id)
        mine = [m for m in self.kernel.seen if m["parent_header"].get("msg_id") == self.id]
        printed = [m["content"]["text"] for m in mine if m["msg_type"] == "stream"]
        data = [m["content"]["data"].get("text/plain", "") for m in mine if m["msg_type"] in _SHOWS]
        return "\n".join(["".join(printed), *data])

    def card(self, number: int = 1) -> "LiveCard":
        """The n-th approval card that the cell displays, waited for."""
        found: list[Message] = []

        def wanted(message: Message) -> bool:
            if answers(message, self.id, "comm_open") and "view" in _state(message) and message not in found:
                found.append(message)
            return len(found) >= number

        self.kernel.wait(wanted)
        return LiveCard(self.kernel, found[number - 1])

    def panel(self) -> str:
        """The comm of the live transcript, waited for."""
        message = self.kernel.wait(lambda m: answers(m, self.id, "comm_open") and "whole" in _state(m))
        return str(message["content"]["comm_id"])

    def streams(self, text: str) -> None:
        """Wait until the live transcript shows these words."""
        comm = self.panel()
        self.kernel.wait(
            lambda m: (
                m["msg_type"] == "comm_msg"
                and m["content"]["comm_id"] == comm
                and text in json.dumps(m["content"]["data"].get("content", {}))
            )
        )

    def updated(self, text: str) -> str:
        """Wait until a display of the cell holds this text, also after the cell's end; the whole display."""
        message = self.kernel.wait(
            lambda m: (
                any(answers(m, self.id, kind) for kind in _SHOWS) and text in m["content"]["data"].get("text/plain", "")
            )
        )
        return str(message["content"]["data"]["text/plain"])


class LiveCard:
    """An approval card, and what its front end's half would send."""

    def __init__(self, kernel: LiveKernel, opened: Message) -> None:
        self.kernel = kernel
        self.comm = str(opened["content"]["comm_id"])
        self.call = str(_state(opened)["view"]["call"])
        view = _state(opened)["view"]
        self.source, self.asks = str(view["source"]), str(view["asks"])
        self.run = self.call.rpartition(".")[0]

    def decide(self, verdict: str = "approve", **answer: Any) -> Message:
        """Send a decision; the message, which the kernel's status answers."""
        content = {"type": "decision", "call": self.call, "verdict": verdict, "reason": "", "arguments": None}
        content |= {"scope": "once", "outcome": None} | answer
        return self.kernel.send(self.comm, {"method": "custom", "content": content})

    def status(self, status: str) -> None:
        """Wait until the kernel's half has this status."""
        self.kernel.wait(lambda m: self._update(m).get("status") == status)

    def refused(self) -> str:
        """Wait for a refusal; why."""
        return str(
            self.kernel.wait(lambda m: bool(self._update(m).get("message")))["content"]["data"]["state"]["message"]
        )

    def says(self, words: str) -> None:
        """Wait until the card's note holds these words."""
        self.kernel.wait(lambda m: words in self._update(m).get("message", ""))

    def _update(self, message: Message) -> dict[str, Any]:
        if message["msg_type"] != "comm_msg" or message["content"]["comm_id"] != self.comm:
            return {}
        return dict(message["content"]["data"].get("state") or {})


def _state(message: Message) -> dict[str, Any]:
    return dict(message["content"]["data"].get("state") or {})


def prompt(kernel: LiveKernel) -> str:
    """What the front end is asked to show as a prompt."""
    return str(kernel.client.get_stdin_msg(timeout=10)["content"]["prompt"])


def query(kernel: LiveKernel, sql: str) -> list[list[Any]]:
    """Rows that `%agent sql` gives in that kernel."""
    code = f"_rows = get_ipython().run_line_magic('agent', {'sql ' + sql!r})\nprint(_rows.to_json(orient='values'))"

    return list(json.loads(kernel.run(code)))
