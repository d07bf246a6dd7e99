/** The setup panel: the planner in use, missing models with a button to download them, and findings of the doctor. */

import { useEffect, useState } from "preact/hooks";

import { getJson, request } from "../api";
import { reloadAll } from "../session";
import { guarded, notify, store } from "../state";
import { size } from "../size";
import { events } from "../sse";
import { useStore } from "../store";
import { t } from "../strings";
import { Icon } from "./icons";
import { Missing } from "./ToolsPanel";

interface ModelInfo {
  id: string;
  license: string;
  license_url: string;
  bytes: number;
  present: boolean;
}

interface SetupInfo {
  is_operator: boolean;
  planner: string;
  models: ModelInfo[];
}

interface Finding {
  check: string;
  state: "ok" | "warn" | "fail";
  seen: string;
  fix: string;
}

export function Setup() {
  const operations = useStore(store, (state) => state.operations);
  const [info, setInfo] = useState<SetupInfo | null>(null);
  const load = (): void => {
    void guarded(async () => setInfo(await getJson<SetupInfo>("web/setup")));
  };
  useEffect(load, []);
  const missing = operations.filter((operation) => operation.tools.some((tool) => !tool.available));
  const absent = info?.models.filter((model) => !model.present) ?? [];
  return (
    <div class="panel">
      <section class="card" aria-label={t("plannerInUse")}>
        <h2>{t("plannerInUse")}</h2>
        <p>
          <strong>{info?.planner ?? "…"}</strong>
        </p>
        <p class="note">{t("plannerHint")}</p>
      </section>
      <section class="card" aria-label={t("models")}>
        <h2>{t("models")}</h2>
        {info && !info.is_operator && <p class="note">{t("operatorOnly")}</p>}
        {info && absent.length === 0 && <p>{t("allModels")}</p>}
        <ul class="models">
          {absent.map((model) => (
            <Model key={model.id} model={model} canPull={info?.is_operator ?? false} onDone={load} />
          ))}
        </ul>
      </section>
      <section class="card" aria-label={t("missingTools")}>
        <h2>{t("missingTools")}</h2>
        {missing.length === 0 && <p>{t("allReady")}</p>}
        {missing.map((operation) => (
          <details key={operation.operation} class="tool">
            <summary>{operation.operation.replaceAll("_", " ")}</summary>
            <Missing operation={operation} />
          </details>
        ))}
      </section>
      {info?.is_operator && <Doctor />}
    </div>
  );
}

function Model({ model, canPull, onDone }: { model: ModelInfo; canPull: boolean; onDone: () => void }) {
  const [progress, setProgress] = useState<{ done: number; total: number } | null>(null);
  const [error, setError] = useState("");
  const pull = async (): Promise<void> => {
    setError("");
    setProgress({ done: 0, total: model.bytes });
    try {
      const path = `web/models/${encodeURIComponent(model.id)}/pull`;
      const response = await request("POST", path, { accept: "text/event-stream" });
      for await (const event of events(response)) {
        const message = JSON.parse(event.data) as { done?: number; total?: number; error?: string };
        if (message.error) {
          setError(message.error);
          return;
        }
        if (message.done !== undefined) setProgress({ done: message.done, total: message.total || model.bytes });
      }
    } finally {
      setProgress(null);
    }
    notify(`${model.id}: ${t("pulled")}`);
    onDone();
    await reloadAll();
  };
  return (
    <li>
      <div class="row">
        <span class="grow">
          <code>{model.id}</code>
          <small>
            {size(model.bytes)} ·{" "}
            {model.license_url ? (
              <a href={model.license_url} rel="noreferrer noopener" target="_blank">
                {model.license}
              </a>
            ) : (
              model.license
            )}
          </small>
        </span>
        {canPull && !progress && (
          <button type="button" aria-label={`${t("pull")}: ${model.id}`} onClick={() => void guarded(pull)}>
            <Icon name="download" />
            {t("download")}
          </button>
        )}
      </div>
      {progress && (
        <label class="progress">
          <progress value={progress.done} max={progress.total || 1} aria-label={model.id} />
          {size(progress.done)} {t("progressOf")} {size(progress.total)}
        </label>
      )}
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </li>
  );
}

function Doctor() {
  const [findings, setFindings] = useState<Finding[] | null>(null);
  const [isRunning, setRunning] = useState(false);
  const run = async (): Promise<void> => {
    setRunning(true);
    try {
      setFindings((await getJson<{ findings: Finding[] }>("web/doctor")).findings);
    } finally {
      setRunning(false);
    }
  };
  return (
    <section class="card" aria-label={t("doctor")}>
      <h2>{t("doctor")}</h2>
      <p class="note">{t("doctorHint")}</p>
      <button type="button" disabled={isRunning} onClick={() => void guarded(run)}>
        {isRunning && <span class="spinner" aria-hidden="true" />}
        {t("check")}
      </button>
      {findings && (
        <ul class="findings">
          {findings.map((finding) => (
            <li key={finding.check} class={finding.state}>
              <span class="state">{t(STATES[finding.state])}</span>
              <strong>{finding.check}</strong>
              <span>{finding.seen}</span>
              {finding.fix && <code>{finding.fix}</code>}
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const STATES = { ok: "stateOk", warn: "stateWarn", fail: "stateFail" } as const;
