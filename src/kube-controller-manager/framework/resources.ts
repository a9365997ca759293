import type { ResourceId } from "#client/client.ts";

const core = (resource: string): ResourceId => ({ group: "", version: "v1", resource });
const apps = (resource: string): ResourceId => ({ group: "apps", version: "v1", resource });

export const PODS: ResourceId = core("pods");
export const SERVICES: ResourceId = core("services");
export const ENDPOINTS: ResourceId = core("endpoints");
export const NODES: ResourceId = core("nodes");
export const NAMESPACES: ResourceId = core("namespaces");
export const SERVICE_ACCOUNTS: ResourceId = core("serviceaccounts");
export const SECRETS: ResourceId = core("secrets");
export const CONFIG_MAPS: ResourceId = core("configmaps");
export const PERSISTENT_VOLUME_CLAIMS: ResourceId = core("persistentvolumeclaims");
export const PERSISTENT_VOLUMES: ResourceId = core("persistentvolumes");
export const RESOURCE_QUOTAS: ResourceId = core("resourcequotas");
export const REPLICATION_CONTROLLERS: ResourceId = core("replicationcontrollers");
export const DEPLOYMENTS: ResourceId = apps("deployments");
export const REPLICA_SETS: ResourceId = apps("replicasets");
export const DAEMON_SETS: ResourceId = apps("daemonsets");
export const STATEFUL_SETS: ResourceId = apps("statefulsets");
export const CONTROLLER_REVISIONS: ResourceId = apps("controllerrevisions");
export const JOBS: ResourceId = { group: "batch", version: "v1", resource: "jobs" };
export const CRON_JOBS: ResourceId = { group: "batch", version: "v1", resource: "cronjobs" };
export const HORIZONTAL_POD_AUTOSCALERS: ResourceId = {
  group: "autoscaling",
  version: "v2",
  resource: "horizontalpodautoscalers",
};
export const ENDPOINT_SLICES: ResourceId = { group: "discovery.k8s.io", version: "v1", resource: "endpointslices" };
export const SERVICE_CIDRS: ResourceId = { group: "networking.k8s.io", version: "v1", resource: "servicecidrs" };
export const IP_ADDRESSES: ResourceId = { group: "networking.k8s.io", version: "v1", resource: "ipaddresses" };
export const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
export const CLUSTER_ROLES: ResourceId = { group: "rbac.authorization.k8s.io", version: "v1", resource: "clusterroles" };
export const POD_DISRUPTION_BUDGETS: ResourceId = { group: "policy", version: "v1", resource: "poddisruptionbudgets" };
export const STORAGE_CLASSES: ResourceId = { group: "storage.k8s.io", version: "v1", resource: "storageclasses" };
export const VOLUME_ATTRIBUTES_CLASSES: ResourceId = {
  group: "storage.k8s.io",
  version: "v1",
  resource: "volumeattributesclasses",
};
export const CERTIFICATE_SIGNING_REQUESTS: ResourceId = {
  group: "certificates.k8s.io",
  version: "v1",
  resource: "certificatesigningrequests",
};
export const SUBJECT_ACCESS_REVIEWS: ResourceId = {
  group: "authorization.k8s.io",
  version: "v1",
  resource: "subjectaccessreviews",
};
export const VALIDATING_ADMISSION_POLICIES: ResourceId = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  resource: "validatingadmissionpolicies",
};
