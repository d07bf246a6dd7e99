/** One field of a tool's form, generated from the JSON schema of its value. */

import { store } from "../state";
import { useStore } from "../store";
import { t } from "../strings";
import type { Json, Schema } from "../types";
import { IconButton } from "./icons";
import { ImageField } from "./ImageField";

/** A schema without the `null` of an optional value. */
export function plain(schema: Schema): Schema {
  const kept = schema.anyOf?.find((part) => part.type !== "null");
  if (kept) return { ...schema, ...kept };
  if (Array.isArray(schema.type)) return { ...schema, type: schema.type.find((type) => type !== "null") ?? "string" };
  return schema;
}

const COLOUR = /colou?r|background|fill|outline/;

export type FieldKind = "image" | "images" | "mask" | "value";

interface FieldProps {
  name: string;
  schema: Schema;
  kind: FieldKind;
  required: boolean;
  value: Json | undefined;
  setValue: (value: Json | undefined) => void;
}

export function Field(props: FieldProps) {
  const { name, schema, kind } = props;
  const label = name.replaceAll("_", " ");
  if (kind === "mask") {
    return (
      <p class="note">
        {label}: {t("useMask")}
      </p>
    );
  }
  if (kind === "image" || kind === "images") {
    return <ImageField {...props} label={label} isList={kind === "images"} hint={schema.description ?? ""} />;
  }
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
        value={value === undefined ? "" : String(value)}
        onChange={(event) => {
          const text = event.currentTarget.value;
          setValue(schema.enum?.find((choice) => String(choice) === text));
        }}
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
    return <NumberControl name={name} schema={schema} kind="value" required={required} value={value} setValue={setValue} />;
  }
  if (schema.type === "array" && plain(schema.items ?? {}).type === "string") {
    return (
      <input
        type="text"
        required={required}
        placeholder={Array.isArray(preset) ? preset.join(", ") : t("commas")}
        defaultValue={Array.isArray(value) ? value.join(", ") : ""}
        onChange={(event) => {
          const words = event.currentTarget.value.split(",").map((word) => word.trim());
          setValue(words.some(Boolean) ? words.filter(Boolean) : undefined);
        }}
      />
    );
  }
  if (schema.type === "array" || schema.type === "object") {
    return <JsonControl name={name} schema={schema} kind="value" required={required} value={value} setValue={setValue} />;
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

/** A value that is written as JSON; a box may also come from the canvas. */
function JsonControl({ schema, required, value, setValue }: FieldProps) {
  const selected = useStore(store, (state) => state.selected);
  const text = value === undefined ? "" : JSON.stringify(value);
  const isBox = schema.maxItems === 4;
  const isBoxes = plain(schema.items ?? {}).maxItems === 4;
  return (
    <>
      <textarea
        key={text}
        rows={2}
        placeholder={isBox ? "[10, 20, 200, 180]" : isBoxes ? "[[10, 20, 200, 180]]" : schema.type === "array" ? "[]" : "{}"}
        required={required}
        defaultValue={text}
        onChange={(event) => {
          const written = event.currentTarget.value.trim();
          event.currentTarget.setCustomValidity("");
          try {
            setValue(written ? (JSON.parse(written) as Json) : undefined);
          } catch {
            event.currentTarget.setCustomValidity(t("notJson"));
          }
        }}
      />
      {selected && (isBox || isBoxes) && (
        <button type="button" onClick={() => setValue(isBox ? selected : [selected])}>
          {t("useBox")}
        </button>
      )}
    </>
  );
}

function NumberControl({ name, schema, required, value, setValue }: FieldProps) {
  const high = schema.maximum ?? schema.exclusiveMaximum;
  const step = schema.type === "integer" ? 1 : "any";
  const low = schema.minimum ?? aboveMinimum(schema);
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
        {...(schema.minimum !== undefined ? { min: schema.minimum } : {})}
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

/** The smallest value that a slider offers where the bound itself is excluded. */
function aboveMinimum(schema: Schema): number | undefined {
  const { exclusiveMinimum: bound, maximum: high } = schema;
  if (bound === undefined) return undefined;
  if (schema.type === "integer") return bound + 1;
  return high === undefined ? undefined : bound + (high - bound) / 200;
}
