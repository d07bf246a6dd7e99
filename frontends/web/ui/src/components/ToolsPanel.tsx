/** A form for each operation, generated from its JSON schema; tools of plugins have one without further work. */

import { useEffect, useRef, useState } from "preact/hooks";

import { upload } from "../api";
import { guarded, mask, notify, store } from "../state";
import { runTool } from "../tools";
import { useStore } from "../store";
import { t } from "../strings";
import type { JsonObject, OperationInfo } from "../types";
import { Field, type FieldKind, plain } from "./Field";

export function ToolsPanel() {
  const operations = useStore(store, (state) => state.operations);
  const [wanted, setWanted] = useState("");
  const found = operations.filter(({ operation, description }) =>
    `${operation.replaceAll("_", " ")} ${description}`.toLowerCase().includes(wanted.toLowerCase()),
  );
  return (
    <div class="panel">
      <input
        type="search"
        aria-label={t("searchTools")}
        placeholder={t("searchTools")}
        value={wanted}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      {found.map((operation) => (
        <Operation key={operation.operation} operation={operation} />
      ))}
    </div>
  );
}

function Operation({ operation }: { operation: OperationInfo }) {
  const form = useStore(store, (state) => (state.form?.operation === operation.operation ? state.form : null));
  const place = useRef<HTMLDetailsElement>(null);
  const [key, setKey] = useState(0);
  useEffect(() => {
    if (!form || !place.current) return;
    place.current.open = true;
    place.current.scrollIntoView({ block: "start" });
    setKey((old) => old + 1);
  }, [form]);
  return (
    <details class="tool" name="tool" ref={place}>
      <summary>
        <span>{operation.operation.replaceAll("_", " ")}</span>
        {!operation.available && <span class="badge">{t("missing")}</span>}
      </summary>
      <p class="note">{operation.description}</p>
      {operation.available ? (
        <ToolForm key={key} operation={operation} preset={form?.values ?? {}} />
      ) : (
        <Missing operation={operation} />
      )}
    </details>
  );
}

export function Missing({ operation }: { operation: OperationInfo }) {
  return (
    <ul class="plain">
      {operation.tools.flatMap((tool) =>
        tool.missing.map((need) => (
          <li key={tool.tool + need.what}>
            {need.what}: <code>{need.fix}</code>
          </li>
        )),
      )}
    </ul>
  );
}

function kindOf(operation: OperationInfo, name: string): FieldKind {
  if (operation.masks.includes(name)) return "mask";
  if (operation.images.includes(name)) return "image";
  return operation.image_lists.includes(name) ? "images" : "value";
}

function ToolForm({ operation, preset }: { operation: OperationInfo; preset: JsonObject }) {
  const current = useStore(store, (state) => state.current);
  const busy = useStore(store, (state) => state.busy);
  const [values, setValues] = useState<JsonObject>(preset);
  const [image] = operation.images;
  const fields = Object.entries(operation.parameters.properties ?? {}).filter(([name]) => name !== image);
  const submit = async (): Promise<void> => {
    if (image && !current) {
      notify(t("noImage"));
      return;
    }
    const filled = { ...values };
    if (image && current) filled[image] = current;
    for (const name of operation.masks) {
      if (!mask.isEmpty()) filled[name] = (await upload(await mask.toBlob(), "mask.png")).image_url;
    }
    await runTool(operation.operation, filled);
  };
  return (
    <form
      class="fields"
      onSubmit={(event) => {
        event.preventDefault();
        void guarded(submit);
      }}
    >
      {fields.map(([name, schema]) => (
        <Field
          key={name}
          name={name}
          schema={plain(schema)}
          kind={kindOf(operation, name)}
          required={operation.parameters.required?.includes(name) ?? false}
          value={values[name]}
          setValue={(value) => {
            const { [name]: _, ...rest } = values;
            setValues(value === undefined ? rest : { ...rest, [name]: value });
          }}
        />
      ))}
      <button type="submit" class="primary" disabled={busy}>
        {busy && <span class="spinner" aria-hidden="true" />}
        {t("run")}
      </button>
    </form>
  );
}
