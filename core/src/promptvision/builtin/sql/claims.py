"""The decision behind ``claim_turn``: which process may run a turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from cachetools import TTLCache
from sqlalchemy import Update

from promptvision.builtin.sql import statements
from promptvision.builtin.sql.database import Transaction
from promptvision.builtin.sql.rows import journaled
from promptvision.conversations.store import title_of
from promptvision.conversations.turn import Claim, Turn, TurnKey, TurnStatus, new_id
from promptvision.errors import Conflict, StoreError

__all__ = ["ClaimRequest", "RaceLostError", "UnansweredClaims", "decide"]

MAX_UNANSWERED = 1024
KEEP_UNANSWERED_S = 600.0

_OPEN = (TurnStatus.RUNNING, TurnStatus.INTERRUPTED)


class RaceLostError(Exception):
    """Another process changed a row between our read and our write; roll back and read again."""


@dataclass(frozen=True, kw_only=True)
class ClaimRequest:
    """The arguments of ``claim_turn``.

    Args:
        nonce: identifies this claim; stored with the turn, so that a claim whose answer was lost is
            recognised when the same process repeats it.
    """

    key: TurnKey
    prompt: str
    fingerprint: str
    owner: str
    lease_s: float
    nonce: str

    @property
    def holder(self) -> str:
        """The value of the column ``owner``."""
        return f"{self.owner} {self.nonce}"


class UnansweredClaims:
    """The nonces of claims whose outcome is unknown, because the answer to the commit was lost.

    The next claim of the same turn by this process uses the same nonce, finds its own row, and need not wait
    for the end of an unused lease. Safe across threads.
    """

    def __init__(self) -> None:
        self._nonces: TTLCache[tuple[TurnKey, str], str] = TTLCache(MAX_UNANSWERED, ttl=KEEP_UNANSWERED_S)
        self._lock = threading.Lock()

    @contextmanager
    def nonce(self, key: TurnKey, fingerprint: str) -> Iterator[str]:
        """A nonce for one claim; it is kept if the claim fails.

        Concurrent claims of one turn never share a nonce.
        """
        with self._lock:
            nonce = self._nonces.pop((key, fingerprint), None) or new_id()
        try:
            yield nonce
        except StoreError:
            with self._lock:
                self._nonces[key, fingerprint] = nonce
            raise


def decide(db: Transaction, inserts: statements.Inserts, request: ClaimRequest) -> Turn:
    """Claim a turn.

    A row is updated only if it has not changed since it was read, and the unique indexes of ``turns`` catch
    rows that were not visible, so PostgreSQL needs no locks either.

    Raises:
        Conflict: the key exists with another fingerprint.
        RaceLostError: roll back and call again.
        ClashError: another turn of the conversation began to run meanwhile; roll back and call again.
    """
    mine, running = _find(db, request.key)
    if mine is not None and mine.fingerprint != request.fingerprint:
        raise Conflict(f"prompt_id {request.key.prompt_id!r} was sent before with another prompt or image")
    if mine is not None and mine.status not in _OPEN:
        return journaled(db, mine, Claim.DONE)
    if mine is not None and mine is running and mine.owner == request.holder:
        return _confirm(db, mine)
    if running is not None and running.silent_s < request.lease_s:
        return journaled(db, running, Claim.BUSY)
    if running is not None and running is not mine:
        _change(db, statements.INTERRUPT, running)
    if mine is not None:
        return _take_over(db, mine, request.holder)
    return _begin(db, inserts, request)


def _find(db: Transaction, key: TurnKey) -> tuple[Any, Any]:
    """The turn of the key and the running turn of its conversation; they may be the same."""
    wanted = {"user": key.user_id, "conversation": key.conversation_id, "prompt": key.prompt_id}
    rows = db.rows(statements.FIND_TURNS, wanted)
    mine = next((row for row in rows if row.prompt_id == key.prompt_id), None)
    running = next((row for row in rows if row.status == TurnStatus.RUNNING), None)
    return mine, running


def _change(db: Transaction, change: Update, seen: Any, **values: Any) -> None:
    as_seen = {"seen_fence": seen.fence, "seen_status": seen.status, "seen_heartbeat": seen.heartbeat_at}
    if db.change(change, {"turn": seen.id, **as_seen, **values}) != 1:
        raise RaceLostError


def _confirm(db: Transaction, seen: Any) -> Turn:
    """Return our own claim, whose answer was lost; nothing has been written under it."""
    _change(db, statements.CONFIRM, seen)
    return journaled(db, seen, Claim.NEW if seen.fence == 1 else Claim.RESUMED)


def _take_over(db: Transaction, seen: Any, holder: str) -> Turn:
    db.change(statements.TOUCH, {"user": seen.user_id, "conversation": seen.conversation_id})
    _change(db, statements.TAKE_OVER, seen, new_owner=holder)
    before = journaled(db, seen, Claim.RESUMED)
    return replace(before, status=TurnStatus.RUNNING, fence=before.fence + 1, reply=None)


def _begin(db: Transaction, inserts: statements.Inserts, request: ClaimRequest) -> Turn:
    key = request.key
    names = {"user_id": key.user_id, "conversation_id": key.conversation_id}
    [(seq,)] = db.rows(inserts.count_turn, {**names, "title": title_of(request.prompt)})
    row = {
        **names,
        "id": new_id(),
        "prompt_id": key.prompt_id,
        "seq": seq,
        "owner": request.holder,
        "prompt": request.prompt,
        "fingerprint": request.fingerprint,
    }
    made = db.rows(inserts.turn, row)
    if not made:
        raise RaceLostError
    return Turn(
        id=row["id"],
        key=key,
        seq=seq,
        status=TurnStatus.RUNNING,
        claim=Claim.NEW,
        fence=1,
        prompt=request.prompt,
        fingerprint=request.fingerprint,
        created_at=made[0].created_at,
    )
