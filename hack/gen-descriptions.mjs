import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

/** Longer sets of values are not spelled out. */
const VALUES_MAX = 12;
/** Kinds whose status is an answer: they are not stored. */
const ANSWERED = /Review$|^TokenRequest$|^Scale$/;
/** Where the types of versions that are not served any more have gone. */
const SUCCESSORS = ["core/v1", "apps/v1", "networking/v1", "policy/v1"];

/**
 * Writes the texts of `kubectl explain` and of request parameters from `src/api/texts`, one file for each API group. What the
 * facts know (defaults, sets of values) is added where the text does not say it. Compressed, since few processes ever need it.
 */
export function writeDescriptions({ files, root, path, head }) {
  const texts = new Texts(join(root, "src/api/texts"), files);
  const types = {};
  for (const [key, file] of files) {
    for (const [name, type] of Object.entries(file.types)) {
      const described = texts.describe(key, name, type);
      if (described !== undefined) types[`${file.package}.${name}`] = described;
    }
  }
  const unused = texts.unused();
  if (unused.length > 0) throw new Error(`texts of what is not there: ${unused.join(", ")}`);
  const text = JSON.stringify({ types, parameters: texts.parameters });
  const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22 } };
  const packed = brotliCompressSync(Buffer.from(text), options).toString("base64");
  writeFileSync(
    path,
    `${head}
/** Texts of types, fields and parameters: JSON, Brotli, base64. */
export const packedDescriptions: string =
  ${JSON.stringify(packed)};
`,
  );
  const { length } = Object.keys(texts.parameters);
  console.log(`descriptions: ${Object.keys(types).length} types, ${length} parameters, ${packed.length} bytes`);
}

/** `Type: text`, with the fields below it as `  field: text`; `  like: Type` takes over another's fields. */
function readSections(path) {
  const sections = new Map();
  let current;
  for (const line of readFileSync(path, "utf8").split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    const [, indent, name, text] = /^( *)(.+?)(?:: (.*))?$/.exec(line);
    if (indent !== "") current.fields.set(name, text);
    else {
      current = { text: text ?? "", fields: new Map() };
      if (sections.has(name)) throw new Error(`${path}: ${name} is there twice`);
      sections.set(name, current);
    }
  }
  return sections;
}

class Texts {
  #files;
  #groups = new Map();
  #used = new Set();

  constructor(folder, files) {
    this.#files = files;
    for (const file of readdirSync(folder)) this.#groups.set(file.replace(".txt", ""), readSections(join(folder, file)));
    this.parameters = Object.fromEntries([...this.#groups.get("parameters")].map(([name, { text }]) => [name, text]));
    this.#groups.delete("parameters");
  }

  /** Text of a type and those of its fields. */
  describe(key, name, type) {
    const file = this.#files.get(key);
    const from = type.like === true ? file.like : key;
    const { fields } = this.#files.get(from)?.types[name] ?? type;
    if (fields === undefined) return undefined;
    const own = this.#sections(key, name).find(([, section]) => section.text !== "")?.[1].text;
    const items = name.endsWith("List") && fields.some((field) => field.name === "items");
    const text = own || (items ? `Objects of kind ${name.slice(0, -4)}.` : "");
    return [text, Object.fromEntries(this.#fields(from, name, fields, key))];
  }

  /** Texts that belong to no type or field. */
  unused() {
    const all = [...this.#groups].flatMap(([group, sections]) =>
      group === "common"
        ? []
        : [...sections].flatMap(([name, { fields }]) => [
            `${group}.${name}`,
            ...[...fields.keys()].map((f) => `${group}.${name}.${f}`),
          ]),
    );
    return all.filter((each) => !this.#used.has(each) && !each.endsWith(".like"));
  }

  #fields(key, name, fields, told) {
    return fields.flatMap((field) => {
      if (field.inline !== undefined) return this.#inlined(key, name, field.inline.replace(/^\*/, ""), told);
      const text =
        this.#own(told, name, field.name) ?? this.#part(key, name, fields, field) ?? this.#common(name, fields, field.name);
      return text === undefined ? [] : [[field.name, this.#withFacts(key, field, text)]];
    });
  }

  #inlined(key, name, inline, told) {
    let { key: from, name: type } = resolve(key, inline);
    for (let alias = this.#type(from, type).alias; alias !== undefined; alias = this.#type(from, type).alias) {
      ({ key: from, name: type } = resolve(from, alias));
    }
    const { fields } = this.#type(from, type);
    const plain = new Map(this.#fields(from, type, fields, from === key ? told : from));
    // The texts of the type itself win over those of what it consists of.
    for (const field of fields) {
      const own = this.#own(told, name, field.name) ?? (type === "TypeMeta" ? this.#common(name, [], field.name) : undefined);
      if (own !== undefined) plain.set(field.name, field.inline === undefined ? this.#withFacts(from, field, own) : own);
    }
    return [...plain];
  }

  #type(key, name) {
    const file = this.#files.get(key);
    const type = file.types[name];
    return type?.like === true ? this.#type(file.like, name) : type;
  }

  /** The sections of a type: that of its group, and those of groups whose types it is made like, or has gone to. */
  #sections(key, name) {
    const file = this.#files.get(key);
    const groups = [key, ...(file.like === undefined ? [] : [file.like]), ...(file.old ? SUCCESSORS : [])];
    return [...new Set(groups.map((each) => each.split("/")[0]))].flatMap((group) => {
      const section = this.#groups.get(group)?.get(name);
      if (section === undefined) return [];
      this.#used.add(`${group}.${name}`);
      return [[group, section]];
    });
  }

  #own(key, name, field) {
    for (const [group, { fields }] of this.#sections(key, name)) {
      const text = fields.get(field);
      if (text !== undefined) {
        this.#used.add(`${group}.${name}.${field}`);
        return text;
      }
      const like = fields.get("like");
      const taken = like === undefined ? undefined : this.#own(key, like, field);
      if (taken !== undefined) return taken;
    }
    return undefined;
  }

  /** Of spec and status of a kind: what is said of their type. */
  #part(key, name, fields, { name: field, type }) {
    const isKind = fields.some((each) => each.name === "metadata" && each.type.endsWith("ObjectMeta"));
    if (!isKind || (field !== "spec" && field !== "status")) return undefined;
    const { key: from, name: of } = resolve(key, type.replace(/^\*/, ""));
    const text = this.#sections(from, of).find(([, section]) => section.text !== "")?.[1].text;
    if (text === undefined || field === "spec" || ANSWERED.test(name)) return text;
    return `${text} Only writes of the subresource \`status\` change it.`;
  }

  #common(name, fields, field) {
    const common = this.#groups.get("common");
    if (name.endsWith("Condition")) {
      const text = common.get("*Condition").fields.get(field);
      if (text !== undefined) return text;
    }
    const list = name.endsWith("List") && (fields.length === 0 || fields.some((each) => each.name === "items"));
    return common.get(list ? "*List" : "*Kind").fields.get(field);
  }

  #withFacts(key, field, text) {
    const parts = [text];
    const values = this.#values(key, field.type)?.filter((value) => value !== "");
    if (values !== undefined && values.length <= VALUES_MAX && !values.every((value) => names(text, value))) {
      parts.push(`${values.length === 1 ? "Known" : "One of"}: ${values.join(", ")}.`);
    }
    const { default: fallback } = field;
    if (fallback !== undefined && !text.includes("Default:"))
      parts.push(`Default: ${fallback === "" ? "empty" : `${fallback}`}.`);
    return parts.join(" ");
  }

  #values(key, type) {
    const plain = type.replace(/^(\*|\[\]|map\[[^\]]*\])+/, "");
    const { key: from, name } = resolve(key, plain);
    const found = this.#files.get(from)?.types[name];
    return found?.enum === true ? found.values : undefined;
  }
}

function names(text, value) {
  const escaped = value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`(^|[^A-Za-z0-9])${escaped}($|[^A-Za-z0-9])`).test(text);
}

function resolve(key, name) {
  const slash = name.indexOf("/");
  if (slash < 0) return { key, name };
  const dot = name.indexOf(".", slash);
  return { key: name.slice(0, dot), name: name.slice(dot + 1) };
}
