/** One step: operation, target, status, duration, progress, images, arguments and result. */

import { useState } from "preact/hooks";

import { use } from "../images";
import { editStep } from "../tools";
import { t } from "../strings";
import type { JsonObject, StepView } from "../types";
import { statusName } from "./Conversation";
import { IconButton } from "./icons";
import { Thumbnail } from "./Thumbnail";

/** The target or instruction among the arguments of a step; empty if it has none. */
function subject(values: JsonObject): string {
  for (const name of ["target", "prompt", "text", "aspect", "part"]) {
    const value = values[name];
    if (typeof value === "string" && value) return value;
  }
  return "";
}

/** Make an image the current one, and scroll to it where the canvas is above the conversation. */
function show(image: string): void {
  use(image);
  document.querySelector(".canvas")?.scrollIntoView({ block: "nearest" });
}

export function StepCard({ step }: { step: StepView }) {
  const about = subject(step.arguments);
  return (
    <section class={`step ${step.status}`} role="group" aria-label={step.operation.replaceAll("_", " ")}>
      <header>
        <span class="grow">
          <strong>{step.operation.replaceAll("_", " ")}</strong>
          {about && <span class="subject"> “{about}”</span>}
        </span>
        <span class="status">
          {statusName(step.status)}
          {step.seconds !== null && ` · ${step.seconds.toFixed(1)} ${t("seconds")}`}
          {step.cached && ` · ${t("cached")}`}
        </span>
        {step.status !== "running" && (
          <IconButton icon="sliders" label={t("editStep")} onClick={() => editStep(step.operation, step.arguments)} />
        )}
      </header>
      {step.progress && (
        <label class="progress">
          <progress value={step.progress.done} max={step.progress.total} />
          {step.progress.done} {t("progressOf")} {step.progress.total} {step.progress.message}
        </label>
      )}
      {step.message && <p class={step.status === "failed" ? "error" : "note"}>{step.message}</p>}
      {step.images.length > 0 && (
        <div class="thumbs">
          {step.images.map((image) => (
            <button type="button" key={image} title={t("useImage")} aria-label={t("useImage")} onClick={() => show(image)}>
              <Thumbnail address={image} alt="" size={120} />
            </button>
          ))}
        </div>
      )}
      <Details step={step} />
    </section>
  );
}

/** Arguments and result, rendered only when they are opened: a long conversation has hundreds of them. */
function Details({ step }: { step: StepView }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {t("details")}
        {step.tool && ` · ${step.tool}`}
      </summary>
      {isOpen && <pre tabIndex={0}>{JSON.stringify({ arguments: step.arguments, result: step.result }, null, 2)}</pre>}
    </details>
  );
}
