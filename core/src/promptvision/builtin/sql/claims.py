"""Who may run a turn: the decision behind ``claim_turn``, inside one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Update

from promptvision.builtin.sql import statements
from promptvision.builtin.sql.database import Transaction
from promptvision.builtin.sql.rows import journaled
from promptvision.conversations.store import title_of
from promptvision.conversations.turn import Claim, Turn, TurnKey, TurnStatus
from promptvision.errors import Conflict

__all__ = ["ClaimRequest", "RaceLostError", "decide"]

_OPEN = (TurnStatus.RUNNING, TurnStatus.INTERRUPTED)


class RaceLostError(Exception):
    """Another process changed what we saw before we wrote; roll back and look again."""


@dataclass(frozen=True, kw_only=True)
class ClaimRequest:
    """The arguments of ``claim_turn``."""

    key: TurnKey
    prompt: str
    fingerprint: str
    owner: str
    lease_s: float


def decide(db: Transaction, inserts: statements.Inserts, request: ClaimRequest) -> Turn:
    """Claim a turn.

    What was seen is written only if it still holds, and the unique indexes of ``turns`` judge what was
    not seen, so that this is right without locks on PostgreSQL too.

    Raises:
        Conflict: the key exists with another fingerprint.
        RaceLostError: roll back and call again.
        ClashError: another turn of the conversation began to run meanwhile; roll back and call again.
    """
    mine, running = _find(db, request.key)
    if mine is not None and mine.fingerprint != request.fingerprint:
        raise Conflict(f"prompt_id {request.key.prompt_id!r} was sent before with another prompt or picture")
    if mine is not None and mine.status not in _OPEN:
        return journaled(db, mine, Claim.DONE)
    if running is not None and running.silent_s < request.lease_s:
        return journaled(db, running, Claim.BUSY)
    if running is not None and running is not mine:
        _change(db, statements.INTERRUPT, running)
    if mine is not None:
        return _take_over(db, mine, request.owner)
    return _begin(db, inserts, request)


def _find(db: Transaction, key: TurnKey) -> tuple[Any, Any]:
    """The turn of the key and the running turn of its conversation; they may be the same."""
    wanted = {"user": key.user_id, "place": key.conversation_id, "prompt": key.prompt_id}
    rows = db.rows(statements.FIND_TURNS, wanted)
    mine = next((row for row in rows if row.prompt_id == key.prompt_id), None)
    running = next((row for row in rows if row.status == TurnStatus.RUNNING), None)
    return mine, running


def _change(db: Transaction, change: Update, seen: Any, **values: Any) -> None:
    as_seen = {"seen_fence": seen.fence, "seen_status": seen.status, "seen_beat": seen.beat_at}
    if db.change(change, {"turn": seen.id, **as_seen, **values}) != 1:
        raise RaceLostError


def _take_over(db: Transaction, seen: Any, owner: str) -> Turn:
    db.change(statements.TOUCH, {"user": seen.user_id, "place": seen.conversation_id})
    _change(db, statements.TAKE_OVER, seen, new_owner=owner)
    before = journaled(db, seen, Claim.RESUMED)
    return replace(before, status=TurnStatus.RUNNING, fence=before.fence + 1, reply=None)


def _begin(db: Transaction, inserts: statements.Inserts, request: ClaimRequest) -> Turn:
    key = request.key
    place = {"user_id": key.user_id, "conversation_id": key.conversation_id}
    [(seq,)] = db.rows(inserts.count_turn, {**place, "title": title_of(request.prompt)})
    row = {
        **place,
        "id": uuid.uuid4().hex,
        "prompt_id": key.prompt_id,
        "seq": seq,
        "owner": request.owner,
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
