/** Upstream's names of resources in keys, where they are not their plurals (its `test/integration/etcd/data.go`). */
const KEYS: Readonly<Record<string, string>> = {
  nodes: "minions",
  replicationcontrollers: "controllers",
  services: "services/specs",
  endpoints: "services/endpoints",
  ingresses: "ingress",
  apiservices: "apiregistration.k8s.io/apiservices",
  customresourcedefinitions: "apiextensions.k8s.io/customresourcedefinitions",
};

/** The key under which upstream stores an object of a built-in resource; the namespace is empty where there is none. */
export function upstreamKey(plural: string, namespace: string, name: string): string {
  return ["/registry", KEYS[plural] ?? plural, ...(namespace === "" ? [] : [namespace]), name].join("/");
}
