/** A turn as the page shows it, from AG-UI events or from the stored document; both give the same view. */

import type { AGUIEvent } from "@ag-ui/core";

import { local } from "./api";
import type {
  Approval,
  ImageEntry,
  Json,
  JsonObject,
  NeedsSetup,
  Reply,
  Step,
  StepView,
  StoredTurn,
  TurnView,
} from "./types";

export const ENDED = new Set(["done", "failed", "cancelled", "interrupted"]);

export function newTurn(prompt: string, promptId: string, input: string | null): TurnView {
  return {
    id: "",
    promptId,
    prompt,
    input,
    text: "",
    status: "running",
    planner: "",
    steps: [],
    warnings: [],
    needs: null,
    approvals: [],
    cursor: "",
  };
}

export function storedTurn(turn: StoredTurn): TurnView {
  const reply = turn.reply;
  return {
    id: turn.turn_id,
    promptId: turn.prompt_id,
    prompt: turn.prompt,
    input: reply?.image_url ? local(reply.image_url) : null,
    text: reply?.text_response ?? "",
    status: turn.status,
    planner: reply?.planner ?? "",
    steps: (reply?.steps ?? []).map((step, index) => stepView(step, index + 1)),
    warnings: reply?.notes ?? [],
    needs: reply?.needs_setup ?? null,
    approvals: [],
    cursor: "",
  };
}

function stepView(step: Step, number: number): StepView {
  return {
    number,
    operation: step.operation,
    tool: step.tool,
    status: step.status,
    arguments: step.arguments,
    result: step.result,
    seconds: step.seconds,
    cached: step.cached,
    message: step.message,
    images: madeImages(step.result),
    progress: null,
  };
}

/** URLs of the images that a step made, in the order of its result fields. */
export function madeImages(result: JsonObject | null): string[] {
  if (!result) return [];
  const found: string[] = [];
  for (const [name, value] of Object.entries(result)) {
    if (name === "original_image_url" || (name === "mask_urls" && "merged_mask_url" in result)) continue;
    for (const item of Array.isArray(value) ? value : [value]) {
      if (typeof item === "string" && /\/images\/[0-9a-f]{64}$/.test(item)) found.push(local(item));
    }
  }
  return [...new Set(found)];
}

export interface Applied {
  turn: TurnView;
  images: ImageEntry[] | null;
}

/** One event applied to a turn. `images` is the conversation's image table if the event changed it. */
export function apply(turn: TurnView, images: ImageEntry[], event: AGUIEvent): Applied {
  const next = { ...turn };
  const raw = event as unknown as JsonObject;
  switch (event.type as string) {
    case "RUN_STARTED":
      next.id = String(raw.runId);
      return { turn: next, images: null };
    case "STATE_SNAPSHOT": {
      const snapshot = raw.snapshot as unknown as { images: ImageEntry[] };
      return { turn: next, images: snapshot.images.map(localEntry) };
    }
    case "STATE_DELTA": {
      const added = (raw.delta as { op: string; value: Json }[])
        .filter((change) => change.op === "add")
        .map((change) => localEntry(change.value as unknown as ImageEntry));
      return { turn: next, images: [...images, ...added] };
    }
    case "TOOL_CALL_START":
      next.steps = [...turn.steps.filter((step) => step.number !== numberOf(raw)), started(raw)];
      return { turn: next, images: null };
    case "TOOL_CALL_ARGS":
      next.steps = changed(turn.steps, numberOf(raw), (step) => ({ ...step, arguments: parsed(String(raw.delta)) }));
      return { turn: next, images: null };
    case "TOOL_CALL_RESULT":
      next.steps = changed(turn.steps, numberOf(raw), (step) => finished(step, raw));
      return { turn: next, images: null };
    case "ACTIVITY_SNAPSHOT": {
      const content = raw.content as { step: number; done: number; total: number; message: string };
      next.steps = changed(turn.steps, content.step, (step) => ({ ...step, progress: content }));
      return { turn: next, images: null };
    }
    case "ACTIVITY_DELTA": {
      const patch = raw.patch as { path: string; value: Json }[];
      const content = Object.fromEntries(patch.map(({ path, value }) => [path.slice(1), value]));
      const progress = content as unknown as { step: number; done: number; total: number; message: string };
      next.steps = changed(turn.steps, progress.step, (step) => ({ ...step, progress }));
      return { turn: next, images: null };
    }
    case "TEXT_MESSAGE_START":
      next.text = turn.text && `${turn.text}\n`;
      return { turn: next, images: null };
    case "TEXT_MESSAGE_CONTENT":
      next.text = turn.text + String(raw.delta);
      return { turn: next, images: null };
    case "CUSTOM":
      return { turn: custom(next, raw), images: null };
    case "RUN_FINISHED": {
      const reply = raw.result as unknown as Reply;
      const cancelled = (raw.outcome as JsonObject | undefined)?.type === "cancelled";
      return { turn: replied(next, reply, cancelled ? "cancelled" : "done"), images: null };
    }
    case "RUN_ERROR":
      next.status = ENDED.has(String(raw.code)) ? String(raw.code) : "failed";
      next.approvals = [];
      next.text = turn.text || String(raw.message);
      return { turn: next, images: null };
    default:
      return { turn: next, images: null };
  }
}

function localEntry(image: ImageEntry): ImageEntry {
  return { ...image, url: local(image.url) };
}

function numberOf(raw: JsonObject): number {
  return Number(String(raw.toolCallId).split("-").pop());
}

function started(raw: JsonObject): StepView {
  return {
    number: numberOf(raw),
    operation: String(raw.toolCallName),
    tool: "",
    status: "running",
    arguments: {},
    result: null,
    seconds: null,
    cached: false,
    message: null,
    images: [],
    progress: null,
  };
}

function finished(step: StepView, raw: JsonObject): StepView {
  const parts = raw.content as { type: string; text?: string }[];
  const text = parts.find((part) => part.type === "text")?.text ?? "{}";
  const content = parsed(text) as unknown as Partial<Step>;
  return {
    ...step,
    tool: content.tool ?? step.tool,
    status: content.status ?? "done",
    result: content.result ?? null,
    seconds: content.seconds ?? null,
    cached: content.cached ?? false,
    message: content.message ?? null,
    images: madeImages(content.result ?? null),
    progress: null,
  };
}

function changed(steps: StepView[], number: number, change: (step: StepView) => StepView): StepView[] {
  return steps.map((step) => (step.number === number ? change(step) : step));
}

function custom(turn: TurnView, raw: JsonObject): TurnView {
  const value = raw.value as JsonObject;
  if (raw.name === "promptvision.reply") return replied(turn, value as unknown as Reply, "failed");
  if (raw.name === "promptvision.approval") {
    return { ...turn, approvals: [...withoutApproval(turn, value), value as unknown as Approval] };
  }
  if (raw.name === "promptvision.approval_answered") return { ...turn, approvals: withoutApproval(turn, value) };
  const needs = (value.needs_setup as NeedsSetup | undefined) ?? turn.needs;
  const message = value.message;
  if (typeof message !== "string" || turn.warnings.includes(message)) return { ...turn, needs };
  return { ...turn, needs, warnings: [...turn.warnings, message] };
}

function withoutApproval(turn: TurnView, value: JsonObject): Approval[] {
  return turn.approvals.filter((approval) => approval.approval_id !== value.approval_id);
}

function replied(turn: TurnView, reply: Reply, status: string): TurnView {
  return {
    ...turn,
    status,
    approvals: [],
    text: reply.text_response,
    planner: reply.planner,
    needs: reply.needs_setup ?? turn.needs,
    input: reply.image_url ? local(reply.image_url) : turn.input,
  };
}

function parsed(text: string): JsonObject {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return {};
  }
}
