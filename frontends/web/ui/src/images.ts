/** The images of the conversation: add, use, download and copy them. */

import { imageBlob, local, request, sendJson, upload, type Uploaded } from "./api";
import { startConversation } from "./conversations";
import { guarded, mask, notify, store } from "./state";
import { t } from "./strings";
import type { ImageEntry } from "./types";

const EXTRA = "promptvision.extra.";

/** Images that are uploaded or made by a single tool: the server stores them, this tab adds them to the conversation. */
export function extraImages(conversation: string): ImageEntry[] {
  try {
    return JSON.parse(sessionStorage.getItem(EXTRA + conversation) ?? "[]") as ImageEntry[];
  } catch {
    return [];
  }
}

export function addExtra(entries: ImageEntry[]): void {
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

export function newest(images: ImageEntry[]): string | null {
  return images.filter((image) => image.kind === "edit" || image.kind === "input").at(-1)?.url ?? null;
}

/** Make an image the one that the next message is about; an earlier one undoes what came after it. */
export function use(address: string): void {
  const images = store.get().images;
  const parent = images.find((image) => image.url === address)?.parent;
  const before = images.find((image) => image.handle && image.handle === parent)?.url ?? null;
  mask.clear();
  store.set({ current: address, compare: before, selected: null });
}

/** Start another conversation with an image of this one. */
export function branch(address: string): void {
  startConversation();
  addExtra([{ url: address, kind: "input", maker: "" }]);
  use(address);
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
