/** What a cluster needs to run its DNS server as pods. */
export interface DnsManifestOptions {
  readonly image: string;
  /** The tenth address of the service range, by custom: kubelets are told it by `--cluster-dns`. */
  readonly clusterIp: string;
  readonly clusterDomain: string;
  readonly replicas: number;
}

/** A Kubernetes object as it is sent. */
export type ManifestObject = Readonly<Record<string, unknown>> & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
};

const NAMESPACE = "kube-system";
/** Names and labels that charts, dashboards and network policies look for. */
const NAME = "kube-dns";
const ACCOUNT = "cluster-dns";
const LABELS = { "k8s-app": NAME };
const UNPRIVILEGED_USER = 65_532;
const [HEALTH_PORT, READY_PORT, METRICS_PORT] = [8080, 8181, 9153];

/** The Service that pods are told of, without endpoints' choice: who makes it says where they are. */
export function dnsService(clusterIp: string, selector?: Readonly<Record<string, string>>): ManifestObject {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: NAME,
      namespace: NAMESPACE,
      labels: { ...LABELS, "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS" },
    },
    spec: {
      clusterIP: clusterIp,
      ...(selector && { selector }),
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
      ],
    },
  };
}

/** Where the server is that answers for {@link dnsService}, for one that is no pod. */
export function dnsEndpointSlice(address: string): ManifestObject {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: {
      name: `${NAME}-up`,
      namespace: NAMESPACE,
      labels: { ...LABELS, "kubernetes.io/service-name": NAME, "endpointslice.kubernetes.io/managed-by": "kybern" },
    },
    addressType: address.includes(":") ? "IPv6" : "IPv4",
    endpoints: [{ addresses: [address], conditions: { ready: true, serving: true, terminating: false } }],
    ports: [
      { name: "dns", port: 53, protocol: "UDP" },
      { name: "dns-tcp", port: 53, protocol: "TCP" },
    ],
  };
}

/** All objects of the DNS server as pods: the account and its rights, the Deployment and the Service. */
export function dnsManifest(options: DnsManifestOptions): readonly ManifestObject[] {
  const role = `system:${ACCOUNT}`;
  return [
    { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: ACCOUNT, namespace: NAMESPACE } },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRole",
      metadata: { name: role },
      rules: [
        { apiGroups: [""], resources: ["namespaces", "pods", "services"], verbs: ["list", "watch"] },
        { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: role },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role },
      subjects: [{ kind: "ServiceAccount", name: ACCOUNT, namespace: NAMESPACE }],
    },
    dnsService(options.clusterIp, LABELS),
    deployment(options),
  ];
}

function deployment(options: DnsManifestOptions): ManifestObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: ACCOUNT, namespace: NAMESPACE, labels: LABELS },
    spec: {
      replicas: options.replicas,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 1 } },
      selector: { matchLabels: LABELS },
      template: { metadata: { labels: LABELS }, spec: podSpec(options) },
    },
  };
}

function podSpec({ image, clusterDomain }: DnsManifestOptions): object {
  const probe = (path: string, port: number): object => ({ httpGet: { path, port, scheme: "HTTP" } });
  const container = {
    name: ACCOUNT,
    image,
    imagePullPolicy: "IfNotPresent",
    args: ["cluster-dns", `--cluster-domain=${clusterDomain}`, `--metrics-bind-address=0.0.0.0:${METRICS_PORT}`],
    ports: [
      { name: "dns", containerPort: 53, protocol: "UDP" },
      { name: "dns-tcp", containerPort: 53, protocol: "TCP" },
      { name: "metrics", containerPort: METRICS_PORT, protocol: "TCP" },
    ],
    livenessProbe: { ...probe("/health", HEALTH_PORT), initialDelaySeconds: 10, timeoutSeconds: 5, failureThreshold: 5 },
    readinessProbe: probe("/ready", READY_PORT),
    resources: { requests: { cpu: "100m", memory: "70Mi" }, limits: { memory: "256Mi" } },
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ["ALL"] },
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      runAsUser: UNPRIVILEGED_USER,
    },
  };
  return {
    priorityClassName: "system-cluster-critical",
    serviceAccountName: ACCOUNT,
    // The node's own servers are asked for other names: the cluster's would be this one.
    dnsPolicy: "Default",
    nodeSelector: { "kubernetes.io/os": "linux" },
    tolerations: [
      { key: "CriticalAddonsOnly", operator: "Exists" },
      { key: "node-role.kubernetes.io/control-plane", effect: "NoSchedule" },
    ],
    // Port 53 is no privilege here, as it is none in containers of most runtimes.
    securityContext: {
      sysctls: [{ name: "net.ipv4.ip_unprivileged_port_start", value: "0" }],
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [container],
  };
}
