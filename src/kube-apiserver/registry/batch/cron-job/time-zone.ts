/** Aliases that the zone database has and ECMAScript's list of canonical names has not. */
const PLAIN_NAMES = new Set([
  "UTC",
  "GMT",
  "EST",
  "MST",
  "HST",
  "EST5EDT",
  "CST6CDT",
  "MST7MDT",
  "PST8PDT",
  "WET",
  "CET",
  "MET",
  "EET",
]);

const supported = new Set<string>(Intl.supportedValuesOf("timeZone"));

/** Whether the zone database knows a name, in exactly this spelling. */
export function isTimeZone(name: string): boolean {
  if (PLAIN_NAMES.has(name) || supported.has(name)) return true;
  if (!/^[A-Z][A-Za-z0-9_+-]*(\/[A-Z][A-Za-z0-9_+-]*)*$/.test(name)) return false;
  try {
    // Old spellings resolve to a zone, but in any case: what is left over must not be a wrong case of a known name.
    new Intl.DateTimeFormat("en", { timeZone: name });
  } catch {
    return false;
  }
  const lower = name.toLowerCase();
  return ![...supported].some((known) => known !== name && known.toLowerCase() === lower);
}
