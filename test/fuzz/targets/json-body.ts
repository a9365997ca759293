import { StatusError } from "#apimachinery/api-errors/status.ts";
import { decodeBody } from "#apimachinery/schema/decode-body.ts";
import { isTextTooDeep } from "#apimachinery/schema/depth.ts";
import { plainValue } from "#apimachinery/schema/json-node.ts";
import { JsonSyntaxError, parseJsonNodes } from "#apimachinery/schema/json-parse.ts";
import { KINDS, OBJECTS } from "../bodies.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

const pod = { group: "", version: "v1", kind: "Pod" };

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/** Bodies in JSON: the parser that loses nothing agrees with the machine's own, and what is decoded is decoded to itself. */
export const target: FuzzTarget = {
  seeds: [
    ...OBJECTS.map((object) => JSON.stringify(object)),
    '{"metadata":{"__proto__":{"x":1},"name":"a","name":"b"},"__proto__":{"y":1},"spec":{"constructor":{"prototype":{}}}}',
    '{"a":-0.5e+30,"b":[1e999,"\\ud800","\\u0000"],"c":null,"d":true}',
  ],
  run: (bytes) => {
    const text = bytes.toString("utf8");
    if (!isTextTooDeep(text)) {
      const node = refusing([JsonSyntaxError], () => ({ node: parseJsonNodes(text) }));
      const value = parsed(text);
      check((node === undefined) === (value === undefined), "one parser takes what the other refuses");
      if (node !== undefined && value !== undefined && !/\\u[dD]/.test(text)) {
        check(JSON.stringify(plainValue(node.node)) === JSON.stringify(value.value), "two parsers read different values");
      }
    }
    const kind = KINDS[(bytes[bytes.length - 2] ?? 0) % KINDS.length] ?? pod;
    for (const expected of [pod, kind]) {
      for (const fieldValidation of ["Strict", "Ignore"] as const) {
        const body = refusing([StatusError], () => decodeBody({ bytes, format: "json", kind: expected, fieldValidation }));
        if (body === undefined) continue;
        const once = JSON.stringify(body.object);
        const again = decodeBody({ bytes: Buffer.from(once), format: "json", kind: expected, fieldValidation: "Ignore" });
        check(JSON.stringify(again.object) === once, `decoded otherwise the second time: ${once}`);
      }
    }
  },
};
