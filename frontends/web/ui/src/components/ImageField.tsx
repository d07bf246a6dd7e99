/** A field for further images of a tool: one or several of the conversation. */

import { store } from "../state";
import { useStore } from "../store";
import { t } from "../strings";
import type { Json } from "../types";
import { Thumbnail } from "./Thumbnail";

interface ImageFieldProps {
  label: string;
  hint: string;
  isList: boolean;
  value: Json | undefined;
  setValue: (value: Json | undefined) => void;
}

export function ImageField({ label, hint, isList, value, setValue }: ImageFieldProps) {
  const images = useStore(store, (state) => state.images);
  const chosen = (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
  const toggle = (address: string): void => {
    const others = chosen.filter((item) => item !== address);
    const isAdded = others.length === chosen.length;
    if (isList) setValue(isAdded ? [...chosen, address] : others.length ? others : undefined);
    else setValue(isAdded ? address : undefined);
  };
  return (
    <fieldset class="field">
      <legend>{label}</legend>
      <div class="thumbs">
        {images.map(({ url, maker }, index) => (
          <button
            key={`${url}${index}`}
            type="button"
            aria-pressed={chosen.includes(url)}
            onClick={() => toggle(url)}
          >
            <Thumbnail address={url} alt={`${index + 1}. ${maker.replaceAll("_", " ") || t("original")}`} size={120} />
          </button>
        ))}
      </div>
      {hint && <small>{hint}</small>}
    </fieldset>
  );
}
