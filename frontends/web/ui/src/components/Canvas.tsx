/** The current image, large: zoom and pan, before and after, boxes and masks over it, and the brush. */

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

import { overlayOf } from "../overlay";
import { mask, store } from "../state";
import { selectAt } from "../tools";
import { useStore } from "../store";
import { t } from "../strings";
import type { Box } from "../types";
import { IconButton } from "./icons";
import { MaskBar } from "./MaskBar";
import { type Source, useSource } from "./Thumbnail";

export type Mode = "pan" | "brush" | "eraser" | "pick";

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

  /** Zoom around a place of the window; without one, around the middle of the stage. */
  const zoom = (factor: number, clientX?: number, clientY?: number): void => {
    const place = stage.current?.getBoundingClientRect();
    const paper = stage.current?.firstElementChild as HTMLElement | null;
    if (!place || !paper) return;
    const x = (clientX ?? place.left + place.width / 2) - place.left - paper.offsetLeft;
    const y = (clientY ?? place.top + place.height / 2) - place.top - paper.offsetTop;
    setView((old) => zoomed(old, factor, x, y));
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
      const pan = (x: number, y: number): void => {
        if (isFree) setView((old) => (old.scale === 1 ? old : { ...old, x: old.x + x, y: old.y + y }));
      };
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
        "\\": () => setSplit((old) => (old === 100 ? 0 : 100)),
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

  useWheel(stage, zoom);

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
      <div class={`stage ${mode} ${view.scale > 1 ? "zoomed" : ""}`} ref={stage} aria-busy={busy || loaded !== current}>
        <Layers
          view={view}
          setView={setView}
          zoom={zoom}
          mode={mode}
          brush={brush}
          subtract={subtract}
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

function useWheel(stage: { current: HTMLDivElement | null }, zoom: (factor: number, x: number, y: number) => void): void {
  useEffect(() => {
    const element = stage.current;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 400), event.clientX, event.clientY);
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, []);
}

interface LayersProps {
  view: View;
  setView: (change: (old: View) => View) => void;
  zoom: (factor: number, clientX: number, clientY: number) => void;
  mode: Mode;
  brush: number;
  subtract: boolean;
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
  const paper = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const maskSource = useSource(props.masks[0] ?? null);
  const { width, height } = props.size;

  useLayoutEffect(() => {
    mask.attach(canvas.current);
  }, [width, height, props.source?.url]);

  const toImage = (event: PointerEvent): [number, number] => {
    const place = paper.current?.getBoundingClientRect();
    if (!place) return [0, 0];
    return [((event.clientX - place.left) / place.width) * width, ((event.clientY - place.top) / place.height) * height];
  };

  const onDown = (event: PointerEvent): void => {
    const [x, y] = toImage(event);
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (props.mode === "brush" || props.mode === "eraser") mask.begin(x, y, props.brush, props.mode === "eraser");
    if (props.mode === "pick") void selectAt(x, y, props.subtract);
  };

  const onMove = (event: PointerEvent): void => {
    const known = pointers.current.get(event.pointerId);
    if (!known) return;
    const old = { ...known };
    pointers.current.set(event.pointerId, { x: event.clientX, y: event.clientY });
    if (props.mode === "brush" || props.mode === "eraser") mask.extend(...toImage(event));
    else if (pointers.current.size === 2) pinch(old, event);
    else if (props.mode === "pan") {
      props.setView((view) =>
        view.scale === 1 ? view : { ...view, x: view.x + event.clientX - old.x, y: view.y + event.clientY - old.y },
      );
    }
  };

  const pinch = (old: { x: number; y: number }, event: PointerEvent): void => {
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    if (!other) return;
    const length = (x: number, y: number): number => Math.hypot(x - other.x, y - other.y) || 1;
    const factor = length(event.clientX, event.clientY) / length(old.x, old.y);
    props.zoom(factor, other.x, other.y);
  };

  const onUp = (event: PointerEvent): void => {
    pointers.current.delete(event.pointerId);
    mask.end();
  };

  const { source, view } = props;
  return (
    <div
      class="paper"
      ref={paper}
      style={{
        transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`,
        "--ratio": width && height ? `${width / height}` : "1",
      }}
      onPointerDown={onDown}
      onPointerMove={onMove}
      onPointerUp={onUp}
      onPointerCancel={onUp}
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

