"use strict";
// Numbers as Grafana writes them: format(value, field) is the text of a value in its
// field's unit, with its decimals.

const SI = ["f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const COUNT = ["", " K", " Mil", " Bil", " Tri", " Quadr", " Quint"];

const si = (unit, offset = 0) => v => scaled(v, 1000, SI, 5 + offset, " ", unit);
const binary = (unit, offset = 0) => v => scaled(v, 1024, BINARY, offset, " ", unit);
const count = unit => v => scaled(v, 1000, COUNT, 0, "", unit ? " " + unit : "");
const fixed = (unit, factor = 1) => v => [v * factor, unit];

// scaled picks the prefix with which a value is short.
function scaled(v, base, prefixes, at, space, unit) {
  let abs = Math.abs(v);
  while (abs >= base && at < prefixes.length - 1) { abs /= base; v /= base; at++; }
  while (abs > 0 && abs < 1 && at > 0 && prefixes === SI) { abs *= base; v *= base; at--; }
  return [v, space + prefixes[at] + unit];
}

const TIME = [["ns", 1e-9], ["µs", 1e-6], ["ms", 1e-3], ["s", 1], ["min", 60], ["hour", 3600], ["day", 86400], ["week", 604800], ["year", 31557600]];

// time is a duration that is counted in so many seconds.
const time = seconds => v => {
  const abs = Math.abs(v * seconds);
  if (abs === 0) { const own = TIME.find(t => t[1] === seconds); return [0, " " + (own ? own[0] : "s")]; }
  let best = TIME[0];
  for (const t of TIME) if (abs >= t[1] * 0.9999999) best = t;
  return [v * seconds / best[1], " " + best[0] + (best[1] >= 3600 && Math.abs(v * seconds / best[1]) !== 1 ? "s" : "")];
};

const yesNo = (yes, no) => v => [null, v ? yes : no];
const iso = ms => new Date(ms).toISOString().replace("T", " ").replace(/\.\d+Z$/, "");

const UNITS = {
  none: fixed(""), short: count(""), sci: v => [null, v.toExponential(2)], locale: v => [null, v.toLocaleString("en-US")], string: fixed(""),
  hex: v => [null, v.toString(16).toUpperCase()], percent: fixed("%"), percentunit: fixed("%", 100), humidity: fixed(" %H"), dB: fixed(" dB"),
  bytes: binary("B"), kbytes: binary("B", 1), mbytes: binary("B", 2), gbytes: binary("B", 3), tbytes: binary("B", 4), bits: binary("b"),
  decbytes: si("B"), deckbytes: si("B", 1), decmbytes: si("B", 2), decgbytes: si("B", 3), dectbytes: si("B", 4), decbits: si("b"),
  Bps: si("B/s"), bps: si("b/s"), binBps: binary("B/s"), binbps: binary("b/s"), pps: si("p/s"),
  KBs: si("B/s", 1), MBs: si("B/s", 2), GBs: si("B/s", 3), KiBs: binary("B/s", 1), MiBs: binary("B/s", 2), GiBs: binary("B/s", 3),
  Kbits: si("b/s", 1), Mbits: si("b/s", 2), Gbits: si("b/s", 3),
  s: time(1), ms: time(1e-3), "µs": time(1e-6), "μs": time(1e-6), us: time(1e-6), ns: time(1e-9), m: time(60), h: time(3600), d: time(86400),
  dtdurations: time(1), dtdurationms: time(1e-3), clocks: time(1), clockms: time(1e-3), timeticks: time(1e-2),
  reqps: count("req/s"), ops: count("ops/s"), rps: count("rd/s"), wps: count("wr/s"), iops: count("io/s"), cps: count("c/s"), eps: count("evt/s"),
  mps: count("msg/s"), recps: count("rec/s"), rowsps: count("rows/s"), opm: count("ops/m"), rpm: count("rd/m"), wpm: count("wr/m"), cpm: count("c/m"), reqpm: count("req/m"),
  hertz: si("Hz"), rothz: si("Hz"), rotrpm: si("rpm"), watt: si("W"), kwatt: si("W", 1), megwatt: si("W", 2), mwatt: si("W", -1), voltamp: si("VA"), volt: si("V"), mvolt: si("V", -1), amp: si("A"), mamp: si("A", -1),
  joule: si("J"), watth: si("Wh"), kwatth: si("Wh", 1), ohm: si("Ω"), farad: si("F"), lumens: si("Lm"),
  celsius: fixed(" °C"), fahrenheit: fixed(" °F"), kelvin: fixed(" K"), degree: fixed("°"), bool: yesNo("True", "False"), bool_yes_no: yesNo("Yes", "No"), bool_on_off: yesNo("On", "Off"),
  dateTimeAsIso: v => [null, iso(v)], dateTimeAsUS: v => [null, iso(v)], dateTimeAsLocal: v => [null, iso(v)], dateTimeFromNow: v => [null, iso(v)], dateTimeAsSystem: v => [null, iso(v)],
  currencyUSD: v => [v, "", "$"], currencyEUR: v => [v, "", "€"], currencyGBP: v => [v, "", "£"],
};

function unitOf(id) {
  if (!id) return UNITS.none;
  if (Object.hasOwn(UNITS, id)) return UNITS[id];
  const [kind, rest] = [id.slice(0, id.indexOf(":")), id.slice(id.indexOf(":") + 1)];
  switch (kind) {
    case "suffix": return fixed(rest);
    case "prefix": return v => [v, "", rest];
    case "si": return si(rest);
    case "count": return count(rest);
    case "currency": return v => [v, "", rest];
    case "time": return v => [null, iso(v)];
  }
  return fixed(" " + id); // text of the dashboard's own
}

// format is a value as people read it. short leaves out zeros that say nothing.
function format(v, field = {}, short = false) {
  if (v === null || v === undefined || Number.isNaN(v)) return "NaN";
  if (v === "+Inf" || v === Infinity) return "∞";
  if (v === "-Inf" || v === -Infinity) return "-∞";
  const [n, suffix, prefix = ""] = unitOf(field.unit)(v);
  if (n === null) return prefix + suffix;
  let text = fixedText(n, short ? undefined : field.decimals);
  if (short && text.includes(".")) text = text.replace(/\.?0+$/, "");
  return prefix + text + suffix;
}

// fixedText has three digits that count, unless it is told how many decimals.
function fixedText(n, decimals) {
  if (n === 0) return (0).toFixed(decimals || 0);
  const magnitude = Math.floor(Math.log10(Math.abs(n)));
  if (decimals === undefined) {
    if (magnitude < -7 || magnitude > 15) return n.toExponential(2);
    decimals = n % 1 === 0 ? 0 : Math.max(0, 2 - magnitude);
  }
  return n.toFixed(Math.min(decimals, 20));
}

// mapped is the value mapping that a value falls under.
function mapped(v, field = {}) {
  for (const m of field.mappings || []) {
    if (m.value !== undefined) { if (v !== null && (String(v) === m.value || Number(m.value) === v && m.value.trim() !== "")) return m; continue; }
    if (m.special) {
      const absent = v === null || v === undefined || Number.isNaN(v);
      if (absent && ["null", "nan", "null+nan", "empty"].includes(m.special) || String(v) === m.special) return m;
      continue;
    }
    if (typeof v === "number" && (m.from ?? -Infinity) <= v && v <= (m.to ?? Infinity)) return m;
  }
  return null;
}

// shown is the text of a value with its mapping, if there is one.
function shown(v, field) {
  const m = mapped(v, field);
  return m && m.text ? m.text : format(v, field);
}

// clock is a time of day, with its date where the range is longer than one.
function clock(ms, span) {
  const text = iso(ms);
  if (span > 36 * 3600e3 * 20) return text.slice(5, 10).replace("-", "/");
  if (span > 36 * 3600e3) return text.slice(5, 16).replace("-", "/");
  return span < 5 * 60e3 ? text.slice(11, 19) : text.slice(11, 16);
}
