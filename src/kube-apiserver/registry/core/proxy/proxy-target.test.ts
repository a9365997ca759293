import { expect, test } from "vitest";
import { parseProxyTarget } from "./proxy-target.ts";

test.each([
  { text: "web", want: { scheme: "", name: "web", port: "" } },
  { text: "web:80", want: { scheme: "", name: "web", port: "80" } },
  { text: "https:web:http", want: { scheme: "https", name: "web", port: "http" } },
  { text: ":web:", want: { scheme: "", name: "web", port: "" } },
  { text: "ftp:web:80", want: undefined },
  { text: ":80", want: undefined },
  { text: "http:web:80:x", want: undefined },
])("$text", ({ text, want }) => {
  expect(parseProxyTarget(text)).toEqual(want);
});
