/** Conversations of the user: search, open, rename, delete. */

import { useRef, useState } from "preact/hooks";

import { url } from "../api";
import { deleteConversation, openConversation, renameConversation, startConversation } from "../conversations";
import { store } from "../state";
import { useStore } from "../store";
import { t } from "../strings";
import type { ConversationInfo } from "../types";
import { IconButton } from "./icons";
import { useSource } from "./Thumbnail";

export function History() {
  const conversations = useStore(store, (state) => state.conversations);
  const isOpen = useStore(store, (state) => state.historyOpen);
  const [wanted, setWanted] = useState("");
  const found = conversations.filter((info) => info.title.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <nav class={isOpen ? "history open" : "history"} aria-label={t("history")}>
      <div class="row">
        <button type="button" class="grow" onClick={startConversation}>
          {t("newConversation")}
        </button>
        <span class="only-narrow">
          <IconButton icon="close" label={t("close")} onClick={() => store.set({ historyOpen: false })} />
        </span>
      </div>
      <input
        type="search"
        aria-label={t("search")}
        placeholder={t("search")}
        value={wanted}
        onInput={(event) => setWanted(event.currentTarget.value)}
      />
      <ul>
        {found.map((info) => (
          <Entry key={info.id} info={info} />
        ))}
      </ul>
    </nav>
  );
}

/** The first image of a conversation; a blank for one without images. */
function Cover({ conversation }: { conversation: string }) {
  const [isBroken, setBroken] = useState(false);
  const source = useSource(url(`web/conversations/${conversation}/image`));
  if (!source || isBroken) return <span class="cover" />;
  return <img class="cover" src={source.url} alt="" loading="lazy" onError={() => setBroken(true)} />;
}

function Entry({ info }: { info: ConversationInfo }) {
  const conversation = useStore(store, (state) => state.conversation);
  const [title, setTitle] = useState<string | null>(null);
  const isOpen = useRef(false); // a field that is removed may still lose the focus
  const open = (): void => {
    isOpen.current = true;
    setTitle(info.title);
  };
  const close = (isSaved: boolean): void => {
    if (isOpen.current && isSaved && title?.trim() && title !== info.title) {
      void renameConversation(info.id, title.trim());
    }
    isOpen.current = false;
    setTitle(null);
  };
  if (title !== null) {
    return (
      <li>
        <form
          class="grow"
          onSubmit={(event) => {
            event.preventDefault();
            close(true);
          }}
        >
          <input
            type="text"
            aria-label={t("renamePrompt")}
            maxLength={200}
            value={title}
            ref={(element) => element?.focus()}
            onInput={(event) => setTitle(event.currentTarget.value)}
            onKeyDown={(event) => event.key === "Escape" && close(false)}
            onBlur={() => close(true)}
          />
        </form>
      </li>
    );
  }
  return (
    <li class={info.id === conversation ? "current" : ""}>
      <button type="button" class="grow" onClick={() => void openConversation(info.id)}>
        <Cover conversation={info.id} />
        <span>{info.title || t("untitled")}</span>
      </button>
      <IconButton icon="edit" label={`${t("rename")}: ${info.title}`} onClick={open} />
      <IconButton icon="trash" label={`${t("remove")}: ${info.title}`} onClick={() => deleteConversation(info)} />
    </li>
  );
}
