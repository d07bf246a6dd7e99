/** A mask as a list of operations, which are drawn again when one is undone. */

export interface Stroke {
  kind: "stroke";
  points: [number, number][];
  size: number;
  erase: boolean;
}

type Operation =
  | Stroke
  | { kind: "image"; bitmap: ImageBitmap; subtract: boolean }
  | { kind: "invert" }
  | { kind: "clear" }
  | { kind: "grow"; pixels: number }
  | { kind: "feather"; pixels: number };

/** The alpha channel is the mask, 255 = selected; the colour only shows it. */
const COLOUR = "rgb(255, 64, 129)";

export class MaskEditor {
  canvas: HTMLCanvasElement | null = null;
  private done: Operation[] = [];
  private undone: Operation[] = [];
  private isBlank = true;
  private isDrawing = false;
  private readonly listeners = new Set<() => void>();

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }

  attach(canvas: HTMLCanvasElement | null): void {
    this.canvas = canvas;
    this.redraw();
  }

  isEmpty(): boolean {
    return this.done.length === 0 || this.done.at(-1)?.kind === "clear";
  }

  get canUndo(): boolean {
    return this.done.length > 0;
  }

  get canRedo(): boolean {
    return this.undone.length > 0;
  }

  begin(x: number, y: number, size: number, erase: boolean): void {
    this.push({ kind: "stroke", points: [[x, y]], size, erase });
    this.isDrawing = true;
  }

  extend(x: number, y: number): void {
    const stroke = this.done.at(-1);
    if (!this.isDrawing || stroke?.kind !== "stroke") return;
    stroke.points.push([x, y]);
    this.drawStroke({ ...stroke, points: stroke.points.slice(-2) });
  }

  /** End the stroke. It is drawn again as a whole, so that its edge is the same as after undo and redo. */
  end(): void {
    if (this.isDrawing) this.redraw();
    this.isDrawing = false;
  }

  /** Remove the stroke that is being drawn: a second finger came down, to zoom. */
  abandonStroke(): void {
    if (!this.isDrawing) return;
    this.isDrawing = false;
    this.done.pop();
    this.redraw();
    this.changed();
  }

  addImage(bitmap: ImageBitmap, subtract: boolean): void {
    this.push({ kind: "image", bitmap, subtract });
  }

  invert(): void {
    this.push({ kind: "invert" });
  }

  grow(pixels: number): void {
    this.push({ kind: "grow", pixels });
  }

  feather(pixels: number): void {
    this.push({ kind: "feather", pixels });
  }

  empty(): void {
    this.push({ kind: "clear" });
  }

  /** Discard the mask and its undo history: another image is shown. */
  clear(): void {
    this.done = [];
    this.undone = [];
    this.redraw();
    this.changed();
  }

  undo(): void {
    const last = this.done.pop();
    if (last) this.undone.push(last);
    this.redraw();
    this.changed();
  }

  redo(): void {
    const next = this.undone.pop();
    if (!next) return;
    this.done.push(next);
    this.draw(next);
    this.changed();
  }

  /** The mask as the server takes it: white is selected, black is kept, the size of the image. */
  async toBlob(): Promise<Blob> {
    const canvas = this.canvas;
    if (!canvas) throw new Error("there is no image");
    const made = new OffscreenCanvas(canvas.width, canvas.height);
    const context = made.getContext("2d");
    if (!context) throw new Error("this browser has no canvas");
    const data = this.pixels();
    for (let at = 0; at < data.data.length; at += 4) {
      const alpha = data.data[at + 3] ?? 0;
      data.data.set([alpha, alpha, alpha, 255], at);
    }
    context.putImageData(data, 0, 0);
    return made.convertToBlob({ type: "image/png" });
  }

  private push(operation: Operation): void {
    this.done.push(operation);
    this.undone = [];
    this.draw(operation);
    this.changed();
  }

  private context(): CanvasRenderingContext2D | null {
    return this.canvas?.getContext("2d", { willReadFrequently: true }) ?? null;
  }

  private pixels(): ImageData {
    const canvas = this.canvas;
    const context = this.context();
    if (!canvas || !context) return new ImageData(1, 1);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }

  private redraw(): void {
    const canvas = this.canvas;
    if (!canvas || (this.isBlank && !this.done.length)) return; // a canvas takes memory once it is drawn on
    this.context()?.clearRect(0, 0, canvas.width, canvas.height);
    this.isBlank = true;
    for (const operation of this.done) this.draw(operation);
  }

  private draw(operation: Operation): void {
    this.isBlank = false;
    if (operation.kind === "stroke") this.drawStroke(operation);
    else if (operation.kind === "image") this.drawImage(operation.bitmap, operation.subtract);
    else this.rewrite(operation);
  }

  private drawStroke(stroke: Stroke): void {
    const context = this.context();
    const [first, ...rest] = stroke.points;
    if (!context || !first) return;
    context.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
    context.strokeStyle = context.fillStyle = COLOUR;
    context.lineWidth = stroke.size;
    context.lineCap = context.lineJoin = "round";
    context.beginPath();
    context.moveTo(...first);
    if (!rest.length) context.lineTo(first[0] + 0.01, first[1]);
    for (const point of rest) context.lineTo(...point);
    context.stroke();
    context.globalCompositeOperation = "source-over";
  }

  private drawImage(bitmap: ImageBitmap, subtract: boolean): void {
    const canvas = this.canvas;
    const context = this.context();
    if (!canvas || !context) return;
    const layer = new OffscreenCanvas(canvas.width, canvas.height);
    const pen = layer.getContext("2d");
    if (!pen) return;
    pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const data = pen.getImageData(0, 0, canvas.width, canvas.height);
    for (let at = 0; at < data.data.length; at += 4) {
      const value = (((data.data[at] ?? 0) + (data.data[at + 1] ?? 0)) / 2) * ((data.data[at + 3] ?? 0) / 255);
      data.data.set([255, 64, 129, value > 127 ? 255 : 0], at);
    }
    pen.putImageData(data, 0, 0);
    context.globalCompositeOperation = subtract ? "destination-out" : "source-over";
    context.drawImage(layer, 0, 0);
    context.globalCompositeOperation = "source-over";
  }

  private rewrite(operation: Operation): void {
    const context = this.context();
    if (!context) return;
    const data = this.pixels();
    const alpha = new Uint8ClampedArray(data.width * data.height);
    for (let at = 0; at < alpha.length; at += 1) alpha[at] = data.data[4 * at + 3] ?? 0;
    const made = transform(alpha, data.width, data.height, operation);
    for (let at = 0; at < made.length; at += 1) data.data.set([255, 64, 129, made[at] ?? 0], 4 * at);
    context.putImageData(data, 0, 0);
  }
}

function transform(
  alpha: Uint8ClampedArray,
  width: number,
  height: number,
  operation: Operation,
): Uint8ClampedArray {
  switch (operation.kind) {
    case "clear":
      return new Uint8ClampedArray(alpha.length);
    case "invert":
      return alpha.map((value) => 255 - value);
    case "grow":
      return grown(alpha, width, height, operation.pixels);
    case "feather":
      return averaged(alpha, width, height, operation.pixels);
    default:
      return alpha;
  }
}

type Line = (start: number, step: number, length: number) => void;

/** Call a function for every row, then for every column of the result. */
function bothWays(width: number, height: number, line: Line): void {
  for (let y = 0; y < height; y += 1) line(y * width, 1, width);
  for (let x = 0; x < width; x += 1) line(x, width, height);
}

/** Dilation (or erosion, below 0) by a square of `2 * |pixels| + 1` pixels a side. */
export function grown(alpha: Uint8ClampedArray, width: number, height: number, pixels: number): Uint8ClampedArray {
  const source = alpha.slice();
  const pick = pixels > 0 ? Math.max : Math.min;
  for (let pass = 0; pass < Math.abs(pixels); pass += 1) {
    bothWays(width, height, (start, step, length) => {
      let before = source[start] ?? 0;
      for (let at = 0; at < length; at += 1) {
        const here = source[start + at * step] ?? 0;
        const after = at + 1 < length ? (source[start + (at + 1) * step] ?? 0) : here;
        source[start + at * step] = pick(before, here, after);
        before = here;
      }
    });
  }
  return source;
}

/** A box blur of `2 * radius + 1` pixels a side, by running sums. */
export function averaged(alpha: Uint8ClampedArray, width: number, height: number, radius: number): Uint8ClampedArray {
  const source = alpha.slice();
  bothWays(width, height, (start, step, length) => {
    const values = new Float64Array(length + 1);
    for (let at = 0; at < length; at += 1) values[at + 1] = (values[at] ?? 0) + (source[start + at * step] ?? 0);
    for (let at = 0; at < length; at += 1) {
      const from = Math.max(0, at - radius);
      const to = Math.min(length, at + radius + 1);
      source[start + at * step] = ((values[to] ?? 0) - (values[from] ?? 0)) / (to - from);
    }
  });
  return source;
}
