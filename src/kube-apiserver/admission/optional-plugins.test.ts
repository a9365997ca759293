import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import type { AdmissionAttributes, AdmissionModules, AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { readAdmissionConfiguration } from "./admission-configuration.ts";
import { alwaysDeny } from "./plugins/always-admit.ts";
import { alwaysPullImages } from "./plugins/always-pull-images.ts";
import { defaultTolerationSeconds } from "./plugins/default-toleration-seconds.ts";
import { denyServiceExternalIps } from "./plugins/deny-service-external-ips.ts";
import { type EventLimit, eventRateLimit } from "./plugins/event-rate-limit.ts";
import { extendedResourceToleration } from "./plugins/extended-resource-toleration.ts";
import { imagePolicyWebhook } from "./plugins/image-policy-webhook.ts";
import { limitPodHardAntiAffinityTopology } from "./plugins/limit-pod-hard-anti-affinity-topology.ts";
import { namespaceAutoProvision, namespaceExists } from "./plugins/namespace-exists.ts";
import { ownerReferencesPermissionEnforcement } from "./plugins/owner-references-permission-enforcement.ts";
import { podNodeSelector } from "./plugins/pod-node-selector.ts";
import { podTolerationRestriction } from "./plugins/pod-toleration-restriction.ts";
import { securityContextDeny } from "./plugins/security-context-deny.ts";

const clock = new ManualClock();

/** What the object's spec is afterwards, or the refusal. */
async function judge(
  factory: AdmissionPluginFactory,
  request: object,
  namespaces: Record<string, object> = {},
): Promise<unknown> {
  const store = {
    cached: (_: string, name: string) => namespaces[name],
    create: async (object: { metadata: { name: string } }) => {
      namespaces[object.metadata.name] = object;
    },
  };
  const plugin = factory({ stores: { of: () => store }, clock } as unknown as AdmissionModules);
  const attributes = {
    operation: "CREATE",
    group: "",
    version: "v1",
    resource: "pods",
    subresource: "",
    namespace: "ns",
    name: "o",
    dryRun: false,
    context: { user: { name: "u", groups: [] } },
    ...request,
  } as unknown as AdmissionAttributes;
  try {
    await plugin.mutate?.(attributes, undefined as never);
    await plugin.validate?.(attributes);
    return (attributes.object as unknown as { spec?: unknown })?.spec ?? "";
  } catch (error) {
    return (error as Error).message.replace(/^.*? is forbidden: /, "");
  }
}

test("pods tolerate lost nodes for as long as is said", async () => {
  const object = { metadata: { name: "o" }, spec: { containers: [] } };
  const key = (name: string, tolerationSeconds: number): object => ({
    ...{ key: `node.kubernetes.io/${name}`, operator: "Exists", effect: "NoExecute", tolerationSeconds },
  });
  expect(await judge(defaultTolerationSeconds({ notReady: 5 }), { object })).toEqual({
    containers: [],
    tolerations: [key("not-ready", 5), key("unreachable", 300)],
  });
});

const pod = (spec: object, metadata: object = {}): object => ({ object: { metadata: { name: "o", ...metadata }, spec } });
const update = (spec: object, old: object): object => ({
  operation: "UPDATE",
  ...pod(spec),
  oldObject: { metadata: {}, spec: old },
});

test.each<[string, AdmissionPluginFactory, object, unknown]>([
  ["everything is denied", alwaysDeny, pod({}), "admission control is denying all modifications"],
  [
    "images are pulled always",
    alwaysPullImages,
    pod({ containers: [{ image: "a", imagePullPolicy: "Never" }], volumes: [{ image: { reference: "b" } }] }),
    { containers: [{ image: "a", imagePullPolicy: "Always" }], volumes: [{ image: { reference: "b", pullPolicy: "Always" } }] },
  ],
  [
    "an update without new images is left alone",
    alwaysPullImages,
    update({ containers: [{ image: "a", imagePullPolicy: "Never" }] }, { containers: [{ image: "a" }] }),
    { containers: [{ image: "a", imagePullPolicy: "Never" }] },
  ],
  [
    "a pod keeps others off a node only",
    limitPodHardAntiAffinityTopology,
    pod({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: "zone" }] } } }),
    "affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key kubernetes.io/hostname is allowed",
  ],
  [
    "a Service gets no external address",
    denyServiceExternalIps,
    { resource: "services", ...pod({ externalIPs: ["1.2.3.4"] }) },
    "Use of external IPs is denied by admission control.",
  ],
  [
    "but may keep what it has",
    denyServiceExternalIps,
    { resource: "services", ...update({ externalIPs: ["1.2.3.4"] }, { externalIPs: ["1.2.3.4", "5.6.7.8"] }) },
    { externalIPs: ["1.2.3.4"] },
  ],
  [
    "who asks for a device tolerates its taint",
    extendedResourceToleration,
    pod({ containers: [{ resources: { requests: { "example.com/gpu": "1", cpu: "1", "x.kubernetes.io/y": "1" } } }] }),
    {
      containers: [{ resources: { requests: { "example.com/gpu": "1", cpu: "1", "x.kubernetes.io/y": "1" } } }],
      tolerations: [{ key: "example.com/gpu", operator: "Exists", effect: "NoSchedule" }],
    },
  ],
  [
    "pods say nothing of users",
    securityContextDeny,
    pod({ containers: [{ securityContext: { runAsUser: 1 } }] }),
    "SecurityContext.RunAsUser is forbidden",
  ],
  ["a namespace must be there", namespaceExists, pod({}), 'namespaces "ns" not found'],
])("%s", async (_, factory, request, want) => {
  expect(await judge(factory, request)).toEqual(want);
});

test("a namespace is made for the first object in it, but not for a dry run", async () => {
  const namespaces = {};
  await judge(namespaceAutoProvision, { dryRun: true, ...pod({}) }, namespaces);
  expect(namespaces).toEqual({});
  await judge(namespaceAutoProvision, pod({}), namespaces);
  expect(Object.keys(namespaces)).toEqual(["ns"]);
});

describe("node selectors of a namespace", () => {
  const annotated = { ns: { metadata: { annotations: { "scheduler.alpha.kubernetes.io/node-selector": "env=prod" } } } };
  const plain = { ns: { metadata: {} } };
  test.each<[string, Record<string, string>, Record<string, object>, Record<string, string> | undefined, unknown]>([
    ["are added", {}, annotated, { disk: "ssd" }, { nodeSelector: { env: "prod", disk: "ssd" } }],
    [
      "come from the cluster's default",
      { clusterDefaultNodeSelector: "env=test" },
      plain,
      undefined,
      { nodeSelector: { env: "test" } },
    ],
    [
      "are not contradicted",
      {},
      annotated,
      { env: "test" },
      "pod node label selector conflicts with its namespace node label selector",
    ],
    [
      "are those that it may use",
      { ns: "env=prod" },
      annotated,
      { disk: "ssd" },
      "pod node label selector labels conflict with its namespace whitelist",
    ],
  ])("%s", async (_, configuration, namespaces, nodeSelector, want) => {
    expect(await judge(podNodeSelector(configuration), pod({ ...(nodeSelector && { nodeSelector }) }), namespaces)).toEqual(want);
  });
});

describe("tolerations of a namespace", () => {
  const key = (name: string, more: object = {}): object => ({ key: name, operator: "Exists", ...more });
  const namespace = (defaults: object[], whitelist: object[] = []): Record<string, object> => {
    const annotations = {
      "scheduler.alpha.kubernetes.io/defaultTolerations": JSON.stringify(defaults),
      ...(whitelist.length > 0 && { "scheduler.alpha.kubernetes.io/tolerationsWhitelist": JSON.stringify(whitelist) }),
    };
    return { ns: { metadata: { annotations } } };
  };
  const refused = "pod tolerations (possibly merged with namespace default tolerations) conflict with its namespace whitelist";
  test.each<[string, Record<string, object>, object[], unknown]>([
    ["are added", namespace([key("a")]), [key("b")], { tolerations: [key("a"), key("b")] }],
    ["take the place of narrower ones", namespace([key("a")]), [key("a", { effect: "NoSchedule" })], { tolerations: [key("a")] }],
    [
      "are on its list",
      namespace([], [key("a")]),
      [key("a", { effect: "NoExecute" })],
      { tolerations: [key("a", { effect: "NoExecute" })] },
    ],
    ["or are refused", namespace([], [key("a")]), [key("b")], refused],
  ])("%s", async (_, namespaces, tolerations, want) => {
    expect(await judge(podTolerationRestriction(), pod({ tolerations }), namespaces)).toEqual(want);
  });
});

/** Writes events as one user or another; tells what comes of it. */
function eventsUnder(limit: EventLimit): (user: string) => string {
  const plugin = eventRateLimit([limit])({ clock } as unknown as AdmissionModules);
  return (name) => {
    const request = {
      operation: "CREATE",
      group: "",
      resource: "events",
      subresource: "",
      dryRun: false,
      context: { user: { name } },
    };
    try {
      void plugin.validate?.(request as unknown as AdmissionAttributes);
      return "taken";
    } catch (error) {
      return (error as Error).message;
    }
  };
}

test("events of who writes too many are refused until time has passed", () => {
  const write = eventsUnder({ type: "User", qps: 1, burst: 2 });
  expect(["u", "u", "u", "v"].map(write)).toEqual(["taken", "taken", "limit reached on type User for key u", "taken"]);
  clock.advance(1000);
  expect(["u", "u"].map(write)).toEqual(["taken", "limit reached on type User for key u"]);
});

test("of those who are told apart the one that was silent longest is forgotten", () => {
  const write = eventsUnder({ type: "User", qps: 1, burst: 1, cacheSize: 2 });
  expect(["u", "v", "u", "w"].map(write)).toEqual(["taken", "taken", "limit reached on type User for key u", "taken"]);
  expect(["u", "v", "v"].map(write)).toEqual([
    "limit reached on type User for key u",
    "taken",
    "limit reached on type User for key v",
  ]);
});

test("a webhook judges images, and its answer is remembered", async () => {
  const asked: object[] = [];
  const post = async (review: object) => {
    asked.push(review);
    return { status: { allowed: false, reason: "old" } };
  };
  const factory = imagePolicyWebhook({ post, allowTtlMs: 1000, denyTtlMs: 1000, defaultAllow: false });
  const plugin = factory({ clock } as unknown as AdmissionModules);
  const once: AdmissionPluginFactory = () => plugin;
  const request = pod({ containers: [{ image: "a" }] }, { annotations: { "x.image-policy.k8s.io/why": "because", other: "no" } });
  expect(await judge(once, request)).toBe("image policy webhook backend denied one or more images: old");
  await judge(once, request);
  expect(asked).toEqual([
    {
      apiVersion: "imagepolicy.k8s.io/v1alpha1",
      kind: "ImageReview",
      spec: { containers: [{ image: "a" }], annotations: { "x.image-policy.k8s.io/why": "because" }, namespace: "ns" },
    },
  ]);
});

describe("owners", () => {
  const allowed = new Set(["delete pods ns", "update deployments/finalizers ns"]);
  const authorizer = {
    authorize: ({ verb, resource, subresource, namespace }: Record<string, string>) => {
      const what = `${verb} ${resource}${subresource ? `/${subresource}` : ""} ${namespace}`;
      return { decision: allowed.has(what) ? ("allow" as const) : ("no-opinion" as const), reason: "" };
    },
  };
  const factory = ownerReferencesPermissionEnforcement(authorizer as never, (apiVersion, kind) =>
    kind === "Nonsense" ? [] : [{ group: "apps", version: apiVersion, resource: `${kind.toLowerCase()}s`, namespaced: true }],
  );
  const owner = (kind: string, blockOwnerDeletion = true): object => ({
    apiVersion: "v1",
    kind,
    name: "x",
    uid: kind,
    blockOwnerDeletion,
  });
  test.each<[string, object, string]>([
    ["that are allowed", pod({}, { ownerReferences: [owner("Deployment")] }), ""],
    ["that do not wait", pod({}, { ownerReferences: [owner("Secret", false)] }), ""],
    [
      "of a kind whose finalizers are somebody else's",
      pod({}, { ownerReferences: [owner("Secret")] }),
      "cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: , <nil>",
    ],
    [
      "of an object that may not be deleted",
      { resource: "secrets", ...pod({}, { ownerReferences: [owner("Deployment")] }) },
      "cannot set an ownerRef on a resource you can't delete: , <nil>",
    ],
    [
      "of no known kind",
      pod({}, { ownerReferences: [owner("Nonsense")] }),
      'cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion v1 Kind Nonsense: no matches for kind "Nonsense" in version "v1"',
    ],
  ])("%s", async (_, request, want) => {
    const answer = await judge(factory, request);
    expect(typeof answer === "string" ? answer : "").toBe(want);
  });
});

describe("the file that tells plugins", () => {
  const dir = mkdtempSync(join(tmpdir(), "kybern-admission-"));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));
  const read = async (...plugins: object[]): Promise<unknown> => {
    const path = join(dir, "admission.json");
    writeFileSync(path, JSON.stringify({ apiVersion: "apiserver.config.k8s.io/v1", kind: "AdmissionConfiguration", plugins }));
    try {
      return await readAdmissionConfiguration(path);
    } catch (error) {
      return (error as Error).message.replace(`${path}: `, "");
    }
  };

  test("holds configurations, and names files next to itself", async () => {
    writeFileSync(join(dir, "selectors.yaml"), "podNodeSelectorPluginConfig:\n  ns: env=prod\n");
    const podSecurity = {
      apiVersion: "pod-security.admission.config.k8s.io/v1",
      kind: "PodSecurityConfiguration",
      defaults: { enforce: "baseline", "enforce-version": "v1.30" },
      exemptions: { namespaces: ["kube-system"] },
    };
    expect(
      await read({ name: "PodNodeSelector", path: "selectors.yaml" }, { name: "PodSecurity", configuration: podSecurity }),
    ).toEqual({
      PodNodeSelector: { ns: "env=prod" },
      PodSecurity: {
        defaults: {
          enforce: { level: "baseline", version: 30 },
          audit: { level: "privileged", version: "latest" },
          warn: { level: "privileged", version: "latest" },
        },
        exemptions: { usernames: [], runtimeClasses: [], namespaces: ["kube-system"] },
      },
    });
  });

  const quota = (kind: string, apiVersion: string, limitedResources: object[]): object => ({
    name: "ResourceQuota",
    configuration: { apiVersion, kind, limitedResources },
  });
  const services = { resource: "services", matchContains: ["services.loadbalancers"] };
  test.each([
    ["ResourceQuotaConfiguration", "apiserver.config.k8s.io/v1"],
    ["Configuration", "resourcequota.admission.k8s.io/v1beta1"],
    ["Configuration", "resourcequota.admission.k8s.io/v1alpha1"],
  ])("limits what quotas have to cover by a %s of %s", async (kind, apiVersion) => {
    expect(await read(quota(kind, apiVersion, [services]))).toEqual({ ResourceQuota: [services] });
  });

  const hooks = (configuration: object): object => ({
    name: "ValidatingAdmissionWebhook",
    configuration: { apiVersion: "apiserver.config.k8s.io/v1", kind: "WebhookAdmissionConfiguration", ...configuration },
  });
  const usersFile = (user: object): string => {
    const path = join(dir, `users-${Object.keys(user).join("-")}.json`);
    const contexts = [{ name: "c", context: { user: "me" } }];
    writeFileSync(path, JSON.stringify({ "current-context": "c", contexts, users: [{ name: "me", user }] }));
    return path;
  };
  test.each([
    ["a token", { token: "t" }, { headers: { authorization: "Bearer t" } }],
    ["a name and a password", { username: "u", password: "p" }, { headers: { authorization: "Basic dTpw" } }],
    [
      "a certificate",
      {
        "client-certificate-data": Buffer.from("CERT").toString("base64"),
        "client-key-data": Buffer.from("KEY").toString("base64"),
      },
      { cert: "CERT", key: "KEY", headers: {} },
    ],
    [
      "whom it asks for",
      { as: "alice", "as-groups": ["a", "b"], "as-user-extra": { "x/y": ["1"] } },
      { headers: { "impersonate-user": "alice", "impersonate-group": ["a", "b"], "impersonate-extra-x%2Fy": ["1"] } },
    ],
  ])("shows webhooks %s", async (_, user, want) => {
    expect(await read(hooks({ kubeConfigFile: usersFile(user) }))).toEqual({
      ValidatingAdmissionWebhook: { byName: new Map([["me", want]]), current: "me" },
    });
  });

  const events = (limits: object[]): object => ({
    name: "EventRateLimit",
    configuration: { apiVersion: "eventratelimit.admission.k8s.io/v1alpha1", kind: "Configuration", limits },
  });
  test.each([
    ["an unknown plugin", { name: "Nonsense" }, /plugin "Nonsense" takes no configuration/],
    ["a limit of nothing", events([{ type: "Server", qps: 0, burst: 1 }]), /limits\[0\]\.qps: Invalid value: must be positive/],
    ["a limit of nobody", events([{ type: "Nobody", qps: 1, burst: 1 }]), /limits\[0\]\.type: must be one of Server/],
    [
      "a limit of no resource",
      quota("ResourceQuotaConfiguration", "apiserver.config.k8s.io/v1", [{}]),
      /limitedResources\[0\]\.resource: Required value/,
    ],
    [
      "a limit of another kind",
      quota("Configuration", "apiserver.config.k8s.io/v1", []),
      /no kind "Configuration" is registered/,
    ],
    ["a kubeconfig without a whole path", hooks({ kubeConfigFile: "users.json" }), /must be an absolute file path/],
    ["a kubeconfig that is not there", hooks({ kubeConfigFile: "/none/users.json" }), /no such file/],
    ["credentials from a program", hooks({ kubeConfigFile: usersFile({ exec: {} }) }), /exec/],
    ["webhooks out of files", hooks({ staticManifestsDir: "/etc/hooks" }), /ManifestBasedAdmissionControlConfig/],
    ["a webhook nowhere", { name: "ImagePolicyWebhook", configuration: { imagePolicy: {} } }, /kubeConfigFile says where/],
  ])("%s is refused", async (_, plugin, message) => {
    expect(await read(plugin)).toMatch(message);
  });
});
