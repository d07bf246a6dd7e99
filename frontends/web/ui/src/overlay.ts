/** What earlier steps found on the image that is shown. */

import { local } from "./api";
import type { State } from "./state";
import type { Box, TurnView } from "./types";

export interface Overlay {
  boxes: Box[];
  labels: string[];
  scores: number[];
  masks: string[];
}

let overlay: { turns: TurnView[]; current: string | null; found: Overlay } | null = null;

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
