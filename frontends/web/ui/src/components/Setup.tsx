/** What is missing on this server, with a button to download it, and which planner is in use. */

import { useEffect, useState } from "preact/hooks";

import { getJson, request } from "../api";
import { guarded, reloadAll, store } from "../state";
import { events } from "../sse";
import { useStore } from "../store";
import { t } from "../strings";
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

export function Setup() {
  const operations = useStore(store, (state) => state.operations);
  const [info, setInfo] = useState<SetupInfo | null>(null);
  const load = (): void => {
    void guarded(async () => setInfo(await getJson<SetupInfo>("web/setup")));
  };
  useEffect(load, []);
  const missing = operations.filter((operation) => operation.tools.some((tool) => !tool.available));
  return (
    <div class="panel">
      <h2>{t("plannerInUse")}</h2>
      <p>
        <strong>{info?.planner}</strong>
      </p>
      <p class="note">{t("plannerHint")}</p>
      <h2>{t("missingModel")}</h2>
      {info && !info.is_operator && <p class="note">{t("operatorOnly")}</p>}
      <ul class="plain">
        {info?.models
          .filter((model) => !model.present)
          .map((model) => (
            <Model key={model.id} model={model} canPull={info.is_operator} onDone={load} />
          ))}
      </ul>
      {missing.length === 0 && <p>{t("allReady")}</p>}
      {missing.map((operation) => (
        <details key={operation.operation} class="tool">
          <summary>{operation.operation.replaceAll("_", " ")}</summary>
          <Missing operation={operation} />
        </details>
      ))}
    </div>
  );
}

function Model({ model, canPull, onDone }: { model: ModelInfo; canPull: boolean; onDone: () => void }) {
  const [progress, setProgress] = useState<{ done: number; total: number } | null>(null);
  const pull = async (): Promise<void> => {
    setProgress({ done: 0, total: model.bytes });
    try {
      const response = await request("POST", `web/models/${encodeURIComponent(model.id)}/pull`, { accept: "text/event-stream" });
      for await (const event of events(response)) {
        const told = JSON.parse(event.data) as { done?: number; total?: number; error?: string };
        if (told.error) throw new Error(told.error);
        if (told.done !== undefined) setProgress({ done: told.done, total: told.total ?? model.bytes });
      }
    } finally {
      setProgress(null);
    }
    onDone();
    await reloadAll();
  };
  return (
    <li class="row">
      <span class="grow">
        <code>{model.id}</code> · {(model.bytes / 1e9).toFixed(2)} GB ·{" "}
        {model.license_url ? (
          <a href={model.license_url} rel="noreferrer noopener" target="_blank">
            {model.license}
          </a>
        ) : (
          model.license
        )}
      </span>
      {progress ? (
        <progress value={progress.done} max={progress.total} aria-label={model.id} />
      ) : (
        canPull && (
          <button type="button" onClick={() => void guarded(pull)}>
            {t("pull")}
          </button>
        )
      )}
    </li>
  );
}
