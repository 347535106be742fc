"""Operators whose work the lifter does beside Blender: captures and re-fits."""

from collections.abc import Sequence
from typing import Any

import bpy

from ...lifter.errors import CaptureError
from ..character.rig import leave_edit_modes
from ..set_up.set_up_capture import set_up_progress
from ..text_lines import filled
from ..workers.failures import remember
from ..workers.follows_worker import FollowsWorker
from ..workers.worker import Worker
from .capture_jobs import JOBS, Job


class RunsJobs(FollowsWorker):
    """Mixin for operators: run jobs, or line them up behind those that run, and take over what they made."""

    cancelled = "Cancelled: nothing was changed"
    escape_cancels = True

    def run(self: Any, context: Any, jobs: Sequence[Job]) -> set[str]:
        """Start the first of ``jobs``; the operator that follows the running job will start the others."""
        if set_up_progress() is not None:
            return self.fail(CaptureError("busy", "Captures are being set up.", "Wait until that has ended."))
        started = None
        for number, job in enumerate(jobs):
            try:
                started = JOBS.worker if JOBS.add(job) else started
            except CaptureError as error:  # it would be the same for the others
                return self.fail(error, ", ".join(left.name for left in jobs[number:]))
        if JOBS.waiting:
            self.report({"INFO"}, filled("{count} waiting", count=len(JOBS.waiting)))
        return {"FINISHED"} if started is None else self.follow(context, started)

    def current(self) -> Worker | None:
        """The running job's."""
        return JOBS.worker

    def stop(self) -> None:
        """Kill the running job; those that wait come next."""
        JOBS.stop()

    def abandon(self) -> None:
        """Kill the running job and forget the others; the panel will say so."""
        names = [job.name for job in (JOBS.job, *JOBS.waiting) if job is not None]
        JOBS.stop_all()
        if names:
            lost = CaptureError("stopped", "Stopped, since its window or file was closed.", "Start it again.")
            remember(", ".join(names), lost)

    def following(self: Any) -> Worker | None:
        """Start the next job that can be started."""
        while JOBS.waiting:
            name = JOBS.waiting[0].name
            try:
                return JOBS.next()
            except CaptureError as error:
                self.fail(error, name)
        return None

    def finish(self: Any) -> set[str]:
        """Take over what the running job made, or say why it made nothing."""
        job, worker = JOBS.done(), self._worker
        if worker.error is not None:
            return self.fail(worker.error, job.name)
        try:
            leave_edit_modes()
            job.take_over(worker.result or {})
        except RuntimeError as error:  # the error report of an operator, or a whole traceback of Python
            said = str(error).strip().splitlines()[-1:] or [""]
            message = said[0].removeprefix(f"{bpy.app.translations.pgettext_rpt('Error')}: ")
            return self.fail(CaptureError("not_taken_over", message), job.name)
        return {"FINISHED"}
