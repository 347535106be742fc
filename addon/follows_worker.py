"""Operators with a worker process: follow it while Blender stays usable, cancel it, say its errors."""

from typing import Any, Final

import bpy

from ..lifter.errors import CaptureError
from .worker import Worker

POLL_SECONDS: Final = 0.1


class FollowsWorker:
    """Mixin for operators. They say which worker of theirs runs (``current``), how to ``stop`` and ``finish`` it."""

    cancelled: str
    """What is reported when the worker was cancelled."""
    escape_cancels: bool

    def current(self) -> Worker | None:
        """The worker that runs now; another one, or None, when it was stopped from elsewhere."""
        raise NotImplementedError

    def stop(self) -> None:
        """Kill the running worker."""
        raise NotImplementedError

    def finish(self) -> set[str]:
        """The worker has ended: take over its result or report its error."""
        raise NotImplementedError

    def follow(self: Any, context: Any, worker: Worker) -> set[str]:
        """In a window: watch ``worker``. Without one: wait for its end."""
        self._worker = worker
        if bpy.app.background:
            while worker.poll():
                worker.wait(POLL_SECONDS)
            return self.finish()
        manager = context.window_manager
        self._timer = manager.event_timer_add(POLL_SECONDS, window=context.window)
        manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self: Any, context: Any, event: Any) -> set[str]:
        """Follow the worker; Blender stays usable meanwhile."""
        if event.type == "ESC" and self.escape_cancels:
            self.stop()
        if self.current() is not self._worker:  # stopped here or from the panel, or the add-on was switched off
            self._stop_watching(context)
            self.report({"INFO"}, self.cancelled)
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        running = self._worker.poll()
        redraw(context)
        if running:
            if self.escape_cancels:
                context.workspace.status_text_set(f"Reel2Rig: {self._worker.progress.sentence()} - Esc cancels")
            return {"PASS_THROUGH"}
        self._stop_watching(context)
        return self.finish()

    def cancel(self: Any, context: Any) -> None:
        """Called by Blender when the window closes: leave no process behind."""
        self.stop()
        self._stop_watching(context)

    def fail(self: Any, error: CaptureError) -> set[str]:
        """Report ``error`` and end."""
        redraw(bpy.context)  # the panel may have something to offer now
        self.report({"ERROR"}, f"{error.message} {error.hint}".strip())
        return {"CANCELLED"}

    def _stop_watching(self: Any, context: Any) -> None:
        context.window_manager.event_timer_remove(self._timer)
        context.workspace.status_text_set(None)
        redraw(context)


def redraw(context: Any) -> None:
    """Draw the panels of ours anew."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("VIEW_3D", "PREFERENCES"):
                area.tag_redraw()
