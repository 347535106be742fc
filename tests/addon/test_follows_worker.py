"""What an operator does on the events of Blender's window while its worker runs. Events never come headless."""

import sys
import time
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from reel2rig.addon.workers import follows_worker
from reel2rig.addon.workers.follows_worker import FollowsWorker
from reel2rig.addon.workers.worker import Worker

TIMER, MOUSE = (SimpleNamespace(type=name, value="NOTHING") for name in ("TIMER", "MOUSEMOVE"))
ESCAPE, ESCAPE_UP = (SimpleNamespace(type="ESC", value=value) for value in ("PRESS", "RELEASE"))
HANG = [sys.executable, "-c", "import time; time.sleep(60)"]


class Window:
    """Stands in for Blender's context with one 3D view; counts timers and redraws, remembers the status text."""

    def __init__(self) -> None:
        self.timers = self.redraws = 0
        self.status: str | None = "unset"
        self.window = object()
        self.window_manager = self
        self.workspace = SimpleNamespace(status_text_set=lambda text: setattr(self, "status", text))
        area = SimpleNamespace(type="VIEW_3D", tag_redraw=lambda: setattr(self, "redraws", self.redraws + 1))
        self.screen = SimpleNamespace(areas=[area], is_animation_playing=False)
        self.dragging: list[SimpleNamespace] = []
        self.windows = [SimpleNamespace(screen=self.screen, modal_operators=self.dragging)]

    def event_timer_add(self, _seconds: float, window: object) -> str:
        self.timers += 1
        return "timer"

    def event_timer_remove(self, _timer: str) -> None:
        self.timers -= 1

    def modal_handler_add(self, _operator: object) -> None:
        pass

    def temp_override(self, workspace: object) -> Any:
        return nullcontext(workspace)


class Operator(FollowsWorker):
    """An operator that Blender does not know."""

    cancelled = "Stopped"
    escape_cancels = True

    def __init__(self) -> None:
        self.running: Worker | None = None
        self.waiting: list[list[str]] = []
        self.said: list[str] = []

    def report(self, _kind: set[str], text: str) -> None:
        self.said.append(text)

    def current(self) -> Worker | None:
        return self.running

    def stop(self) -> None:
        if self.running is not None:
            self.running.cancel()
        self.running = None

    def finish(self) -> set[str]:
        self.running = None
        return {"FINISHED"}

    def following(self) -> Worker | None:
        self.running = Worker(self.waiting.pop()) if self.waiting else None
        return self.running

    def start(self, window: Any, command: list[str]) -> Worker:
        self.running = Worker(command)
        assert self.follow(window, self.running) == {"RUNNING_MODAL"}
        return self.running


@pytest.fixture
def window(monkeypatch: pytest.MonkeyPatch) -> Any:
    window = Window()
    of_python = SimpleNamespace(bl_rna_get_subclass_py=lambda name: Operator if name.startswith("REEL2RIG") else None)
    blender = SimpleNamespace(
        app=SimpleNamespace(background=False),
        context=window,
        data=SimpleNamespace(workspaces=[window.workspace]),
        types=SimpleNamespace(Operator=of_python),
    )
    monkeypatch.setattr(follows_worker, "bpy", blender)
    monkeypatch.setattr(follows_worker, "_timers", [])
    return window


def test_blender_stays_usable_until_the_worker_ends(window: Any) -> None:
    operator = Operator()
    operator.start(window, [sys.executable, "-c", "print('{\"result\": {}}')"])
    assert operator.modal(window, MOUSE) == {"PASS_THROUGH"}
    deadline = time.monotonic() + 30
    while (answer := operator.modal(window, TIMER)) == {"PASS_THROUGH"}:
        assert time.monotonic() < deadline
        assert window.status == "Reel2Rig: Starting - Esc cancels"
        time.sleep(0.01)
    assert answer == {"FINISHED"}
    assert (window.timers, window.status) == (0, None)
    assert window.redraws > 0


def test_escape_cancels_where_it_may(window: Any) -> None:
    operator = Operator()
    worker = operator.start(window, HANG)
    operator.escape_cancels = False
    assert operator.modal(window, ESCAPE) == {"PASS_THROUGH"}
    assert worker.poll()
    operator.escape_cancels = True
    assert operator.modal(window, ESCAPE) == {"CANCELLED"}
    assert not worker.poll()
    assert operator.said == ["Stopped"]
    assert (window.timers, window.status) == (0, None)


def test_escape_while_the_animation_plays_belongs_to_the_player(window: Any) -> None:
    operator = Operator()
    worker = operator.start(window, HANG)
    window.screen.is_animation_playing = True
    assert operator.modal(window, ESCAPE) == {"PASS_THROUGH"}
    assert worker.poll()
    operator.stop()


def test_nothing_is_taken_over_while_the_user_drags_something(window: Any) -> None:
    operator = Operator()
    worker = operator.start(window, [sys.executable, "-c", "print('{\"result\": {}}')"])
    window.dragging += [
        SimpleNamespace(bl_idname=name) for name in ("REEL2RIG_OT_import_video", "TRANSFORM_OT_translate")
    ]
    while worker.poll():
        worker.wait(1.0)
    for _ in range(3):
        assert operator.modal(window, TIMER) == {"PASS_THROUGH"}
    window.dragging.pop()
    assert operator.modal(window, TIMER) == {"FINISHED"}


def test_switched_off_nothing_stays_on_the_screen(window: Any) -> None:
    operator = Operator()
    operator.start(window, HANG)
    operator.modal(window, TIMER)
    assert window.status is not None
    follows_worker.stop_watching()
    assert (window.timers, window.status) == (0, None)
    operator.stop()


def test_a_worker_stopped_from_the_panel_ends_the_watch(window: Any) -> None:
    operator = Operator()
    operator.start(window, HANG)
    operator.stop()
    assert operator.modal(window, MOUSE) == {"CANCELLED"}
    assert window.timers == 0


def test_the_next_worker_is_followed_after_one_has_ended_and_after_a_cancel(window: Any) -> None:
    operator = Operator()
    operator.start(window, [sys.executable, "-c", "print('{\"result\": {}}')"])
    operator.waiting = [HANG, HANG]
    deadline = time.monotonic() + 30
    while len(operator.waiting) == 2:
        assert operator.modal(window, TIMER) == {"PASS_THROUGH"}
        assert time.monotonic() < deadline
        time.sleep(0.01)
    second = operator.running
    assert operator.modal(window, ESCAPE) == {"PASS_THROUGH"}
    assert operator.modal(window, ESCAPE_UP) == {"PASS_THROUGH"}
    assert second is not None
    assert not second.poll()
    assert operator.said == ["Stopped"]
    assert operator.running is not None
    assert operator.modal(window, ESCAPE) == {"CANCELLED"}
    assert window.timers == 0


def test_a_closed_window_ends_the_worker(window: Any) -> None:
    operator = Operator()
    worker = operator.start(window, HANG)
    operator.cancel(window)
    assert not worker.poll()
    assert window.timers == 0
