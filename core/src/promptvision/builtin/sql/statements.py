"""The SQL statements of the conversation store. Values are always bound parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import (
    ClauseElement,
    Text,
    and_,
    bindparam,
    case,
    delete,
    exists,
    insert,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from promptvision.builtin.sql.schema import (
    answers,
    conversations,
    database_now,
    events,
    is_running,
    turns,
    uploads,
)
from promptvision.conversations.turn import EventKind, TurnStatus

__all__ = ["Inserts", "inserts_for"]

_silent_s = (database_now() - turns.c.heartbeat_at).label("silent_s")
_in_conversation = (
    turns.c.user_id == bindparam("user"),
    turns.c.conversation_id == bindparam("conversation"),
)

FIND_TURNS = select(turns, _silent_s).where(
    *_in_conversation, or_(turns.c.prompt_id == bindparam("prompt"), is_running)
)
"""The turn of a prompt_id and the running turn of its conversation, with seconds since their heartbeat."""

# A claim changes a turn only if it has not changed since it was read.

_as_seen = (
    turns.c.id == bindparam("turn"),
    turns.c.fence == bindparam("seen_fence"),
    turns.c.status == bindparam("seen_status"),
    turns.c.heartbeat_at == bindparam("seen_heartbeat"),
)
CONFIRM = update(turns).where(*_as_seen).values(heartbeat_at=database_now())
INTERRUPT = update(turns).where(*_as_seen).values(status=TurnStatus.INTERRUPTED.value)
TAKE_OVER = INTERRUPT.values(
    status=TurnStatus.RUNNING.value,
    fence=turns.c.fence + 1,
    owner=bindparam("new_owner"),
    reply=None,
    heartbeat_at=database_now(),
)
CLOSE_STALE = (
    update(turns)
    .where(is_running, database_now() - turns.c.heartbeat_at >= bindparam("lease_s"))
    .values(status=TurnStatus.INTERRUPTED.value)
)

# An owner writes only while it holds the turn: same fence, still running.

_is_owner = (
    turns.c.id == bindparam("turn"),
    turns.c.user_id == bindparam("user"),
    turns.c.fence == bindparam("held_fence"),
)
HEARTBEAT = update(turns).where(*_is_owner, is_running).values(heartbeat_at=database_now())
COUNT_EVENTS = HEARTBEAT.where(turns.c.event_count == bindparam("before")).values(
    event_count=turns.c.event_count + bindparam("added")
)
INSERT_EVENTS = insert(events)
FINISH = HEARTBEAT.values(status=bindparam("new_status"), reply=bindparam("new_reply"))
HELD = select(turns.c.event_count).where(*_is_owner, is_running)
ENDED_SO = select(turns.c.id).where(
    *_is_owner, turns.c.status == bindparam("new_status"), turns.c.reply == bindparam("new_reply")
)

_answered = (
    answers.c.turn_id == turns.c.id,
    answers.c.fence == turns.c.fence,
    answers.c.approval_id == bindparam("approval"),
)
_is_running = (turns.c.id == bindparam("turn"), turns.c.user_id == bindparam("user"), is_running)
ANSWERED_SO = select(answers.c.data).join(turns, and_(*_answered)).where(*_is_running)
ANSWERS = (
    select(answers.c.approval_id, answers.c.data)
    .join(turns, answers.c.turn_id == turns.c.id)
    .where(*_is_owner, answers.c.fence == turns.c.fence)
)

# Reading

TURN = select(turns).where(turns.c.id == bindparam("turn"), turns.c.user_id == bindparam("user"))
_last = turns.c.seq.desc()
_before = (*_in_conversation, turns.c.seq < bindparam("before"))
TURN_OF_KEY = select(turns).where(*_in_conversation, turns.c.prompt_id == bindparam("prompt"))
LAST_TURNS = select(turns).where(*_before).order_by(_last).limit(bindparam("count"))
_last_ids = select(turns.c.id).where(*_before).order_by(_last).limit(bindparam("count"))
_journal = select(events.c.turn_id, events.c.seq, events.c.kind, events.c.data, events.c.image_id)
JOURNAL = _journal.where(events.c.turn_id == bindparam("turn")).order_by(events.c.seq)
LAST_JOURNALS = _journal.where(events.c.turn_id.in_(_last_ids)).order_by(events.c.seq)
_events_in_conversation = (
    events.c.user_id == bindparam("user"),
    events.c.conversation_id == bindparam("conversation"),
)
IMAGES = (
    select(events.c.data, events.c.turn_seq, events.c.seq)
    .where(*_events_in_conversation, events.c.image_id.is_not(None), events.c.kind == EventKind.IMAGE.value)
    .order_by(events.c.turn_seq.desc(), events.c.seq.desc())
    .limit(bindparam("count"))
)
IMAGES_OF_ID = IMAGES.where(events.c.image_id == bindparam("image"))

_of_user = conversations.c.user_id == bindparam("user")
_this = (_of_user, conversations.c.conversation_id == bindparam("conversation"))
CONVERSATIONS = (
    select(conversations)
    .where(_of_user)
    .order_by(conversations.c.updated_at.desc(), conversations.c.conversation_id)
    .limit(bindparam("count"))
    .offset(bindparam("skip"))
)
CONVERSATION = select(conversations).where(*_this)
TOUCH = update(conversations).where(*_this).values(updated_at=database_now())
RENAME = update(conversations).where(*_this).values(title=bindparam("new_title"))
DELETE = delete(conversations).where(*_this)

_shown = events.c.image_id == bindparam("image")
_uploaded = uploads.c.image_id == bindparam("image")
OWNS_IMAGE = select(
    or_(
        exists().where(_uploaded, uploads.c.user_id == bindparam("user")),
        exists().where(_shown, events.c.user_id == bindparam("user")),
    )
)
IMAGE_IN_USE = select(or_(exists().where(_uploaded), exists().where(_shown)))

# Moving conversations between stores

USERS = union(select(conversations.c.user_id), select(uploads.c.user_id))
UPLOADS = select(uploads.c.image_id).where(uploads.c.user_id == bindparam("user"))
DELETE_OLDER_STATE = delete(turns).where(
    turns.c.id == bindparam("turn"),
    turns.c.user_id == bindparam("user"),
    turns.c.conversation_id == bindparam("conversation"),
    turns.c.fence <= bindparam("held_fence"),
)
INSERT_TURN = insert(turns)


@dataclass(frozen=True)
class Inserts:
    """The inserts that do not fail if the row exists, in the dialect of one database.

    Args:
        count_turn: creates the conversation or adds one to its number of turns, and returns that number. It
            also locks the conversation, so that positions are assigned one at a time.
        turn: creates a running turn and returns its time; returns no row if another one conflicts with it.
        upload: records an upload.
        answer: records the answer to a question of a running turn, unless it has one.
        conversation: creates a conversation, or sets its title, its times and at least the number of turns.
    """

    count_turn: ClauseElement
    turn: ClauseElement
    upload: ClauseElement
    answer: ClauseElement
    conversation: ClauseElement


@cache
def inserts_for(dialect: str) -> Inserts:
    """Return the inserts for ``sqlite`` or ``postgresql``."""
    into: Any = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}[dialect]
    now = {"updated_at": database_now()}
    running = {"status": TurnStatus.RUNNING.value, "fence": 1, "event_count": 0}
    return Inserts(
        count_turn=into(conversations)
        .values(turns=1, created_at=database_now(), **now)
        .on_conflict_do_update(
            index_elements=["user_id", "conversation_id"],
            set_={"turns": conversations.c.turns + 1, **now},
        )
        .returning(conversations.c.turns),
        turn=into(turns)
        .values(created_at=database_now(), heartbeat_at=database_now(), **running)
        .on_conflict_do_nothing()
        .returning(turns.c.created_at),
        upload=into(uploads).on_conflict_do_nothing(),
        answer=into(answers)
        .from_select(
            ["turn_id", "fence", "approval_id", "data"],
            select(
                turns.c.id, turns.c.fence, bindparam("approval", type_=Text), bindparam("answer", type_=Text)
            ).where(*_is_running),
        )
        .on_conflict_do_nothing(),
        conversation=_restored_conversation(into(conversations)),
    )


def _restored_conversation(into: Any) -> ClauseElement:
    given = into.excluded
    at_least = case((given.turns > conversations.c.turns, given.turns), else_=conversations.c.turns)
    values = {name: given[name] for name in ("title", "created_at", "updated_at")}
    statement: ClauseElement = into.on_conflict_do_update(
        index_elements=["user_id", "conversation_id"], set_={"turns": at_least, **values}
    )
    return statement
