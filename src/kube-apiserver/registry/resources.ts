import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import type { ResourceSet } from "#apiserver/registry/resource-set.ts";
import { mutatingAdmissionPolicies } from "./admissionregistration/mutating-admission-policy/mutating-admission-policy.ts";
import { mutatingAdmissionPolicyBindings } from "./admissionregistration/mutating-admission-policy-binding/mutating-admission-policy-binding.ts";
import { mutatingWebhookConfigurations } from "./admissionregistration/mutating-webhook-configuration/mutating-webhook-configuration.ts";
import { validatingAdmissionPolicies } from "./admissionregistration/validating-admission-policy/validating-admission-policy.ts";
import { validatingAdmissionPolicyBindings } from "./admissionregistration/validating-admission-policy-binding/validating-admission-policy-binding.ts";
import { validatingWebhookConfigurations } from "./admissionregistration/validating-webhook-configuration/validating-webhook-configuration.ts";
import { customResourceDefinitions } from "./apiextensions/custom-resource-definition/custom-resource-definition.ts";
import { apiServices } from "./apiregistration/api-service/api-service.ts";
import { controllerRevisions } from "./apps/controller-revision/controller-revision.ts";
import { daemonSets } from "./apps/daemon-set/daemon-set.ts";
import { deployments } from "./apps/deployment/deployment.ts";
import { replicaSets } from "./apps/replica-set/replica-set.ts";
import { statefulSets } from "./apps/stateful-set/stateful-set.ts";
import { horizontalPodAutoscalers } from "./autoscaling/horizontal-pod-autoscaler/horizontal-pod-autoscaler.ts";
import { cronJobs } from "./batch/cron-job/cron-job.ts";
import { jobs } from "./batch/job/job.ts";
import { certificateSigningRequests } from "./certificates/certificate-signing-request/certificate-signing-request.ts";
import { clusterTrustBundles } from "./certificates/cluster-trust-bundle/cluster-trust-bundle.ts";
import { podCertificateRequests } from "./certificates/pod-certificate-request/pod-certificate-request.ts";
import { leases } from "./coordination/lease/lease.ts";
import { leaseCandidates } from "./coordination/lease-candidate/lease-candidate.ts";
import { configMaps } from "./core/config-map/config-map.ts";
import { endpoints } from "./core/endpoints/endpoints.ts";
import { events } from "./core/event/event.ts";
import { limitRanges } from "./core/limit-range/limit-range.ts";
import { namespaces } from "./core/namespace/namespace.ts";
import { nodes } from "./core/node/node.ts";
import { persistentVolumes } from "./core/persistent-volume/persistent-volume.ts";
import { persistentVolumeClaims } from "./core/persistent-volume-claim/persistent-volume-claim.ts";
import { pods } from "./core/pod/pod.ts";
import { podTemplates } from "./core/pod-template/pod-template.ts";
import { replicationControllers } from "./core/replication-controller/replication-controller.ts";
import { resourceQuotas } from "./core/resource-quota/resource-quota.ts";
import { secrets } from "./core/secret/secret.ts";
import { services } from "./core/service/service.ts";
import { serviceAccounts } from "./core/service-account/service-account.ts";
import { endpointSlices } from "./discovery/endpoint-slice/endpoint-slice.ts";
import { flowSchemas } from "./flowcontrol/flow-schema/flow-schema.ts";
import { priorityLevelConfigurations } from "./flowcontrol/priority-level-configuration/priority-level-configuration.ts";
import { storageVersions } from "./internal/storage-version/storage-version.ts";
import type { RegistryModules } from "./modules.ts";
import { ingresses } from "./networking/ingress/ingress.ts";
import { ingressClasses } from "./networking/ingress-class/ingress-class.ts";
import { ipAddresses } from "./networking/ip-address/ip-address.ts";
import { networkPolicies } from "./networking/network-policy/network-policy.ts";
import { serviceCIDRs } from "./networking/service-cidr/service-cidr.ts";
import { runtimeClasses } from "./node/runtime-class/runtime-class.ts";
import { podDisruptionBudgets } from "./policy/pod-disruption-budget/pod-disruption-budget.ts";
import { clusterRoles } from "./rbac/cluster-role/cluster-role.ts";
import { clusterRoleBindings } from "./rbac/cluster-role-binding/cluster-role-binding.ts";
import { roles } from "./rbac/role/role.ts";
import { roleBindings } from "./rbac/role-binding/role-binding.ts";
import { deviceClasses } from "./resource/device-class/device-class.ts";
import { deviceTaintRules } from "./resource/device-taint-rule/device-taint-rule.ts";
import { resourceClaims } from "./resource/resource-claim/resource-claim.ts";
import { resourceClaimTemplates } from "./resource/resource-claim-template/resource-claim-template.ts";
import { resourcePoolStatusRequests } from "./resource/resource-pool-status-request/resource-pool-status-request.ts";
import { resourceSlices } from "./resource/resource-slice/resource-slice.ts";
import { podGroups } from "./scheduling/pod-group/pod-group.ts";
import { priorityClasses } from "./scheduling/priority-class/priority-class.ts";
import { workloads } from "./scheduling/workload/workload.ts";
import { csiDrivers } from "./storage/csi-driver/csi-driver.ts";
import { csiNodes } from "./storage/csi-node/csi-node.ts";
import { csiStorageCapacities } from "./storage/csi-storage-capacity/csi-storage-capacity.ts";
import { storageClasses } from "./storage/storage-class/storage-class.ts";
import { volumeAttachments } from "./storage/volume-attachment/volume-attachment.ts";
import { volumeAttributesClasses } from "./storage/volume-attributes-class/volume-attributes-class.ts";
import { storageVersionMigrations } from "./storagemigration/storage-version-migration/storage-version-migration.ts";

/** Everything that v1.36 serves by default, groups in upstream's discovery order. */
export function builtInResources(modules: RegistryModules): ResourceSet {
  const stored: readonly ResourceDefinition<never>[] = [
    ...coreResources(modules),
    apiServices,
    controllerRevisions(),
    daemonSets(),
    deployments(),
    replicaSets(),
    statefulSets(),
    horizontalPodAutoscalers,
    cronJobs(),
    jobs(),
    certificateSigningRequests(modules),
    clusterTrustBundles,
    podCertificateRequests(modules),
    ingressClasses,
    ingresses,
    ipAddresses,
    networkPolicies,
    serviceCIDRs,
    podDisruptionBudgets,
    clusterRoleBindings,
    clusterRoles,
    roleBindings,
    roles,
    csiDrivers,
    csiNodes,
    csiStorageCapacities,
    storageClasses,
    volumeAttachments,
    volumeAttributesClasses,
    mutatingAdmissionPolicies,
    mutatingAdmissionPolicyBindings,
    mutatingWebhookConfigurations,
    validatingAdmissionPolicies,
    validatingAdmissionPolicyBindings,
    validatingWebhookConfigurations,
    customResourceDefinitions,
    priorityClasses,
    podGroups,
    workloads,
    leases,
    leaseCandidates,
    runtimeClasses,
    endpointSlices,
    deviceClasses,
    deviceTaintRules,
    resourceClaims(modules),
    resourceClaimTemplates(modules),
    resourcePoolStatusRequests,
    resourceSlices(modules),
    flowSchemas,
    priorityLevelConfigurations,
    storageVersions,
    storageVersionMigrations,
  ];
  return { stored, virtual: modules.virtual };
}

function coreResources(modules: RegistryModules): readonly ResourceDefinition<never>[] {
  return [
    configMaps,
    endpoints,
    events(modules),
    limitRanges(modules),
    namespaces,
    nodes(modules),
    persistentVolumeClaims,
    persistentVolumes(modules),
    pods(modules),
    podTemplates(),
    replicationControllers(),
    resourceQuotas,
    secrets,
    serviceAccounts(modules),
    services(modules),
  ];
}
