"""What a verdict means for the exit code, and what is said about it."""

from __future__ import annotations

from ..reports import Verdict
from .process import DONE, FAILED
from .voice import Voice


def judged(verdict: Verdict, voice: Voice, *, require_complete: bool) -> int:
    """Return the exit code; warn of what is UNVERIFIED, fail on what is INCOMPLETE."""
    if verdict is Verdict.COMPLETE:
        return DONE
    if verdict is Verdict.INCOMPLETE:
        voice.fail("INCOMPLETE: something is missing; the same command asks again for what is", verdict=verdict)
        return FAILED
    text = "UNVERIFIED: nothing was contradicted, but nothing proves that it is complete"
    if require_complete:
        voice.fail(f"{text} (--require-complete)", verdict=verdict)
        return FAILED
    voice.warn(f"{text}; --require-complete makes this a failure")
    return DONE
