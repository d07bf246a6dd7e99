/** A form for each operation, made from its JSON schema, so that a plugin's tool has one as soon as it is installed. */

import { useState } from "preact/hooks";

import { upload } from "../api";
import { guarded, mask, notify, runTool, store } from "../state";
import { useStore } from "../store";
import { t } from "../strings";
import type { Json, JsonObject, OperationInfo, Schema } from "../types";
import { IconButton } from "./icons";

export function ToolsPanel() {
  const operations = useStore(store, (state) => state.operations);
  return (
    <div class="panel">
      {operations.map((operation) => (
        <details key={operation.operation} class="tool" name="tool">
          <summary>
            {operation.operation.replaceAll("_", " ")}
            {!operation.available && <span class="badge">{t("missing")}</span>}
          </summary>
          <p>{operation.description}</p>
          {operation.available ? <ToolForm operation={operation} /> : <Missing operation={operation} />}
        </details>
      ))}
    </div>
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

/** A schema without the `null` of an optional value. */
function plain(schema: Schema): Schema {
  const kept = schema.anyOf?.find((part) => part.type !== "null");
  if (kept) return { ...schema, ...kept };
  if (Array.isArray(schema.type)) return { ...schema, type: schema.type.find((type) => type !== "null") ?? "string" };
  return schema;
}

const COLOUR = /colou?r|background|fill|outline/;

function ToolForm({ operation }: { operation: OperationInfo }) {
  const current = useStore(store, (state) => state.current);
  const busy = useStore(store, (state) => state.busy);
  const [values, setValues] = useState<JsonObject>({});
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
          isMask={operation.masks.includes(name)}
          required={operation.parameters.required?.includes(name) ?? false}
          value={values[name]}
          setValue={(value) => {
            const { [name]: _, ...rest } = values;
            setValues(value === undefined ? rest : { ...rest, [name]: value });
          }}
        />
      ))}
      <button type="submit" class="primary" disabled={busy}>
        {t("run")}
      </button>
    </form>
  );
}

interface FieldProps {
  name: string;
  schema: Schema;
  isMask?: boolean;
  required: boolean;
  value: Json | undefined;
  setValue: (value: Json | undefined) => void;
}

function Field(props: FieldProps) {
  const { name, schema } = props;
  if (props.isMask) {
    return (
      <p class="note">
        {name.replaceAll("_", " ")}: {t("useMask")}
      </p>
    );
  }
  const label = name.replaceAll("_", " ");
  return (
    <label class="field">
      <span>{label}</span>
      <Control {...props} />
      {schema.description && <small>{schema.description}</small>}
    </label>
  );
}

function Control({ name, schema, required, value, setValue }: FieldProps) {
  const preset = schema.default;
  if (schema.enum) {
    return (
      <select required={required} onChange={(event) => setValue(event.currentTarget.value || undefined)}>
        {!required && <option value="">{preset === undefined || preset === null ? "" : String(preset)}</option>}
        {schema.enum.map((choice) => (
          <option key={String(choice)} value={String(choice)}>
            {String(choice)}
          </option>
        ))}
      </select>
    );
  }
  if (schema.type === "boolean") {
    return (
      <input
        type="checkbox"
        checked={Boolean(value ?? preset)}
        onChange={(event) => setValue(event.currentTarget.checked)}
      />
    );
  }
  if (schema.type === "number" || schema.type === "integer") {
    return <NumberControl name={name} schema={schema} required={required} value={value} setValue={setValue} />;
  }
  if (schema.type === "array" || schema.type === "object") {
    return (
      <textarea
        rows={2}
        placeholder="[[x1, y1, x2, y2]]"
        required={required}
        onChange={(event) => {
          const text = event.currentTarget.value.trim();
          event.currentTarget.setCustomValidity("");
          try {
            setValue(text ? (JSON.parse(text) as Json) : undefined);
          } catch {
            event.currentTarget.setCustomValidity("JSON");
          }
        }}
      />
    );
  }
  return (
    <span class="row">
      <input
        type="text"
        required={required}
        maxLength={schema.maxLength ?? 2000}
        value={typeof value === "string" ? value : ""}
        placeholder={typeof preset === "string" ? preset : ""}
        onInput={(event) => setValue(event.currentTarget.value || undefined)}
      />
      {COLOUR.test(name) && (
        <input
          type="color"
          aria-label={name}
          value={typeof value === "string" && value.startsWith("#") ? value : "#ffffff"}
          onInput={(event) => setValue(event.currentTarget.value)}
        />
      )}
    </span>
  );
}

function NumberControl({ name, schema, required, value, setValue }: FieldProps) {
  const low = schema.minimum ?? schema.exclusiveMinimum;
  const high = schema.maximum ?? schema.exclusiveMaximum;
  const step = schema.type === "integer" ? 1 : "any";
  const shown = typeof value === "number" ? value : typeof schema.default === "number" ? schema.default : undefined;
  const hasSlider = low !== undefined && high !== undefined && high - low <= 10_000;
  const read = (text: string): void => setValue(text === "" ? undefined : Number(text));
  return (
    <span class="row">
      {hasSlider && (
        <input
          type="range"
          aria-label={name}
          min={low}
          max={high}
          step={schema.type === "integer" ? 1 : (high - low) / 200}
          value={shown ?? low}
          onInput={(event) => read(event.currentTarget.value)}
        />
      )}
      <input
        type="number"
        required={required}
        step={step}
        {...(low !== undefined ? { min: low } : {})}
        {...(high !== undefined ? { max: high } : {})}
        value={shown ?? ""}
        onInput={(event) => read(event.currentTarget.value)}
      />
      {name === "seed" && (
        <IconButton icon="dice" label={t("random")} onClick={() => setValue(Math.floor(Math.random() * 2 ** 32))} />
      )}
    </span>
  );
}
