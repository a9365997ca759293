import { expect, test } from "vitest";
import { parseYamlOrJson } from "./json-document.ts";
import { parseYaml } from "./yaml.ts";

test.each([
  { name: "plain JSON", text: '{"a":1,"b":{"c":[true,null,"x",1.50,-2e3]}}' },
  { name: "JSON over several lines", text: '{\n  "a": "\\n\\"/",\r\n  "b": {}\n}\n' },
  { name: "a text that looks like another type", text: '{"a":"on","b":"010","c":"~"}' },
  { name: "a key that no object should have", text: '{"__proto__":{"x":1}}' },
  { name: "a member that stands twice", text: '{\n"a":1,\n"a":2}' },
  { name: "a merge key", text: '{"<<":{"a":1},"b":2}' },
  { name: "escaped characters", text: '{"a":"\\u00e4"}' },
  { name: "other characters", text: '{"a":"ä😀"}' },
  { name: "YAML flow", text: "{a: on, b: [010]}" },
  { name: "YAML", text: "a: 1\nb:\n- c\n" },
  { name: "an empty document", text: "" },
])("reads as the YAML parser does: $name", ({ text }) => {
  expect(parseYamlOrJson(text)).toEqual(parseYaml(text));
});

test.each([
  { name: "half a document", text: '{"a":' },
  { name: "a tab between tokens of a block", text: "a:\n\tb: 1\n" },
])("refuses as the YAML parser does: $name", ({ text }) => {
  const message = (parse: (text: string) => unknown): string => {
    try {
      return `read ${JSON.stringify(parse(text))}`;
    } catch (error) {
      return (error as Error).message;
    }
  };
  expect(message(parseYamlOrJson)).toBe(message(parseYaml));
});
