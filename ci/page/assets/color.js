// Which colour something is drawn in.

const PALETTE = ["#73BF69", "#F2CC0C", "#8AB8FF", "#FF780A", "#F2495C", "#5794F2", "#B877D9", "#705DA0", "#37872D", "#FADE2A", "#447EBC", "#C15C17", "#890F02", "#0A437C", "#6D1F62", "#584477",
  "#70DBED", "#F9BA8F", "#F29191", "#82B5D8", "#E5A8E2", "#AEA2E0", "#9AC48A", "#F2C96D", "#65C5DB", "#F9934E", "#EA6460", "#5195CE", "#D683CE", "#806EB7"];

const cssValue = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function own(color) {
  if (color === "text") return cssValue("--text");
  if (color === "transparent") return "rgba(0, 0, 0, 0)";
  return color;
}

// seriesColor is that of a line, a bar or a slice, the nth of its panel.
function seriesColor(field, n, value) {
  const c = field.color || {};
  if (c.mode === "fixed" && c.fixed) return own(c.fixed);
  if (c.mode === "thresholds" || c.mode === "continuous") return valueColor(field, value, [0, 100]);
  return PALETTE[n % PALETTE.length];
}

// valueColor is that of a value by the field's thresholds, or where it stands on a scale.
function valueColor(field, value, range) {
  const m = mapped(value, field);
  if (m && m.color) return own(m.color);
  const c = field.color || {};
  if (c.mode === "fixed" && c.fixed) return own(c.fixed);
  if (c.mode === "continuous" && c.scale) return blend(c.scale, position(value, range));
  return own(stepAt(field, value, range)?.color || "") || PALETTE[0];
}

// stepsOf are the thresholds in the values' own terms.
function stepsOf(field, [min, max]) {
  const t = field.thresholds;
  if (!t || !t.steps) return [];
  return t.steps.map((s, i) => ({ color: s.color, value: i === 0 || s.value === null ? -Infinity : t.percent ? min + (max - min) * s.value / 100 : s.value }));
}

function stepAt(field, value, range) {
  let at = null;
  for (const s of stepsOf(field, range)) if (at === null || typeof value === "number" && value >= s.value) at = s;
  return at;
}

const position = (v, [min, max]) => typeof v !== "number" || max <= min ? 0 : Math.min(Math.max((v - min) / (max - min), 0), 1);

function rgb(hex) {
  let h = (hex || "#808080").replace("#", "");
  if (h.length < 6) h = [...h].map(c => c + c).join("");
  return [0, 2, 4].map(i => parseInt(h.slice(i, i + 2), 16));
}

function blend(scale, at) {
  const i = Math.min(Math.floor(at * (scale.length - 1)), scale.length - 2), t = at * (scale.length - 1) - i;
  const [a, b] = [rgb(scale[i]), rgb(scale[i + 1])];
  return "#" + a.map((v, k) => Math.round(v + (b[k] - v) * t).toString(16).padStart(2, "0")).join("");
}

// faded is a colour that what is behind shows through.
function faded(color, alpha) {
  if (!/^#[0-9a-f]{6}$/i.test(color)) return color.startsWith("rgba") ? color : `color-mix(in srgb, ${color} ${Math.round(alpha * 100)}%, transparent)`;
  return color + Math.round(Math.min(Math.max(alpha, 0), 1) * 255).toString(16).padStart(2, "0");
}

function luminance(color) {
  const [r, g, b] = rgb(color).map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a, b) {
  const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p);
  return (x + 0.05) / (y + 0.05);
}

// legible is a colour that can be read as text on the panel, as near to the wanted one
// as that goes.
function legible(color) {
  const ground = cssValue("--panel"), goal = cssValue("--text-strong");
  if (!/^#[0-9a-f]{3,6}$/i.test(color)) return color;
  for (let t = 0; t <= 1; t += 0.1) {
    const c = blend([color, goal], t);
    if (contrast(c, ground) >= 4.5) return c;
  }
  return goal;
}

// on is the colour of text on a coloured ground.
const on = ground => contrast("#000000", ground) >= contrast("#ffffff", ground) ? "#000000" : "#ffffff";
