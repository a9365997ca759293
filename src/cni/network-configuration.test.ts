import { expect, test } from "vitest";
import { parseNetwork } from "./network-configuration.ts";

const plugin = { type: "bridge", bridge: "b" };

test.each([
  {
    name: "a list",
    text: JSON.stringify({ cniVersion: "1.0.0", name: "n", plugins: [plugin, { type: "portmap" }] }),
    isList: true,
    want: { cniVersion: "1.0.0", name: "n", plugins: [plugin, { type: "portmap" }] },
  },
  {
    name: "one plugin, as guides write flannel's",
    text: '{ "name": "podnet", "type": "flannel", "delegate": { "isDefaultGateway": true } }',
    isList: false,
    want: {
      cniVersion: "0.1.0",
      name: "podnet",
      plugins: [{ name: "podnet", type: "flannel", delegate: { isDefaultGateway: true } }],
    },
  },
])("$name is read", ({ text, isList, want }) => {
  expect(parseNetwork(text, isList)).toEqual(want);
});

test.each([
  { text: "{", isList: true, why: "is not JSON" },
  { text: "[]", isList: true, why: "is not a JSON object" },
  { text: '{"plugins":[{"type":"x"}]}', isList: true, why: 'has no proper "name"' },
  { text: '{"name":"../x","plugins":[{"type":"x"}]}', isList: true, why: 'has no proper "name"' },
  { text: '{"name":"n"}', isList: true, why: 'has no "plugins"' },
  { text: '{"name":"n","plugins":[]}', isList: true, why: 'has no "plugins"' },
  { text: '{"name":"n","plugins":[{}]}', isList: true, why: 'has a plugin without "type"' },
  { text: '{"name":"n"}', isList: false, why: 'has a plugin without "type"' },
  { text: '{"name":"n","type":"x","cniVersion":1}', isList: false, why: 'has a "cniVersion" that is no text' },
])("$text $why", ({ text, isList, why }) => {
  expect(() => parseNetwork(text, isList)).toThrow(why);
});
