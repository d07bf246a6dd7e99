"""The queue in front of the executors: one line per user, served by weighted round robin."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from contextvars import copy_context
from typing import Any, TypeVar

from promptvision.errors import Busy, Cancelled
from promptvision.runtime.cancellation import CancelToken
from promptvision.runtime.waiter import Group, Waiter, group_key

__all__ = ["Lane", "StepQueue"]

Item = TypeVar("Item")
T = TypeVar("T")

WAITING_PER_USER = 1_000
"""Steps of one user that may wait in one process."""


class StepQueue:
    """Decides whose step runs next. Safe across threads and event loops.

    Each executor has a :class:`Lane` with as many slots as it can run calls at once. When a slot is free, the
    users whose steps wait take turns: each gets as many slots as its weight before the next user does.

    Args:
        per_user: steps of one user that run at once, in all lanes; None: as many as there are slots.
        weights: user to the slots that it gets in each round; default 1.
        waiting: steps of one user that may wait.
    """

    def __init__(
        self,
        per_user: int | None = None,
        weights: Mapping[str, int] | None = None,
        waiting: int = WAITING_PER_USER,
    ) -> None:
        self.refused = 0
        """Steps refused so far because too many of their user were waiting."""
        self._per_user = per_user
        self._weights = weights or {}
        self._limit = waiting
        self.lock = threading.Lock()
        """Held while the state of the queue or of one of its lanes changes."""
        self._lanes: list[Lane] = []
        self._running: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()

    @property
    def running(self) -> int:
        """Steps that hold a slot now."""
        return self._running.total()

    @property
    def waiting(self) -> int:
        """Steps that wait for a slot now."""
        return self._waiting.total()

    @property
    def waiting_users(self) -> int:
        """Users with steps that wait now."""
        return sum(count > 0 for count in list(self._waiting.values()))

    @property
    def longest_wait_s(self) -> float:
        """Age in seconds of the step that has waited longest."""
        with self.lock:
            return max((lane.longest_wait_s for lane in self._lanes), default=0.0)

    def lane(self, slots: int) -> Lane:
        """A lane for an executor.

        Args:
            slots: calls that it can run at once.
        """
        lane = Lane(self, slots)
        with self.lock:
            self._lanes.append(lane)
        return lane

    def remove(self, lane: Lane) -> None:
        """Remove a closed lane."""
        with suppress(ValueError):
            self._lanes.remove(lane)

    # Used by lanes

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Change the state inside the block; steps that may run afterwards are granted their slots."""
        with self.lock:
            yield
        self.grant()

    def grant(self) -> None:
        """Give free slots to steps that may run."""
        with self.lock:
            granted = [waiter for lane in self._lanes for waiter in lane.grant()]
        for waiter in granted:  # outside the lock: it calls back
            with suppress(InvalidStateError):  # its task is being cancelled, and will return the slot
                waiter.future.set_result(None)

    def admit(self, user: str) -> None:
        """Count a step that waits.

        Raises:
            Busy: too many steps of the user wait.
        """
        if self._waiting[user] >= self._limit:
            self.refused += 1
            raise Busy(f"{self._limit} steps of this user are waiting", retry_after_s=5)
        self._waiting[user] += 1

    def may_run(self, user: str) -> bool:
        """Whether another step of a user may run."""
        return self._per_user is None or self._running[user] < self._per_user

    def weight_of(self, user: str) -> int:
        """Slots that a user gets in each round."""
        return self._weights.get(user, 1)

    def count(self, user: str, *, waiting: int, running: int) -> None:
        """Add to the counts of a user."""
        for counter, change in ((self._waiting, waiting), (self._running, running)):
            if not change:
                continue
            if left := counter.get(user, 0) + change:
                counter[user] = left
            else:
                del counter[user]


class Lane:
    """The steps that wait for one executor; made by :meth:`StepQueue.lane`."""

    def __init__(self, queue: StepQueue, slots: int) -> None:
        self.lines: dict[str, deque[Waiter]] = {}
        """The waiting steps of each user, in the order in which users are served."""
        self._queue = queue
        self._slots = slots
        self._taken = 0
        self._served: Counter[str] = Counter()
        self._running_groups: set[Hashable] = set()
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """Steps that wait in this lane."""
        return sum(map(len, list(self.lines.values())))

    @property
    def longest_wait_s(self) -> float:
        """Age in seconds of the step that has waited longest in this lane."""
        begun = [waiter.begun for line in list(self.lines.values()) for waiter in tuple(line)[:1]]
        return max(0.0, time.monotonic() - min(begun)) if begun else 0.0

    @property
    def free(self) -> int:
        """Slots that are free now."""
        return max(0, self._slots - self._taken)

    def resize(self, slots: int) -> None:
        """Change the number of slots; slots in use stay in use."""
        with self._queue.changing():
            self._slots = slots

    def close(self) -> None:
        """Take no more steps, and cancel those that wait."""
        with self._queue.changing():
            self._is_closed = True
            self._queue.remove(self)
            left = [waiter for line in self.lines.values() for waiter in line]
            for user, line in self.lines.items():
                self._queue.count(user, waiting=-len(line), running=0)
            self.lines = {}
        for waiter in left:
            waiter.future.cancel()

    async def acquire(self, user: str, cancel: CancelToken) -> None:
        """Wait for a slot; call :meth:`release` afterwards.

        Args:
            user: whose step it is.
            cancel: ends the wait.

        Raises:
            Busy: too many steps of the user wait.
            Cancelled: cancellation was requested.
            RuntimeError: the lane is closed.
        """
        cancel.check()
        if self._take_free_slot(user):
            return
        waiter = Waiter(user)
        try:
            await self._wait(waiter, cancel)
        except asyncio.CancelledError:
            if waiter.is_granted:
                self.release(user)
            raise

    async def _wait(self, waiter: Waiter, cancel: CancelToken) -> None:
        """Wait until a step is granted; it may be even if the wait is cancelled."""
        cancel.check()
        user = waiter.user
        with self._queue.changing():
            if self._is_closed:
                raise RuntimeError("the executor takes no calls after its shutdown")
            self._queue.admit(user)
            self.lines.setdefault(user, deque()).append(waiter)
        if waiter.is_granted:
            return
        with cancel.waking(lambda: self._give_up(user, waiter, cancel.reason)):
            try:
                await asyncio.wrap_future(waiter.future)
            except asyncio.CancelledError:
                self._give_up(user, waiter, cancel.reason)
                raise

    async def run(
        self, threads: ThreadPoolExecutor, work: Callable[[], T], user: str, cancel: CancelToken
    ) -> T:
        """Wait for a slot, then run a function in a thread; the slot is taken until the function ends.

        Args:
            threads: has at least as many threads as the lane has slots.
            work: the function.
            user: whose step it is.
            cancel: ends the wait for the slot.

        Raises:
            Exception: as :meth:`acquire`, or any exception of the function.
        """
        await self.acquire(user, cancel)
        try:
            running = threads.submit(copy_context().run, work)
        except BaseException:
            self.release(user)
            raise
        running.add_done_callback(lambda _: self.release(user))
        return await asyncio.wrap_future(running)

    async def run_together(
        self, threads: ThreadPoolExecutor, group: Group[Item, T], item: Item, user: str, cancel: CancelToken
    ) -> T:
        """Run a step; while one of its group runs, wait for it, and then run with all that wait.

        A step of an idle group runs as soon as there is a slot. Those that run together take one slot, that
        of the first of them; users take turns with it and with the places in it.

        Args:
            threads: has at least as many threads as the lane has slots.
            group: what the step can run with.
            item: what the group runs.
            user: whose step it is.
            cancel: ends the wait for the slot.

        Raises:
            Exception: as :meth:`acquire`, or what the group returned for this step.
        """
        waiter = Waiter(user, group, item)
        try:
            await self._wait(waiter, cancel)
        except asyncio.CancelledError:
            waiter.outcome.cancel()
            if waiter.is_granted and waiter.leader is None:
                self._start(threads, waiter)  # others may wait for it
            raise
        if waiter.leader is None:
            self._start(threads, waiter)
        outcome: T = await asyncio.wrap_future(waiter.outcome)
        return outcome

    def _start(self, threads: ThreadPoolExecutor, leader: Waiter) -> None:
        """Run a granted step and those that run with it, without those that were cancelled."""
        members = [leader, *leader.followers]
        group = leader.group
        assert group is not None  # only steps of groups are started here
        alive = [member for member in members if not member.outcome.cancelled()]

        def end(running: Future[list[Any]]) -> None:
            self._release_together(members)
            failed = running.exception()
            found = [failed] * len(alive) if failed is not None else running.result()
            for member, outcome in zip(alive, found, strict=True):
                with suppress(InvalidStateError):  # its task was cancelled
                    if isinstance(outcome, BaseException):
                        member.outcome.set_exception(outcome)
                    else:
                        member.outcome.set_result(outcome)

        if not alive:
            self._release_together(members)
            return
        try:
            running = threads.submit(copy_context().run, group.run, [member.item for member in alive])
        except BaseException as exc:
            for member in alive:
                with suppress(InvalidStateError):
                    member.outcome.set_exception(exc)
            self._release_together(members)
            raise
        running.add_done_callback(end)

    def _release_together(self, members: Sequence[Waiter]) -> None:
        """Return the slot of steps that ran together."""
        with self._queue.changing():
            self._taken -= 1
            for member in members:
                self._queue.count(member.user, waiting=0, running=-1)
            self._running_groups.discard(group_key(members[0]))

    def release(self, user: str) -> None:
        """Return a slot."""
        with self._queue.lock:
            self._taken -= 1
            self._queue.count(user, waiting=0, running=-1)
            is_wanted = self._queue.waiting > 0
        if is_wanted:
            self._queue.grant()

    def grant(self) -> Iterator[Waiter]:
        """Give free slots to waiting steps. The queue calls it with its lock held."""
        while self._taken < self._slots and (waiter := self._next()) is not None:
            self._take(waiter)
            self._taken += 1
            yield self._granted(waiter)
            if waiter.group is not None:
                self._running_groups.add(group_key(waiter))
                yield from self._add_followers(waiter, waiter.group.limit - 1)

    def _take_free_slot(self, user: str) -> bool:
        """Take a slot at once if no step waits in this lane: without a waiter, which takes longer to make."""
        with self._queue.lock:
            is_free = not (self._is_closed or self.lines) and self._taken < self._slots
            if not is_free or not self._queue.may_run(user):
                return False
            self._taken += 1
            self._queue.count(user, waiting=0, running=1)
            return True

    def _granted(self, waiter: Waiter) -> Waiter:
        waiter.is_granted = True
        self._queue.count(waiter.user, waiting=-1, running=1)
        return waiter

    def _add_followers(self, leader: Waiter, places: int) -> Iterator[Waiter]:
        """Give places in a slot to steps of its group, one of each user in turn."""
        while len(leader.followers) < places:
            before = len(leader.followers)
            for user in list(self.lines):
                fits = (one for one in self.lines[user] if group_key(one) == group_key(leader))
                follower = next(fits, None) if self._queue.may_run(user) else None
                if follower is not None and len(leader.followers) < places:
                    follower.leader = leader
                    leader.followers.append(follower)
                    self._drop(follower)
                    yield self._granted(follower)
            if len(leader.followers) == before:
                return

    def _next(self) -> Waiter | None:
        """The first step, by the order of users, that may run now."""
        for user, line in self.lines.items():
            if self._queue.may_run(user):
                for waiter in line:
                    if waiter.group is None or group_key(waiter) not in self._running_groups:
                        return waiter
        return None

    def _drop(self, waiter: Waiter) -> None:
        """Remove a waiting step; its user keeps its place."""
        line = self.lines[waiter.user]
        line.remove(waiter)
        if not line:
            del self.lines[waiter.user]

    def _take(self, waiter: Waiter) -> None:
        """Remove a step; move its user to the end if the user's share of the round is used."""
        user = waiter.user
        line = self.lines[user]
        line.remove(waiter)
        self._served[user] += 1
        if not line or self._served[user] >= self._queue.weight_of(user):
            del self._served[user]
            del self.lines[user]
            if line:
                self.lines[user] = line

    def _give_up(self, user: str, waiter: Waiter, reason: str) -> None:
        """Remove a step that waits no longer; nothing happens if it has its slot."""
        with self._queue.changing():
            line = self.lines.get(user, ())
            if waiter.is_granted or waiter not in line:
                return
            self._drop(waiter)
            self._queue.count(user, waiting=-1, running=0)
        with suppress(InvalidStateError):
            waiter.future.set_exception(Cancelled(reason))
