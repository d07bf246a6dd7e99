/** What the page knows, and everything it can do: the components only show and call. */

import type { AGUIEvent } from "@ag-ui/core";

import { ApiError, getJson, imageBlob, key, local, request, sendJson, upload, type Uploaded } from "./api";
import { MaskEditor } from "./mask";
import { events } from "./sse";
import { Store } from "./store";
import { t } from "./strings";
import { apply, ENDED, madeImages, newTurn, storedTurn } from "./turn";
import type {
  Box,
  ConversationDocument,
  ConversationInfo,
  ImageEntry,
  Json,
  JsonObject,
  OperationInfo,
  Reply,
  TurnView,
} from "./types";

export interface Overlay {
  boxes: Box[];
  labels: string[];
  scores: number[];
  masks: string[];
}

export interface Notice {
  text: string;
  /** What the user may do about it, and what happens when they do not. */
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

function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}

function conversationInHash(): string | null {
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

function fail(error: unknown): void {
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

/** Run something that may fail, and say so in a notice. */
export async function guarded<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    fail(error);
    return null;
  }
}

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

// Conversations

/** Conversations that are deleted on the page and not yet on the server. */
const doomed = new Set<string>();

export async function listConversations(): Promise<void> {
  const found = await getJson<{ conversations: ConversationInfo[] }>("conversations?limit=200");
  showConversations(found.conversations);
}

function showConversations(found: ConversationInfo[]): void {
  store.set({ conversations: found.filter((info) => !doomed.has(info.id)) });
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

/** Hide a conversation at once, and delete it when the notice that offers to undo that is gone. */
export function deleteConversation(info: ConversationInfo): void {
  doomed.add(info.id);
  showConversations(store.get().conversations);
  if (info.id === store.get().conversation) startConversation();
  notify(t("deleted"), {
    label: t("undo"),
    run: () => {
      doomed.delete(info.id);
      void guarded(listConversations);
    },
    onDismiss: () => void guarded(deleteDoomed),
  });
}

async function deleteDoomed(): Promise<void> {
  const ids = [...doomed];
  await Promise.all(ids.map((id) => request("DELETE", `conversations/${id}`, { keepalive: true })));
  for (const id of ids) doomed.delete(id);
}

// Images

function newest(images: ImageEntry[]): string | null {
  return images.filter((image) => image.kind === "edit" || image.kind === "input").at(-1)?.url ?? null;
}

const EXTRA = "promptvision.extra.";

/** Images that tools made without a conversation: the server knows them, only this tab knows that they belong here. */
function extraImages(conversation: string): ImageEntry[] {
  try {
    return JSON.parse(sessionStorage.getItem(EXTRA + conversation) ?? "[]") as ImageEntry[];
  } catch {
    return [];
  }
}

function addExtra(entries: ImageEntry[]): void {
  const id = store.get().conversation;
  sessionStorage.setItem(EXTRA + id, JSON.stringify([...extraImages(id), ...entries]));
  store.set((state) => ({ images: [...state.images, ...entries] }));
  location.hash = `c=${id}`;
}

function addUploaded(made: Uploaded): void {
  const { width, height } = made;
  const entry: ImageEntry = { url: local(made.image_url), kind: "input", maker: "", width, height };
  addExtra([entry]);
  use(entry.url);
}

export async function addFile(file: Blob, name?: string): Promise<void> {
  await guarded(async () => {
    store.set({ busy: true });
    try {
      addUploaded(await upload(file, name ?? "image.png"));
    } finally {
      store.set({ busy: false });
    }
  });
}

/** Have the server fetch an image from a web address. */
export async function addAddress(address: string): Promise<void> {
  await guarded(async () => {
    store.set({ busy: true });
    try {
      addUploaded(await sendJson<Uploaded>("POST", "web/images", { url: address }));
    } finally {
      store.set({ busy: false });
    }
  });
}

export async function addSample(name: string, prompt = ""): Promise<void> {
  await guarded(async () => {
    const response = await request("GET", `samples/${name}.webp`, { accept: "image/*" });
    await addFile(await response.blob(), `${name}.webp`);
    if (prompt) store.set({ draft: prompt, panel: "chat" });
  });
}

/** Start a conversation of its own from an image: both go on from there. */
export function branch(address: string): void {
  startConversation();
  addExtra([{ url: address, kind: "input", maker: "" }]);
  use(address);
}

/** Open the form of a step's tool, filled with the step's arguments, on the step's image. */
export function editStep(operation: string, values: JsonObject): void {
  const images = store.get().operations.find((info) => info.operation === operation)?.images ?? [];
  const [image] = images;
  const address = image ? values[image] : null;
  if (typeof address === "string") use(local(address));
  const rest = Object.entries(values).filter(([name, value]) => name !== image && value !== null);
  store.set({ panel: "tools", form: { operation, values: Object.fromEntries(rest) } });
}

/** Put a prompt back into the field, with the image that it was about. */
export function editPrompt(turn: TurnView): void {
  if (turn.input) use(turn.input);
  store.set({ draft: turn.prompt, panel: "chat" });
}

export async function sendAgain(turn: TurnView): Promise<void> {
  if (turn.input) use(turn.input);
  await send(turn.prompt);
}

/** Take an image as the one that the next message is about: undo is to take an earlier one. */
export function use(address: string): void {
  const images = store.get().images;
  const parent = images.find((image) => image.url === address)?.parent;
  const before = images.find((image) => image.handle && image.handle === parent)?.url ?? null;
  mask.clear();
  store.set({ current: address, compare: before, selected: null });
}

// Turns

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

export function isRunning(state: State): boolean {
  return state.turns.some((turn) => turn.status === "running");
}

function replaceTurn(promptId: string, change: (turn: TurnView) => TurnView): void {
  store.set((state) => ({ turns: state.turns.map((turn) => (turn.promptId === promptId ? change(turn) : turn)) }));
}

/**
 * Send a turn, or come back to one, and follow it to its end. When the connection breaks, the same request is sent
 * again (it runs once, its ids say so) or the events are continued after the last one, with growing pauses.
 */
async function follow(conversation: string, turn: TurnView, body: JsonObject | null = null): Promise<void> {
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

async function cancel(turn: string): Promise<void> {
  await guarded(() => request("POST", `turns/${turn}/cancel`));
}

// Tools without a planner

export async function runTool(operation: string, values: JsonObject): Promise<void> {
  const state = store.get();
  await guarded(async () => {
    store.set({ busy: true });
    try {
      const reply = await sendJson<Reply & JsonObject>("POST", `tools/${operation}`, values);
      const { image_url: _, ...results } = reply as JsonObject;
      const made = madeImages(results).map((address) => entryOf(address, operation, results));
      addExtra(made);
      const image = made.filter((entry) => entry.kind === "edit").at(-1);
      if (image) use(image.url);
      if (reply.text_response) notify(reply.text_response);
      const turn = newTurn(`${operation} ${JSON.stringify(values)}`, newId(), state.current);
      const steps = (reply.steps ?? []) as Reply["steps"];
      const view = storedTurn({
        turn_id: "",
        prompt_id: turn.promptId,
        prompt: operation.replaceAll("_", " "),
        status: "done",
        created_at: 0,
        reply: { ...reply, steps },
      });
      store.set((now) => ({ turns: [...now.turns, view] }));
    } finally {
      store.set({ busy: false });
    }
  });
}

function entryOf(address: string, operation: string, reply: JsonObject): ImageEntry {
  const field = Object.keys(reply).find((name) => JSON.stringify(reply[name] ?? "").includes(address.slice(-64))) ?? "";
  const kind = /mask/.test(field) ? "mask" : /annotated/.test(field) ? "annotated" : "edit";
  return { url: address, kind, maker: operation };
}

/** Select the thing at a point of the current image, and add it to the mask or take it away. */
export async function selectAt(x: number, y: number, subtract: boolean): Promise<void> {
  const current = store.get().current;
  if (!current) return;
  await guarded(async () => {
    store.set({ busy: true });
    try {
      const values: JsonObject = { image_url: current, points: [[Math.round(x), Math.round(y)]] };
      const reply = await sendJson<JsonObject>("POST", "tools/segment_objects", values);
      const bitmap = await createImageBitmap(await imageBlob(String(reply.merged_mask_url)));
      mask.addImage(bitmap, subtract);
    } finally {
      store.set({ busy: false });
    }
  });
}

let overlay: { turns: TurnView[]; current: string | null; found: Overlay } | null = null;

/** Add a mask of the conversation to what is painted. */
export async function addMask(address: string): Promise<void> {
  await guarded(async () => mask.addImage(await createImageBitmap(await imageBlob(address)), false));
}

/** What earlier steps found on the image that is shown; the same object while neither changes. */
export function overlayOf(state: State): Overlay {
  if (overlay?.turns !== state.turns || overlay.current !== state.current) {
    overlay = { turns: state.turns, current: state.current, found: findOverlay(state) };
  }
  return overlay.found;
}

function findOverlay(state: State): Overlay {
  const found: Overlay = { boxes: [], labels: [], scores: [], masks: [] };
  for (const step of state.turns.flatMap((turn) => turn.steps)) {
    const result = step.result;
    if (!result || local(String(result.original_image_url ?? "")) !== state.current) continue;
    if (step.operation === "detect_objects") {
      found.boxes = (result.bounding_boxes ?? []) as unknown as Box[];
      found.labels = (result.labels ?? []) as unknown as string[];
      found.scores = (result.scores ?? []) as unknown as number[];
    }
    if (typeof result.merged_mask_url === "string") found.masks = [local(result.merged_mask_url)];
  }
  return found;
}

export async function download(address: string): Promise<void> {
  await guarded(async () => saveBlob(await imageBlob(address), `promptvision-${address.slice(-8)}`));
}

export function saveBlob(blob: Blob, name: string): void {
  const extension = { "image/jpeg": "jpg", "image/webp": "webp", "application/zip": "zip" }[blob.type] ?? "png";
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = `${name}.${extension}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

export async function downloadAll(): Promise<void> {
  await guarded(async () => {
    const { zipSync } = await import("fflate");
    const files: Record<string, Uint8Array> = {};
    for (const [index, image] of store.get().images.entries()) {
      const blob = await imageBlob(image.url);
      const extension = blob.type === "image/jpeg" ? "jpg" : "png";
      const name = `${String(index + 1).padStart(2, "0")}-${image.maker || "original"}.${extension}`;
      files[name] = new Uint8Array(await blob.arrayBuffer());
    }
    saveBlob(new Blob([zipSync(files, { level: 0 }) as BlobPart], { type: "application/zip" }), "promptvision-images");
  });
}

export async function copyImage(address: string): Promise<void> {
  await guarded(async () => {
    const bitmap = await createImageBitmap(await imageBlob(address));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    const png = await canvas.convertToBlob({ type: "image/png" });
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    notify(t("copied"));
  });
}

