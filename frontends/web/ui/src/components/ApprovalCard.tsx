/** The question whether a step may run: what would run, with what, and buttons to approve or deny it. */

import { useState } from "preact/hooks";

import { answerApproval } from "../chat";
import { t } from "../strings";
import { madeImages } from "../turn";
import type { Approval, Json, TurnView } from "../types";
import { Icon } from "./icons";
import { Thumbnail } from "./Thumbnail";

const MAX_REASON = 500;

export function ApprovalCard({ turn, approval }: { turn: TurnView; approval: Approval }) {
  const [reason, setReason] = useState("");
  const [isSent, setSent] = useState(false);
  const id = `approval-${turn.id}-${approval.approval_id}`;
  const images = madeImages(approval.arguments);
  const values = Object.entries(approval.arguments).filter(([, value]) => value !== null && !isImage(value));
  const answer = async (isApproved: boolean, button: HTMLElement): Promise<void> => {
    const log = button.closest<HTMLElement>("[role=log]");
    setSent(true);
    if (await answerApproval(turn, approval, isApproved, reason.trim())) log?.focus(); // the button is removed
    else setSent(false);
  };
  return (
    <section class="approval" role="group" aria-labelledby={id} aria-busy={isSent}>
      <h2 id={id}>
        <Icon name="alert" />
        {t("approvalTitle")}
      </h2>
      <p class="question">{approval.question}</p>
      <dl class="facts">
        <dt>{t("operation")}</dt>
        <dd>{approval.operation.replaceAll("_", " ")}</dd>
        <dt>{t("tool")}</dt>
        <dd>
          {approval.tool} ({approval.plugin})
        </dd>
        {values.map(([name, value]) => [
          <dt key={name}>{name.replaceAll("_", " ")}</dt>,
          <dd key={`${name}=`}>{typeof value === "string" ? value : JSON.stringify(value)}</dd>,
        ])}
      </dl>
      {images.length > 0 && (
        <div class="thumbs">
          {images.map((image) => (
            <Thumbnail key={image} address={image} alt={t("image")} size={120} />
          ))}
        </div>
      )}
      <label class="field">
        <span>{t("denyReason")}</span>
        <input
          type="text"
          maxLength={MAX_REASON}
          value={reason}
          disabled={isSent}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      <div class="row">
        <button
          type="button"
          class="primary grow"
          disabled={isSent}
          onClick={(event) => void answer(true, event.currentTarget)}
        >
          {t("approve")}
        </button>
        <button type="button" class="grow" disabled={isSent} onClick={(event) => void answer(false, event.currentTarget)}>
          {t("deny")}
        </button>
      </div>
    </section>
  );
}

function isImage(value: Json): boolean {
  return madeImages({ value }).length > 0;
}
