/** Characters that all warnings of an answer may have together. */
const TOTAL_CHARACTERS_MAX = 4 * 1024;
/** Characters that each may have once that was exceeded. */
const ITEM_CHARACTERS_MAX = 256;

/**
 * The values of `Warning` headers, after upstream's warning recorder: each text once; when all of them are too long each is cut,
 * and what is still too much is left out. Texts with control characters cannot be told.
 */
export function warningHeaders(warnings: readonly string[]): string[] {
  const texts = [...new Set(warnings)].filter((text) => text !== "");
  let written = 0;
  for (const text of texts) if (!hasControl(text)) written += characters(text);
  return written > TOTAL_CHARACTERS_MAX ? truncated(texts) : texts.flatMap(headerOf);
}

function truncated(texts: readonly string[]): string[] {
  const headers: string[] = [];
  // Those that fit before they were cut are all kept, and cut.
  let fitting = 0;
  let written = 0;
  let replaying = true;
  for (const text of texts) {
    const cut = [...text].slice(0, ITEM_CHARACTERS_MAX).join("");
    if (replaying) {
      fitting += hasControl(text) ? 0 : characters(text);
      replaying = fitting <= TOTAL_CHARACTERS_MAX;
    } else if (written >= TOTAL_CHARACTERS_MAX) break;
    const header = headerOf(cut);
    if (header.length > 0) written += characters(cut);
    headers.push(...header);
  }
  return headers;
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function hasControl(text: string): boolean {
  return /\p{Cc}/u.test(text);
}

/** RFC 7234 §5.5 with upstream's agent `-`. Node writes headers as Latin-1: UTF-8 has to come as such. */
function headerOf(text: string): string[] {
  if (hasControl(text)) return [];
  const quoted = text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return [`299 - "${Buffer.from(quoted, "utf8").toString("latin1")}"`];
}
