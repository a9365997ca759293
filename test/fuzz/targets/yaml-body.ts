import { StatusError } from "#apimachinery/api-errors/status.ts";
import { decodeBody } from "#apimachinery/schema/decode-body.ts";
import { parseYaml } from "#apimachinery/schema/yaml.ts";
import { formatYaml } from "#apiserver/endpoints/handlers/yaml.ts";
import { OBJECTS } from "../bodies.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

const pod = { group: "", version: "v1", kind: "Pod" };

/** Bodies in YAML; what was read is written and read again. */
export const target: FuzzTarget = {
  seeds: [
    ...OBJECTS.map((object) => formatYaml(object)),
    "a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: !!binary aGk=\n",
    "a: |\n  text\n  more\nb: >-\n  folded\n  text\nc: 'it''s'\nd: \"\\u00e9\\n\"\n",
    "- 0x1F\n- 010\n- 1_000\n- .5\n- 1e3\n- on\n- ~\n- 2001-01-01\n- 1:30\n",
    "__proto__: {a: 1}\nconstructor: {prototype: {b: 2}}\n? [1]\n: 2\n",
    "%YAML 1.1\n---\na: b\n...\n---\nc\n",
  ],
  run: (bytes) => {
    const text = bytes.toString("utf8");
    const parsed = refusing([Error], () => parseYaml(text));
    if (parsed !== undefined && Buffer.byteLength(text) === bytes.length) {
      const written = formatYaml(parsed.value);
      const again = parseYaml(written).value;
      check(JSON.stringify(sorted(again)) === JSON.stringify(sorted(parsed.value)), `written as ${JSON.stringify(written)}`);
    }
    refusing([StatusError], () => decodeBody({ bytes, format: "yaml", kind: pod, fieldValidation: "Strict" }));
  },
};

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sorted((value as Record<string, unknown>)[key])]),
  );
}
