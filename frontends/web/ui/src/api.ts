/** Requests to the server that serves this page, wherever it is mounted. */

import type { Json, NeedsSetup } from "./types";

const KEY = "promptvision.key";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** The key that the request was sent with. */
    readonly key: string | null = null,
    /** What must be set up before the request can work, if the server says so. */
    readonly needs: NeedsSetup | null = null,
  ) {
    super(message);
  }
}

/** The API key, in session storage: it is discarded with the tab, and the browser never sends it by itself. */
export const key = {
  get: (): string | null => sessionStorage.getItem(KEY),
  set: (value: string): void => sessionStorage.setItem(KEY, value),
  clear: (): void => sessionStorage.removeItem(KEY),
};

export function url(path: string): string {
  return new URL(path, document.baseURI).href;
}

/** The URL of an image of this server on the origin of the page, whatever host name the server uses for it. */
export function local(address: string): string {
  const found = /\/images\/([0-9a-f]{64})$/.exec(address);
  return found ? url(`images/${found[1]}`) : address;
}

export function thumbnail(address: string, width: number): string {
  return address.startsWith("blob:") ? address : `${local(address)}?width=${width}`;
}

interface RequestOptions {
  json?: Json;
  form?: FormData;
  accept?: string;
  headers?: Record<string, string>;
  /** A key to send instead of the stored one. */
  key?: string;
  /** Whether the request outlives the page. */
  keepalive?: boolean;
}

export async function request(
  method: string,
  path: string,
  options: RequestOptions = {},
): Promise<Response> {
  const sent = options.key ?? key.get();
  const headers: Record<string, string> = { Accept: options.accept ?? "application/json", ...options.headers };
  if (options.json !== undefined) headers["Content-Type"] = "application/json";
  if (sent) headers.Authorization = `Bearer ${sent}`;
  const init: RequestInit = { method, headers, credentials: "same-origin", keepalive: options.keepalive ?? false };
  if (options.form) init.body = options.form;
  else if (options.json !== undefined) init.body = JSON.stringify(options.json);
  const response = await fetch(url(path), init);
  if (!response.ok) throw await problem(response, sent);
  return response;
}

async function problem(response: Response, sent: string | null): Promise<ApiError> {
  let text = `${response.status} ${response.statusText}`;
  let needs: NeedsSetup | null = null;
  try {
    const body = (await response.json()) as { error?: string; detail?: string; needs_setup?: NeedsSetup };
    text = body.error ?? body.detail ?? text;
    needs = body.needs_setup ?? null;
  } catch {
    // the body is not a problem document: show the status line
  }
  return new ApiError(response.status, text, sent, needs);
}

export async function getJson<T>(path: string): Promise<T> {
  return (await (await request("GET", path)).json()) as T;
}

export async function sendJson<T>(method: string, path: string, json: Json): Promise<T> {
  const response = await request(method, path, { json });
  return (response.status === 204 ? null : await response.json()) as T;
}

export interface Uploaded {
  image_id: string;
  image_url: string;
  width: number;
  height: number;
}

export async function upload(file: Blob, name = "image.png"): Promise<Uploaded> {
  const form = new FormData();
  form.append("file", file, name);
  return (await (await request("POST", "images", { form })).json()) as Uploaded;
}

/** The bytes of an image; with a key, the only way to get them, since `<img>` sends no header. */
export async function imageBlob(address: string): Promise<Blob> {
  return (await request("GET", local(address), { accept: "image/*" })).blob();
}
