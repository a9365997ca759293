/**
 * What stands between the first BEGIN line of a type and the END line after it; undefined when there is no such block. By
 * search, not by expression: a text of nothing but BEGIN lines would be read once for each of them.
 */
export function pemBlock(text: string, type: "CERTIFICATE" | "CERTIFICATE REQUEST"): string | undefined {
  const begin = `-----BEGIN ${type}-----`;
  const start = text.indexOf(begin);
  if (start < 0) return undefined;
  const end = text.indexOf(`-----END ${type}-----`, start);
  return end < 0 ? undefined : text.slice(start + begin.length, end);
}
