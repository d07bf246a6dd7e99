/** Operations that run without a planner. */

import { imageBlob, local, sendJson } from "./api";
import { addExtra, use } from "./images";
import { guarded, mask, newId, notify, store } from "./state";
import { madeImages, newTurn, storedTurn } from "./turn";
import type { ImageEntry, JsonObject, Reply } from "./types";

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

/** Open the form of a step's tool, filled with the step's arguments, on the step's image. */
export function editStep(operation: string, values: JsonObject): void {
  const images = store.get().operations.find((info) => info.operation === operation)?.images ?? [];
  const [image] = images;
  const address = image ? values[image] : null;
  if (typeof address === "string") use(local(address));
  const rest = Object.entries(values).filter(([name, value]) => name !== image && value !== null);
  store.set({ panel: "tools", form: { operation, values: Object.fromEntries(rest) } });
}

/** Select the object at a point of the current image, and add it to the mask or subtract it. */
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

/** Add a mask of the conversation to the painted one. */
export async function addMask(address: string): Promise<void> {
  await guarded(async () => mask.addImage(await createImageBitmap(await imageBlob(address)), false));
}
