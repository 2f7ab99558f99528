// Notes when a page first shows something in 3D, and when the buildings are in it: milliseconds from the page's start.
// It looks at the frame's own pixels, which also waits until the frame is really drawn.
(() => {
  const seen = (window.benchSeen = { drawn: null, buildings: null });
  const MANY = 1_000; // walls drawn by one call: in a page that is not ours only the buildings have as many
  let gl = null;
  let most = 0;
  for (const name of ["drawArrays", "drawElements", "drawArraysInstanced", "drawElementsInstanced"]) {
    const original = WebGL2RenderingContext.prototype[name];
    WebGL2RenderingContext.prototype[name] = function (...args) {
      gl = this;
      most = Math.max(most, name.endsWith("Instanced") ? args[args.length - 1] : 1);
      return original.apply(this, args);
    };
  }
  const hasBuildings = () => {
    const layers = (window.shapan ?? window.shapanEarly)?.instance?.layerManager?.getLayers();
    if (!layers) return !window.shapan && !document.getElementById("shapan-first") && most >= MANY;
    return layers.some((layer) => layer.id === "buildings" && layer.isLoaded && layer.props.data?.length);
  };
  const look = () => {
    if (seen.buildings !== null) return;
    const { drawingBufferWidth: width, drawingBufferHeight: height } = gl;
    const kept = gl.getParameter(gl.READ_FRAMEBUFFER_BINDING);
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, null);
    const pixels = new Uint32Array(width * height);
    gl.readPixels(0, 0, width, height, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(pixels.buffer));
    gl.bindFramebuffer(gl.READ_FRAMEBUFFER, kept);
    const empty = pixels[0];
    let other = 0;
    for (const pixel of pixels) other += pixel !== empty;
    if (other < 0.01 * pixels.length) return;
    seen.drawn ??= performance.now();
    if (hasBuildings()) seen.buildings = performance.now();
  };
  const request = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (callback) =>
    request((at) => {
      callback(at);
      if (gl && most) look();
      most = 0;
    });
})();
