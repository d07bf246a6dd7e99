/** An observable value, and a hook that renders a component again when a selected part of it changes. */

import { useEffect, useState } from "preact/hooks";

export class Store<T extends object> {
  private readonly listeners = new Set<() => void>();

  constructor(private value: T) {}

  get(): T {
    return this.value;
  }

  set(change: Partial<T> | ((value: T) => Partial<T>)): void {
    const patch = typeof change === "function" ? change(this.value) : change;
    this.value = { ...this.value, ...patch };
    for (const listener of [...this.listeners]) listener();
  }

  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

export function useStore<T extends object, S>(store: Store<T>, select: (value: T) => S): S {
  const [selected, update] = useState(() => select(store.get()));
  useEffect(() => {
    const look = (): void => update(() => select(store.get()));
    look();
    return store.subscribe(look);
  }, [store]);
  return selected;
}
