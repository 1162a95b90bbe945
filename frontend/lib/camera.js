// The camera: opened with permission, and told in words when there is none.

/** What stops a camera, by the name of the browser's error. @type {{ [name: string]: string }} */
const REASONS = {
  NotAllowedError: "The camera is not allowed. Allow it in the browser's settings for this page, then try again.",
  NotFoundError: "No camera was found. Connect one, then try again.",
  NotReadableError: "The camera is in use by another program. Close it there, then try again.",
  OverconstrainedError: "This camera does not give pictures of a usable size.",
};

/**
 * Opens a camera. Rejects with a message for the user.
 * @param {string} [id] the camera; the browser's choice by default
 */
export async function openCamera(id) {
  if (!navigator.mediaDevices?.getUserMedia)
    throw new Error(
      "The browser gives no camera to this page. It does to pages of this computer (http://localhost) and to those over HTTPS.",
    );
  const video = { width: { ideal: 640 }, height: { ideal: 480 }, ...(id ? { deviceId: { exact: id } } : {}) };
  try {
    return await navigator.mediaDevices.getUserMedia({ video, audio: false });
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    throw new Error(REASONS[name] ?? `The camera cannot be opened: ${error instanceof Error ? error.message : error}`, {
      cause: error,
    });
  }
}

/** @param {MediaStream | null} stream */
export function closeCamera(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
}

/** The cameras of this device, with names once one was allowed. */
export async function listCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices
    .filter(({ kind }) => kind === "videoinput")
    .map(({ deviceId, label }, index) => ({ id: deviceId, label: label || `Camera ${index + 1}` }));
}
