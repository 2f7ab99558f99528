// Sheets over the table: canvases for words, lights and the small map. Without a graphics card the browser imitates one for
// them, too, which takes a picture of lights half a second; drawn by the processor itself it takes an eighth of that.

const IMITATIONS = /swiftshader|llvmpipe|software|basic render/i;
let imitated = null;

/** Whether the graphics card is only imitated, as its driver says; what does not say is taken for a real one. */
export function isImitated() {
  imitated ??= ask();
  return imitated;
}

function ask() {
  const gl = document.createElement("canvas").getContext("webgl2");
  if (!gl) return true;
  const told = gl.getExtension("WEBGL_debug_renderer_info");
  const name = String(gl.getParameter(told ? told.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  gl.getExtension("WEBGL_lose_context")?.loseContext();
  return IMITATIONS.test(name);
}

/** The pen of a canvas that is drawn on often and never read. */
export function openSheet(canvas) {
  return canvas.getContext("2d", { willReadFrequently: isImitated() }); // the one word by which a page can ask for the processor
}
