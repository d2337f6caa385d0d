"""From what was submitted to rows and states, in short pieces of event-loop time.

Rows of many packets are made together, which costs less for each: packets wait for others like
them while a transaction runs, and for nobody when the next one can begin.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from time import perf_counter

import structlog

from waypost.ingest.submission import Submission
from waypost.pace import piece_ends, share
from waypost.telemetry.records import Incoming, Records
from waypost.telemetry.row import RowFormat

log = structlog.get_logger()

#: Records whose rows are made together.
TOGETHER = 640


class Preparer:
    """Puts what is prepared into ``ready``, in the order of submission; ``failed`` hears of what
    cannot be prepared."""

    def __init__(
        self, ready: deque[Submission], failed: Callable[[Submission], None], form: RowFormat
    ) -> None:
        self._ready, self._failed, self._form = ready, failed, form
        self._raw: deque[Submission] = deque()
        #: Records in it, as far as nothing has been made of them.
        self._records = 0
        #: Submissions at its head of which blocks have been made, if they can be.
        self._made = 0
        self._scheduled = False

    @property
    def waiting(self) -> int:
        """Submissions not prepared yet."""
        return len(self._raw)

    def add(self, submission: Submission) -> None:
        self._raw.append(submission)
        self._records += len(submission.messages)
        together = isinstance(submission.messages, Records)
        if (self._records >= TOGETHER or not together) and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run)

    async def prepare_all(self) -> None:
        """Prepares what has been submitted by now."""
        end = len(self._raw)
        while end and self._raw:
            end -= min(end, self._piece(end))
            await asyncio.sleep(0)

    def give_back(self) -> list[Submission]:
        """What is not prepared, to be prepared no more."""
        left = list(self._raw)
        self._raw.clear()
        self._made = self._records = 0
        return left

    def _run(self) -> None:
        self._piece(len(self._raw))
        if self._made or self._records >= TOGETHER:
            asyncio.get_running_loop().call_soon(self._run)
        else:
            self._scheduled = False

    def _piece(self, most: int) -> int:
        """Prepares some submissions, ``most`` at most; how many."""
        end = piece_ends()
        done = 0
        raw, ready = self._raw, self._ready
        while done < most and raw:
            if not self._made:
                self._make()
            submission = raw.popleft()
            self._made -= 1
            done += 1
            try:
                submission.prepare()
            except Exception:
                log.exception("not_prepared", source=submission.live.source_id)
                self._failed(submission)
            else:
                ready.append(submission)
            if perf_counter() > end:
                break
        return done

    def _make(self) -> None:
        """Makes blocks for submissions at the head, as many as are good to do in one go."""
        by_kind: dict[type[Records], list[Incoming]] = {}
        records, enough = 0, share(TOGETHER)
        for submission in self._raw:
            messages, live = submission.messages, submission.live
            self._made += 1
            records += len(messages)
            if isinstance(messages, Records):
                by_kind.setdefault(type(messages), []).append(
                    Incoming(messages, live.source_id, live.retention, submission.received)
                )
            if records >= enough:
                break
        self._records -= records
        for kind, incoming in by_kind.items():
            try:
                kind.make_blocks(incoming, self._form)
            except Exception:
                # Rows of single packets can still be made.
                log.exception("blocks_not_made", kind=kind.__name__)
