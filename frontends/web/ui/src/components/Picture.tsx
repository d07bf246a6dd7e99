/** An image of the server: by its URL, or through a fetch with the key, since `<img>` cannot send one. */

import { useEffect, useState } from "preact/hooks";

import { imageBlob, key, local, thumbnail } from "../api";

const KEPT = 60;
const blobs = new Map<string, Promise<string>>();

function blobUrl(address: string): Promise<string> {
  const known = blobs.get(address);
  if (known) return known;
  const made = imageBlob(address).then((blob) => URL.createObjectURL(blob));
  blobs.set(address, made);
  made.catch(() => blobs.delete(address));
  const oldest = blobs.keys().next().value;
  if (blobs.size > KEPT && oldest !== undefined) {
    void blobs.get(oldest)?.then((old) => URL.revokeObjectURL(old));
    blobs.delete(oldest);
  }
  return made;
}

export function useSource(address: string | null, width = 0): string | null {
  const wanted = address === null ? null : width ? thumbnail(address, width) : local(address);
  const [source, setSource] = useState<string | null>(key.get() ? null : wanted);
  useEffect(() => {
    if (wanted === null || !key.get()) {
      setSource(wanted);
      return undefined;
    }
    let isCurrent = true;
    blobUrl(address ?? "").then(
      (made) => isCurrent && setSource(made),
      () => isCurrent && setSource(null),
    );
    return () => {
      isCurrent = false;
    };
  }, [wanted]);
  return source;
}

export function Thumbnail({ address, alt, size = 160 }: { address: string; alt: string; size?: number }) {
  const source = useSource(address, size);
  return source ? <img src={source} alt={alt} loading="lazy" decoding="async" /> : <span class="blank" />;
}
