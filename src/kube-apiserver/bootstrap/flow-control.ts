import type {
  FlowSchema,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  ResourcePolicyRule,
  Subject,
} from "#api/generated/flowcontrol/v1.ts";

const VERSION = "flowcontrol.apiserver.k8s.io/v1";
const AUTOUPDATE = { "apf.kubernetes.io/autoupdate-spec": "true" };

const user = (name: string): Subject => ({ kind: "User", user: { name } });
const group = (name: string): Subject => ({ kind: "Group", group: { name } });
const serviceAccount = (namespace: string, name: string): Subject => ({
  kind: "ServiceAccount",
  serviceAccount: { namespace, name },
});

const ALL_RESOURCES: ResourcePolicyRule = {
  verbs: ["*"],
  apiGroups: ["*"],
  resources: ["*"],
  clusterScope: true,
  namespaces: ["*"],
};
const ALL_PATHS = { verbs: ["*"], nonResourceURLs: ["*"] };
const ALL_LEASES: ResourcePolicyRule = {
  verbs: ["*"],
  apiGroups: ["coordination.k8s.io"],
  resources: ["leases"],
  namespaces: ["*"],
};
const LEASES: ResourcePolicyRule = {
  verbs: ["get", "create", "update"],
  apiGroups: ["coordination.k8s.io"],
  resources: ["leases"],
  namespaces: ["*"],
};
const EVERYBODY = [group("system:unauthenticated"), group("system:authenticated")];
const CONTROL_PLANE = [user("system:kube-controller-manager"), user("system:kube-scheduler"), serviceAccount("kube-system", "*")];

interface SchemaRow {
  readonly name: string;
  readonly level: string;
  readonly precedence: number;
  readonly by?: "ByUser" | "ByNamespace";
  readonly subjects: readonly Subject[];
  readonly resources?: ResourcePolicyRule;
  readonly moreResources?: ResourcePolicyRule;
  readonly paths?: { readonly verbs: readonly string[]; readonly nonResourceURLs: readonly string[] };
}

const all = { resources: ALL_RESOURCES, paths: ALL_PATHS };

/** Upstream's mandatory and suggested flow schemas (apiserver/pkg/apis/flowcontrol/bootstrap). */
const SCHEMAS: readonly SchemaRow[] = [
  { name: "exempt", level: "exempt", precedence: 1, subjects: [group("system:masters")], ...all },
  {
    name: "probes",
    level: "exempt",
    precedence: 2,
    subjects: EVERYBODY,
    paths: { verbs: ["get"], nonResourceURLs: ["/healthz", "/readyz", "/livez"] },
  },
  {
    name: "system-leader-election",
    level: "leader-election",
    precedence: 100,
    by: "ByUser",
    subjects: CONTROL_PLANE,
    resources: LEASES,
  },
  {
    name: "endpoint-controller",
    level: "workload-high",
    precedence: 150,
    by: "ByUser",
    subjects: [
      user("system:kube-controller-manager"),
      serviceAccount("kube-system", "endpoint-controller"),
      serviceAccount("kube-system", "endpointslicemirroring-controller"),
    ],
    resources: { verbs: ["get", "create", "update"], apiGroups: [""], resources: ["endpoints"], namespaces: ["*"] },
  },
  {
    name: "workload-leader-election",
    level: "leader-election",
    precedence: 200,
    by: "ByUser",
    subjects: [serviceAccount("kube-system", "*")],
    resources: LEASES,
  },
  {
    name: "system-node-high",
    level: "node-high",
    precedence: 400,
    by: "ByUser",
    subjects: [group("system:nodes")],
    resources: { verbs: ["*"], apiGroups: [""], resources: ["nodes", "nodes/status"], clusterScope: true, namespaces: ["*"] },
    moreResources: ALL_LEASES,
  },
  { name: "system-nodes", level: "system", precedence: 500, by: "ByUser", subjects: [group("system:nodes")], ...all },
  {
    name: "kube-controller-manager",
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    subjects: [user("system:kube-controller-manager")],
    ...all,
  },
  {
    name: "kube-scheduler",
    level: "workload-high",
    precedence: 800,
    by: "ByNamespace",
    subjects: [user("system:kube-scheduler")],
    ...all,
  },
  {
    name: "kube-system-service-accounts",
    level: "workload-high",
    precedence: 900,
    by: "ByNamespace",
    subjects: [serviceAccount("kube-system", "*")],
    ...all,
  },
  {
    name: "service-accounts",
    level: "workload-low",
    precedence: 9000,
    by: "ByUser",
    subjects: [group("system:serviceaccounts")],
    ...all,
  },
  { name: "global-default", level: "global-default", precedence: 9900, by: "ByUser", subjects: EVERYBODY, ...all },
  { name: "catch-all", level: "catch-all", precedence: 10000, by: "ByUser", subjects: EVERYBODY, ...all },
];

function queued(shares: number, lendablePercent: number, queues: number, handSize: number): PriorityLevelConfigurationSpec {
  const limitResponse = { type: "Queue", queuing: { queues, handSize, queueLengthLimit: 50 } };
  return { type: "Limited", limited: { nominalConcurrencyShares: shares, lendablePercent, limitResponse } };
}

/** Upstream's mandatory and suggested priority levels. */
const LEVELS: Readonly<Record<string, PriorityLevelConfigurationSpec>> = {
  exempt: { type: "Exempt", exempt: { nominalConcurrencyShares: 0, lendablePercent: 0 } },
  "catch-all": {
    type: "Limited",
    limited: { nominalConcurrencyShares: 5, lendablePercent: 0, limitResponse: { type: "Reject" } },
  },
  "node-high": queued(40, 25, 64, 6),
  system: queued(30, 33, 64, 6),
  "leader-election": queued(10, 0, 16, 4),
  "workload-high": queued(40, 50, 128, 6),
  "workload-low": queued(100, 90, 128, 6),
  "global-default": queued(20, 50, 128, 6),
};

/** `now` is RFC 3339. */
export function defaultFlowSchemas(now: string): FlowSchema[] {
  return SCHEMAS.map(({ name, level, precedence, by, subjects, resources, moreResources, paths }) => ({
    apiVersion: VERSION,
    kind: "FlowSchema",
    metadata: { name, annotations: AUTOUPDATE },
    spec: {
      priorityLevelConfiguration: { name: level },
      matchingPrecedence: precedence,
      ...(by === undefined ? {} : { distinguisherMethod: { type: by } }),
      rules: [
        {
          subjects,
          ...(resources ? { resourceRules: moreResources ? [resources, moreResources] : [resources] } : {}),
          ...(paths ? { nonResourceRules: [paths] } : {}),
        },
      ],
    },
    status: {
      conditions: [
        {
          type: "Dangling",
          status: "False",
          lastTransitionTime: now,
          reason: "Found",
          message: `This FlowSchema references the PriorityLevelConfiguration object named "${level}" and it exists`,
        },
      ],
    },
  }));
}

/** The priority levels that the default flow schemas refer to. */
export function defaultPriorityLevels(): PriorityLevelConfiguration[] {
  return Object.entries(LEVELS).map(([name, spec]) => ({
    apiVersion: VERSION,
    kind: "PriorityLevelConfiguration",
    metadata: { name, annotations: AUTOUPDATE },
    spec,
  }));
}
