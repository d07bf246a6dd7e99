/** Sign-in, the list of shortcuts, and the notice at the bottom. */

import { useEffect, useRef, useState } from "preact/hooks";

import { signIn, store } from "../state";
import { useStore } from "../store";
import { t } from "../strings";

export function SignIn() {
  const [value, setValue] = useState("");
  return (
    <main class="sign-in">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void signIn(value.trim());
        }}
      >
        <h1>{t("signInTitle")}</h1>
        <p>{t("signInHint")}</p>
        <label class="field">
          <span>{t("key")}</span>
          <input
            type="password"
            autocomplete="current-password"
            required
            value={value}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="primary">
          {t("signIn")}
        </button>
      </form>
    </main>
  );
}

const SHORTCUTS = [
  ["Enter", "shortcutSend"],
  ["Esc", "shortcutStop"],
  ["?", "shortcutHelp"],
  ["\\", "shortcutCompare"],
  ["+  -  0", "shortcutZoom"],
  ["b  e  s  v", "shortcutMask"],
  ["Ctrl+Z  Ctrl+Shift+Z", "shortcutUndo"],
] as const;

export function Help() {
  const isOpen = useStore(store, (state) => state.helpOpen);
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} aria-label={t("help")} onClose={() => store.set({ helpOpen: false })}>
      <h2>{t("help")}</h2>
      <dl class="shortcuts">
        {SHORTCUTS.map(([keys, name]) => (
          <div key={name}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{t(name)}</dd>
          </div>
        ))}
      </dl>
      <button type="button" onClick={() => store.set({ helpOpen: false })}>
        {t("close")}
      </button>
    </dialog>
  );
}

export function NoticeBar() {
  const notice = useStore(store, (state) => state.notice);
  useEffect(() => {
    if (!notice) return undefined;
    const timer = setTimeout(() => store.set({ notice: null }), 8000);
    return () => clearTimeout(timer);
  }, [notice]);
  return (
    <div class="notice-region" role="status">
      {notice && (
        <div class="notice">
          <span>{notice.text}</span>
          {notice.action && (
            <button
              type="button"
              onClick={() => {
                notice.action?.run();
                store.set({ notice: null });
              }}
            >
              {notice.action.label}
            </button>
          )}
          <button type="button" aria-label={t("close")} onClick={() => store.set({ notice: null })}>
            ×
          </button>
        </div>
      )}
    </div>
  );
}
