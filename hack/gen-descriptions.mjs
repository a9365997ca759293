import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";

/** Built-in types that have texts of their own. */
const BUILTIN_TYPES = {
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "V1MicroTime",
};

/**
 * Writes the texts of `kubectl explain`: of types and fields from the comments of @kubernetes/client-node's models, of request
 * parameters from those of its API classes. Compressed, since few processes ever need them.
 */
export function writeDescriptions({ files, root, path, head, flatFields }) {
  const generated = join(root, "node_modules/@kubernetes/client-node/dist/gen");
  const types = {};
  for (const [key, file] of files) {
    for (const [name, type] of Object.entries(file.types)) {
      if (type.fields === undefined) continue;
      const model = readModel(generated, key, name);
      if (model === undefined) continue;
      const fields = {};
      for (const field of flatFields(key, type)) {
        const text = model.fields.get(modelField(field.name)) ?? model.fields.get(field.name);
        if (text) fields[field.name] = text;
      }
      types[`${file.package}.${name}`] = [model.text, fields];
    }
  }
  for (const [name, model] of Object.entries(BUILTIN_TYPES)) {
    const text = readModelFile(join(generated, "models", `${model}.d.ts`))?.text;
    if (text) types[name] = [text, {}];
  }
  const parameters = readParameters(join(generated, "types/ObjectParamAPI.d.ts"));
  const text = JSON.stringify({ types, parameters });
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
  console.log(
    `descriptions: ${Object.keys(types).length} types, ${Object.keys(parameters).length} parameters, ${packed.length} bytes`,
  );
}

/** The generator prefixes a group where two groups have types of one name. */
function readModel(generated, key, name) {
  const [folder, version] = key.split("/");
  const plain = `${version[0].toUpperCase()}${version.slice(1)}${name}`;
  const prefix = folder === "internal" ? "Apiserverinternal" : `${folder[0].toUpperCase()}${folder.slice(1)}`;
  return (
    readModelFile(join(generated, "models", `${prefix}${plain}.d.ts`)) ??
    readModelFile(join(generated, "models", `${plain}.d.ts`))
  );
}

function modelField(name) {
  return (
    { continue: "_continue", default: "_default", enum: "_enum", from: "_from", namespace: "namespace" }[name] ?? camel(name)
  );
}

function camel(name) {
  return name.replace(/^\$(\w)/, (_, c) => `$${c}`).replace(/-(\w)/g, (_, c) => `_${c}`);
}

function readModelFile(path) {
  if (!existsSync(path)) return undefined;
  const source = readFileSync(path, "utf8");
  const type = /\/\*\*\n((?:\* .*\n)+)\*\/\nexport declare class/.exec(source)?.[1] ?? "";
  const fields = new Map();
  for (const m of source.matchAll(/ {4}\/\*\*\n((?: {4}\*(?: .*)?\n)+) {4}\*\/\n {4}'([^']+)'\??:/g))
    fields.set(m[2], clean(m[1]));
  return { text: clean(type), fields };
}

function clean(comment) {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*\* ?/, ""));
  return decodeEntities(lines.join(" ").trim());
}

function decodeEntities(text) {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&#39;", "'")
    .replaceAll("&#x60;", "`")
    .replaceAll("&#x3D;", "=")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&")
    .replace(/\\(['"\\])/g, "$1");
}

function readParameters(path) {
  const texts = {};
  const source = readFileSync(path, "utf8");
  for (const m of source.matchAll(/ {4}\/\*\*\n((?: {5}\*(?: .*)?\n)+) {5}\*\/\n {4}(\w+)\??:/g)) {
    const text = clean(m[1].replace(/ {5}\* (Defaults to: undefined|@type .*|@memberof .*)\n/g, ""));
    const name = m[2].replace(/^_/, "");
    const own = /Api(?:patch|connect\w+|read\w+Log)/.exec(m[1]) !== null && name !== "dryRun" ? m[1] : "";
    const kind =
      /@memberof \w+Api(patch|connect(?:Get|Post|Put|Delete|Head|Options|Patch)\w*?(Exec|Attach|Portforward|Proxy)|read\w+Log\b)?/.exec(
        own,
      );
    const suffix = kind?.[2] ?? (kind?.[1] === "patch" ? "patch" : kind?.[1]?.startsWith("read") ? "Log" : "");
    if (name === "body" || name === "name" || text === "") continue;
    texts[suffix === "" ? name : `${name}:${suffix}`] ??= text;
  }
  return texts;
}
