import { describe, expect, test } from "vitest";
import type { AdmissionAttributes, AdmissionModules, AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import { clusterTrustBundleAttest } from "./plugins/cluster-trust-bundle-attest.ts";
import { persistentVolumeClaimResize } from "./plugins/persistent-volume-claim-resize.ts";
import { podTopologyLabels } from "./plugins/pod-topology-labels.ts";
import { ADMISSION_PLUGIN_NAMES, type AdmissionPluginSources, admissionPluginTable, enabledPlugins } from "./plugins.ts";

/** The refusal, or else the object's labels. */
async function judge(
  factory: AdmissionPluginFactory,
  request: object,
  stored: Readonly<Record<string, object>> = {},
): Promise<unknown> {
  const of = () => ({ cached: (_namespace: string, name: string) => stored[name] });
  const plugin = factory({ stores: { of } } as unknown as AdmissionModules);
  const attributes = {
    group: "",
    subresource: "",
    name: "o",
    context: { user: { name: "u", groups: [] } },
    ...request,
  } as unknown as AdmissionAttributes;
  try {
    await plugin.mutate?.(attributes, undefined as never);
    await plugin.validate?.(attributes);
    return attributes.object?.metadata?.labels ?? "";
  } catch (error) {
    return (error as Error).message.replace(/^.*? is forbidden: /, "");
  }
}

describe("a claim grows", () => {
  const claim = (storage: string, more: object = {}): object => ({
    metadata: {},
    spec: { storageClassName: "gold", resources: { requests: { storage } } },
    status: { phase: "Bound" },
    ...more,
  });
  const refused =
    "only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize";
  const growable = { gold: { allowVolumeExpansion: true }, lead: { allowVolumeExpansion: false }, tin: {} };
  test.each<{ name: string; object: object; oldObject: object; subresource?: string; want: string }>([
    { name: "if its class allows it", object: claim("2Gi"), oldObject: claim("1Gi"), want: "" },
    {
      name: "not to the same",
      object: claim("1024Mi", { spec: { storageClassName: "lead", resources: { requests: { storage: "1024Mi" } } } }),
      oldObject: claim("1Gi"),
      want: "",
    },
    {
      name: "not if it is unbound",
      object: claim("2Gi"),
      oldObject: claim("1Gi", { status: {} }),
      want: "Only bound persistent volume claims can be expanded",
    },
    ...["lead", "tin", "none", ""].map((storageClassName) => {
      const of = (storage: string): object =>
        claim(storage, { spec: { storageClassName, resources: { requests: { storage } } } });
      return { name: `not if its class is ${storageClassName}`, object: of("2Gi"), oldObject: of("1Gi"), want: refused };
    }),
    {
      name: "by its status as it likes",
      subresource: "status",
      object: claim("2Gi"),
      oldObject: claim("1Gi", { status: {} }),
      want: "",
    },
  ])("$name", async ({ want, ...request }) => {
    const attributes = { operation: "UPDATE", resource: "persistentvolumeclaims", ...request };
    expect(await judge(persistentVolumeClaimResize, attributes, growable)).toBe(want);
  });
});

describe("a pod learns where it is", () => {
  const zone = { "topology.kubernetes.io/zone": "z" };
  const nodes = { n: { metadata: { labels: { ...zone, "topology.kubernetes.io/other": "x", a: "b" } } }, bare: { metadata: {} } };
  const binding = (target: object): object => ({ subresource: "binding", object: { metadata: {}, target } });
  test.each<{ name: string; request: object; want: unknown }>([
    { name: "when it is bound", request: binding({ kind: "Node", name: "n" }), want: zone },
    { name: "not from what is no node", request: binding({ name: "n" }), want: "" },
    { name: "not from a node that does not know", request: binding({ kind: "Node", name: "bare" }), want: "" },
    { name: "not from a node that is not there", request: binding({ kind: "Node", name: "none" }), want: "" },
    {
      name: "when it is made on a node",
      request: { object: { metadata: { labels: { c: "d" } }, spec: { nodeName: "n" } } },
      want: { c: "d", ...zone },
    },
    {
      name: "unless it knows better",
      request: { object: { metadata: { labels: { "topology.kubernetes.io/zone": "mine" } }, spec: { nodeName: "n" } } },
      want: { "topology.kubernetes.io/zone": "mine" },
    },
  ])("$name", async ({ request, want }) => {
    expect(await judge(podTopologyLabels, { operation: "CREATE", resource: "pods", ...request }, nodes)).toEqual(want);
  });
});

describe("a bundle of trust", () => {
  const authorizer: Authorizer = {
    authorize: ({ verb, name }) => ({
      decision: verb === "attest" && name === "example.com/mine" ? "allow" : "no-opinion",
      reason: "",
    }),
  };
  const bundle = (signerName?: string): object => ({ metadata: {}, spec: { signerName } });
  test.each<{ name: string; request: object; want: string }>([
    { name: "of one's signer", request: { operation: "CREATE", object: bundle("example.com/mine") }, want: "" },
    {
      name: "of another's",
      request: { operation: "CREATE", object: bundle("example.com/other") },
      want: 'user not permitted to attest for signerName "example.com/other"',
    },
    { name: "of none", request: { operation: "CREATE", object: bundle() }, want: "" },
    {
      name: "changed to one's own",
      request: { operation: "UPDATE", object: bundle("example.com/mine"), oldObject: bundle("example.com/other") },
      want: "changing signerName is forbidden",
    },
  ])("$name", async ({ request, want }) => {
    const attributes = { group: "certificates.k8s.io", resource: "clustertrustbundles", ...request };
    expect(await judge(clusterTrustBundleAttest(authorizer), attributes)).toBe(want);
  });
});

const none: AdmissionPluginFactory = () => ({ name: "" });
const sources: AdmissionPluginSources = {
  authorizer: {} as Authorizer,
  webhooks: { mutating: none, validating: none },
  policies: { mutating: none, validating: none },
  resourcesOfKind: () => [],
  configuration: {},
};

test("a plugin that was refused does not run, whatever else is asked for", () => {
  const unasked = enabledPlugins(sources).length;
  expect(unasked).toBeLessThan(ADMISSION_PLUGIN_NAMES.length);
  const choice = { enable: ["LimitRanger", "AlwaysAdmit"], disable: ["ServiceAccount", "ResourceQuota"] };
  expect(enabledPlugins(sources, choice)).toHaveLength(unasked + 1 - 2);
});

test("the table knows upstream's order, with quotas at the end", () => {
  const names = admissionPluginTable(sources).map(({ name }) => name);
  const last = [
    "MutatingAdmissionPolicy",
    "MutatingAdmissionWebhook",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionWebhook",
    "ResourceQuota",
  ];
  expect(names.filter((name) => last.includes(name))).toEqual(last);
  expect(names.slice(-2)).toEqual(["ResourceQuota", "AlwaysDeny"]);
  expect(names[0]).toBe("AlwaysAdmit");
  expect(new Set(names).size).toBe(names.length);
});
