import { describe, expect, test } from "vitest";
import type { AdmissionAttributes, AdmissionModules } from "#apiserver/admission/admission.ts";
import { DEFAULT_POD_SECURITY_CONFIGURATION, type PodSecurityConfiguration } from "./configuration.ts";
import { podSecurityWith } from "./pod-security.ts";

const PREFIX = "pod-security.kubernetes.io/";
const HOST_PID = { hostPID: true, containers: [{ name: "c", image: "x" }] };
const FINE = { containers: [{ name: "c", image: "x" }] };

interface Request {
  readonly labels?: Record<string, string>;
  readonly request: Partial<AdmissionAttributes>;
  readonly configuration?: Partial<PodSecurityConfiguration>;
  readonly user?: string;
}

/** The refusal, or else the warnings; and what is recorded. */
function judge(
  { labels = {}, request, configuration = {}, user = "u" }: Request,
  recorded: Record<string, string> = {},
): string | string[] {
  const named = Object.fromEntries(Object.entries(labels).map(([name, value]) => [PREFIX + name, value]));
  const namespace = { metadata: { name: "ns", labels: named } };
  const pods = [{ metadata: { name: "old" }, spec: HOST_PID }];
  const of = (_group: string, plural: string) => (plural === "pods" ? { listCached: () => pods } : { cached: () => namespace });
  const modules = { stores: { of }, clock: { now: () => 0, elapsed: () => 0 } } as unknown as AdmissionModules;
  const warnings: string[] = [];
  const annotate = (key: string, value: string): void => {
    recorded[key.replace(PREFIX, "")] = value;
  };
  const attributes = {
    operation: "CREATE",
    group: "",
    resource: "pods",
    kind: "Pod",
    subresource: "",
    namespace: "ns",
    name: "p",
    context: { warnings, annotate, user: { name: user } },
    ...request,
  } as unknown as AdmissionAttributes;
  try {
    void podSecurityWith({ ...DEFAULT_POD_SECURITY_CONFIGURATION, ...configuration })(modules).validate?.(attributes);
    return warnings;
  } catch (error) {
    return (error as Error).message;
  }
}

const pod = (spec: object): AdmissionAttributes["object"] => ({ metadata: { name: "p" }, spec });
const template = (spec: object): AdmissionAttributes["object"] => ({ metadata: { name: "d" }, spec: { template: { spec } } });
const exempt = (of: Partial<PodSecurityConfiguration["exemptions"]>): Partial<PodSecurityConfiguration> => ({
  exemptions: { ...DEFAULT_POD_SECURITY_CONFIGURATION.exemptions, ...of },
});
const REFUSED = 'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)';
const WARNING = 'would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)';

describe("a pod", () => {
  const enforce = { enforce: "baseline" };
  test.each<Request & { name: string; want: string | string[] }>([
    { name: "nothing asked", request: { object: pod(HOST_PID) }, want: [] },
    { name: "refused", labels: enforce, request: { object: pod(HOST_PID) }, want: REFUSED },
    { name: "let in", labels: enforce, request: { object: pod(FINE) }, want: [] },
    { name: "warned of", labels: { warn: "baseline" }, request: { object: pod(HOST_PID) }, want: [WARNING] },
    { name: "recorded only", labels: { audit: "baseline" }, request: { object: pod(HOST_PID) }, want: [] },
    {
      name: "a broken label means the strictest",
      labels: { enforce: "x" },
      request: { object: pod(FINE) },
      want: expect.stringContaining('"restricted:latest"'),
    },
    { name: "its status", labels: enforce, request: { object: pod(HOST_PID), subresource: "status" }, want: [] },
    {
      name: "a subresource that nobody knows",
      labels: enforce,
      request: { object: pod(HOST_PID), subresource: "new" },
      want: REFUSED,
    },
    { name: "deleted", labels: enforce, request: { operation: "DELETE" }, want: [] },
    {
      name: "updated, with nothing that matters",
      labels: enforce,
      request: { operation: "UPDATE", object: pod(HOST_PID), oldObject: pod(HOST_PID) as never },
      want: [],
    },
    {
      name: "updated with another image",
      labels: enforce,
      request: {
        operation: "UPDATE",
        object: pod(HOST_PID),
        oldObject: pod({ ...HOST_PID, containers: [{ name: "c", image: "y" }] }) as never,
      },
      want: REFUSED,
    },
    {
      name: "an ephemeral container added",
      labels: enforce,
      request: {
        operation: "UPDATE",
        subresource: "ephemeralcontainers",
        object: pod({ ...HOST_PID, ephemeralContainers: [{ name: "e", image: "x" }] }),
        oldObject: pod(HOST_PID) as never,
      },
      want: REFUSED,
    },
    {
      name: "an exempt user's",
      labels: enforce,
      user: "root",
      configuration: exempt({ usernames: ["root"] }),
      request: { object: pod(HOST_PID) },
      want: [],
    },
    {
      name: "in an exempt namespace",
      labels: enforce,
      configuration: exempt({ namespaces: ["ns"] }),
      request: { object: pod(HOST_PID) },
      want: [],
    },
    {
      name: "of an exempt runtime class",
      labels: enforce,
      configuration: exempt({ runtimeClasses: ["kata"] }),
      request: { object: pod({ ...HOST_PID, runtimeClassName: "kata" }) },
      want: [],
    },
    {
      name: "by configured defaults",
      configuration: {
        defaults: { ...DEFAULT_POD_SECURITY_CONFIGURATION.defaults, enforce: { level: "baseline", version: "latest" } },
      },
      request: { object: pod(HOST_PID) },
      want: REFUSED,
    },
  ])("$name", ({ want, ...request }) => expect(judge(request)).toEqual(want));
});

describe("the record of a request", () => {
  const object = pod(HOST_PID);
  test.each<Request & { name: string; want: Record<string, string> }>([
    { name: "nothing asked", request: { object }, want: { "enforce-policy": "privileged:latest" } },
    { name: "refused", labels: { enforce: "baseline" }, request: { object }, want: { "enforce-policy": "baseline:latest" } },
    {
      name: "recorded",
      labels: { audit: "baseline", "audit-version": "v1.30" },
      request: { object },
      want: {
        "enforce-policy": "privileged:latest",
        "audit-violations": 'would violate PodSecurity "baseline:v1.30": host namespaces (hostPID=true)',
      },
    },
    {
      name: "of a template",
      labels: { audit: "baseline" },
      request: { group: "apps", resource: "deployments", object: template(HOST_PID) },
      want: { "audit-violations": WARNING },
    },
    {
      name: "a broken label",
      labels: { audit: "x" },
      request: { object },
      want: {
        "enforce-policy": "privileged:latest",
        error:
          'Failed to parse policy: metadata.labels[pod-security.kubernetes.io/audit]: Invalid value: "x": must be one of privileged, baseline, restricted',
      },
    },
    {
      name: "an exempt user",
      user: "root",
      configuration: exempt({ usernames: ["root"] }),
      request: { object },
      want: { exempt: "user" },
    },
    {
      name: "an exempt namespace",
      configuration: exempt({ namespaces: ["ns"] }),
      request: { object },
      want: { exempt: "namespace" },
    },
    {
      name: "an exempt runtime class",
      labels: { enforce: "baseline" },
      configuration: exempt({ runtimeClasses: ["kata"] }),
      request: { object: pod({ ...HOST_PID, runtimeClassName: "kata" }) },
      want: { exempt: "runtimeClass" },
    },
  ])("$name", ({ want, ...request }) => {
    const recorded: Record<string, string> = {};
    judge(request, recorded);
    expect(recorded).toEqual(want);
  });
});

describe("a template", () => {
  const resources = [
    "/replicationcontrollers",
    "apps/deployments",
    "apps/replicasets",
    "apps/statefulsets",
    "apps/daemonsets",
    "batch/jobs",
  ];
  test.each(resources)("of %s is warned of, not refused", (id) => {
    const [group = "", resource = ""] = id.split("/");
    expect(judge({ labels: { enforce: "baseline" }, request: { group, resource, object: template(HOST_PID) } })).toEqual([
      WARNING,
    ]);
    expect(judge({ labels: { enforce: "baseline" }, request: { group, resource, object: template(FINE) } })).toEqual([]);
    expect(
      judge({ labels: { enforce: "baseline", warn: "privileged" }, request: { group, resource, object: template(HOST_PID) } }),
    ).toEqual([]);
  });

  test.each([
    ["", "podtemplates", { template: { spec: HOST_PID } }],
    ["batch", "cronjobs", { spec: { jobTemplate: { spec: { template: { spec: HOST_PID } } } } }],
  ] as const)("of %s/%s lies elsewhere", (group, resource, object) => {
    const request = { group, resource, object: { metadata: {}, ...object } };
    expect(judge({ labels: { warn: "baseline" }, request })).toEqual([WARNING]);
  });

  test("that is missing is nothing to judge", () => {
    const request = { resource: "replicationcontrollers", object: { metadata: {}, spec: {} } };
    expect(judge({ labels: { warn: "baseline" }, request })).toEqual([]);
  });
});

describe("a namespace", () => {
  const namespace = (of: Record<string, string>): AdmissionAttributes["object"] => ({
    metadata: { name: "ns", labels: Object.fromEntries(Object.entries(of).map(([name, value]) => [PREFIX + name, value])) },
  });
  const existing = [
    'existing pods in namespace "ns" violate the new PodSecurity enforce level "baseline:latest"',
    "old: host namespaces",
  ];
  const invalid =
    'Namespace "ns" is invalid: metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "x": must be one of privileged, baseline, restricted';
  test.each<{
    name: string;
    old?: Record<string, string>;
    now: Record<string, string>;
    exempt?: boolean;
    want: string | string[];
  }>([
    { name: "made with bad labels", now: { enforce: "x" }, want: invalid },
    { name: "given bad labels", old: {}, now: { enforce: "x" }, want: invalid },
    { name: "keeping bad labels", old: { enforce: "x" }, now: { enforce: "x" }, want: [] },
    { name: "enforcing more", old: {}, now: { enforce: "baseline" }, want: existing },
    { name: "enforcing less", old: { enforce: "restricted" }, now: { enforce: "baseline" }, want: [] },
    {
      name: "enforcing less of another release",
      old: { enforce: "restricted", "enforce-version": "v1.20" },
      now: { enforce: "baseline" },
      want: existing,
    },
    {
      name: "enforcing nothing",
      old: { enforce: "baseline" },
      now: { enforce: "privileged", "enforce-version": "v1.20" },
      want: [],
    },
    { name: "warning of more", old: {}, now: { warn: "baseline" }, want: [] },
    {
      name: "made exempt",
      now: { enforce: "baseline" },
      exempt: true,
      want: ['namespace "ns" is exempt from Pod Security, and the policy (enforce=baseline:latest) will be ignored'],
    },
  ])("$name", ({ old, now, exempt: isExempt, want }) => {
    const request: Partial<AdmissionAttributes> = {
      resource: "namespaces",
      kind: "Namespace",
      name: "ns",
      object: namespace(now),
      ...(old === undefined ? {} : { operation: "UPDATE", oldObject: namespace(old) as never }),
    };
    expect(judge({ request, configuration: exempt({ namespaces: isExempt ? ["ns"] : [] }) })).toEqual(want);
  });
});
