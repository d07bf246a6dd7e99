/** What pointers do on the stage: one pans, paints or selects, two zoom and pan. */

import { useRef } from "preact/hooks";

import { mask } from "../state";

export type Mode = "pan" | "brush" | "eraser" | "pick";

interface Place {
  x: number;
  y: number;
}

interface Options {
  mode: Mode;
  brush: number;
  /** The coordinates in the image of a place in the window. */
  toImage: (place: Place) => [number, number];
  zoom: (factor: number, x: number, y: number) => void;
  pan: (x: number, y: number) => void;
  /** Select what is at a place in the image. */
  select: (x: number, y: number) => void;
}

export interface PointerHandlers {
  onPointerDown: (event: PointerEvent) => void;
  onPointerMove: (event: PointerEvent) => void;
  onPointerUp: (event: PointerEvent) => void;
  onPointerCancel: (event: PointerEvent) => void;
}

export function useGestures(options: Options): PointerHandlers {
  const pointers = useRef(new Map<number, Place>());
  const pressed = useRef(false); // a press that selects when it ends
  const { mode, toImage } = options;
  const isPainting = mode === "brush" || mode === "eraser";

  const onPointerDown = (event: PointerEvent): void => {
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    const place = placeOf(event);
    pointers.current.set(event.pointerId, place);
    if (pointers.current.size > 1) {
      pressed.current = false;
      mask.abandonStroke();
    } else if (isPainting) mask.begin(...toImage(place), options.brush, mode === "eraser");
    else pressed.current = mode === "pick";
  };

  const onPointerMove = (event: PointerEvent): void => {
    const old = pointers.current.get(event.pointerId);
    if (!old) return;
    const place = placeOf(event);
    const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
    pointers.current.set(event.pointerId, place);
    if (other) {
      const middle = between(place, other);
      options.zoom(distance(place, other) / distance(old, other), middle.x, middle.y);
      options.pan((place.x - old.x) / 2, (place.y - old.y) / 2);
    } else if (isPainting) mask.extend(...toImage(place));
    else if (mode === "pan") options.pan(place.x - old.x, place.y - old.y);
  };

  const onPointerUp = (event: PointerEvent): void => {
    if (!pointers.current.delete(event.pointerId)) return;
    mask.end();
    if (pressed.current) options.select(...toImage(placeOf(event)));
    pressed.current = false;
  };

  const onPointerCancel = (event: PointerEvent): void => {
    pointers.current.delete(event.pointerId);
    pressed.current = false;
    mask.end();
  };

  return { onPointerDown, onPointerMove, onPointerUp, onPointerCancel };
}

function placeOf(event: PointerEvent): Place {
  return { x: event.clientX, y: event.clientY };
}

function between(one: Place, other: Place): Place {
  return { x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 };
}

function distance(one: Place, other: Place): number {
  return Math.hypot(one.x - other.x, one.y - other.y) || 1;
}
