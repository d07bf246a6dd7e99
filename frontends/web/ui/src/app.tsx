/** The page: history at the left, the image in the middle, conversation, tools and setup at the right. */

import { useEffect, useLayoutEffect, useState } from "preact/hooks";

import { key } from "./api";
import { Canvas, isTyping } from "./components/Canvas";
import { Composer, Conversation } from "./components/Conversation";
import { Help, NoticeBar, SignIn } from "./components/Dialogs";
import { History } from "./components/History";
import { IconButton } from "./components/icons";
import { Lineage } from "./components/Lineage";
import { Setup } from "./components/Setup";
import { FilePick } from "./components/FilePick";
import { Start } from "./components/Start";
import { ToolsPanel } from "./components/ToolsPanel";
import { stop } from "./chat";
import { addFile } from "./images";
import { signOut } from "./session";
import { type Panel, store } from "./state";
import { useStore } from "./store";
import { chooseLanguage, language, languageNames, type Language, t } from "./strings";

function useShortcuts(): void {
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const closesOther = (event.target as Element).closest("dialog, nav"); // Escape ends a dialog or a new title
      if (event.key === "Escape" && store.get().historyOpen && !isTyping(event)) store.set({ historyOpen: false });
      else if (event.key === "Escape" && !closesOther) void stop();
      if (event.key === "?" && !isTyping(event)) store.set((state) => ({ helpOpen: !state.helpOpen }));
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

function useDropAndPaste(): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const take = (files: FileList | undefined | null): void => {
      for (const file of files ?? []) if (file.type.startsWith("image/")) void addFile(file, file.name);
    };
    const onPaste = (event: ClipboardEvent): void => {
      if (event.clipboardData?.files.length) {
        event.preventDefault();
        take(event.clipboardData.files);
      }
    };
    const onOver = (event: DragEvent): void => {
      event.preventDefault();
      setOver(true);
    };
    const onLeave = (event: DragEvent): void => {
      if (!event.relatedTarget) setOver(false);
    };
    const onDrop = (event: DragEvent): void => {
      event.preventDefault();
      setOver(false);
      take(event.dataTransfer?.files);
    };
    document.addEventListener("paste", onPaste);
    document.addEventListener("dragover", onOver);
    document.addEventListener("dragleave", onLeave);
    document.addEventListener("drop", onDrop);
    return () => {
      document.removeEventListener("paste", onPaste);
      document.removeEventListener("dragover", onOver);
      document.removeEventListener("dragleave", onLeave);
      document.removeEventListener("drop", onDrop);
    };
  }, []);
  return isOver;
}

const THEME = "promptvision.theme";

/** Whether the theme is dark: that of the system until the user chooses one. */
function useTheme(): [boolean, (isDark: boolean) => void] {
  const [chosen, choose] = useState(() => localStorage.getItem(THEME));
  useLayoutEffect(() => {
    if (chosen) document.documentElement.style.colorScheme = chosen;
  }, [chosen]);
  const isDark = (chosen ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  return [
    isDark,
    (wanted) => {
      const name = wanted ? "dark" : "light";
      localStorage.setItem(THEME, name);
      choose(name);
    },
  ];
}

const PANELS: { name: Panel; label: "conversation" | "tools" | "setup" }[] = [
  { name: "chat", label: "conversation" },
  { name: "tools", label: "tools" },
  { name: "setup", label: "setup" },
];

/** The tabs, with one of them in the tab order and arrow keys between them (WAI-ARIA practices, "Tabs"). */
function Tabs({ panel }: { panel: Panel }) {
  const move = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = PANELS.findIndex(({ name }) => name === panel);
    const next = PANELS.at((at + step) % PANELS.length);
    if (!next) return;
    store.set({ panel: next.name });
    document.getElementById(`tab-${next.name}`)?.focus();
  };
  return (
    <div class="tabs" role="tablist" onKeyDown={move}>
      {PANELS.map(({ name, label }) => (
        <button
          key={name}
          id={`tab-${name}`}
          type="button"
          role="tab"
          aria-selected={panel === name}
          aria-controls="panel"
          tabIndex={panel === name ? 0 : -1}
          onClick={() => store.set({ panel: name })}
        >
          {t(label)}
        </button>
      ))}
    </div>
  );
}

export function App() {
  const needsKey = useStore(store, (state) => state.needsKey);
  const hasImage = useStore(store, (state) => state.current !== null);
  const hasTurns = useStore(store, (state) => state.turns.length > 0);
  const panel = useStore(store, (state) => state.panel);
  const isOnline = useStore(store, (state) => state.online);
  const title = useStore(store, (state) => state.title);
  const isOver = useDropAndPaste();
  const [isDark, setDark] = useTheme();
  useShortcuts();
  useEffect(() => {
    document.documentElement.lang = language();
    document.title = title ? `${title} · ${t("title")}` : t("title");
  }, [title]);
  if (needsKey) {
    return (
      <>
        <SignIn />
        <NoticeBar />
      </>
    );
  }
  return (
    <div class={isOver ? "page over" : "page"}>
      <header class="top">
        <span class="only-narrow">
          <IconButton icon="menu" label={t("history")} onClick={() => store.set({ historyOpen: true })} />
        </span>
        <h1 class="brand">
          <img src="icon.svg" alt="" width={24} height={24} />
          <span class="label">{t("title")}</span>
        </h1>
        <span class="grow title">{title}</span>
        {hasImage && <FilePick label={t("choose")} />}
        <select
          aria-label={t("language")}
          value={language()}
          onChange={(event) => chooseLanguage(event.currentTarget.value as Language)}
        >
          {Object.entries(languageNames).map(([code, name]) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
        <IconButton icon={isDark ? "sun" : "moon"} label={t("theme")} onClick={() => setDark(!isDark)} />
        <IconButton icon="help" label={t("help")} onClick={() => store.set({ helpOpen: true })} />
        {key.get() && <IconButton icon="signOut" label={t("signOut")} onClick={signOut} />}
      </header>
      {!isOnline && (
        <p class="offline" role="alert">
          {t("offline")}
        </p>
      )}
      <History />
      <main class="work">
        {hasImage ? <Canvas /> : <Start />}
        <Lineage />
      </main>
      <aside class="side" aria-label={t("conversation")}>
        <Tabs panel={panel} />
        <div class="tabpanel" role="tabpanel" id="panel" aria-labelledby={`tab-${panel}`}>
          {panel === "chat" && (
            <>
              {hasTurns ? <Conversation /> : <p class="note grow">{t("conversationHint")}</p>}
              <Composer />
            </>
          )}
          {panel === "tools" && <ToolsPanel />}
          {panel === "setup" && <Setup />}
        </div>
      </aside>
      <Help />
      <NoticeBar />
    </div>
  );
}

