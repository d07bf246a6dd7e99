/** Shapes of the server's JSON, as docs/http.md describes them. */

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type JsonObject = { [name: string]: Json };

export type Box = [number, number, number, number];

export interface Step {
  operation: string;
  tool: string;
  plugin: string;
  status: string;
  arguments: JsonObject;
  result: JsonObject | null;
  seconds: number;
  cached: boolean;
  message: string | null;
}

export interface Need {
  what: string;
  fix: string;
}

/** The question whether a step may run. */
export interface Approval {
  approval_id: string;
  step: number;
  operation: string;
  tool: string;
  plugin: string;
  question: string;
  arguments: JsonObject;
}

/** What must be downloaded, installed or configured first. */
export interface NeedsSetup {
  models: string[];
  bytes: number;
  command: string;
}

export interface Reply {
  text_response: string;
  image_url: string | null;
  steps: Step[];
  turn_id: string;
  status: string;
  planner: string;
  notes?: string[];
  needs_setup?: NeedsSetup;
}

export interface ImageEntry {
  url: string;
  kind: string;
  maker: string;
  handle?: string;
  parent?: string | number | null;
  width?: number;
  height?: number;
}

export interface StoredTurn {
  turn_id: string;
  prompt_id: string;
  prompt: string;
  status: string;
  created_at: number;
  reply: Reply | null;
}

export interface ConversationInfo {
  id: string;
  title: string;
  updated_at: number;
}

export interface ConversationDocument {
  turns: StoredTurn[];
  images: ImageEntry[];
  title: string;
  /** Where the page of earlier turns begins; null when there is none. */
  next_before: number | null;
}

export interface Schema {
  type?: string | string[];
  anyOf?: Schema[];
  enum?: Json[];
  default?: Json;
  description?: string;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  maxLength?: number;
  maxItems?: number;
  items?: Schema;
  properties?: { [name: string]: Schema };
  required?: string[];
}

export interface ToolInfo {
  tool: string;
  plugin: string;
  available: boolean;
  missing: Need[];
  models: string[];
  limits: string;
}

export interface OperationInfo {
  operation: string;
  description: string;
  available: boolean;
  /** Arguments that are images, lists of images and masks. */
  images: string[];
  image_lists: string[];
  masks: string[];
  parameters: Schema;
  tools: ToolInfo[];
}

export interface StepView {
  number: number;
  operation: string;
  tool: string;
  status: string;
  arguments: JsonObject;
  result: JsonObject | null;
  seconds: number | null;
  cached: boolean;
  message: string | null;
  images: string[];
  progress: { done: number; total: number; message: string } | null;
}

export interface TurnView {
  id: string;
  promptId: string;
  prompt: string;
  input: string | null;
  text: string;
  status: string;
  planner: string;
  steps: StepView[];
  warnings: string[];
  needs: NeedsSetup | null;
  /** Questions without an answer; a stored turn has none, its events ask again. */
  approvals: Approval[];
  /** Id of the last event, from which the events are resumed. */
  cursor: string;
}
