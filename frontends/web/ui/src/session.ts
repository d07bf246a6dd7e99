/** Start the page, sign in and sign out. */

import { ApiError, getJson, key, request } from "./api";
import { listConversations, openConversation, startConversation } from "./conversations";
import { conversationInHash, dismissNotice, guarded, store } from "./state";
import type { OperationInfo } from "./types";

export async function start(): Promise<void> {
  addEventListener("online", () => store.set({ online: true }));
  addEventListener("offline", () => store.set({ online: false }));
  addEventListener("pagehide", dismissNotice);
  addEventListener("hashchange", () => {
    const id = conversationInHash();
    if (id && id !== store.get().conversation) void openConversation(id);
  });
  await reloadAll();
}

export async function reloadAll(): Promise<void> {
  await guarded(async () => {
    const tools = await getJson<{ operations: OperationInfo[] }>("tools");
    store.set({ operations: tools.operations, needsKey: false });
    await listConversations();
    if (conversationInHash()) await openConversation(store.get().conversation);
  });
}

/** Check a key and keep it if the server accepts it. Returns whether it does. */
export async function signIn(value: string): Promise<boolean> {
  try {
    await request("GET", "tools", { key: value });
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) return false;
    throw error;
  }
  key.set(value);
  await reloadAll();
  return true;
}

export function signOut(): void {
  dismissNotice();
  key.clear();
  store.set({ turns: [], images: [], current: null, conversations: [], needsKey: true });
  startConversation();
}
