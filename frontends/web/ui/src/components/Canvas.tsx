/** The current image: zoom and pan, before and after, boxes and masks over it, and the mask tools. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { overlayOf } from "../overlay";
import { mask, store } from "../state";
import { selectAt } from "../tools";
import { useStore } from "../store";
import { t } from "../strings";
import type { Box } from "../types";
import { type Mode, useGestures } from "./gestures";
import { IconButton } from "./icons";
import { MaskBar } from "./MaskBar";
import { type Source, useSource } from "./Thumbnail";

interface View {
  scale: number;
  x: number;
  y: number;
}

const FIT: View = { scale: 1, x: 0, y: 0 };
const MAX_SCALE = 16;
const VIEW_WIDTH = 2048;
const ZOOM_STEP = 1.5;
const PAN_PX = 60;

function zoomed(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(MAX_SCALE, Math.max(1, view.scale * factor));
  if (scale === 1) return FIT;
  const ratio = scale / view.scale;
  return { scale, x: x - (x - view.x) * ratio, y: y - (y - view.y) * ratio };
}

export function Canvas() {
  const current = useStore(store, (state) => state.current);
  const before = useStore(store, (state) => state.compare);
  const overlay = useStore(store, overlayOf);
  const selected = useStore(store, (state) => state.selected);
  const busy = useStore(store, (state) => state.busy);
  const full = useStore(store, (state) => state.images.find((image) => image.url === state.current));
  const stage = useRef<HTMLDivElement>(null);
  const [view, setView] = useState<View>(FIT);
  // A large image is shown reduced until one zooms in: decoded, 12 megapixels take 48 MB.
  const isReduced = (full?.width ?? 0) > VIEW_WIDTH && view.scale === 1;
  const source = useSource(current, isReduced ? VIEW_WIDTH : 0);
  const beforeSource = useSource(before, isReduced ? VIEW_WIDTH : 0);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [loaded, setLoaded] = useState<string | null>(null);
  const [mode, setMode] = useState<Mode>("pan");
  const [brush, setBrush] = useState(40);
  const [split, setSplit] = useState(0);
  const [showOverlay, setShowOverlay] = useState(true);
  const [opacity, setOpacity] = useState(40);
  const [subtract, setSubtract] = useState(false);

  useLayoutEffect(() => {
    setView(FIT);
    setSplit(0);
  }, [current]);

  /** Zoom around a point of the window; without one, around the centre of the stage. */
  const zoom = (factor: number, clientX?: number, clientY?: number): void => {
    const place = stage.current?.getBoundingClientRect();
    const layers = stage.current?.firstElementChild as HTMLElement | null;
    if (!place || !layers) return;
    const x = (clientX ?? place.left + place.width / 2) - place.left - layers.offsetLeft;
    const y = (clientY ?? place.top + place.height / 2) - place.top - layers.offsetTop;
    setView((old) => zoomed(old, factor, x, y));
  };

  const pan = (x: number, y: number): void => {
    setView((old) => (old.scale === 1 ? old : { ...old, x: old.x + x, y: old.y + y }));
  };

  const toImage = ({ x, y }: { x: number; y: number }): [number, number] => {
    const place = stage.current?.firstElementChild?.getBoundingClientRect();
    if (!place) return [0, 0];
    return [((x - place.left) / place.width) * size.width, ((y - place.top) / place.height) * size.height];
  };

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      if (event.ctrlKey || event.metaKey) {
        if (event.key === "z" && !isTyping(event)) {
          event.preventDefault();
          if (event.shiftKey) mask.redo();
          else mask.undo();
        }
        return;
      }
      if (isTyping(event)) return;
      const target = event.target as Node;
      const isFree = target === document.body || stage.current?.contains(target);
      const actions: Record<string, () => void> = {
        "+": () => zoom(ZOOM_STEP),
        "-": () => zoom(1 / ZOOM_STEP),
        "0": () => setView(FIT),
        ArrowLeft: () => pan(PAN_PX, 0),
        ArrowRight: () => pan(-PAN_PX, 0),
        ArrowUp: () => pan(0, PAN_PX),
        ArrowDown: () => pan(0, -PAN_PX),
        b: () => setMode("brush"),
        e: () => setMode("eraser"),
        s: () => setMode("pick"),
        v: () => setMode("pan"),
        c: () => setSplit((old) => (old === 100 ? 0 : 100)),
      };
      const action = actions[event.key];
      if (action && (isFree || !event.key.startsWith("Arrow"))) {
        event.preventDefault();
        action();
      }
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);

  useWheelAndTouch(stage, zoom);
  const select = (x: number, y: number): void => {
    if (x >= 0 && y >= 0 && x < size.width && y < size.height) void selectAt(x, y, subtract);
  };
  const handlers = useGestures({ mode, brush, toImage, zoom, pan, select });

  return (
    <section class="canvas" aria-label={t("image")}>
      <div class="toolbar" role="toolbar" aria-label={t("image")}>
        <IconButton icon="hand" label={t("pan")} pressed={mode === "pan"} onClick={() => setMode("pan")} />
        <IconButton icon="brush" label={t("brush")} pressed={mode === "brush"} onClick={() => setMode("brush")} />
        <IconButton icon="eraser" label={t("eraser")} pressed={mode === "eraser"} onClick={() => setMode("eraser")} />
        <IconButton icon="pick" label={t("pick")} pressed={mode === "pick"} onClick={() => setMode("pick")} />
        <span class="gap" />
        <IconButton icon="minus" label={t("zoomOut")} onClick={() => zoom(1 / ZOOM_STEP)} />
        <IconButton icon="plus" label={t("zoomIn")} onClick={() => zoom(ZOOM_STEP)} />
        <IconButton icon="fit" label={t("fit")} onClick={() => setView(FIT)} />
        {overlay.boxes.length + overlay.masks.length > 0 && (
          <label class="row small">
            <input
              type="checkbox"
              checked={showOverlay}
              onChange={(event) => setShowOverlay(event.currentTarget.checked)}
            />
            {t("overlays")}
          </label>
        )}
        {overlay.masks.length > 0 && showOverlay && (
          <input
            type="range"
            min={0}
            max={100}
            value={opacity}
            aria-label={t("opacity")}
            onInput={(event) => setOpacity(Number(event.currentTarget.value))}
          />
        )}
      </div>
      {mode !== "pan" && (
        <MaskBar mode={mode} size={brush} setSize={setBrush} subtract={subtract} setSubtract={setSubtract} />
      )}
      <div class={`stage ${mode} ${view.scale > 1 ? "zoomed" : ""}`} ref={stage} aria-busy={busy || loaded !== current} {...handlers}>
        <Layers
          view={view}
          mode={mode}
          size={size}
          onLoad={(address, width, height) => {
            setSize(isReduced && full?.width && full.height ? { width: full.width, height: full.height } : { width, height });
            setLoaded(address);
          }}
          source={source}
          before={beforeSource}
          split={split}
          boxes={showOverlay ? overlay.boxes : []}
          labels={overlay.labels}
          scores={overlay.scores}
          masks={showOverlay ? overlay.masks : []}
          opacity={opacity / 100}
          selected={selected}
        />
      </div>
      {before && (
        <label class="slider">
          <span>{t("compare")}</span>
          <input
            type="range"
            min={0}
            max={100}
            value={split}
            onInput={(event) => setSplit(Number(event.currentTarget.value))}
          />
        </label>
      )}
    </section>
  );
}

export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  return target.matches("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]");
}

/** Zoom by the wheel, and keep the browser from scrolling under two fingers. */
function useWheelAndTouch(
  stage: { current: HTMLDivElement | null },
  zoom: (factor: number, x: number, y: number) => void,
): void {
  useEffect(() => {
    const element = stage.current;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 400), event.clientX, event.clientY);
    };
    const onTouchMove = (event: TouchEvent): void => {
      if (event.touches.length > 1 && event.cancelable) event.preventDefault();
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    element?.addEventListener("touchmove", onTouchMove, { passive: false });
    return () => {
      element?.removeEventListener("wheel", onWheel);
      element?.removeEventListener("touchmove", onTouchMove);
    };
  }, []);
}

interface LayersProps {
  view: View;
  mode: Mode;
  size: { width: number; height: number };
  onLoad: (address: string, width: number, height: number) => void;
  source: Source | null;
  before: Source | null;
  split: number;
  boxes: Box[];
  labels: string[];
  scores: number[];
  masks: string[];
  opacity: number;
  selected: Box | null;
}

function Layers(props: LayersProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const maskSource = useSource(props.masks[0] ?? null);
  const { width, height } = props.size;

  useLayoutEffect(() => {
    mask.attach(canvas.current);
  }, [width, height, props.source?.url]);

  const { source, view } = props;
  return (
    <div
      class="layers"
      style={{
        transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`,
        "--ratio": width && height ? `${width / height}` : "1",
      }}
    >
      {source && (
        <img
          class="main"
          src={source.url}
          alt={t("imageAlt")}
          draggable={false}
          onLoad={(event) => {
            const { naturalWidth, naturalHeight } = event.currentTarget;
            props.onLoad(source.address, naturalWidth, naturalHeight);
          }}
        />
      )}
      {props.before && (
        <img
          class="before"
          src={props.before.url}
          alt={t("beforeAlt")}
          draggable={false}
          style={{ clipPath: `inset(0 ${100 - props.split}% 0 0)` }}
        />
      )}
      {props.before && props.split > 0 && props.split < 100 && (
        <span class="divider" style={{ left: `${props.split}%` }} />
      )}
      {maskSource && <img class="mask-overlay" src={maskSource.url} alt="" style={{ opacity: props.opacity }} />}
      <Boxes {...props} />
      <canvas ref={canvas} class="mask-canvas" width={width} height={height} aria-hidden="true" />
    </div>
  );
}

function Boxes({ boxes, labels, scores, size, selected, mode }: LayersProps) {
  if (!boxes.length || !size.width) return null;
  const percent = (value: number, of: number): string => `${(100 * value) / of}%`;
  return (
    <div class={mode === "pan" ? "boxes" : "boxes off"}>
      {boxes.map((box, index) => (
        <button
          key={box.join()}
          type="button"
          class="box"
          aria-pressed={selected?.join() === box.join()}
          style={{
            left: percent(box[0], size.width),
            top: percent(box[1], size.height),
            width: percent(box[2] - box[0], size.width),
            height: percent(box[3] - box[1], size.height),
          }}
          onPointerDown={(event) => event.stopPropagation()}
          onClick={() => store.set((state) => ({ selected: state.selected?.join() === box.join() ? null : box }))}
        >
          <span>
            {labels[index]} {scores[index]?.toFixed(2)}
          </span>
        </button>
      ))}
    </div>
  );
}

