/** Instructions: send them, follow their turns to the end, stop them. */

import { ApiError, key, request, sendJson, upload } from "./api";
import { listConversations } from "./conversations";
import { newest, use } from "./images";
import { events } from "./sse";
import { fail, guarded, mask, newId, type State, store } from "./state";
import { t } from "./strings";
import { apply, ENDED, newTurn } from "./turn";
import type { Approval, ImageEntry, Json, JsonObject, TurnView } from "./types";
import type { AGUIEvent } from "@ag-ui/core";

export async function send(prompt: string): Promise<void> {
  const state = store.get();
  const text = prompt.trim();
  if (!text || isRunning(state)) return;
  const input = state.current;
  const turn = newTurn(text, newId(), input);
  const body: JsonObject = { prompt: text, prompt_id: turn.promptId, conversation_id: state.conversation };
  const known = newest(state.images.filter((image) => image.handle));
  if (input && input !== known) body.input_image_url = input; // else it is the newest one of the conversation
  if (!key.get()) body.user_id = "local";
  store.set({ turns: [...state.turns, turn], panel: "chat", draft: "", stopping: false });
  location.hash = `c=${state.conversation}`;
  const ready = await guarded(async () => {
    if (!mask.isEmpty()) body.input_mask_url = (await upload(await mask.toBlob(), "mask.png")).image_url;
    if (state.selected) body.input_boxes = [state.selected] as Json;
    return true;
  });
  if (!ready) {
    replaceTurn(turn.promptId, (view) => ({ ...view, status: "failed", text: t("notSent") }));
    return;
  }
  mask.clear();
  store.set({ selected: null });
  await follow(state.conversation, turn, body);
  await guarded(listConversations);
}

/** Put a prompt back into the field, and make the image that it was about the current one. */
export function editPrompt(turn: TurnView): void {
  if (turn.input) use(turn.input);
  store.set({ draft: turn.prompt, panel: "chat" });
}

export async function sendAgain(turn: TurnView): Promise<void> {
  if (turn.input) use(turn.input);
  await send(turn.prompt);
}

export function isRunning(state: State): boolean {
  return state.turns.some((turn) => turn.status === "running");
}

function replaceTurn(promptId: string, change: (turn: TurnView) => TurnView): void {
  store.set((state) => ({ turns: state.turns.map((turn) => (turn.promptId === promptId ? change(turn) : turn)) }));
}

/**
 * Send a turn, or resume one, and follow it to its end. When the connection breaks, the same request is sent again
 * (the ids in it make the server run it once), or the events are resumed after the last one, with exponential backoff.
 */
export async function follow(conversation: string, turn: TurnView, body: JsonObject | null = null): Promise<void> {
  let view = turn;
  for (let attempt = 0; !ENDED.has(view.status); attempt += 1) {
    if (store.get().conversation !== conversation) return;
    try {
      const response = await connect(view, body);
      for await (const event of events(response)) {
        attempt = 0;
        if (store.get().conversation !== conversation) return;
        view = receive(view, JSON.parse(event.data) as AGUIEvent, event.id);
      }
    } catch (error) {
      if (error instanceof ApiError && error.status < 500 && error.status !== 429) {
        const message = error.message;
        replaceTurn(turn.promptId, (old) => ({ ...old, status: "failed", text: message }));
        fail(error);
        return;
      }
      store.set({ online: navigator.onLine && attempt < 1 });
    }
    if (!ENDED.has(view.status)) await pause(Math.min(10_000, 300 * 2 ** attempt) * (0.5 + Math.random() / 2));
  }
  store.set({ online: true });
}

function connect(view: TurnView, body: JsonObject | null): Promise<Response> {
  const accept = "text/event-stream";
  if (view.id) {
    const path = `turns/${view.id}/events`;
    const since = view.cursor ? { "Last-Event-ID": view.cursor } : {};
    return request("GET", path, { accept, headers: since });
  }
  return request("POST", "chat", { accept, json: body as Json });
}

function receive(view: TurnView, event: AGUIEvent, id: string): TurnView {
  const applied = apply(view, store.get().images, event);
  const next = id ? { ...applied.turn, cursor: id } : applied.turn;
  replaceTurn(view.promptId, () => next);
  store.set(ENDED.has(next.status) ? { online: true, stopping: false } : { online: true });
  if (!view.id && next.id && store.get().stopping) void cancel(next.id);
  if (next.approvals.length > view.approvals.length) store.set({ panel: "chat" });
  if (applied.images) showNewest(applied.images);
  return next;
}

function showNewest(images: ImageEntry[]): void {
  const known = new Set(images.filter((image) => image.handle).map((image) => image.url));
  const all = images.filter((image) => image.handle || !known.has(image.url));
  const shown = new Set(store.get().images.map((image) => image.handle));
  const made = images.filter((image) => image.kind === "edit" && image.handle && !shown.has(image.handle)).at(-1);
  store.set({ images: all });
  if (made) use(made.url);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Cancel the running turn; one that the server has not started yet is cancelled as soon as it has an id. */
export async function stop(): Promise<void> {
  const running = store.get().turns.find((turn) => turn.status === "running");
  if (!running) return;
  store.set({ stopping: true });
  if (running.id) await cancel(running.id);
}

/** Answer the question of a turn. Returns whether the server accepted the answer. */
export async function answerApproval(
  turn: TurnView,
  approval: Approval,
  isApproved: boolean,
  reason: string,
): Promise<boolean> {
  const path = `turns/${turn.id}/approvals/${encodeURIComponent(approval.approval_id)}`;
  const answer = await guarded(() => sendJson("POST", path, { approved: isApproved, reason }));
  return answer !== null;
}

async function cancel(turn: string): Promise<void> {
  await guarded(() => request("POST", `turns/${turn}/cancel`));
}
