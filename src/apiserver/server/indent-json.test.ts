import { expect, test } from "vitest";
import { indentJson } from "./indent-json.ts";

test.each([
  ["{}\n", "{}"],
  ["[]", "[]"],
  ['{"a":{},"b":[]}', '{\n  "a": {},\n  "b": []\n}'],
  ['{"a":[1,{"b":null}],"c":"x"}\n', '{\n  "a": [\n    1,\n    {\n      "b": null\n    }\n  ],\n  "c": "x"\n}'],
  ['{"a\\"b":"{,:[ ]}\\\\"}', '{\n  "a\\"b": "{,:[ ]}\\\\"\n}'],
  ["[9007199254740993,1e400,-0.50]", "[\n  9007199254740993,\n  1e400,\n  -0.50\n]"],
  ['"text"\n', '"text"'],
])("sets %s out in lines", (compact, indented) => {
  expect(indentJson(compact)).toBe(indented);
});

test("agrees with the language's own for what it can hold", () => {
  const value = { kind: "List", items: [{ n: 1, deep: [[[]], [{}]] }, { text: "a\nb" }], flag: false };
  expect(indentJson(JSON.stringify(value))).toBe(JSON.stringify(value, null, 2));
});
