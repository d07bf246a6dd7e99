/** One field of a tool's form, by the JSON schema of its value. */

import { t } from "../strings";
import type { Json, Schema } from "../types";
import { IconButton } from "./icons";

/** A schema without the `null` of an optional value. */
export function plain(schema: Schema): Schema {
  const kept = schema.anyOf?.find((part) => part.type !== "null");
  if (kept) return { ...schema, ...kept };
  if (Array.isArray(schema.type)) return { ...schema, type: schema.type.find((type) => type !== "null") ?? "string" };
  return schema;
}

const COLOUR = /colou?r|background|fill|outline/;

interface FieldProps {
  name: string;
  schema: Schema;
  isMask?: boolean;
  required: boolean;
  value: Json | undefined;
  setValue: (value: Json | undefined) => void;
}

export function Field(props: FieldProps) {
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
      <select
        required={required}
        value={typeof value === "string" ? value : ""}
        onChange={(event) => setValue(event.currentTarget.value || undefined)}
      >
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
        placeholder={schema.type === "array" ? "[]" : "{}"}
        required={required}
        defaultValue={value === undefined ? "" : JSON.stringify(value)}
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
