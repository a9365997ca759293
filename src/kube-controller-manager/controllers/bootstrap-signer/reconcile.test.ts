import { expect, test } from "vitest";
import { reconcile } from "./reconcile.ts";

const NOW = Date.parse("2030-01-01T00:00:00Z");
const TOKEN = { "token-id": "abcdef", "token-secret": "0123456789abcdef", "usage-bootstrap-signing": "true" };
const base64 = (data: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString("base64")]));
const secret = (changes: Record<string, string> = {}, name = "bootstrap-token-abcdef") => ({
  metadata: { name },
  type: "bootstrap.kubernetes.io/token",
  data: base64({ ...TOKEN, ...changes }),
});
const configMap = (data: Record<string, string>) => ({ metadata: { name: "cluster-info", namespace: "kube-public" }, data });
test("each token that may sign does, and others do no longer", () => {
  const [action] = reconcile({
    configMap: configMap({ kubeconfig: "test", "jws-kubeconfig-former": "x" }),
    secrets: [secret()],
    nowMs: NOW,
  });
  expect(Object.keys(action?.configMap.data ?? {})).toEqual(["kubeconfig", "jws-kubeconfig-abcdef"]);
  expect(reconcile({ configMap: action?.configMap ?? configMap({}), secrets: [secret()], nowMs: NOW })).toEqual([]);
});

test("signs as upstream does", () => {
  const text = "Hello from the other side. I must have called a thousand times.";
  const token = secret({ "token-id": "joshua", "token-secret": "my voice is my passcode" }, "bootstrap-token-joshua");
  const [action] = reconcile({ configMap: configMap({ kubeconfig: text }), secrets: [token], nowMs: NOW });
  expect(action?.configMap.data?.["jws-kubeconfig-joshua"]).toBe(
    "eyJhbGciOiJIUzI1NiIsImtpZCI6Impvc2h1YSJ9..VShe2taLd-YTrmWuRkcL_8QTNDHYxQIEBsAYYiIj1_8",
  );
});

test.each([
  ["not for signing", secret({ "usage-bootstrap-signing": "false" })],
  ["over", secret({ expiration: "2029-12-31T23:59:59Z" })],
  ["of another name", secret({}, "bootstrap-token-other")],
  ["without secret", secret({ "token-secret": "" })],
])("a token %s does not sign", (_name, given) => {
  expect(reconcile({ configMap: configMap({ kubeconfig: "test" }), secrets: [given], nowMs: NOW })).toEqual([]);
});

test("without a kubeconfig there is nothing to sign", () => {
  expect(reconcile({ configMap: configMap({}), secrets: [secret()], nowMs: NOW })).toEqual([]);
});
