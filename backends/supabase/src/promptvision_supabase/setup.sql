-- Tables and functions of promptvision's conversations, for Supabase and any other PostgREST.
-- Run it in the SQL editor of the project, or with psql. It can be run again; nothing is lost.
--
-- The tables are those of promptvision's own SQL store, schema 0004, so that the same database can also be used
-- directly, with PROMPTVISION_CONVERSATIONS=postgresql+psycopg://...
--
-- PostgREST gives a client no transaction, so every call of the conversation store is one function here: one
-- request, one statement, all or nothing. The functions run with the rights of the caller (security invoker),
-- and only service_role may call them. Row-level security is on without any policy: the keys anon and
-- authenticated see nothing and change nothing.

begin;

do $$
begin
  if (to_regclass('public.turns') is null) <> (to_regclass('public.alembic_version') is null) then
    raise exception 'schema public has tables of another program (turns or alembic_version); use an own project';
  end if;
end
$$;

do $$
begin
  if exists (
    select from information_schema.columns
    where table_schema = 'public' and table_name = 'turns' and column_name = 'beat_at'
  ) then
    alter table public.turns rename column beat_at to heartbeat_at;
  end if;
  if exists (select from pg_catalog.pg_constraint where conname = 'turns_beat_at_not_null') then
    alter table public.turns rename constraint turns_beat_at_not_null to turns_heartbeat_at_not_null;
  end if;
end
$$;
drop function if exists public.promptvision_beat(text, text, integer);

create table if not exists public.conversations (
  user_id text not null,
  conversation_id text not null,
  title text not null,
  turns integer not null,
  created_at double precision not null,
  updated_at double precision not null,
  constraint pk_conversations primary key (user_id, conversation_id)
);
create index if not exists ix_conversations_activity on public.conversations (user_id, updated_at);

create table if not exists public.turns (
  id text not null,
  user_id text not null,
  conversation_id text not null,
  prompt_id text not null,
  seq integer not null,
  status text not null,
  fence integer not null,
  owner text not null,
  prompt text not null,
  fingerprint text not null,
  reply text,
  event_count integer not null,
  created_at double precision not null,
  heartbeat_at double precision not null,
  constraint pk_turns primary key (id),
  constraint uq_turns_prompt unique (user_id, conversation_id, prompt_id),
  constraint uq_turns_seq unique (user_id, conversation_id, seq),
  constraint fk_turns_conversation foreign key (user_id, conversation_id)
    references public.conversations (user_id, conversation_id) on delete cascade
);
create unique index if not exists uq_turns_running on public.turns (user_id, conversation_id)
  where status = 'running';

create table if not exists public.events (
  turn_id text not null,
  seq integer not null,
  user_id text not null,
  conversation_id text not null,
  turn_seq integer not null,
  kind text not null,
  data text not null,
  image_id text,
  constraint pk_events primary key (turn_id, seq),
  constraint fk_events_turn foreign key (turn_id) references public.turns (id) on delete cascade
);
create index if not exists ix_events_image on public.events (image_id, user_id) where image_id is not null;
-- Schema 0001 had this index without the place of the image in its conversation.
do $$
begin
  if not exists (
    select from pg_catalog.pg_indexes i
    where i.schemaname = 'public' and i.indexname = 'ix_events_conversation_image' and i.indexdef like '%turn_seq%'
  ) then
    drop index if exists public.ix_events_conversation_image;
    create index ix_events_conversation_image on public.events (user_id, conversation_id, turn_seq, seq)
      where image_id is not null;
  end if;
end
$$;

create table if not exists public.uploads (
  user_id text not null,
  image_id text not null,
  constraint pk_uploads primary key (image_id, user_id)
);

create table if not exists public.answers (
  turn_id text not null,
  fence integer not null,
  approval_id text not null,
  data text not null,
  constraint pk_answers primary key (turn_id, fence, approval_id),
  constraint fk_answers_turn foreign key (turn_id) references public.turns (id) on delete cascade
);

create table if not exists public.alembic_version (
  version_num character varying(32) not null,
  constraint alembic_version_pkc primary key (version_num)
);
insert into public.alembic_version
  select '0004' where not exists (select from public.alembic_version);
update public.alembic_version set version_num = '0004' where version_num in ('0001', '0002', '0003');

-- What a store asks first: which version of this script has run, and does row-level security hide all rows.

create or replace function public.promptvision_status() returns jsonb
language sql stable security invoker set search_path = '' as $$
  select jsonb_build_object(
    'version', 4,
    'schema', (select max(version_num) from public.alembic_version),
    'role', current_user,
    'hidden', row_security_active('public.turns') and not exists (
      select from pg_catalog.pg_policies p
      where p.schemaname = 'public' and p.tablename = 'turns' and p.roles && array['public', current_user]
    )
  );
$$;

create or replace function public.promptvision_now() returns double precision
language sql volatile security invoker set search_path = '' as $$
  select extract(epoch from clock_timestamp())::double precision;
$$;

-- A turn with its journal. Events are [seq, kind, data, image_id]; data and reply are JSON kept as text.

create or replace function public.promptvision_document(t public.turns) returns jsonb
language sql stable security invoker set search_path = '' as $$
  select to_jsonb(t) - array['owner', 'heartbeat_at', 'event_count'] || jsonb_build_object('events', coalesce((
    select jsonb_agg(jsonb_build_array(e.seq, e.kind, e.data, e.image_id) order by e.seq)
    from public.events e where e.turn_id = t.id
  ), '[]'));
$$;

-- Who may run a turn. The row of the conversation is locked first, so that claims of one conversation are judged
-- one after the other; the unique indexes judge whatever comes past it. Time is the database's.

create or replace function public.promptvision_claim_turn(
  p_user text, p_conversation text, p_prompt_id text, p_prompt text, p_title text, p_fingerprint text,
  p_owner text, p_lease_s double precision, p_turn text
) returns jsonb
language plpgsql volatile security invoker set search_path = '' as $$
declare
  mine public.turns;
  running public.turns;
  place integer;
begin
  insert into public.conversations
    values (p_user, p_conversation, p_title, 0, public.promptvision_now(), public.promptvision_now())
    on conflict do nothing;
  perform from public.conversations c
    where c.user_id = p_user and c.conversation_id = p_conversation for update;
  if not found then
    raise exception 'the conversation was deleted at the same moment' using errcode = 'serialization_failure';
  end if;
  select * into mine from public.turns t
    where t.user_id = p_user and t.conversation_id = p_conversation and t.prompt_id = p_prompt_id for update;
  select * into running from public.turns t
    where t.user_id = p_user and t.conversation_id = p_conversation and t.status = 'running' for update;

  if mine.id is not null and mine.fingerprint <> p_fingerprint then
    return '{"claim": "conflict"}';
  elsif mine.id is not null and mine.status not in ('running', 'interrupted') then
    return jsonb_build_object('claim', 'done', 'turn', public.promptvision_document(mine));
  elsif mine.status = 'running' and mine.owner = p_owner then  -- the answer to this very call was lost
    return jsonb_build_object(
      'claim', case when mine.fence = 1 then 'new' else 'resumed' end,
      'turn', public.promptvision_document(mine)
    );
  elsif running.id is not null and public.promptvision_now() - running.heartbeat_at < p_lease_s then
    return jsonb_build_object('claim', 'busy', 'turn', public.promptvision_document(running));
  end if;

  if running.id is not null and running.id is distinct from mine.id then
    update public.turns t set status = 'interrupted' where t.id = running.id;
  end if;
  if mine.id is not null then
    update public.conversations c set updated_at = public.promptvision_now()
      where c.user_id = p_user and c.conversation_id = p_conversation;
    update public.turns t
      set status = 'running', fence = t.fence + 1, owner = p_owner, reply = null,
          heartbeat_at = public.promptvision_now()
      where t.id = mine.id returning * into mine;
    return jsonb_build_object('claim', 'resumed', 'turn', public.promptvision_document(mine));
  end if;
  update public.conversations c set turns = c.turns + 1, updated_at = public.promptvision_now()
    where c.user_id = p_user and c.conversation_id = p_conversation returning c.turns into place;
  insert into public.turns values (
    p_turn, p_user, p_conversation, p_prompt_id, place, 'running', 1, p_owner, p_prompt, p_fingerprint, null, 0,
    public.promptvision_now(), public.promptvision_now()
  ) returning * into mine;
  return jsonb_build_object('claim', 'new', 'turn', public.promptvision_document(mine));
end
$$;

create or replace function public.promptvision_heartbeat(p_user text, p_turn text, p_fence integer) returns boolean
language sql volatile security invoker set search_path = '' as $$
  with renewed as (
    update public.turns t set heartbeat_at = public.promptvision_now()
    where t.id = p_turn and t.user_id = p_user and t.fence = p_fence and t.status = 'running' returning 1
  ) select exists (select from renewed);
$$;

-- Add events [[kind, data, image_id], ...] after p_before others, if the fence is still that of the caller. The
-- turn's row is locked by the update, so no one else writes in between.

create or replace function public.promptvision_append(
  p_user text, p_turn text, p_fence integer, p_before integer, p_events jsonb
) returns text
language plpgsql volatile security invoker set search_path = '' as $$
declare
  mine public.turns;
begin
  update public.turns t
    set event_count = t.event_count + jsonb_array_length(p_events), heartbeat_at = public.promptvision_now()
    where t.id = p_turn and t.user_id = p_user and t.fence = p_fence and t.status = 'running'
      and t.event_count = p_before
    returning * into mine;
  if found then
    insert into public.events
      select mine.id, p_before + e.n, mine.user_id, mine.conversation_id, mine.seq, e.v->>0, e.v->>1, e.v->>2
      from jsonb_array_elements(p_events) with ordinality as e(v, n);
    return 'written';
  end if;
  perform from public.turns t
    where t.id = p_turn and t.user_id = p_user and t.fence = p_fence and t.status = 'running' for share;
  if not found then
    return 'lost';
  end if;
  if exists (
    select from jsonb_array_elements(p_events) with ordinality as e(v, n)
    where not exists (
      select from public.events s
      where s.turn_id = p_turn and s.seq = p_before + e.n and s.kind = e.v->>0 and s.data = e.v->>1
        and s.image_id is not distinct from e.v->>2
    )
  ) then
    return 'gap';
  end if;
  return 'repeated';
end
$$;

create or replace function public.promptvision_finish_turn(
  p_user text, p_turn text, p_fence integer, p_status text, p_reply text
) returns boolean
language plpgsql volatile security invoker set search_path = '' as $$
begin
  update public.turns t set status = p_status, reply = p_reply, heartbeat_at = public.promptvision_now()
    where t.id = p_turn and t.user_id = p_user and t.fence = p_fence and t.status = 'running';
  return found or exists (
    select from public.turns t
    where t.id = p_turn and t.user_id = p_user and t.fence = p_fence and t.status = p_status
      and t.reply = p_reply
  );
end
$$;

create or replace function public.promptvision_close_stale(p_lease_s double precision) returns integer
language sql volatile security invoker set search_path = '' as $$
  with closed as (
    update public.turns t set status = 'interrupted'
    where t.status = 'running' and public.promptvision_now() - t.heartbeat_at >= p_lease_s returning 1
  ) select count(*)::integer from closed;
$$;

-- The user's answer to a question of a running turn. The first one counts; it belongs to the turn's fence.

create or replace function public.promptvision_record_answer(
  p_user text, p_turn text, p_approval text, p_answer text
) returns boolean
language plpgsql volatile security invoker set search_path = '' as $$
begin
  insert into public.answers
    select t.id, t.fence, p_approval, p_answer from public.turns t
    where t.id = p_turn and t.user_id = p_user and t.status = 'running'
    on conflict do nothing;
  return exists (
    select from public.answers a join public.turns t on t.id = a.turn_id and t.fence = a.fence
    where t.id = p_turn and t.user_id = p_user and t.status = 'running' and a.approval_id = p_approval
      and a.data = p_answer
  );
end
$$;

create or replace function public.promptvision_answers(p_user text, p_turn text, p_fence integer) returns jsonb
language sql stable security invoker set search_path = '' as $$
  select coalesce(jsonb_object_agg(a.approval_id, a.data), '{}')
  from public.answers a join public.turns t on t.id = a.turn_id
  where t.id = p_turn and t.user_id = p_user and t.fence = p_fence and a.fence = p_fence;
$$;

-- Reading. Each returns one JSON value, so that no limit on rows cuts it.

create or replace function public.promptvision_turn(p_user text, p_turn text) returns jsonb
language sql stable security invoker set search_path = '' as $$
  select public.promptvision_document(t) from public.turns t where t.id = p_turn and t.user_id = p_user;
$$;

create or replace function public.promptvision_find_turn(p_user text, p_conversation text, p_prompt_id text)
returns jsonb
language sql stable security invoker set search_path = '' as $$
  select public.promptvision_document(t) from public.turns t
  where t.user_id = p_user and t.conversation_id = p_conversation and t.prompt_id = p_prompt_id;
$$;

drop function if exists public.promptvision_history(text, text, integer);
create or replace function public.promptvision_history(
  p_user text, p_conversation text, p_count integer, p_before bigint default null
) returns jsonb
language sql stable security invoker set search_path = '' as $$
  select coalesce(jsonb_agg(public.promptvision_document(t.turn) order by (t.turn).seq), '[]') from (
    select l as turn from public.turns l
    where l.user_id = p_user and l.conversation_id = p_conversation and (p_before is null or l.seq < p_before)
    order by l.seq desc limit p_count
  ) t;
$$;

drop function if exists public.promptvision_images(text, text);
create or replace function public.promptvision_images(
  p_user text, p_conversation text, p_newest integer, p_ids text[]
) returns jsonb
language sql stable security invoker set search_path = '' as $$
  select coalesce(jsonb_agg(jsonb_build_array(i.data, i.turn_seq)), '[]') from (
    select e.data, e.turn_seq from public.events e
    where e.user_id = p_user and e.conversation_id = p_conversation and e.image_id is not null
      and e.kind = 'image' and (p_ids is null or e.image_id = any (p_ids))
    order by e.turn_seq desc, e.seq desc limit p_newest
  ) i;
$$;

create or replace function public.promptvision_conversations(p_user text, p_limit integer, p_offset integer)
returns jsonb
language sql stable security invoker set search_path = '' as $$
  select coalesce(jsonb_agg(to_jsonb(c) order by c.updated_at desc, c.conversation_id), '[]') from (
    select * from public.conversations f where f.user_id = p_user
    order by f.updated_at desc, f.conversation_id limit p_limit offset p_offset
  ) c;
$$;

create or replace function public.promptvision_conversation(p_user text, p_conversation text) returns jsonb
language sql stable security invoker set search_path = '' as $$
  select to_jsonb(c) from public.conversations c
  where c.user_id = p_user and c.conversation_id = p_conversation;
$$;

create or replace function public.promptvision_rename(p_user text, p_conversation text, p_title text)
returns boolean
language sql volatile security invoker set search_path = '' as $$
  with renamed as (
    update public.conversations c set title = p_title
    where c.user_id = p_user and c.conversation_id = p_conversation returning 1
  ) select exists (select from renamed);
$$;

create or replace function public.promptvision_delete(p_user text, p_conversation text) returns boolean
language sql volatile security invoker set search_path = '' as $$
  with deleted as (
    delete from public.conversations c
    where c.user_id = p_user and c.conversation_id = p_conversation returning 1
  ) select exists (select from deleted);
$$;

create or replace function public.promptvision_add_image(p_user text, p_image text) returns boolean
language sql volatile security invoker set search_path = '' as $$
  insert into public.uploads values (p_user, p_image) on conflict do nothing;
  select true;
$$;

create or replace function public.promptvision_owns_image(p_user text, p_image text) returns boolean
language sql stable security invoker set search_path = '' as $$
  select exists (select from public.uploads u where u.image_id = p_image and u.user_id = p_user)
      or exists (select from public.events e where e.image_id = p_image and e.user_id = p_user);
$$;

create or replace function public.promptvision_image_in_use(p_image text) returns boolean
language sql stable security invoker set search_path = '' as $$
  select exists (select from public.uploads u where u.image_id = p_image)
      or exists (select from public.events e where e.image_id = p_image);
$$;

-- Moving conversations from store to store

create or replace function public.promptvision_users() returns jsonb
language sql stable security invoker set search_path = '' as $$
  select coalesce(jsonb_agg(x.user_id), '[]') from (
    select user_id from public.conversations union select user_id from public.uploads
  ) x;
$$;

create or replace function public.promptvision_uploads(p_user text) returns jsonb
language sql stable security invoker set search_path = '' as $$
  select coalesce(jsonb_agg(u.image_id), '[]') from public.uploads u where u.user_id = p_user;
$$;

-- Put a turn as it is, in place of an older state of the same turn. A unique index refuses everything else.

create or replace function public.promptvision_restore_turn(p_conversation jsonb, p_turn jsonb) returns boolean
language plpgsql volatile security invoker set search_path = '' as $$
declare
  given public.conversations := jsonb_populate_record(null::public.conversations, p_conversation);
  mine public.turns := jsonb_populate_record(null::public.turns, p_turn);
begin
  insert into public.conversations values (given.*)
    on conflict (user_id, conversation_id) do update
    set title = excluded.title, created_at = excluded.created_at, updated_at = excluded.updated_at,
        turns = greatest(public.conversations.turns, excluded.turns);
  delete from public.turns t
    where t.id = mine.id and t.user_id = mine.user_id and t.conversation_id = mine.conversation_id
      and t.fence <= mine.fence;
  insert into public.turns values (mine.*);
  insert into public.events
    select mine.id, e.n, mine.user_id, mine.conversation_id, mine.seq, e.v->>0, e.v->>1, e.v->>2
    from jsonb_array_elements(p_turn->'events') with ordinality as e(v, n);
  return true;
end
$$;

-- Who may do what. Supabase gives new tables and functions of schema public to anon and authenticated by default,
-- and PostgreSQL lets everybody call a new function; both are taken back.

do $$
declare
  name text;
  called text;
begin
  foreach name in array array['conversations', 'turns', 'events', 'uploads', 'answers', 'alembic_version'] loop
    execute format('alter table public.%I enable row level security', name);
    execute format('revoke all on public.%I from public, anon, authenticated', name);
    execute format('grant select, insert, update, delete on public.%I to service_role', name);
  end loop;
  for called in
    select p.oid::regprocedure::text from pg_catalog.pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proname like 'promptvision\_%'
  loop
    execute format('revoke all on function %s from public, anon, authenticated', called);
    execute format('grant execute on function %s to service_role', called);
  end loop;
end
$$;

notify pgrst, 'reload schema';

commit;
