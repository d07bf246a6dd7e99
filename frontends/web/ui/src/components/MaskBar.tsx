/** The mask tools: brush size, undo and redo, operations on the whole mask, upload and download. */

import { useEffect, useState } from "preact/hooks";

import { saveBlob } from "../images";
import { mask, notify } from "../state";
import { t } from "../strings";
import type { Mode } from "./gestures";
import { Icon, IconButton } from "./icons";

const STEP_PX = 4;

export function MaskBar(props: {
  mode: Mode;
  size: number;
  setSize: (size: number) => void;
  subtract: boolean;
  setSubtract: (subtract: boolean) => void;
}) {
  const [, render] = useState(0);
  useEffect(() => mask.subscribe(() => render((count) => count + 1)), []);
  return (
    <div class="toolbar" role="toolbar" aria-label={t("maskTools")}>
      {props.mode === "pick" ? (
        <label class="row small">
          <input
            type="checkbox"
            checked={props.subtract}
            onChange={(event) => props.setSubtract(event.currentTarget.checked)}
          />
          {t("subtract")}
        </label>
      ) : (
        <label class="row small">
          {t("size")}
          <input
            type="range"
            min={4}
            max={300}
            value={props.size}
            onInput={(event) => props.setSize(Number(event.currentTarget.value))}
          />
        </label>
      )}
      <IconButton icon="undo" label={t("undo")} disabled={!mask.canUndo} onClick={() => mask.undo()} />
      <IconButton icon="redo" label={t("redo")} disabled={!mask.canRedo} onClick={() => mask.redo()} />
      <button type="button" onClick={() => mask.invert()}>
        {t("invert")}
      </button>
      <button type="button" onClick={() => mask.grow(STEP_PX)}>
        {t("grow")}
      </button>
      <button type="button" onClick={() => mask.grow(-STEP_PX)}>
        {t("shrink")}
      </button>
      <button type="button" onClick={() => mask.feather(STEP_PX)}>
        {t("feather")}
      </button>
      <button type="button" onClick={() => mask.empty()}>
        {t("clear")}
      </button>
      <label class="icon-button" title={t("maskUpload")}>
        <Icon name="upload" />
        <input
          class="visually-hidden"
          type="file"
          accept="image/*"
          aria-label={t("maskUpload")}
          onChange={(event) => void load(event.currentTarget.files?.[0])}
        />
      </label>
      <IconButton icon="download" label={t("maskDownload")} onClick={() => void save()} />
    </div>
  );
}

async function load(file: File | undefined): Promise<void> {
  if (file) mask.addImage(await createImageBitmap(file), false);
}

async function save(): Promise<void> {
  if (mask.canvas) saveBlob(await mask.toBlob(), "mask");
  else notify(t("noImage"));
}
