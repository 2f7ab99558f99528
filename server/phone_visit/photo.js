// Photos: made smaller on the phone, and what a finger paints over is gone before anything is kept.
import { make, say } from "./words.js";

const SIDE = 1600;
const MOST_BYTES = 900_000;
const BLOCKS = 5; // of the longer side of what is painted over: no face is to be made out of five squares

async function shrink(file) {
  const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  const canvas = make("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return canvas;
}

// Squares of the mean colour; the pixels themselves are overwritten.
function cover(canvas, box) {
  const [x, y, width, height] = box.map(Math.round);
  if (width < 8 || height < 8) return false;
  const size = Math.max(width, height) / BLOCKS;
  const small = make("canvas", { width: Math.max(1, Math.round(width / size)), height: Math.max(1, Math.round(height / size)) });
  const brush = small.getContext("2d");
  brush.imageSmoothingQuality = "high";
  // In halves, so that every pixel counts in the mean and none is merely picked out.
  let from = make("canvas", { width, height });
  from.getContext("2d").drawImage(canvas, x, y, width, height, 0, 0, width, height);
  while (from.width > small.width * 2 && from.height > small.height * 2) {
    const half = make("canvas", { width: Math.ceil(from.width / 2), height: Math.ceil(from.height / 2) });
    half.getContext("2d").drawImage(from, 0, 0, half.width, half.height);
    from = half;
  }
  brush.drawImage(from, 0, 0, small.width, small.height);
  const target = canvas.getContext("2d");
  target.imageSmoothingEnabled = false;
  target.drawImage(small, 0, 0, small.width, small.height, x, y, width, height);
  target.imageSmoothingEnabled = true;
  return true;
}

async function toBytes(canvas) {
  for (let quality = 0.82; ; quality -= 0.12) {
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob.size <= MOST_BYTES || quality < 0.2) return blob.arrayBuffer();
  }
}

// Shows a photo to paint over faces; resolves to its bytes, or null when it is not wanted.
export async function edit(file) {
  const canvas = await shrink(file);
  canvas.className = "photo";
  const frame = make("div", { class: "marking" });
  const sheet = make("div", { class: "sheet", "data-photo": "" });
  let start = null;
  const place = (event) => {
    const box = canvas.getBoundingClientRect();
    const scale = canvas.width / box.width;
    return [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale, event.clientX, event.clientY];
  };
  canvas.addEventListener("pointerdown", (event) => {
    start = place(event);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!start) return;
    const now = place(event);
    frame.style.cssText =
      `left:${Math.min(start[2], now[2])}px;top:${Math.min(start[3], now[3])}px;` +
      `width:${Math.abs(now[2] - start[2])}px;height:${Math.abs(now[3] - start[3])}px`;
    frame.hidden = false;
  });
  const end = (event) => {
    if (!start) return;
    const now = place(event);
    const left = Math.max(0, Math.min(start[0], now[0]));
    const top = Math.max(0, Math.min(start[1], now[1]));
    const right = Math.min(canvas.width, Math.max(start[0], now[0]));
    const bottom = Math.min(canvas.height, Math.max(start[1], now[1]));
    if (cover(canvas, [left, top, right - left, bottom - top])) sheet.dataset.photo = "covered";
    start = null;
    frame.hidden = true;
  };
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  frame.hidden = true;
  return new Promise((resolve) => {
    const close = async (isKept) => {
      const bytes = isKept ? await toBytes(canvas) : null;
      sheet.remove();
      resolve(bytes);
    };
    sheet.append(
      make("p", {}, say("photo_help")),
      make("div", { class: "picture" }, canvas, frame),
      make(
        "div",
        { class: "acts" },
        make("button", { class: "main", id: "photo-keep", on: { click: () => close(true) } }, say("photo_keep")),
        make("button", { id: "photo-drop", on: { click: () => close(false) } }, say("photo_drop")),
      ),
    );
    document.body.append(sheet);
  });
}
