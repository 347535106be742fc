"""Operators with a worker process: follow it while Blender stays usable, cancel it, say its errors."""

from typing import Any, Final

import bpy

from ...lifter.errors import CaptureError
from ..text_lines import explained, filled, translated
from .failures import remember
from .progress_text import progress_text
from .worker import Worker

POLL_SECONDS: Final = 0.1

_timers: list[Any] = []
"""The event timers of the operators that watch now."""


class FollowsWorker:
    """Mixin for operators. They say which worker of theirs runs (``current``), how to ``stop`` and ``finish`` it.

    Where more than one is to be done, ``following`` starts the next one.
    """

    cancelled: str
    """What is reported when the worker was cancelled."""
    escape_cancels: bool

    def current(self) -> Worker | None:
        """The worker that runs now; another one, or None, when it was stopped from elsewhere."""
        raise NotImplementedError

    def stop(self) -> None:
        """Kill the running worker."""
        raise NotImplementedError

    def abandon(self) -> None:
        """Blender's window closes: leave no process behind."""
        self.stop()

    def finish(self) -> set[str]:
        """The worker has ended: take over its result or report its error."""
        raise NotImplementedError

    def following(self) -> Worker | None:
        """The next worker, started; None when there is nothing more to do."""
        return None

    def follow(self: Any, context: Any, worker: Worker) -> set[str]:
        """In a window: watch ``worker``. Without one: wait for its end, and for those that follow it."""
        self._worker = worker
        if not bpy.app.background:
            manager = context.window_manager
            self._timer = manager.event_timer_add(POLL_SECONDS, window=context.window)
            _timers.append(self._timer)
            manager.modal_handler_add(self)
            return {"RUNNING_MODAL"}
        answer = {"FINISHED"}
        while self._worker is not None:
            while self._worker.poll():
                self._worker.wait(POLL_SECONDS)
            answer = self.finish()
            self._worker = self.following()
        return answer

    def modal(self: Any, context: Any, event: Any) -> set[str]:
        """Follow the worker; Blender stays usable meanwhile."""
        escape = (event.type, event.value) == ("ESC", "PRESS") and not context.screen.is_animation_playing
        if escape and self.escape_cancels:
            self.stop()
        if self.current() is not self._worker:  # stopped here or from the panel, or the add-on was switched off
            self.report({"INFO"}, translated(self.cancelled))
            return self._go_on(context, {"CANCELLED"})
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        running = self._worker.poll()
        redraw(context)
        if not running:
            return {"PASS_THROUGH"} if _user_drags(context) else self._go_on(context, self.finish())
        if self.escape_cancels:
            said = filled("Reel2Rig: {progress} - Esc cancels", progress=progress_text(self._worker.progress))
            context.workspace.status_text_set(said)
        return {"PASS_THROUGH"}

    def cancel(self: Any, context: Any) -> None:
        """Called by Blender when the window closes."""
        self.abandon()
        self._stop_watching(context)

    def fail(self: Any, error: CaptureError, what: str = "") -> set[str]:
        """Report ``error`` of the work on ``what``, keep it for the panel, and end."""
        remember(what, error, getattr(self, "_worker", None))
        redraw(bpy.context)  # the panel may have something to offer now
        self.report({"ERROR"}, explained(error))
        return {"CANCELLED"}

    def _go_on(self: Any, context: Any, answer: set[str]) -> set[str]:
        """Watch the worker that follows; without one, end with ``answer``."""
        self._worker = self.following()
        if self._worker is not None:
            return {"PASS_THROUGH"}
        self._stop_watching(context)
        return answer

    def _stop_watching(self: Any, context: Any) -> None:
        if self._timer in _timers:
            _timers.remove(self._timer)
            context.window_manager.event_timer_remove(self._timer)
        _clear_status()
        redraw(context)


def stop_watching() -> None:
    """The extension is switched off: Blender forgets the watching operators, but neither timers nor the status text."""
    while _timers:
        bpy.context.window_manager.event_timer_remove(_timers.pop())
    _clear_status()


def redraw(context: Any) -> None:
    """Draw the panels of ours anew."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES"):
                area.tag_redraw()


def _user_drags(context: Any) -> bool:
    """Whether one of Blender's own operators holds the mouse, as while an object is moved: nothing can change then."""
    python_class = bpy.types.Operator.bl_rna_get_subclass_py
    running = [operator.bl_idname for window in context.window_manager.windows for operator in window.modal_operators]
    return any(python_class(name) is None for name in running)


def _clear_status() -> None:
    """Give the status bar back to Blender, in each workspace the user has looked at meanwhile."""
    for workspace in bpy.data.workspaces:
        with bpy.context.temp_override(workspace=workspace):
            workspace.status_text_set(None)
