// One-off: turns the recorded facts of the published Go types into the project's own form, `src/api/facts/<group>/<version>.json`.
//   node hack/import-facts.mjs PATH/TO/upstream
// Type grammar: a lower-case name is a built-in of BUILTINS or a primitive, `Name` a type of the same file, `group/version.Name` one
// of another file; `*T`, `[]T` and `map[K]T` as in Go.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const upstream = process.argv[2];
if (upstream === undefined) throw new Error("usage: node hack/import-facts.mjs PATH/TO/upstream");
const out = join(dirname(fileURLToPath(import.meta.url)), "../src/api/facts");
const facts = JSON.parse(readFileSync(join(upstream, "api-facts.json"), "utf8"));

/** Go types whose form is written by hand. */
const BUILTINS = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "quantity",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Duration": "duration",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "fields-v1",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "micro-time",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "time",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "raw-extension",
  "io.k8s.apimachinery.pkg.types.NodeName": "node-name",
  "io.k8s.apimachinery.pkg.types.UID": "uid",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "int-or-string",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "json",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "schema-or-array",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "schema-or-bool",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "schema-or-string-array",
};
for (const [name, builtin] of Object.entries(BUILTINS)) {
  if (name.includes(".apiextensions.v1.")) BUILTINS[name.replace(".v1.", ".v1beta1.")] = builtin;
}

/** The Go packages that are taken over, and the folder of each. */
const packages = new Map();
for (const [path, group] of Object.entries(facts.groups)) {
  const parts = path.split("/");
  const version = parts.at(-1);
  const folder = parts.at(-2) === "apiserverinternal" ? "internal" : parts.at(-2);
  packages.set(`io.k8s.${parts.join(".").replace(/^apimachinery\./, "apimachinery.")}`, { folder, version, group });
}
const aggregated = JSON.parse(readFileSync(join(upstream, "discovery/aggregated_v2.json"), "utf8"));
const served = new Set(["/v1"]);
for (const item of aggregated.items) for (const v of item.versions) served.add(`${item.metadata.name ?? ""}/${v.version}`);
const ALWAYS = [
  "meta.k8s.io/v1",
  "meta.k8s.io/v1beta1",
  "admission.k8s.io/v1",
  "apidiscovery.k8s.io/v2",
  "apidiscovery.k8s.io/v2beta1",
];
for (const gv of ALWAYS) served.add(gv);

function split(name) {
  const dot = name.lastIndexOf(".");
  return { pkg: name.slice(0, dot), local: name.slice(dot + 1) };
}
function isTaken(name) {
  const p = packages.get(split(name).pkg);
  return p !== undefined && served.has(`${p.group}/${p.version}`);
}

/** Types outside the served versions that taken types lead to. */
const extra = new Set();
function typeText(type, pkg) {
  switch (type.k) {
    case "prim":
      return type.n === "int" ? "int64" : type.n;
    case "ptr":
      return `*${typeText(type.e, pkg)}`;
    case "slice":
      return type.e.k === "prim" && type.e.n === "uint8" ? "bytes" : `[]${typeText(type.e, pkg)}`;
    case "map":
      return `map[${typeText(type.key, pkg)}]${typeText(type.e, pkg)}`;
    case "ref": {
      const named = type.n.startsWith("metav1.") ? `io.k8s.apimachinery.pkg.apis.meta.v1.${type.n.slice(7)}` : type.n;
      return refText(named, pkg);
    }
    default:
      throw new Error(`type kind ${type.k}`);
  }
}

function refText(name, pkg) {
  if (BUILTINS[name]) return BUILTINS[name];
  const { pkg: other, local } = split(name);
  if (facts.types[name] === undefined) throw new Error(`unknown type ${name} in ${pkg}`);
  if (!isTaken(name)) extra.add(name);
  if (other === pkg) return local;
  const p = packages.get(other);
  if (p === undefined) throw new Error(`type ${name} of an unknown package in ${pkg}`);
  return `${p.folder}/${p.version}.${local}`;
}

function parseDefault(text) {
  const ref = /^ref\((\w+)\)$/.exec(text);
  if (ref === null) return JSON.parse(text);
  const known = { AzureDataDiskCachingReadWrite: "ReadWrite", AzureSharedBlobDisk: "Shared" };
  if (known[ref[1]] === undefined) throw new Error(`default ${text}`);
  return known[ref[1]];
}

function fieldFacts(field, pkg, owner) {
  const m = field.markers ?? {};
  const f = {};
  if (field.inline && field.json === null) {
    f.inline = typeText(field.type, pkg);
    if (field.pb) f.pb = field.pb.num;
    return f;
  }
  f.name = field.json;
  f.type = typeText(field.type, pkg);
  if (field.omitempty) f.omitEmpty = true;
  // The source does not tell `omitzero`; this is its one use.
  if (owner.endsWith(".meta.v1.ObjectMeta") && field.json === "creationTimestamp") f.omitZero = true;
  const optional = m.optional || m["k8s:optional"];
  const required = m.required || m["k8s:required"] || (m["kubebuilder:validation:Required"] && !optional);
  if (optional) f.optional = true;
  if (required) f.required = true;
  if (field.pb) f.pb = field.pb.num;
  if (field.patchStrategy) f.patchStrategy = field.patchStrategy;
  if (field.patchMergeKey) f.patchMergeKey = field.patchMergeKey;
  const listType = m.listType ?? m["k8s:listType"];
  if (listType) f.listType = listType[0];
  const keys = m.listMapKey ?? m["k8s:listMapKey"];
  if (keys) f.listMapKeys = keys;
  if (m.mapType) f.mapType = m.mapType[0];
  if (m.structType) f.structType = m.structType[0];
  const fallback = m.default ?? m["kubebuilder:default"];
  if (fallback) f.default = parseDefault(fallback[0]);
  if (m.unionDiscriminator) f.unionDiscriminator = true;
  if (m.featureGate) f.featureGate = m.featureGate[0];
  return f;
}

/** The source also lists unexported fields, and comment lines that look like fields. */
function isField(field) {
  if (field.json === "-") return false;
  return field.json !== null || (field.inline && field.type.k === "ref");
}

/** Types made of another version's, which the source does not tell from mere other names of it. */
const DEFINED = {
  "io.k8s.api.admissionregistration.v1alpha1.MatchCondition": "io.k8s.api.admissionregistration.v1.MatchCondition",
};

function typeFacts(name) {
  const source = facts.types[DEFINED[name] ?? name];
  const { pkg } = split(name);
  const m = source.markers ?? {};
  const t = {};
  for (const word of ["introduced", "deprecated", "removed", "replacement"]) {
    const value = m[`k8s:prerelease-lifecycle-gen:${word}`];
    if (value) t[word] = value[0];
  }
  if (source.kind === "alias") {
    t.alias = typeText(source.t, pkg);
    if (m.enum) t.enum = true;
    if (m["protobuf.nullable"]) t.message = true;
    if (source.values) t.values = source.values;
    return t;
  }
  if (m.structType) t.structType = m.structType[0];
  if (m.union) t.union = true;
  t.fields = source.fields.filter(isField).map((f) => fieldFacts(f, pkg, name));
  return t;
}

const files = new Map();
function take(name) {
  const { pkg, local } = split(name);
  const p = packages.get(pkg);
  const key = `${p.folder}/${p.version}`;
  let file = files.get(key);
  if (file === undefined) {
    file = { group: p.group, version: p.version, package: pkg, types: {} };
    files.set(key, file);
  }
  if (file.types[local] === undefined) file.types[local] = typeFacts(name);
}

const SKIPPED = /\.meta\.v1\.(Timestamp|InternalEvent)$/;
for (const name of Object.keys(facts.types)) if (isTaken(name) && !BUILTINS[name] && !SKIPPED.test(name)) take(name);
const done = new Set();
for (;;) {
  const next = [...extra].find((n) => !done.has(n));
  if (next === undefined) break;
  done.add(next);
  take(next);
}

/** What went before the facts were taken, and is still served where it is asked for: upstream's v1.7. */
const GONE = { introduced: "1.1", deprecated: "1.7", removed: "1.8" };
const metadata = (type) => ({ name: "metadata", type: `meta/v1.${type}`, omitEmpty: true, optional: true, pb: 1 });
const ADDED = {
  "extensions/v1beta1": {
    ThirdPartyResource: {
      ...GONE,
      replacement: "apiextensions.k8s.io,v1,CustomResourceDefinition",
      fields: [
        { inline: "meta/v1.TypeMeta" },
        metadata("ObjectMeta"),
        { name: "description", type: "string", omitEmpty: true, optional: true, pb: 2 },
        { name: "versions", type: "[]APIVersion", omitEmpty: true, optional: true, pb: 3 },
      ],
    },
    APIVersion: {
      fields: [
        { name: "name", type: "string", omitEmpty: true, optional: true, pb: 1 },
        { name: "apiGroup", type: "string", omitEmpty: true, optional: true, pb: 2 },
      ],
    },
    ThirdPartyResourceList: {
      ...GONE,
      fields: [{ inline: "meta/v1.TypeMeta" }, metadata("ListMeta"), { name: "items", type: "[]ThirdPartyResource", pb: 2 }],
    },
  },
};

/** Versions that v1.36 knows and does not serve: whole, and told as differences from the version that is most like them. */
const KNOWN_ONLY = /\.testapigroup\./;
const old = new Set();
for (const name of Object.keys(facts.types)) {
  const { pkg } = split(name);
  if (!packages.has(pkg) || isTaken(name) || BUILTINS[name] || KNOWN_ONLY.test(name)) continue;
  take(name);
  const { folder, version } = packages.get(pkg);
  if (!old.has(`${folder}/${version}`)) old.add(`${folder}/${version}`);
}
for (const [key, types] of Object.entries(ADDED)) Object.assign(files.get(key).types, types);
const LIFECYCLE = ["introduced", "deprecated", "removed", "replacement"];
const content = (type) => JSON.stringify({ ...type, ...Object.fromEntries(LIFECYCLE.map((word) => [word, undefined])) });
const finished = [...files].filter(([key]) => !old.has(key)).map(([key]) => key);
for (const key of [...old].sort()) {
  const file = files.get(key);
  const equal = (base) =>
    Object.keys(file.types).filter(
      (t) => files.get(base).types[t] && content(files.get(base).types[t]) === content(file.types[t]),
    );
  const weight = (base) => equal(base).reduce((sum, t) => sum + content(file.types[t]).length, 0);
  const like = finished.reduce((best, base) => (weight(base) > weight(best) ? base : best), finished[0]);
  const same = new Set(equal(like));
  finished.push(key);
  file.old = true;
  file.like = like;
  for (const [name, type] of Object.entries(file.types)) {
    if (!same.has(name)) continue;
    file.types[name] = { like: true };
    for (const word of LIFECYCLE) if (type[word] !== undefined) file.types[name][word] = type[word];
  }
}

rmSync(out, { recursive: true, force: true });
for (const [key, file] of [...files].sort()) {
  const path = join(out, `${key}.json`);
  mkdirSync(dirname(path), { recursive: true });
  const types = Object.entries(file.types).map(([name, t]) => {
    const { fields, ...rest } = t;
    if (fields === undefined) return `    ${JSON.stringify(name)}: ${JSON.stringify(rest)}`;
    const head = Object.entries(rest).map(([k, v]) => `${JSON.stringify(k)}: ${JSON.stringify(v)}, `);
    const rows = fields.map((f) => `        ${JSON.stringify(f)}`);
    return `    ${JSON.stringify(name)}: { ${head.join("")}"fields": [${rows.length > 0 ? `\n${rows.join(",\n")}\n    ` : ""}] }`;
  });
  const head = ["group", "version", "package", "old", "like"]
    .filter((k) => file[k] !== undefined)
    .map((k) => `  ${JSON.stringify(k)}: ${JSON.stringify(file[k])},\n`);
  writeFileSync(path, `{\n${head.join("")}  "types": {\n${types.join(",\n")}\n  }\n}\n`);
}
console.log(`${files.size} files, ${old.size} of versions that are not served`);
