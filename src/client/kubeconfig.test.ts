import { expect, test } from "vitest";
import { parseKubeconfig } from "./kubeconfig.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const text = `
apiVersion: v1
kind: Config
current-context: main
contexts:
- {name: main, context: {cluster: c, user: u, namespace: team}}
- {name: other, context: {cluster: c, user: t}}
- {name: pod, context: {cluster: c, user: f}}
clusters:
- {name: c, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: ${base64("CA")}}}
users:
- {name: u, user: {client-certificate: admin.pem, client-key-data: ${base64("KEY")}}}
- {name: t, user: {token: secret}}
- {name: f, user: {token: old, tokenFile: token}}
`;

test.each([
  {
    name: "the current context, with inline data and files",
    context: undefined,
    want: { server: "https://127.0.0.1:6443", ca: "CA", cert: "file:admin.pem", key: "KEY", namespace: "team" },
  },
  {
    name: "a named context with a token",
    context: "other",
    want: { server: "https://127.0.0.1:6443", ca: "CA", token: "secret" },
  },
  {
    name: "a token's file, which wins over a token",
    context: "pod",
    want: { server: "https://127.0.0.1:6443", ca: "CA", token: "file:token", tokenFile: "token" },
  },
])("$name", ({ context, want }) => {
  expect(parseKubeconfig(text, (path) => `file:${path}`, context)).toEqual(want);
});

test("an unknown context is an error that names it", () => {
  expect(() => parseKubeconfig(text, () => "", "nope")).toThrow('kubeconfig: no context named "nope"');
});
