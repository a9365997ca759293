import { isIP } from "node:net";
import { isUri } from "./uri-format.ts";

/** By name without hyphens, as upstream looks formats up; names that are not here are not checked. */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  bsonobjectid: (text) => /^[0-9a-f]{24}$/i.test(text),
  uri: isUri,
  email: isEmail,
  hostname: isHostname,
  ipv4: (text) => ipFamily(text) !== 0 && text.includes("."),
  ipv6: (text) => isIP(text) === 6 && !text.includes("%"),
  cidr: isCidr,
  mac: (text) => MAC.test(text),
  uuid: uuid("[0-9a-f]"),
  uuid3: uuid("3"),
  uuid4: uuid("4", "[89ab]"),
  uuid5: uuid("5", "[89ab]"),
  isbn: (text) => isIsbn10(text) || isIsbn13(text),
  isbn10: isIsbn10,
  isbn13: isIsbn13,
  creditcard: isCreditCard,
  ssn: (text) => /^\d{3}[- ]\d{2}[- ]\d{4}$/.test(text),
  hexcolor: (text) => /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(text),
  rgbcolor: (text) => {
    const parts = /^rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)$/.exec(text);
    return parts?.slice(1).every((part) => Number(part) <= 255 && !/^0\d/.test(part)) === true;
  },
  byte: (text) => text !== "" && /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text),
  password: () => true,
  date: isDate,
  duration: isDuration,
  datetime: isDateTime,
  k8sshortname: (text) => text.length <= 63 && /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(text),
  k8slongname: (text) => text.length <= 253 && text.split(".").every((label) => /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/.test(label)),
};

/** Whether a text is of a format; undefined where the format is none that upstream checks (`go-openapi/strfmt`). */
export function matchesFormat(format: string, text: string): boolean | undefined {
  const name = format.replaceAll("-", "");
  return Object.hasOwn(FORMATS, name) ? FORMATS[name]?.(text) : undefined;
}

const WORD = "[a-zA-Z0-9\\p{S}\\p{L}]";
/** One label may have a dash behind its first character only, and several end with letters: upstream's pattern. */
const HOSTNAME = new RegExp(
  `^(?:${WORD}(?:-?${WORD}{0,62})|(?:${WORD}(?:[a-zA-Z0-9\\-\\p{S}\\p{L}]{0,61}${WORD})?\\.)+[a-zA-Z\\p{L}]{2,63})$`,
  "u",
);

function isHostname(text: string): boolean {
  return (
    HOSTNAME.test(text) && Buffer.byteLength(text) <= 255 && text.split(".").every((label) => Buffer.byteLength(label) <= 63)
  );
}

/** Characters of an address; what has more of them has them for another purpose. */
const ADDRESS_LENGTH_MAX = 256;

/** Leading zeros are taken as they were before Go refused them. */
function ipFamily(text: string): number {
  return text.includes("%") || text.length > ADDRESS_LENGTH_MAX ? 0 : isIP(text.replace(/(^|[.:])0+(?=\d+(?:\.|$))/g, "$1"));
}

function isCidr(text: string): boolean {
  const [address = "", bits = "", ...more] = text.split("/");
  const family = ipFamily(address);
  return more.length === 0 && family !== 0 && /^\d+$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128);
}

const BYTE = "[0-9a-f]{2}";
/** 6, 8 or 20 bytes. */
const MAC = new RegExp(
  [6, 8, 20]
    .flatMap((bytes) => [
      `^${BYTE}(?::${BYTE}){${bytes - 1}}$`,
      `^${BYTE}(?:-${BYTE}){${bytes - 1}}$`,
      `^${BYTE}${BYTE}(?:\\.${BYTE}${BYTE}){${bytes / 2 - 1}}$`,
    ])
    .join("|"),
  "i",
);

function uuid(version: string, variant = "[0-9a-f]"): (text: string) => boolean {
  const expression = new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, "i");
  return (text) => expression.test(text);
}

function isIsbn10(text: string): boolean {
  const digits = text.replace(/[\s-]/g, "");
  if (!/^\d{9}[\dX]$/.test(digits)) return false;
  const sum = [...digits].reduce((total, digit, index) => total + (digit === "X" ? 10 : Number(digit)) * (10 - index), 0);
  return sum % 11 === 0;
}

function isIsbn13(text: string): boolean {
  const digits = text.replace(/[\s-]/g, "");
  if (!/^\d{13}$/.test(digits)) return false;
  return [...digits].reduce((total, digit, index) => total + Number(digit) * (index % 2 === 0 ? 1 : 3), 0) % 10 === 0;
}

/** By issuer. */
const CREDIT_CARD = new RegExp(
  [
    "^4\\d{12}(?:\\d{3})?$",
    "^5[1-5]\\d{14}$",
    "^6(?:011|5\\d\\d)\\d{12}$",
    "^3[47]\\d{13}$",
    "^3(?:0[0-5]|[68]\\d)\\d{11}$",
    "^(?:2131|1800|35\\d{3})\\d{11}$",
  ].join("|"),
);

function isCreditCard(text: string): boolean {
  const digits = text.replace(/\D/g, "");
  if (!CREDIT_CARD.test(digits)) return false;
  const sum = [...digits].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

function isDate(text: string): boolean {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (match === null) return false;
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

const TIME = /^(\d{2}):(\d{2}):(\d{2})(?:.\d+)?(?:z|[+-]\d{2}:\d{2})$/;

/** Upstream looks at what stands before and behind the first `t`, up to the next. */
function isDateTime(text: string): boolean {
  const [date = "", time = ""] = text.toLowerCase().split("t");
  const [, hour = "", minute = "", second = ""] = TIME.exec(time) ?? [];
  return isDate(date) && hour !== "" && hour <= "23" && minute <= "59" && second <= "59";
}

const GO_DURATION = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|\u00b5s|\u03bcs|ms|s|m|h))+)$/;
const UNITS = ["ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"];
/** Names that may go on: `seconds`. */
const UNIT_STEMS = ["nano", "micro", "milli", "sec", "min", "hour", "day", "week"];

/** A duration of Go's, or any text that has a number with a unit somewhere: upstream looks no closer. */
function isDuration(text: string): boolean {
  if (GO_DURATION.test(text)) return true;
  // Digits are looked at from their first one on, so that a long row of them is gone through once.
  const parts = [...text.matchAll(/(?<!\d)(\d+)\s*([A-Za-z\u00b5]+)/g)];
  if (parts.some(([, count = ""]) => isBeyondInt64(count))) return false;
  return parts.some(([, , found = ""]) => {
    const unit = found.toLowerCase();
    return UNITS.includes(unit) || UNIT_STEMS.some((stem) => unit.startsWith(stem));
  });
}

function isBeyondInt64(digits: string): boolean {
  const count = digits.replace(/^0+/, "");
  return count.length > 19 || BigInt(count) >= 2n ** 63n;
}

const ATOM = "[\\p{L}\\p{N}!#$%&'*+/=?^_`{|}~-]+";
const QUOTED = '"(?:\\\\.|[^"\\\\])*"';
const ADDRESS = `(?:${ATOM}(?:\\.${ATOM})*|${QUOTED})@(?:${ATOM}(?:\\.${ATOM})*|\\[[^\\]\\s]+\\])`;
const EMAIL = new RegExp(`^${ADDRESS}$`, "u");
/** Words, quoted texts and dots, one character or one text at a time: whatever comes, the time grows with the text alone. */
const DISPLAY_NAME = new RegExp(`^(?:${ATOM.replace(/\+$/, "")}|${QUOTED}|[.\\s])*$`, "u");

/** As Go's `mail.ParseAddress`: a name may stand before the address. */
function isEmail(given: string): boolean {
  const text = given.trim();
  const at = text.endsWith(">") ? text.lastIndexOf("<") : -1;
  return at < 0 ? EMAIL.test(text) : DISPLAY_NAME.test(text.slice(0, at)) && EMAIL.test(text.slice(at + 1, -1).trim());
}

/** Whether values of a type are held against a format; what else schemas name is ignored, and warned of. */
export function isKnownFormat(type: string, format: string): boolean {
  switch (type) {
    case "":
    case "string":
      return Object.hasOwn(FORMATS, format.replaceAll("-", ""));
    case "integer":
      return format === "int32" || format === "int64";
    case "number":
      return format === "float" || format === "double";
    default:
      return false;
  }
}
