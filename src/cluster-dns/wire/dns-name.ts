/** The longest label, in bytes (RFC 1035, section 2.3.4). */
const LABEL_BYTES_MAX = 63;
/** The longest name as it is sent, in bytes. */
const NAME_BYTES_MAX = 255;

/** A name as it was read: `text` in lower case without the last dot, dots and backslashes inside labels escaped by a backslash. */
export interface WireName {
  readonly text: string;
  /** Where what follows the name begins. */
  readonly end: number;
}

/**
 * Reads a name that is written out, as those of questions are. Undefined for one that is too long, cut short or compressed: a question
 * comes first, and has nothing that it could point to. Bytes are taken as Latin-1, so that every name has a text of its own.
 */
export function readPlainName(bytes: Buffer, start: number): WireName | undefined {
  let text = "";
  for (let at = start; at < bytes.length; ) {
    const length = bytes[at] ?? 0;
    if (length === 0) return { text, end: at + 1 };
    const next = at + 1 + length;
    if (length > LABEL_BYTES_MAX || next >= bytes.length || next - start >= NAME_BYTES_MAX) return undefined;
    const label = bytes.toString("latin1", at + 1, next);
    text += (text === "" ? "" : ".") + labelText(label);
    at = next;
  }
  return undefined;
}

/** Where what follows a name begins that may be compressed. Undefined where the message ends within it. Follows no pointer. */
export function skipName(bytes: Buffer, start: number): number | undefined {
  for (let at = start; at < bytes.length; ) {
    const length = bytes[at] ?? 0;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2 <= bytes.length ? at + 2 : undefined;
    if (length > LABEL_BYTES_MAX) return undefined;
    at += 1 + length;
  }
  return undefined;
}

/**
 * Reads a name that may be compressed, in time that its length bounds: pointers go back only (RFC 1035, section 4.1.4). Undefined for a
 * malformed one.
 */
export function readName(bytes: Buffer, start: number): WireName | undefined {
  const end = skipName(bytes, start);
  if (end === undefined) return undefined;
  let text = "";
  let length = 0;
  let lowest = start;
  for (let at = start; at < bytes.length; ) {
    const head = bytes[at] ?? 0;
    if (head === 0) return { text, end };
    if (head >= 0xc0) {
      if (at + 2 > bytes.length) return undefined;
      const target = bytes.readUInt16BE(at) & 0x3fff;
      if (target >= lowest) return undefined;
      lowest = target;
      at = target;
      continue;
    }
    const next = at + 1 + head;
    length += 1 + head;
    if (head > LABEL_BYTES_MAX || next > bytes.length || length >= NAME_BYTES_MAX) return undefined;
    text += (text === "" ? "" : ".") + labelText(bytes.toString("latin1", at + 1, next));
    at = next;
  }
  return undefined;
}

/** A name's labels, none of the root. Undefined where it cannot be sent: an empty label, or one that is too long. */
export function labelsOf(text: string): readonly string[] | undefined {
  if (text === "") return [];
  const labels = text.includes("\\") ? splitEscaped(text) : text.split(".");
  let bytes = 1;
  for (const { length } of labels) {
    if (length === 0 || length > LABEL_BYTES_MAX) return undefined;
    bytes += 1 + length;
  }
  return bytes > NAME_BYTES_MAX ? undefined : labels;
}

/** What an object calls a name, in the form of {@link WireName}: lower case, no last dot. */
export function nameOf(text: string): string {
  return lowerCase(text.endsWith(".") ? text.slice(0, -1) : text);
}

/** Whether a name is the zone's or below it. Both in the form of {@link WireName}. */
export function isWithin(name: string, zone: string): boolean {
  if (zone === "" || name === zone) return true;
  return name.endsWith(zone) && name[name.length - zone.length - 1] === "." && name[name.length - zone.length - 2] !== "\\";
}

/** A label as part of a name's text. */
function labelText(label: string): string {
  return lowerCase(escapedLabel(label));
}

/** A label with its dots and backslashes escaped. */
export function escapedLabel(label: string): string {
  return /[.\\]/.test(label) ? label.replaceAll(/[.\\]/g, "\\$&") : label;
}

/** DNS knows the case of ASCII alone (RFC 4343). */
function lowerCase(text: string): string {
  return /[A-Z]/.test(text) ? text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()) : text;
}

function splitEscaped(text: string): string[] {
  const labels = [""];
  for (let i = 0; i < text.length; i++) {
    const letter = text[i] ?? "";
    if (letter === ".") labels.push("");
    else labels[labels.length - 1] += letter === "\\" ? (text[++i] ?? "") : letter;
  }
  return labels;
}

/** A name as it is sent, written out. Undefined where it cannot be sent. */
export function writeName(text: string): Buffer | undefined {
  const labels = labelsOf(text);
  if (labels === undefined) return undefined;
  return Buffer.concat([...labels.flatMap((label) => [Buffer.of(label.length), Buffer.from(label, "latin1")]), Buffer.of(0)]);
}
