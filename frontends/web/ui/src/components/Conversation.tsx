/** The messages and steps of the conversation, and the field for the next instruction. */

import type { ComponentChild } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";

import { editPrompt, isRunning, send, sendAgain, stop } from "../chat";
import { showEarlier } from "../conversations";
import { mask, store } from "../state";
import { size } from "../size";
import { useStore } from "../store";
import { t } from "../strings";
import type { NeedsSetup, TurnView } from "../types";
import { ApprovalCard } from "./ApprovalCard";
import { Icon, IconButton } from "./icons";
import { Thumbnail } from "./Thumbnail";
import { StepCard } from "./StepCard";

const NAMES = {
  running: "running",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
  interrupted: "interrupted",
} as const;

export function statusName(status: string): string {
  return status in NAMES ? t(NAMES[status as keyof typeof NAMES]) : status;
}

export function Conversation() {
  const turns = useStore(store, (state) => state.turns);
  const earlier = useStore(store, (state) => state.earlier);
  const end = useRef<HTMLDivElement>(null);
  const last = turns.at(-1);
  useEffect(() => {
    end.current?.scrollIntoView({ block: "end" });
  }, [last?.promptId, last?.steps.length, last?.approvals.length, last?.status]);
  return (
    <div class="conversation" role="log" aria-label={t("conversation")} tabIndex={0}>
      {earlier !== null && (
        <button type="button" class="earlier" onClick={() => void showEarlier()}>
          {t("earlier")}
        </button>
      )}
      {turns.map((turn) => (
        <Turn key={turn.promptId} turn={turn} />
      ))}
      <Announcer turn={last ?? null} />
      <div class="conversation-end" ref={end} />
    </div>
  );
}

/** One instruction with its steps and answer; rendered again only when it changes, since a conversation may be long. */
function Turn({ turn }: { turn: TurnView }) {
  return useMemo(
    () => (
      <article class={`turn ${turn.status}`}>
        <div class="prompt">
          {turn.input && <Thumbnail address={turn.input} alt={t("image")} size={80} />}
          <p>{turn.prompt}</p>
          <span class="actions">
            <IconButton icon="edit" label={t("edit")} onClick={() => editPrompt(turn)} />
            <IconButton icon="again" label={t("again")} onClick={() => void sendAgain(turn)} />
          </span>
        </div>
        {turn.steps.map((step) => (
          <StepCard key={step.number} step={step} />
        ))}
        {turn.approvals.map((approval) => (
          <ApprovalCard key={approval.approval_id} turn={turn} approval={approval} />
        ))}
        {turn.warnings.map((warning) => (
          <p class="warning" key={warning}>
            {warning}
          </p>
        ))}
        {turn.text && (
          <div class={turn.status === "failed" ? "answer problem" : "answer"}>
            {turn.status === "failed" && <Icon name="alert" />}
            <div>
              {turn.text.split("\n").map((line, index) => (
                <p key={index}>{withCode(line)}</p>
              ))}
            </div>
          </div>
        )}
        {turn.needs && <Needs needs={turn.needs} />}
        <p class="status">
          {turn.status === "running" && <span class="spinner" aria-hidden="true" />}
          {statusName(turn.status)}
          {turn.planner && ` · ${t("plannerInUse")}: ${turn.planner}`}
        </p>
      </article>
    ),
    [turn],
  );
}

/** A line of text whose parts between backticks are commands and names. */
function withCode(line: string): ComponentChild[] {
  return line.split("`").map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}

/** What must be set up before the instruction can work, with a button that opens the setup panel. */
function Needs({ needs }: { needs: NeedsSetup }) {
  const models = needs.bytes ? `${needs.models.join(", ")} (${size(needs.bytes)})` : needs.models.join(", ");
  return (
    <div class="needs">
      <p>
        {t("setUpWith")} <code>{needs.command}</code>
      </p>
      <button type="button" class="primary" onClick={() => store.set({ panel: "setup" })}>
        <Icon name="download" />
        {models ? `${t("setUp")}: ${models}` : t("setUp")}
      </button>
    </div>
  );
}

/** Announce the state of the newest turn to screen readers, no more often than it changes. */
function Announcer({ turn }: { turn: TurnView | null }) {
  const text = turn ? announcement(turn) : "";
  const [announced, announce] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => announce(text), 600);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <p class="visually-hidden" aria-live="polite">
      {announced}
    </p>
  );
}

function announcement(turn: TurnView): string {
  if (turn.status !== "running") return turn.text;
  const [approval] = turn.approvals;
  if (approval) return `${t("approvalTitle")}: ${approval.question}`;
  return turn.steps.at(-1)?.operation.replaceAll("_", " ") ?? t("running");
}

export function Composer() {
  const draft = useStore(store, (state) => state.draft);
  const running = useStore(store, isRunning);
  const stopping = useStore(store, (state) => state.stopping);
  const selected = useStore(store, (state) => state.selected);
  const field = useRef<HTMLTextAreaElement>(null);
  const [, render] = useState(0);
  useEffect(() => mask.subscribe(() => render((count) => count + 1)), []);
  useEffect(() => {
    if (draft) field.current?.focus();
  }, [draft]);
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        void send(draft);
      }}
    >
      {!mask.isEmpty() && (
        <p class="hint">
          <span>{t("maskReady")}</span>
          <IconButton icon="close" label={t("clear")} onClick={() => mask.empty()} />
        </p>
      )}
      {selected && (
        <p class="hint">
          <span>{t("boxReady")}</span>
          <IconButton icon="close" label={t("clear")} onClick={() => store.set({ selected: null })} />
        </p>
      )}
      <div class="row">
        <textarea
          ref={field}
          rows={2}
          aria-label={t("prompt")}
          placeholder={t("promptHint")}
          maxLength={20_000}
          value={draft}
          onInput={(event) => store.set({ draft: event.currentTarget.value })}
          onKeyDown={(event) => {
            if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
              event.preventDefault();
              void send(draft);
            }
          }}
        />
        {running ? (
          <button type="button" class="primary" disabled={stopping} onClick={() => void stop()}>
            <Icon name="stop" />
            {t(stopping ? "stopping" : "stop")}
          </button>
        ) : (
          <button type="submit" class="primary" disabled={!draft.trim()}>
            <Icon name="send" />
            {t("send")}
          </button>
        )}
      </div>
    </form>
  );
}
