/** A button that lets the user choose image files, or on a phone take a photo. */

import { addFile } from "../images";
import { Icon } from "./icons";

export function FilePick({ label, camera = false, primary = false }: { label: string; camera?: boolean; primary?: boolean }) {
  return (
    <label class={primary ? "button primary" : "button"}>
      <Icon name={camera ? "camera" : "image"} />
      <span class="label">{label}</span>
      <input
        class="visually-hidden"
        type="file"
        accept="image/*"
        {...(camera ? { capture: "environment" as const } : { multiple: true })}
        onChange={(event) => {
          for (const file of event.currentTarget.files ?? []) void addFile(file, file.name);
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}
