/** An image of the server: by its URL, or by a fetch with the API key, since `<img>` sends no header. */

import { useEffect, useState } from "preact/hooks";

import { imageBlob, key, local, thumbnail } from "../api";

const MAX_BLOBS = 60;
const blobs = new Map<string, Promise<string>>();

function blobUrl(address: string): Promise<string> {
  const known = blobs.get(address);
  if (known) return known;
  const made = imageBlob(address).then((blob) => URL.createObjectURL(blob));
  blobs.set(address, made);
  made.catch(() => blobs.delete(address));
  const oldest = blobs.keys().next().value;
  if (blobs.size > MAX_BLOBS && oldest !== undefined) {
    void blobs.get(oldest)?.then((old) => URL.revokeObjectURL(old));
    blobs.delete(oldest);
  }
  return made;
}

export interface Source {
  /** The image that is shown. */
  address: string;
  /** What `<img src>` takes. */
  url: string;
}

/** What to show for an image; with a key, the previous image until this one is fetched. */
export function useSource(address: string | null, width = 0): Source | null {
  const wanted = address === null ? null : width ? thumbnail(address, width) : local(address);
  const [fetched, setFetched] = useState<Source | null>(null);
  const hasKey = key.get() !== null;
  useEffect(() => {
    if (address === null || wanted === null || !hasKey) return undefined;
    let isCurrent = true;
    blobUrl(wanted).then(
      (url) => isCurrent && setFetched({ address, url }),
      () => isCurrent && setFetched(null),
    );
    return () => {
      isCurrent = false;
    };
  }, [address, wanted, hasKey]);
  if (address === null || wanted === null) return null;
  return hasKey ? fetched : { address, url: wanted };
}

export function Thumbnail({ address, alt, size = 160 }: { address: string; alt: string; size?: number }) {
  const source = useSource(address, size);
  return source ? <img src={source.url} alt={alt} loading="lazy" decoding="async" /> : <span class="blank" />;
}
