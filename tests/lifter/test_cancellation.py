"""Stopping: at once where that is safe, after the step where it is not, and never forgotten."""

import contextlib
import signal

import pytest
from reel2rig.lifter import cancellation
from reel2rig.lifter.errors import CancelledError


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_is_a_cancelled_error(number: signal.Signals) -> None:
    with pytest.raises(CancelledError), cancellation.listening():
        signal.raise_signal(number)


def test_a_deferred_stop_comes_after_the_block() -> None:
    done = []
    with pytest.raises(CancelledError), cancellation.listening():
        with cancellation.deferred():
            signal.raise_signal(signal.SIGTERM)
            done.append("both steps")
        done.append("too far")
    assert done == ["both steps"]


def test_inside_a_deferred_block_a_part_may_allow_stops() -> None:
    done = []
    with pytest.raises(CancelledError), cancellation.listening(), cancellation.deferred():
        try:
            with cancellation.allowed():
                signal.raise_signal(signal.SIGTERM)
                done.append("too far")
        finally:
            signal.raise_signal(signal.SIGTERM)  # an impatient user
            done.append("cleaned up")
    assert done == ["cleaned up"]


def test_a_stop_that_other_code_swallowed_is_raised_at_the_next_check() -> None:
    with pytest.raises(CancelledError), cancellation.listening():
        with contextlib.suppress(Exception):
            signal.raise_signal(signal.SIGTERM)
        cancellation.check()


def test_the_handlers_of_before_come_back_and_the_next_run_is_not_cancelled() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(CancelledError), cancellation.listening():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before
    with cancellation.listening():
        cancellation.check()
        assert not cancellation.requested()
