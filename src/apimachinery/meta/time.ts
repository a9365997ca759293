/** Milliseconds since the epoch as `metav1.Time` writes them: RFC 3339 in UTC, whole seconds, fractions cut off. */
export function formatTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  // Every write tells the time, and many fall into one second.
  if (second !== lastSecond) {
    lastTime = `${new Date(second * 1000).toISOString().slice(0, 19)}Z`;
    lastSecond = second;
  }
  return lastTime;
}

let lastSecond = Number.NaN;
let lastTime = "";

/** Milliseconds since the epoch as `metav1.MicroTime` writes them: always six decimals. */
export function formatMicroTime(ms: number): string {
  const micros = Math.round((ms - Math.floor(ms)) * 1000);
  return `${new Date(Math.floor(ms)).toISOString().slice(0, 23)}${String(Math.min(micros, 999)).padStart(3, "0")}Z`;
}

/** A `Time` or `MicroTime` of an API object in milliseconds since the epoch; undefined for absent or malformed ones. */
export function parseTime(text: string | null | undefined): number | undefined {
  if (!text) return undefined;
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? undefined : ms;
}
