"""Captures and re-fits one after the other: which runs, which wait. No bpy."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ..workers.worker import Progress, Worker


@dataclass(frozen=True)
class Job:
    """One command of the lifter. take_over: called with its result, on the main thread, once it has ended well."""

    name: str
    command: tuple[str, ...]
    take_over: Callable[[dict[str, Any]], None]
    out: Path | None = None


@dataclass
class Jobs:
    """At most one worker runs; the others wait in the order in which they came."""

    job: Job | None = None
    worker: Worker | None = None
    waiting: list[Job] = field(default_factory=list)

    def add(self, job: Job) -> bool:
        """Start ``job``, or let it wait while another runs; True when it was started.

        Raises CaptureError when it cannot be started.
        """
        if self.worker is not None:
            self.waiting.append(job)
            return False
        self.worker = Worker(job.command)
        self.job = job
        return True

    def next(self) -> Worker | None:
        """Start the job that has waited longest; None when none waits.

        Raises CaptureError when it cannot be started; it does not wait any more then.
        """
        return self.worker if self.waiting and self.add(self.waiting.pop(0)) else None

    def done(self) -> Job:
        """The running job has ended; returns it."""
        job, self.job, self.worker = self.job, None, None
        assert job is not None, "a job runs"
        return job

    def stop(self) -> None:
        """Kill the running job, if any; the next one is not started by this."""
        if self.worker is not None:
            self.worker.cancel()
            self.done()

    def stop_all(self) -> None:
        """Kill the running job and forget those that wait."""
        self.waiting.clear()
        self.stop()

    def progress(self) -> Progress | None:
        """How far the running job is, or None when none runs."""
        return None if self.worker is None else self.worker.progress

    def free_folder(self, wanted: Path) -> Path:
        """``wanted``, or numbered so that it neither exists nor is going to be written by a job."""
        taken = {job.out for job in (self.job, *self.waiting) if job is not None}
        folder, number = wanted, 2
        while folder in taken or folder.exists():
            folder, number = wanted.with_name(f"{wanted.name}_{number}"), number + 1
        return folder


JOBS: Final = Jobs()
"""Those of this Blender."""
