import time

from tests.widgets.front_end import FrontEnd, connect

from assent.core.events import Kind, Progress, Scope
from assent.core.model import TextDelta
from assent_widgets.live import LiveRun
from assent_widgets.transcript import MIME, Transcript

SCOPE = Scope(run="k3v9x2m4qa", agent="analyst")


def started(front_end: FrontEnd) -> tuple[Transcript, LiveRun]:
    transcript = Transcript()
    live = LiveRun(transcript)
    connect(live, front_end)
    transcript.apply(SCOPE.event(Kind.RUN_STARTED, at=time.time() - 60))
    return transcript, live


def test_changes_are_numbered_and_sent_once(front_end: FrontEnd) -> None:
    transcript, live = started(front_end)
    live.publish()
    live.publish()
    transcript.apply(Progress("k3v9x2m4qa", 1, TextDelta("hello")))
    live.publish()
    first, second = front_end.custom
    assert (first["type"], first["number"], second["number"]) == ("blocks", 1, 2)
    assert [block["id"] for block in first["blocks"]] == ["head"]
    assert second["blocks"][-1] == {"id": "1.text.tail", "html": "<p>hello</p>", "append": False}


def test_the_clock_of_a_page_starts_where_the_run_is(front_end: FrontEnd) -> None:
    _, live = started(front_end)
    live.publish()
    assert 60 <= front_end.custom[0]["seconds"] < 90


def test_the_state_of_a_new_view_is_what_was_published(front_end: FrontEnd) -> None:
    transcript, live = started(front_end)
    transcript.apply(Progress("k3v9x2m4qa", 1, TextDelta("one\n\n")))
    live.publish()
    transcript.apply(Progress("k3v9x2m4qa", 1, TextDelta("two\n\n")))
    whole = live.get_state()["whole"]
    assert whole["number"] == 1
    assert "<p>one</p>" in "".join([block["html"] for block in whole["blocks"]])
    assert "two" not in str(whole["blocks"]), "it will come as number 2, and must not come twice"


def test_a_view_that_missed_something_gets_everything(front_end: FrontEnd) -> None:
    _, live = started(front_end)
    live.publish()
    front_end.say({"type": "refresh"})
    whole = front_end.custom[-1]
    assert (whole["type"], whole["number"]) == ("whole", 1)
    assert [block["id"] for block in whole["blocks"]] == ["head"]


def test_traits_say_how_it_stands_and_carry_no_blocks(front_end: FrontEnd) -> None:
    transcript, live = started(front_end)
    live.publish()
    transcript.apply(SCOPE.event(Kind.RUN_FINISHED, body={"text": "done"}))
    live.publish()
    assert front_end.updates == [{"run": "k3v9x2m4qa"}, {"status": "finished"}]


def test_stop_reaches_the_handler(front_end: FrontEnd) -> None:
    _, live = started(front_end)
    live.publish()
    heard: list[str] = []
    live.on_stop(heard.append)
    front_end.say({"type": "stop", "run": "another"})
    front_end.say({"type": "nonsense"})
    assert heard == ["k3v9x2m4qa"]


def test_its_display_has_a_form_without_widgets(front_end: FrontEnd) -> None:
    _, live = started(front_end)
    data, _ = live._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html", MIME, "application/vnd.jupyter.widget-view+json"}
    assert "waiting for the model" in data["text/plain"]


def test_a_pause_reaches_its_own_handler(front_end: FrontEnd) -> None:
    _, live = started(front_end)
    live.publish()
    stopped: list[str] = []
    paused: list[str] = []
    live.on_stop(stopped.append)
    live.on_pause(paused.append)
    front_end.say({"type": "pause"})
    assert (stopped, paused) == ([], ["k3v9x2m4qa"])
