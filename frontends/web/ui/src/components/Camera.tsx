/** Take a photo: in a dialog on a computer, with the camera app of a phone through the file input. */

import { useEffect, useRef, useState } from "preact/hooks";

import { addFile } from "../images";
import { guarded, notify } from "../state";
import { t } from "../strings";
import { Icon } from "./icons";
import { FilePick } from "./FilePick";

export function CameraButton() {
  const [isOpen, setOpen] = useState(false);
  const isPhone = matchMedia("(pointer: coarse)").matches;
  if (isPhone || !("mediaDevices" in navigator)) return <FilePick label={t("camera")} camera />;
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        <Icon name="camera" />
        {t("camera")}
      </button>
      {isOpen && <CameraDialog onClose={() => setOpen(false)} />}
    </>
  );
}

function CameraDialog({ onClose }: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [isReady, setReady] = useState(false);
  useEffect(() => {
    let stream: MediaStream | null = null;
    let isClosed = false;
    const end = (): void => stream?.getTracks().forEach((track) => track.stop());
    dialog.current?.showModal();
    navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } }).then(
      (made) => {
        stream = made;
        if (isClosed) end();
        else if (video.current) video.current.srcObject = made;
      },
      () => {
        notify(t("noCamera"));
        onClose();
      },
    );
    return () => {
      isClosed = true;
      end();
    };
  }, []);
  const take = async (): Promise<void> => {
    const shown = video.current;
    if (!shown) return;
    const canvas = new OffscreenCanvas(shown.videoWidth, shown.videoHeight);
    canvas.getContext("2d")?.drawImage(shown, 0, 0);
    onClose();
    await addFile(await canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 }), "photo.jpg");
  };
  return (
    <dialog ref={dialog} class="camera" aria-label={t("camera")} onClose={onClose}>
      <video ref={video} autoplay playsInline muted onLoadedData={() => setReady(true)} />
      <div class="row">
        <button type="button" class="primary grow" disabled={!isReady} onClick={() => void guarded(take)}>
          <Icon name="camera" />
          {t("takePhoto")}
        </button>
        <button type="button" onClick={onClose}>
          {t("close")}
        </button>
      </div>
    </dialog>
  );
}
