/** Boxes and masks that steps found on the current image. */

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

/** What steps found on the current image; the same object until the turns or the current image change. */
export function overlayOf(state: State): Overlay {
  if (overlay?.turns !== state.turns || overlay.current !== state.current) {
    overlay = { turns: state.turns, current: state.current, found: findOverlay(state) };
  }
  return overlay.found;
}

/** Of the newest turn that found something on the image: older results would only hide the image. */
function findOverlay(state: State): Overlay {
  for (const turn of state.turns.toReversed()) {
    const found: Overlay = { boxes: [], labels: [], scores: [], masks: [] };
    for (const { operation, result } of turn.steps) {
      if (!result || local(String(result.original_image_url ?? "")) !== state.current) continue;
      if (operation === "detect_objects") {
        found.boxes = (result.bounding_boxes ?? []) as unknown as Box[];
        found.labels = (result.labels ?? []) as unknown as string[];
        found.scores = (result.scores ?? []) as unknown as number[];
      }
      if (typeof result.merged_mask_url === "string") found.masks = [local(result.merged_mask_url)];
    }
    if (found.boxes.length + found.masks.length > 0) return found;
  }
  return { boxes: [], labels: [], scores: [], masks: [] };
}
