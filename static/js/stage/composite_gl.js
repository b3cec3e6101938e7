// The look in WebGL2: the server's overlay formula, one fragment at a time.
//
//   q  = Rot(-turn) (u, v) / scale - offset     (u, v): the pixel's place on the cloth in centimetres, from the maps
//   out = mix(photo, mix(behind, shoulder(tile(repeat(q)) * S), mask), strength), all in linear light
//
// once for each part of the outfit, over the photo, u turned over where mirrored pairs ask for it; `maps` and `mask` are laid out as PreviewFit says.  Pictures made
// before coordinates came (as tall as the photo) hold displacements d instead: (u, v) = (p + d - c) / pxPerCm there.

const VERTEX = `#version 300 es
in vec2 corner;
uniform vec2 u_canvas;
out vec2 v_at;
void main() {
  v_at = vec2(corner.x * 0.5 + 0.5, 0.5 - corner.y * 0.5) * u_canvas;
  gl_Position = vec4(corner, 0.0, 1.0);
}`;

const FRAGMENT = `#version 300 es
precision highp float;
precision highp int;
in vec2 v_at;
out vec4 colour;
uniform sampler2D u_photo, u_maps, u_mask, u_tile, u_was;
uniform vec2 u_size, u_turn, u_offset;
uniform vec3 u_view;
uniform uvec3 u_chosen;
uniform float u_px_per_cm, u_scale, u_strength, u_fade, u_split, u_step;
uniform int u_repeat;
uniform bool u_dressed, u_all, u_bent, u_mirrored;

float chosen_at(ivec2 texel) {
  if (u_all) return 1.0;
  texel = clamp(texel, ivec2(0), ivec2(u_size) - 1);
  int label = int(texelFetch(u_mask, texel, 0).g * 255.0 / u_step + 0.5);
  return label < 96 && (u_chosen[label / 32] >> uint(label % 32) & 1u) == 1u ? 1.0 : 0.0;
}

float chosen(vec2 p) {
  vec2 low = floor(p - 0.5), part = p - 0.5 - low;
  ivec2 t = ivec2(low);
  return mix(mix(chosen_at(t), chosen_at(t + ivec2(1, 0)), part.x),
             mix(chosen_at(t + ivec2(0, 1)), chosen_at(t + ivec2(1, 1)), part.x), part.y);
}

vec2 place_at(ivec2 texel) {
  texel = clamp(texel, ivec2(0), ivec2(u_size) - 1);
  if (u_bent) {
    vec2 bend = (texelFetch(u_maps, texel, 0).gb * 255.0 - 128.0) / 127.0 * 0.02 * max(u_size.x, u_size.y);
    return (vec2(texel) + 0.5 + bend - 0.5 * u_size) / u_px_per_cm;
  }
  vec3 u = texelFetch(u_maps, texel, 0).rgb, v = texelFetch(u_maps, texel + ivec2(0, int(u_size.y)), 0).rgb;
  vec2 cm = (vec2(dot(u.rg, vec2(256.0, 1.0)), dot(v.rg, vec2(256.0, 1.0))) * 255.0 - 32768.0) / 50.0;
  if (u_mirrored && v.b > 0.5) cm.x = -cm.x;
  return cm;
}

// Where on the cloth p lies, and how that changes to the right and downwards; alone where two pieces of cloth meet.
vec2 place(vec2 p, out vec2 across, out vec2 down) {
  vec2 low = floor(p - 0.5), part = p - 0.5 - low;
  ivec2 t = ivec2(low);
  vec2 a = place_at(t), b = place_at(t + ivec2(1, 0)), c = place_at(t + ivec2(0, 1)), d = place_at(t + ivec2(1, 1));
  float most = max(max(distance(a, b), distance(c, d)), max(distance(a, c), distance(b, d)));
  if (most > 6.0 / u_px_per_cm + 0.03) {
    ivec2 near = ivec2(floor(p));
    across = vec2(1.0, 0.0) / u_px_per_cm;
    down = vec2(0.0, 1.0) / u_px_per_cm;
    return place_at(near) + (p - vec2(near) - 0.5) / u_px_per_cm;
  }
  across = mix(b - a, d - c, part.y);
  down = mix(c - a, d - b, part.x);
  return mix(mix(a, b, part.x), mix(c, d, part.x), part.y);
}

// One of the pictures in the maps: they lie one below the other.
vec3 map_at(vec2 uv, float number) {
  float within = clamp(uv.y, 0.5 / u_size.y, 1.0 - 0.5 / u_size.y);
  return texture(u_maps, vec2(uv.x, u_bent ? within : (number + within) / 3.0)).rgb;
}

vec2 turned(vec2 cm) {
  return vec2(u_turn.x * cm.x - u_turn.y * cm.y, u_turn.y * cm.x + u_turn.x * cm.y) / u_scale;
}

vec2 repeated(vec2 q) {
  if (u_repeat == 1) q.y += 0.5 * mod(floor(q.x), 2.0);
  if (u_repeat == 2) q.x += 0.5 * mod(floor(q.y), 2.0);
  if (u_repeat == 3) q.x = 1.0 - abs(mod(q.x, 2.0) - 1.0);
  if (u_repeat == 4) q.y -= floor(q.x) / 3.0;
  if (u_repeat == 5) q -= 0.5 * floor(2.0 * q.x);
  return q;
}

vec3 shoulder(vec3 x) {
  return mix(x, 0.8 + 0.2 * (1.0 - exp(-(x - 0.8) / 0.2)), step(0.8, x));
}

vec3 to_linear(vec3 x) {
  return mix(x / 12.92, pow((x + 0.055) / 1.055, vec3(2.4)), step(0.04045, x));
}

vec3 to_srgb(vec3 x) {
  x = clamp(x, 0.0, 1.0);
  return mix(x * 12.92, 1.055 * pow(x, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, x));
}

void main() {
  vec2 p = (v_at - u_view.yz) / u_view.x;
  vec2 uv = p / u_size;
  float inside = step(0.0, uv.x) * step(uv.x, 1.0) * step(0.0, uv.y) * step(uv.y, 1.0);
  vec3 light = texture(u_photo, uv).rgb;
  if (u_dressed) {
    float soft = texture(u_mask, uv).r;
    inside *= soft > 0.0 && v_at.x >= u_split ? chosen(p) : 0.0;
    vec3 maps = map_at(uv, 0.0);
    float code = u_bent ? maps.r : maps.b;
    vec2 across, down;
    vec2 at = repeated(turned(place(p, across, down)) - u_offset);
    across = turned(across) / u_view.x;
    down = turned(down) / u_view.x;
    vec3 fabric = textureGrad(u_tile, at, across, down).rgb;
    if (u_fade < 1.0) fabric = mix(textureGrad(u_was, at, across, down).rgb, fabric, u_fade);
    vec3 behind = u_bent ? light : to_linear(map_at(uv, 2.0));
    light = mix(light, mix(behind, shoulder(fabric * 4.0 * code * code), soft), u_strength);
  }
  colour = vec4(to_srgb(light) * inside, inside);
}`;

const UNITS = { photo: 0, maps: 1, mask: 2, tile: 3, was: 4 };
const REPEATS = ["basic", "half-drop", "half-brick", "mirror", "third-drop", "ogee"];

function compile(gl, kind, source) {
  const shader = gl.createShader(kind);
  gl.shaderSource(shader, source);
  gl.compileShader(shader);
  if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
  return shader;
}

function link(gl) {
  const program = gl.createProgram();
  gl.attachShader(program, compile(gl, gl.VERTEX_SHADER, VERTEX));
  gl.attachShader(program, compile(gl, gl.FRAGMENT_SHADER, FRAGMENT));
  gl.bindAttribLocation(program, 0, "corner");
  gl.linkProgram(program);
  if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error(gl.getProgramInfoLog(program));
  return program;
}

/** Three numbers of 32 bits: which values of a class map are among `garments`. */
function bits(garments) {
  const words = new Uint32Array(3);
  for (const value of garments) words[value >> 5] |= 1 << (value & 31);
  return words;
}

/**
 * Draws scenes on a canvas with WebGL2; throws where the browser has none.
 *
 * A scene's `parts` are { garments, fit, slot, fade }: values of the class map (none: all cloth), how the fabric lies,
 * which of the fabrics given to `tile` it is, and how far it has taken the place of the one before (1: wholly).
 */
export class GLComposite {
  constructor(canvas) {
    const gl = canvas.getContext("webgl2", { alpha: true, premultipliedAlpha: true, antialias: false });
    if (!gl) throw new Error("no WebGL2");
    this.canvas = canvas;
    this.gl = gl;
    this.kind = "webgl2";
    const named = gl.getExtension("WEBGL_debug_renderer_info");
    const renderer = String(named ? gl.getParameter(named.UNMASKED_RENDERER_WEBGL) : "");
    /** The browser pretends: its graphics card is the processor. */
    this.software = /swiftshader|llvmpipe|software|basic render/i.test(renderer);
    this.program = link(gl);
    gl.useProgram(this.program);
    const corners = gl.createBuffer();
    gl.bindBuffer(gl.ARRAY_BUFFER, corners);
    gl.bufferData(gl.ARRAY_BUFFER, new Float32Array([-1, -1, 3, -1, -1, 3]), gl.STATIC_DRAW);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    this.places = {};
    this.textures = {};
    for (const [name, unit] of Object.entries(UNITS)) {
      gl.uniform1i(this.place(`u_${name}`), unit);
      if (unit < UNITS.tile) this.textures[name] = this.fill(name, new ImageData(1, 1));
    }
    this.anisotropy = gl.getExtension("EXT_texture_filter_anisotropic");
    /** Fabrics by slot: the texture, and the one before for the cross-fade. */
    this.fabrics = new Map();
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
  }

  place(name) {
    this.places[name] ??= this.gl.getUniformLocation(this.program, name);
    return this.places[name];
  }

  fill(name, source) {
    const { gl } = this;
    const coloured = name === "photo" || name === "tile" || name === "was";
    const tiled = name === "tile" || name === "was";
    const texture = gl.createTexture();
    gl.activeTexture(gl.TEXTURE0 + UNITS[name]);
    gl.bindTexture(gl.TEXTURE_2D, texture);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_COLORSPACE_CONVERSION_WEBGL, gl.NONE);
    gl.texImage2D(gl.TEXTURE_2D, 0, coloured ? gl.SRGB8_ALPHA8 : gl.RGBA8, gl.RGBA, gl.UNSIGNED_BYTE, source);
    const wrap = tiled ? gl.REPEAT : gl.CLAMP_TO_EDGE;
    const plain = name === "maps" || name === "mask";
    if (!plain) gl.generateMipmap(gl.TEXTURE_2D);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, wrap);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, wrap);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, plain ? gl.LINEAR : gl.LINEAR_MIPMAP_LINEAR);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.LINEAR);
    if (tiled && this.anisotropy) gl.texParameteri(gl.TEXTURE_2D, this.anisotropy.TEXTURE_MAX_ANISOTROPY_EXT, 4);
    return texture;
  }

  replace(name, source) {
    this.gl.deleteTexture(this.textures[name]);
    this.textures[name] = this.fill(name, source);
  }

  /** photo, mask: bitmaps of one size; maps: three times as tall, or as tall where they were made long ago. */
  wearable(photo, maps, mask) {
    this.replace("photo", photo);
    if (!maps) return;
    this.bent = maps.height === photo.height;
    this.replace("maps", maps);
    this.replace("mask", mask);
  }

  /** The fabric of a slot; the one before stays at hand for the cross-fade. */
  tile(source, slot = 0) {
    const { gl } = this;
    const { tile, was } = this.fabrics.get(slot) ?? {};
    if (was) gl.deleteTexture(was);
    this.fabrics.set(slot, { tile: this.fill("tile", source), was: tile });
  }

  /** Forget the fabrics of all slots but these. */
  only(slots) {
    for (const [slot, { tile, was }] of this.fabrics) {
      if (slots.includes(slot)) continue;
      for (const texture of [tile, was]) if (texture) this.gl.deleteTexture(texture);
      this.fabrics.delete(slot);
    }
  }

  draw(scene) {
    const { gl } = this;
    const { width, height } = this.canvas;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(this.place("u_canvas"), width, height);
    gl.uniform3f(this.place("u_view"), scene.view.scale, scene.view.x, scene.view.y);
    gl.uniform2f(this.place("u_size"), scene.width, scene.height);
    gl.uniform1f(this.place("u_split"), scene.split);
    gl.uniform1i(this.place("u_dressed"), 0);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    if (!scene.dressed) return;
    gl.uniform1f(this.place("u_px_per_cm"), scene.pxPerCm);
    gl.uniform1i(this.place("u_bent"), this.bent ? 1 : 0);
    gl.uniform1f(this.place("u_step"), this.bent ? 32 : 2);
    gl.uniform1i(this.place("u_dressed"), 1);
    for (const part of scene.parts) this.dress(part);
  }

  dress({ garments, fit, slot, fade }) {
    const { gl } = this;
    const { tile, was } = this.fabrics.get(slot ?? 0) ?? {};
    if (!tile) return;
    gl.activeTexture(gl.TEXTURE0 + UNITS.tile);
    gl.bindTexture(gl.TEXTURE_2D, tile);
    gl.activeTexture(gl.TEXTURE0 + UNITS.was);
    gl.bindTexture(gl.TEXTURE_2D, was ?? tile);
    const turn = (fit.rotate * Math.PI) / 180;
    gl.uniform1f(this.place("u_scale"), fit.scale);
    gl.uniform1f(this.place("u_strength"), fit.strength);
    gl.uniform2f(this.place("u_turn"), Math.cos(turn), Math.sin(turn));
    gl.uniform2f(this.place("u_offset"), fit.x, fit.y);
    gl.uniform1i(this.place("u_repeat"), REPEATS.indexOf(fit.repeat));
    gl.uniform1i(this.place("u_all"), garments.length ? 0 : 1);
    gl.uniform3uiv(this.place("u_chosen"), bits(garments));
    gl.uniform1i(this.place("u_mirrored"), fit.mirrored ? 1 : 0);
    gl.uniform1f(this.place("u_fade"), fade ?? 1);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
  }
}
