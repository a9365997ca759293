/** Which attributes of which tags hold URLs, as upstream's `atomsToAttrs`. */
const URL_ATTRIBUTES: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.entries({
    a: ["href"],
    applet: ["codebase"],
    area: ["href"],
    audio: ["src"],
    base: ["href"],
    blockquote: ["cite"],
    body: ["background"],
    button: ["formaction"],
    command: ["icon"],
    del: ["cite"],
    embed: ["src"],
    form: ["action"],
    frame: ["longdesc", "src"],
    head: ["profile"],
    html: ["manifest"],
    iframe: ["longdesc", "src"],
    img: ["longdesc", "src", "usemap"],
    input: ["src", "usemap", "formaction"],
    ins: ["cite"],
    link: ["href"],
    object: ["classid", "codebase", "data", "usemap"],
    q: ["cite"],
    script: ["src"],
    source: ["src"],
    video: ["poster", "src"],
  }).map(([tag, attributes]) => [tag, new Set(attributes)]),
);

/** Between these and their end tags there are no tags. */
const RAW_TEXT: ReadonlySet<string> = new Set([
  "iframe",
  "noembed",
  "noframes",
  "noscript",
  "plaintext",
  "script",
  "style",
  "title",
  "textarea",
  "xmp",
]);

/** Attributes of one tag; what has more is no page. */
const ATTRIBUTES_MAX = 1000;
const TAG_NAME = /[^ \n\r\t\f/>]+/y;
const BETWEEN_ATTRIBUTES = /[ \n\r\t\f/]+/y;
const ATTRIBUTE_NAME = /[^ \n\r\t\f/=>]+/y;
const SPACES = /[ \n\r\t\f]+/y;
const UNQUOTED = /[^ \n\r\t\f>]+/y;
const CLOSE = 62;
const EQUALS = 61;
const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const ESCAPES: Readonly<Record<string, string>> = { "<": "&lt;", ">": "&gt;", '"': "&#34;", "'": "&#39;", "\r": "&#13;" };

interface Tag {
  readonly name: string;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
  readonly selfClosing: boolean;
  /** Behind the tag's `>`. */
  readonly end: number;
}

/**
 * A page with its links rewritten; undefined from `rewrite` leaves one as it is. Start tags are written anew, as Go's
 * tokenizer writes them, everything else is copied. Takes time in proportion to the page's length.
 */
export function rewriteHtmlLinks(page: string, rewrite: (link: string) => string | undefined): string {
  const out: string[] = [];
  let copied = 0;
  let at = page.indexOf("<");
  while (at >= 0) {
    const next = page.charAt(at + 1);
    if (/[A-Za-z]/.test(next)) {
      const tag = readTag(page, at + 1);
      if (tag === undefined) break;
      const urls = URL_ATTRIBUTES.get(tag.name);
      if (urls !== undefined) {
        out.push(page.slice(copied, at), writeTag(tag, urls, rewrite));
        copied = tag.end;
      }
      at = RAW_TEXT.has(tag.name) && !tag.selfClosing ? endOfRawText(page, tag) : tag.end;
    } else at = endOfMarkup(page, at, next);
    at = at < 0 ? at : page.indexOf("<", at);
  }
  out.push(page.slice(copied));
  return out.join("");
}

/** Behind a comment, a declaration, an end tag, or a `<` that is none of them; -1 for the page's end. */
function endOfMarkup(page: string, at: number, next: string): number {
  if (page.startsWith("<!--", at)) {
    const end = page.indexOf("-->", at + 4);
    return end < 0 ? -1 : end + 3;
  }
  if (next !== "!" && next !== "?" && next !== "/") return at + 1;
  const end = page.indexOf(">", at);
  return end < 0 ? -1 : end + 1;
}

function endOfRawText(page: string, { name, end }: Tag): number {
  if (name === "plaintext") return -1;
  const pattern = new RegExp(`</${name}[ \\n\\r\\t\\f/>]`, "gi");
  pattern.lastIndex = end;
  return pattern.exec(page)?.index ?? -1;
}

/** The start tag whose name begins at `start`; undefined when the page ends within it, or when it holds too much. */
function readTag(page: string, start: number): Tag | undefined {
  let at = endOf(TAG_NAME, page, start);
  const name = page.slice(start, at).toLowerCase();
  const attributes: { name: string; value: string }[] = [];
  for (;;) {
    at = endOf(BETWEEN_ATTRIBUTES, page, at);
    if (at >= page.length || attributes.length > ATTRIBUTES_MAX) return undefined;
    if (page.charCodeAt(at) === CLOSE) break;
    const nameEnd = endOf(ATTRIBUTE_NAME, page, at + 1);
    const key = page.slice(at, nameEnd).toLowerCase();
    at = endOf(SPACES, page, nameEnd);
    if (page.charCodeAt(at) !== EQUALS) {
      attributes.push({ name: key, value: "" });
      continue;
    }
    at = endOf(SPACES, page, at + 1);
    const quote = page.charAt(at);
    const isQuoted = quote === '"' || quote === "'";
    const end = isQuoted ? page.indexOf(quote, at + 1) : endOf(UNQUOTED, page, at);
    if (end < 0) return undefined;
    attributes.push({ name: key, value: page.slice(isQuoted ? at + 1 : at, end) });
    at = isQuoted ? end + 1 : end;
  }
  return { name, attributes, selfClosing: page.charAt(at - 1) === "/", end: at + 1 };
}

/** Where the longest piece that begins at `at` and fits the pattern ends. */
function endOf(pattern: RegExp, page: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(page) ? pattern.lastIndex : at;
}

function writeTag(tag: Tag, urls: ReadonlySet<string>, rewrite: (link: string) => string | undefined): string {
  const attributes = tag.attributes.map(({ name, value }) => {
    if (!urls.has(name)) return ` ${name}="${escaped(value)}"`;
    const link = unescaped(value);
    const rewritten = rewrite(link);
    return ` ${name}="${rewritten === undefined || rewritten === link ? escaped(value) : escaped(rewritten.replaceAll("&", "&amp;"))}"`;
  });
  return `<${tag.name}${attributes.join("")}${tag.selfClosing ? "/" : ""}>`;
}

/** References to characters stay as they are: they mean the same. A bare `&` becomes one. */
function escaped(text: string): string {
  return text.replace(/&(?!#?[A-Za-z0-9]+;)/g, "&amp;").replace(/[<>"'\r]/g, (char) => ESCAPES[char] ?? char);
}

/** The references that URLs have; others do not occur in what is compared. */
function unescaped(text: string): string {
  return text.replace(/&(?:#(\d{1,7})|#[xX]([0-9A-Fa-f]{1,6})|(amp|lt|gt|quot|apos));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return NAMED[String(name)] ?? whole;
    const code = hex === undefined ? Number(decimal) : Number.parseInt(String(hex), 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
