/** All images of the conversation in order, each with the operation that made it. */

import { useEffect, useRef } from "preact/hooks";

import { branch, copyImage, download, downloadAll, use } from "../images";
import { store } from "../state";
import { addMask } from "../tools";
import { useStore } from "../store";
import { t } from "../strings";
import { Icon, IconButton } from "./icons";
import { Thumbnail } from "./Thumbnail";

export function Lineage() {
  const images = useStore(store, (state) => state.images);
  const current = useStore(store, (state) => state.current);
  const compare = useStore(store, (state) => state.compare);
  const strip = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const entry = strip.current?.querySelector<HTMLElement>(".current");
    if (!strip.current || !entry) return;
    const hidden = entry.offsetLeft + entry.offsetWidth - strip.current.offsetLeft - strip.current.clientWidth;
    strip.current.scrollLeft = Math.max(0, hidden);
  }, [current, images.length]);
  if (!images.length) return null;
  return (
    <section class="lineage" aria-label={t("images")}>
      <ol ref={strip}>
        {images.map((image, index) => {
          const name = image.maker.replaceAll("_", " ") || t(image.kind === "mask" ? "maskTools" : "original");
          const isMask = image.kind === "mask" && current !== null;
          return (
            <li key={`${image.url}${index}`} class={image.url === current ? "current" : image.url === compare ? "compare" : ""}>
              <button
                type="button"
                aria-pressed={image.url === current}
                title={`${t(isMask ? "useAsMask" : "useImage")}: ${name}`}
                onClick={() => (isMask ? void addMask(image.url) : use(image.url))}
              >
                <Thumbnail address={image.url} alt={`${index + 1}. ${name}`} />
                <span>{name}</span>
              </button>
              <button
                type="button"
                class="tiny"
                aria-pressed={image.url === compare}
                aria-label={`${t("compareWith")}: ${index + 1}. ${name}`}
                title={t("compareWith")}
                onClick={() => store.set({ compare: image.url === compare ? null : image.url })}
              >
                <Icon name="compare" />
              </button>
            </li>
          );
        })}
      </ol>
      <div class="row">
        {current && <IconButton icon="download" label={t("download")} onClick={() => void download(current)} />}
        {current && <IconButton icon="copy" label={t("copy")} onClick={() => void copyImage(current)} />}
        {current && <IconButton icon="branch" label={t("branch")} onClick={() => branch(current)} />}
        <button type="button" onClick={() => void downloadAll()}>
          {t("downloadAll")}
        </button>
      </div>
    </section>
  );
}
