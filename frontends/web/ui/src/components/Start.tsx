/** The empty state: ways to bring an image, samples, and what can be done here. */

import { useState } from "preact/hooks";

import { addFile, addSample, guarded, store, use } from "../state";
import { request } from "../api";
import { useStore } from "../store";
import { t } from "../strings";
import { Icon } from "./icons";

const IDEAS = ["Change the red ball to blue", "Remove the green cone", "What does this sign say?", "Make it black and white"];

export function FilePick({ label, camera = false }: { label: string; camera?: boolean }) {
  return (
    <label class="button">
      <Icon name={camera ? "camera" : "image"} />
      <span class="label">{label}</span>
      <input
        class="visually-hidden"
        type="file"
        accept="image/*"
        {...(camera ? { capture: "environment" as const } : {})}
        onChange={(event) => {
          const file = event.currentTarget.files?.[0];
          if (file) void addFile(file, file.name);
          event.currentTarget.value = "";
        }}
      />
    </label>
  );
}

function FromUrl() {
  const [address, setAddress] = useState("");
  return (
    <form
      class="row"
      onSubmit={(event) => {
        event.preventDefault();
        void guarded(async () => {
          const body = { operation: "import", url: address };
          const made = (await (await request("POST", "web/images", { json: body })).json()) as { image_url: string };
          store.set((state) => ({ images: [...state.images, { url: made.image_url, kind: "input", maker: "" }] }));
          use(made.image_url);
        });
      }}
    >
      <input
        type="url"
        required
        placeholder="https://"
        aria-label={t("urlLabel")}
        value={address}
        onInput={(event) => setAddress(event.currentTarget.value)}
      />
      <button type="submit">{t("load")}</button>
    </form>
  );
}

export function Start() {
  const operations = useStore(store, (state) => state.operations);
  const ready = operations.filter((operation) => operation.available);
  return (
    <section class="start" aria-label={t("startTitle")}>
      <h2 class="big">{t("startTitle")}</h2>
      <p>{t("startHint")}</p>
      <div class="row center">
        <FilePick label={t("choose")} />
        <FilePick label={t("camera")} camera />
      </div>
      <FromUrl />
      <p class="row center">
        <span>{t("samples")}</span>
        <button type="button" onClick={() => void addSample("still-life")}>
          {t("sampleStill")}
        </button>
        <button type="button" onClick={() => void addSample("street-sign")}>
          {t("sampleSign")}
        </button>
      </p>
      <div class="columns">
        <div>
          <h3>{t("ideas")}</h3>
          <ul class="ideas">
            {IDEAS.map((idea) => (
              <li key={idea}>
                <button type="button" class="link" onClick={() => store.set({ draft: idea })}>
                  {idea}
                </button>
              </li>
            ))}
          </ul>
        </div>
        <div>
          <h3>{t("canDo")}</h3>
          <ul class="plain">
            {ready.map((operation) => (
              <li key={operation.operation}>{operation.description}</li>
            ))}
          </ul>
        </div>
      </div>
    </section>
  );
}
