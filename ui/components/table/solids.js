// What the renderer's own classes do not draw: façades with storeys and windows, trees, and curtains around hot places.

const WALL_POSITION = {
  // Along the wall and up it in metres; the shader draws storeys and windows from these, so that no texture is needed.
  "vs:#decl": `in float floorHeights; out float wallAlong; out float wallLength; out float wallUp; out float wallFloor; out float wallSeed;`,
  "vs:#main-end": `
    wallLength = distance(vertexPositions.xy, nextVertexPositions.xy);
    wallAlong = positions.x * wallLength;
    wallUp = positions.y * elevations;
    wallFloor = floorHeights;
    wallSeed = fract(sin(dot(vertexPositions.xy, vec2(12.9898, 78.233))) * 43758.5453);`,
};

const FACADE_FRAGMENT = {
  "fs:#decl": `in float wallAlong; in float wallLength; in float wallUp; in float wallFloor; in float wallSeed;
    float band(float x, float lo, float hi, float soft) { return smoothstep(lo - soft, lo + soft, x) - smoothstep(hi - soft, hi + soft, x); }
    float chance(vec2 p) { return fract(sin(dot(p, vec2(41.3, 289.1))) * 45758.5453); }`,
  "fs:DECKGL_FILTER_COLOR": `
    if (!bool(picking.isActive)) {
      float base = smoothstep(0.0, 7.0, wallUp);
      color.rgb *= mix(0.66, 1.0, base);
      if (wallFloor > 0.5) {
        float softUp = max(fwidth(wallUp) * 0.6, 0.01);
        float softAlong = max(fwidth(wallAlong) * 0.6, 0.01);
        float nearUp = clamp(1.6 - fwidth(wallUp) * 1.1, 0.0, 1.0);
        float nearAlong = clamp(1.5 - fwidth(wallAlong) * 1.0, 0.0, 1.0);
        float up = mod(wallUp, wallFloor);
        float count = max(1.0, floor(wallLength / 3.4));
        float bay = wallLength / count;
        float along = mod(wallAlong, bay);
        float slab = band(up, -0.1, 0.30, softUp) + band(up, wallFloor - 0.04, wallFloor + 0.5, softUp);
        vec2 cell = vec2(floor(wallAlong / bay), floor(wallUp / wallFloor)) + floor(wallSeed * 97.0);
        float glass = band(up, 0.95, wallFloor - 0.5, softUp) * band(along, bay * 0.5 - 0.85, bay * 0.5 + 0.85, softAlong);
        glass *= nearUp * nearAlong * (wallLength > 3.0 ? 1.0 : 0.0);
        float tone = 0.55 + 0.5 * chance(cell);
        color.rgb = mix(color.rgb, color.rgb * 1.28, slab * nearUp * 0.75);
        color.rgb = mix(color.rgb, color.rgb * 0.30 + vec3(0.02, 0.05, 0.10) * tone, glass * 0.82);
      }
    }`,
};

const CURTAIN_FRAGMENT = {
  "fs:#decl": `in float wallAlong; in float wallLength; in float wallUp; in float wallFloor; in float wallSeed;`,
  "fs:DECKGL_FILTER_COLOR": `
    if (!bool(picking.isActive)) {
      float rise = clamp(wallUp / max(wallFloor, 0.1), 0.0, 1.0);
      float hatch = step(0.5, fract((wallAlong + wallUp) / 3.0));
      color.a *= mix(0.80, 0.06, pow(rise, 0.55)) * mix(0.72, 1.0, hatch);
      if (rise > 0.97) color.a = 0.75;
    }`,
};

function inject(shaders, kind, fragment) {
  if (kind === "side") shaders.inject = { ...shaders.inject, ...WALL_POSITION, ...fragment };
  return shaders;
}

function addFloorHeights(layer) {
  layer.getAttributeManager().add({ floorHeights: { size: 1, stepMode: "dynamic", accessor: "getFloor" } });
}

/** Classes, meshes and functions for the renderer's JSON: names that the deck may use. `scenes` holds the records. */
export function buildConfiguration(deck, luma, scenes) {
  class SolidLayer extends deck.SolidPolygonLayer {
    // The renderer asks the GPU for -1 walls where a file is empty, which it reports as an error on every frame.
    draw(options) {
      if (this.getNumInstances() === 0) return;
      const { topModel } = this.state;
      if (this.constructor.sidesOnly) this.state.topModel = null;
      super.draw(options);
      this.state.topModel = topModel;
    }
  }
  SolidLayer.layerName = "SolidLayer";

  class FacadeLayer extends SolidLayer {
    getShaders(kind) {
      return inject(super.getShaders(kind), kind, FACADE_FRAGMENT);
    }
    initializeState() {
      super.initializeState();
      addFloorHeights(this);
    }
  }
  FacadeLayer.layerName = "FacadeLayer";
  FacadeLayer.defaultProps = { getFloor: { type: "accessor", value: 0 } };

  class CurtainLayer extends SolidLayer {
    getShaders(kind) {
      return inject(super.getShaders(kind), kind, CURTAIN_FRAGMENT);
    }
    initializeState() {
      super.initializeState();
      addFloorHeights(this);
    }
  }
  CurtainLayer.layerName = "CurtainLayer";
  CurtainLayer.sidesOnly = true; // a lid would veil what stands inside
  CurtainLayer.defaultProps = { getFloor: { type: "accessor", value: 1 } };

  return {
    classes: { SolidLayer, FacadeLayer, CurtainLayer },
    enumerations: {
      SHAPAN: {
        TREE: buildTree(luma),
        FIND: (place) => scenes.find(place),
        ROWS: (now, before) => scenes.findRows(now, before),
      },
    },
  };
}

/** A tree of 1 m: a faceted crown, nearly down to the ground. */
function buildTree(luma) {
  const positions = [];
  const normals = [];
  const rings = [
    [0.08, 0.07], [0.34, 0.33], [0.7, 0.24], [1.0, 0.0],
  ]; // height, radius: few faces, because there are as many trees as rentals and machines without a graphics card
  const sides = 5;
  for (let r = 0; r + 1 < rings.length; r += 1) {
    for (let s = 0; s < sides; s += 1) {
      const corner = (ring, side) => {
        const angle = ((side + (ring % 2) * 0.5) / sides) * 2 * Math.PI;
        const [z, radius] = rings[ring];
        return [radius * Math.cos(angle), radius * Math.sin(angle), z];
      };
      const [a, b, c, d] = [corner(r, s), corner(r, s + 1), corner(r + 1, s + 1), corner(r + 1, s)];
      for (const face of [[a, b, c], [a, c, d]]) {
        for (const point of face) {
          positions.push(...point);
          // As if the crown were round: a few faces look like leaves, not like cut glass.
          const outward = [point[0], point[1], (point[2] - 0.45) * 0.5];
          const length = Math.hypot(...outward) || 1;
          normals.push(...outward.map((v) => v / length));
        }
      }
    }
  }
  return new luma.Geometry({
    topology: "triangle-list",
    attributes: {
      positions: { size: 3, value: new Float32Array(positions) },
      normals: { size: 3, value: new Float32Array(normals) },
      texCoords: { size: 2, value: new Float32Array((positions.length / 3) * 2) },
    },
  });
}
