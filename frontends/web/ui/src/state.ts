/** The state of the page, and notices. */

import { ApiError, key } from "./api";
import { MaskEditor } from "./mask";
import { Store } from "./store";
import { t } from "./strings";
import type { Box, ConversationInfo, ImageEntry, JsonObject, OperationInfo, TurnView } from "./types";

export interface Notice {
  text: string;
  /** What the button of the notice does, and what to do when the notice closes without it. */
  action: { label: string; run: () => void; onDismiss: () => void } | null;
}

export type Panel = "chat" | "tools" | "setup";

export interface State {
  operations: OperationInfo[];
  conversations: ConversationInfo[];
  conversation: string;
  title: string;
  turns: TurnView[];
  /** Where turns before those that are shown begin. */
  earlier: number | null;
  images: ImageEntry[];
  current: string | null;
  compare: string | null;
  selected: Box | null;
  panel: Panel;
  /** The form that is open in the panel of tools, filled with the arguments of a step. */
  form: { operation: string; values: JsonObject } | null;
  historyOpen: boolean;
  helpOpen: boolean;
  needsKey: boolean;
  online: boolean;
  busy: boolean;
  stopping: boolean;
  notice: Notice | null;
  draft: string;
}

export const store = new Store<State>({
  operations: [],
  conversations: [],
  conversation: conversationInHash() ?? newId(),
  title: "",
  turns: [],
  earlier: null,
  images: [],
  current: null,
  compare: null,
  selected: null,
  panel: "chat",
  form: null,
  historyOpen: false,
  helpOpen: false,
  needsKey: false,
  online: navigator.onLine,
  busy: false,
  stopping: false,
  notice: null,
  draft: "",
});

export const mask = new MaskEditor();

export function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

export function conversationInHash(): string | null {
  return /^#c=([\w-]{1,64})$/.exec(location.hash)?.[1] ?? null;
}

export function notify(text: string, action: Notice["action"] = null): void {
  dismissNotice();
  store.set({ notice: { text, action } });
}

export function dismissNotice(): void {
  const notice = store.get().notice;
  store.set({ notice: null });
  notice?.action?.onDismiss();
}

/** Do what the notice offers. */
export function acceptNotice(): void {
  const notice = store.get().notice;
  store.set({ notice: null });
  notice?.action?.run();
}

export function fail(error: unknown): void {
  if (error instanceof ApiError && error.status === 401) {
    if (error.key !== key.get()) return; // an answer to an earlier key says nothing about this one
    key.clear();
    store.set({ needsKey: true });
    return;
  }
  const needs = error instanceof ApiError && error.needs !== null;
  const action = { label: t("setUp"), run: () => store.set({ panel: "setup" }), onDismiss: () => undefined };
  notify(error instanceof ApiError ? error.message : t("offline"), needs ? action : null);
}

/** Run something that may fail, and show an error as a notice. Returns null if it failed. */
export async function guarded<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    fail(error);
    return null;
  }
}
