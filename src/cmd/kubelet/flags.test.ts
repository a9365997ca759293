import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseFlags } from "#component-base/flags.ts";
import { withDefaults } from "#kubelet/configuration/defaults.ts";
import { configurationFields, type FieldShape } from "#kubelet/configuration/fields.ts";
import { givenFlags } from "../flags/flag-specs.ts";
import { completeConfiguration } from "./configuration-file.ts";
import { configurationOfFlags, kubeletConfigurationFlags, kubeletConfigurationPaths } from "./configuration-flags.ts";
import { kubeletFlags } from "./flags.ts";

const dir = mkdtempSync(join(tmpdir(), "kybern-kubelet-flags-"));
afterAll(() => rmSync(dir, { recursive: true }));

const ofFlags = (...args: string[]): object => configurationOfFlags(parseFlags(kubeletFlags, args), givenFlags(args));

test.each<[string[], object]>([
  [[], {}],
  [["--max-pods=5", "--read_only_port", "10255"], { maxPods: 5, readOnlyPort: 10255 }],
  [["--cluster_dns=10.0.0.1,10.0.0.2", "--cluster-dns=10.0.0.3"], { clusterDNS: ["10.0.0.1", "10.0.0.2", "10.0.0.3"] }],
  [["--anonymous-auth"], { authentication: { anonymous: { enabled: true } } }],
  [
    ["--client-ca-file=a", "--authentication-token-webhook=false"],
    { authentication: { x509: { clientCAFile: "a" }, webhook: { enabled: false } } },
  ],
  [["--authorization-mode=AlwaysAllow"], { authorization: { mode: "AlwaysAllow" } }],
  [["--kube-reserved=cpu=200m,memory=1Gi"], { kubeReserved: { cpu: "200m", memory: "1Gi" } }],
  [
    ["--eviction-hard=memory.available<1Gi,nodefs.available<10%"],
    { evictionHard: { "memory.available": "1Gi", "nodefs.available": "10%" } },
  ],
  [["--feature-gates=A=true,B=false"], { featureGates: { A: true, B: false } }],
  [
    ["--manifest-url-header=a:hello,b:again", "--manifest-url-header=b:beautiful"],
    { staticPodURLHeader: { a: ["hello"], b: ["again", "beautiful"] } },
  ],
  [
    ["--register-with-taints=a=b:NoSchedule,c:NoExecute"],
    {
      registerWithTaints: [
        { key: "a", value: "b", effect: "NoSchedule" },
        { key: "c", effect: "NoExecute" },
      ],
    },
  ],
  [["--pod-max-pids=-1", "--sync-frequency=10s"], { podPidsLimit: -1, syncFrequency: "10s" }],
])("%j", (args, want) => {
  expect(ofFlags(...args)).toEqual(want);
});

test.each([
  ["--sync-frequency=soon", "takes a duration such as 30s or 5m"],
  ["--kube-reserved=cpu", "takes pairs such as name=value"],
  ["--eviction-hard=memory.available=1Gi", "takes pairs such as name<value"],
  ["--register-with-taints=a", "takes taints such as key=value:NoSchedule"],
  ["--register-with-taints=a:Never", "takes taints such as key=value:NoSchedule"],
  ["--feature-gates=A=maybe", "takes pairs such as Name=true"],
])("%s %s", (arg, message) => {
  expect(() => ofFlags(arg)).toThrow(message);
});

test("each flag stands for a field that there is, with its default", () => {
  const shapeAt = (path: string): FieldShape | undefined =>
    path
      .split(".")
      .reduce<FieldShape | undefined>(
        (shape, name) => (typeof shape === "object" && "fields" in shape ? shape.fields[name] : undefined),
        { fields: configurationFields },
      );
  const wrong = Object.entries(kubeletConfigurationPaths).filter(([, path]) => shapeAt(path) === undefined);
  expect(wrong).toEqual([]);
  expect(kubeletConfigurationFlags["max-pods"]).toMatchObject({ default: 110 });
  expect(kubeletConfigurationFlags["anonymous-auth"]).toMatchObject({ default: false });
});

test("every field of a complete configuration has a place in the file", () => {
  expect(Object.keys(withDefaults({})).filter((name) => !(name in configurationFields))).toEqual([]);
});

const write = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};
const HEAD = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

test.each<[string, string, string]>([
  ["another kind", "apiVersion: v1\nkind: ConfigMap\n", 'no kind "ConfigMap" is registered for version "v1"'],
  ["another version", "apiVersion: kubelet.config.k8s.io/v1\nkind: KubeletConfiguration\n", "is registered for version"],
  ["an unknown field", `${HEAD}authentication: {x509: {ca: a}}\n`, 'unknown field "authentication.x509.ca"'],
  ["a field twice", `${HEAD}maxPods: 1\nmaxPods: 2\n`, "maxPods"],
  ["a text for a number", `${HEAD}maxPods: many\n`, "maxPods must be a number"],
  ["a length of time that is none", `${HEAD}syncFrequency: soon\n`, "syncFrequency must be a duration"],
  ["a map of the wrong kind", `${HEAD}kubeReserved: {cpu: 1}\n`, "kubeReserved.cpu must be a string"],
  ["two things wrong", `${HEAD}port: -1\nmaxPods: -1\n`, "error: [invalid configuration: maxPods"],
])("a file with %s is refused", async (_, text, message) => {
  const config = write("wrong.yaml", text);
  await expect(completeConfiguration({ config, configDir: "" }, {})).rejects.toThrow(message);
});

test("relative paths of a file are meant from where it is", async () => {
  const config = write(
    "paths.yaml",
    `${HEAD}staticPodPath: manifests\nauthentication: {x509: {clientCAFile: ca.pem}}\ntlsCertFile: /abs/a.pem\n`,
  );
  const { configuration, fromFile } = await completeConfiguration({ config, configDir: "" }, {});
  expect(fromFile).toBe(true);
  expect(configuration).toMatchObject({
    staticPodPath: join(dir, "manifests"),
    tlsCertFile: "/abs/a.pem",
    authentication: { x509: { clientCAFile: join(dir, "ca.pem") } },
  });
});

test("flags win, gates are merged, and what is nested wins part by part", async () => {
  const config = write(
    "merged.yaml",
    `${HEAD}featureGates: {A: true, B: true}\nkubeReserved: {cpu: 1m, memory: 1Mi}\nauthentication: {anonymous: {enabled: true}}\n`,
  );
  const flags = ofFlags("--feature-gates=B=false", "--kube-reserved=cpu=2m", "--client-ca-file=/ca");
  const { configuration } = await completeConfiguration({ config, configDir: "" }, flags);
  expect(configuration).toMatchObject({
    featureGates: { A: true, B: false },
    authentication: { anonymous: { enabled: true }, x509: { clientCAFile: "/ca" } },
  });
  expect(configuration.kubeReserved).toEqual({ cpu: "2m" });
});

test.each([
  ["a folder", dir],
  ["a manifest", write("pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n")],
  ["a manifest in JSON", write("pod.json", '{ "apiVersion": "v1", "kind": "Pod" }')],
])("--config of former years: %s is where manifests are", async (_, config) => {
  const { configuration, fromFile } = await completeConfiguration({ config, configDir: "" }, {});
  expect([configuration.staticPodPath, fromFile]).toEqual([config, false]);
});
