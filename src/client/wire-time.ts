/** `metav1.Time` on the wire: RFC 3339 in UTC, whole seconds. From milliseconds since the epoch. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** `metav1.MicroTime` on the wire: RFC 3339 in UTC with six decimals. From milliseconds since the epoch. */
export function formatMicroTime(ms: number): string {
  const text = new Date(Math.floor(ms)).toISOString();
  const micros = Math.floor((ms - Math.floor(ms)) * 1000);
  return `${text.slice(0, 23)}${String(micros).padStart(3, "0")}Z`;
}

/** Milliseconds since the epoch; NaN for what is no time. */
export function parseTime(text: string): number {
  return Date.parse(text);
}
