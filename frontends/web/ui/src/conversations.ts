/** The conversations of the user: list, open, rename, delete. */

import { getJson, local, request, sendJson } from "./api";
import { follow } from "./chat";
import { extraImages, newest } from "./images";
import { guarded, mask, newId, notify, store } from "./state";
import { t } from "./strings";
import { storedTurn } from "./turn";
import type { ConversationDocument, ConversationInfo, ImageEntry } from "./types";

/** Conversations that the page hides and has yet to delete on the server. */
const hidden = new Set<string>();

export async function listConversations(): Promise<void> {
  const found = await getJson<{ conversations: ConversationInfo[] }>("conversations?limit=200");
  showConversations(found.conversations);
}

function showConversations(found: ConversationInfo[]): void {
  store.set({ conversations: found.filter((info) => !hidden.has(info.id)) });
}

export function startConversation(): void {
  const conversation = newId();
  mask.clear();
  history.pushState(null, "", location.pathname + location.search);
  store.set({ conversation, title: "", turns: [], earlier: null, images: [], current: null, compare: null, selected: null });
  store.set({ panel: "chat", historyOpen: false });
}

export async function openConversation(id: string): Promise<void> {
  store.set({ conversation: id, turns: [], earlier: null, images: [], current: null, compare: null, selected: null });
  store.set({ historyOpen: false });
  mask.clear();
  location.hash = `c=${id}`;
  if (extraImages(id).length && !store.get().conversations.some((info) => info.id === id)) {
    store.set({ title: "", images: extraImages(id) }); // nothing was said in it yet
    store.set({ current: newest(store.get().images) });
    return;
  }
  await guarded(async () => {
    const found = await getJson<ConversationDocument>(`conversations/${id}`);
    if (store.get().conversation !== id) return;
    const images = found.images.map(entryOfRecord);
    const turns = found.turns.map(storedTurn);
    const known = new Set(images.map((image) => image.url));
    const extra = extraImages(id).filter((image) => !known.has(image.url));
    store.set({ title: found.title, turns, earlier: found.next_before, images: [...images, ...extra] });
    store.set({ current: newest(store.get().images) });
    const running = turns.find((turn) => turn.status === "running");
    if (running) void follow(id, running);
  });
}

function entryOfRecord(image: ImageEntry): ImageEntry {
  const parent = typeof image.parent === "number" ? `img_${image.parent}` : null;
  return { ...image, url: local(image.url), parent };
}

/** Show the turns before those that are shown. */
export async function showEarlier(): Promise<void> {
  const { conversation, earlier } = store.get();
  if (earlier === null) return;
  await guarded(async () => {
    const found = await getJson<ConversationDocument>(`conversations/${conversation}?before=${earlier}`);
    if (store.get().conversation !== conversation || store.get().earlier !== earlier) return;
    store.set((state) => ({
      turns: [...found.turns.map(storedTurn), ...state.turns],
      images: [...found.images.map(entryOfRecord), ...state.images],
      earlier: found.next_before,
    }));
  });
}

export async function renameConversation(id: string, title: string): Promise<void> {
  await guarded(async () => {
    await sendJson("PATCH", `conversations/${id}`, { title });
    if (id === store.get().conversation) store.set({ title });
    await listConversations();
  });
}

/** Hide a conversation at once, and delete it when the notice that offers to undo that closes. */
export function deleteConversation(info: ConversationInfo): void {
  hidden.add(info.id);
  showConversations(store.get().conversations);
  if (info.id === store.get().conversation) startConversation();
  notify(t("deleted"), {
    label: t("undo"),
    run: () => {
      hidden.delete(info.id);
      void guarded(listConversations);
    },
    onDismiss: () => void guarded(deleteHidden),
  });
}

async function deleteHidden(): Promise<void> {
  const ids = [...hidden];
  await Promise.all(ids.map((id) => request("DELETE", `conversations/${id}`, { keepalive: true })));
  for (const id of ids) hidden.delete(id);
}
