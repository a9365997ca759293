import { describe, expect, test } from "vitest";
import { describeFlags, FlagError, parseFlags } from "./flags.ts";

const specs = {
  "data-dir": { type: "string", default: "./.kybern", help: "Where state is kept.", placeholder: "DIR" },
  "secure-port": { type: "int", default: 6443, min: 0, max: 65535, help: "Port of the API." },
  verbose: { type: "bool", default: false, help: "Say more." },
  hosts: { type: "strings", default: [], help: "Further names." },
} as const;

describe("parseFlags", () => {
  test.each([
    { name: "defaults", args: [], want: {} },
    { name: "value after an equals sign", args: ["--data-dir=/x"], want: { "data-dir": "/x" } },
    { name: "value as the next argument", args: ["--secure-port", "7000"], want: { "secure-port": 7000 } },
    { name: "underscores for dashes", args: ["--secure_port=1"], want: { "secure-port": 1 } },
    { name: "a bare bool", args: ["--verbose", "--data-dir=y"], want: { verbose: true, "data-dir": "y" } },
    { name: "a bool that is off", args: ["--verbose=false"], want: {} },
    { name: "a list given twice", args: ["--hosts=a,b", "--hosts=c"], want: { hosts: ["a", "b", "c"] } },
  ])("$name", ({ args, want }) => {
    expect(parseFlags(specs, args)).toEqual({ "data-dir": "./.kybern", "secure-port": 6443, verbose: false, hosts: [], ...want });
  });

  test.each([
    {
      name: "a misspelt flag names the nearest",
      args: ["--data-dri=x"],
      want: /unknown flag: --data-dri; did you mean --data-dir\?/,
    },
    { name: "a flag like no other names none", args: ["--zzzzzzzzzzzz"], want: /unknown flag: --zzzzzzzzzzzz \(/ },
    { name: "a port that is no number", args: ["--secure-port=http"], want: /whole number from 0 to 65535, not "http"/ },
    { name: "a port out of range", args: ["--secure-port=70000"], want: /from 0 to 65535/ },
    { name: "a value that is missing", args: ["--data-dir"], want: /--data-dir needs a value/ },
    { name: "a bool that is neither", args: ["--verbose=maybe"], want: /true or false/ },
    { name: "an argument that is no flag", args: ["six"], want: /unexpected argument "six"/ },
  ])("$name", ({ args, want }) => {
    expect(() => parseFlags(specs, args)).toThrow(FlagError);
    expect(() => parseFlags(specs, args)).toThrow(want);
  });
});

test("help lists every flag with its default", () => {
  expect(describeFlags(specs)).toBe(
    [
      "      --data-dir DIR      Where state is kept. (default ./.kybern)",
      "      --secure-port int   Port of the API. (default 6443)",
      "      --verbose           Say more.",
      "      --hosts strings     Further names.",
    ].join("\n"),
  );
});
