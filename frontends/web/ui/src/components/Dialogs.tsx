/** Sign-in, the list of shortcuts, and the notice at the bottom. */

import { useEffect, useRef, useState } from "preact/hooks";

import { signIn } from "../session";
import { acceptNotice, dismissNotice, guarded, store } from "../state";
import { useStore } from "../store";
import { t } from "../strings";

export function SignIn() {
  const [value, setValue] = useState("");
  const [isChecked, setChecked] = useState(false);
  const [isRefused, setRefused] = useState(false);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (isRefused && !isChecked) field.current?.select();
  }, [isRefused, isChecked]);
  const check = async (): Promise<void> => {
    setChecked(true);
    setRefused(false);
    const isAccepted = await guarded(() => signIn(value.trim()));
    setRefused(isAccepted === false);
    setChecked(false);
  };
  return (
    <main class="sign-in">
      <form
        aria-busy={isChecked}
        onSubmit={(event) => {
          event.preventDefault();
          if (!isChecked) void check();
        }}
      >
        <h1>{t("signInTitle")}</h1>
        <p>{t("signInHint")}</p>
        <label class="field">
          <span>{t("key")}</span>
          <input
            ref={field}
            type="password"
            autocomplete="current-password"
            required
            disabled={isChecked}
            aria-invalid={isRefused}
            value={value}
            onInput={(event) => setValue(event.currentTarget.value)}
          />
        </label>
        {isRefused && (
          <p class="error" role="alert">
            {t("keyRefused")}
          </p>
        )}
        <button type="submit" class="primary" disabled={isChecked}>
          {isChecked && <span class="spinner" aria-hidden="true" />}
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
  ["c", "shortcutCompare"],
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

const NOTICE_MS = 8_000;
const ACTION_MS = 20_000;

export function NoticeBar() {
  const notice = useStore(store, (state) => state.notice);
  useEffect(() => {
    if (!notice) return undefined;
    const timer = setTimeout(dismissNotice, notice.action ? ACTION_MS : NOTICE_MS);
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
              onClick={acceptNotice}
            >
              {notice.action.label}
            </button>
          )}
          <button type="button" aria-label={t("close")} onClick={dismissNotice}>
            ×
          </button>
        </div>
      )}
    </div>
  );
}
