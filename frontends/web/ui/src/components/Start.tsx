/** The empty state: ways to add an image, samples, and what can be done here. */

import { useState } from "preact/hooks";

import { addAddress, addSample } from "../images";
import { store } from "../state";
import { useStore } from "../store";
import { t } from "../strings";
import { CameraButton } from "./Camera";
import { FilePick } from "./FilePick";
import { Icon } from "./icons";

const SAMPLES = [
  { name: "still-life", label: "sampleStill", prompts: "sampleStillPrompts" },
  { name: "street-sign", label: "sampleSign", prompts: "sampleSignPrompts" },
] as const;

function FromUrl() {
  const [address, setAddress] = useState("");
  return (
    <form
      class="row from-url"
      onSubmit={(event) => {
        event.preventDefault();
        void addAddress(address);
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
  const missing = operations.length - ready.length;
  return (
    <section class="start" aria-label={t("startTitle")}>
      <div class="dropzone">
        <span class="hero" aria-hidden="true">
          <Icon name="image" />
        </span>
        <h2 class="big">{t("startTitle")}</h2>
        <p class="lead">{t("startHint")}</p>
        <div class="row center">
          <FilePick label={t("choose")} primary />
          <CameraButton />
        </div>
        <FromUrl />
      </div>
      <h3>{t("samples")}</h3>
      <div class="samples">
        {SAMPLES.map((sample) => (
          <div key={sample.name} class="sample">
            <button type="button" class="cover" aria-label={t(sample.label)} onClick={() => void addSample(sample.name)}>
              <img src={`samples/${sample.name}.webp`} alt="" width={480} height={320} />
              <span aria-hidden="true">{t(sample.label)}</span>
            </button>
            <div class="chips">
              {t(sample.prompts).split("|").map((prompt) => (
                <button key={prompt} type="button" class="chip" onClick={() => void addSample(sample.name, prompt)}>
                  {prompt}
                </button>
              ))}
            </div>
          </div>
        ))}
      </div>
      <h3>{t("canDo")}</h3>
      <ul class="abilities">
        {ready.map((operation) => (
          <li key={operation.operation}>
            <strong>{operation.operation.replaceAll("_", " ")}</strong>
            <span>{operation.description}</span>
          </li>
        ))}
      </ul>
      {missing > 0 && (
        <p>
          <button type="button" class="link" onClick={() => store.set({ panel: "setup" })}>
            {missing} {t("moreAfterSetup")}
          </button>
        </p>
      )}
    </section>
  );
}
