import { bootstrapSignerController } from "./controllers/bootstrap-signer/controller.ts";
import { certificateApprover } from "./controllers/certificates-approver/controller.ts";
import { certificateCleaner } from "./controllers/certificates-cleaner/controller.ts";
import { certificateSigner } from "./controllers/certificates-signer/controller.ts";
import { clusterRoleAggregationController } from "./controllers/clusterrole-aggregation/controller.ts";
import { clusterTrustBundlePublisher } from "./controllers/clustertrustbundle-publisher/controller.ts";
import { cronJobController } from "./controllers/cronjob/controller.ts";
import { daemonSetController } from "./controllers/daemonset/controller.ts";
import { deploymentController } from "./controllers/deployment/controller.ts";
import { disruptionController } from "./controllers/disruption/controller.ts";
import { endpointsController } from "./controllers/endpoints/controller.ts";
import { endpointSliceController } from "./controllers/endpointslice/controller.ts";
import { endpointSliceMirroringController } from "./controllers/endpointslice-mirroring/controller.ts";
import { ephemeralVolumeController } from "./controllers/ephemeral-volume/controller.ts";
import { garbageCollectorController } from "./controllers/garbage-collector/controller.ts";
import { horizontalPodAutoscalerController } from "./controllers/horizontal-pod-autoscaler/controller.ts";
import { jobController } from "./controllers/job/controller.ts";
import { namespaceController } from "./controllers/namespace/controller.ts";
import { nodeIpamController } from "./controllers/node-ipam/controller.ts";
import { nodeLifecycleController } from "./controllers/node-lifecycle/controller.ts";
import { persistentVolumeBinderController } from "./controllers/persistentvolume-binder/controller.ts";
import { persistentVolumeExpanderController } from "./controllers/persistentvolume-expander/controller.ts";
import { persistentVolumeProtectionController } from "./controllers/persistentvolume-protection/controller.ts";
import { persistentVolumeClaimProtectionController } from "./controllers/persistentvolumeclaim-protection/controller.ts";
import { podGcController } from "./controllers/pod-gc/controller.ts";
import { podCertificateRequestCleaner } from "./controllers/podcertificaterequest-cleaner/controller.ts";
import { replicaSetController } from "./controllers/replicaset/controller.ts";
import { replicationControllerController } from "./controllers/replicationcontroller/controller.ts";
import { resourceQuotaController } from "./controllers/resourcequota/controller.ts";
import { rootCaCertificatePublisher } from "./controllers/root-ca-certificate-publisher/controller.ts";
import { serviceCidrController } from "./controllers/service-cidr/controller.ts";
import { serviceAccountController } from "./controllers/serviceaccount/controller.ts";
import { serviceAccountTokenController } from "./controllers/serviceaccount-token/controller.ts";
import { statefulSetController } from "./controllers/statefulset/controller.ts";
import { storageVersionMigratorController } from "./controllers/storage-version-migrator/controller.ts";
import { taintEvictionController } from "./controllers/taint-eviction/controller.ts";
import { tokenCleanerController } from "./controllers/token-cleaner/controller.ts";
import { ttlController } from "./controllers/ttl/controller.ts";
import { ttlAfterFinishedController } from "./controllers/ttl-after-finished/controller.ts";
import { validatingAdmissionPolicyStatusController } from "./controllers/validatingadmissionpolicy-status/controller.ts";
import { volumeAttributesClassProtectionController } from "./controllers/volumeattributesclass-protection/controller.ts";
import type { ControllerDefinition } from "./framework/controller.ts";

/** Every controller, in the order in which they start: what others wait for comes first. */
export const controllers: readonly ControllerDefinition[] = [
  serviceAccountController,
  serviceAccountTokenController,
  rootCaCertificatePublisher,
  namespaceController,
  resourceQuotaController,
  garbageCollectorController,
  replicaSetController,
  replicationControllerController,
  deploymentController,
  daemonSetController,
  statefulSetController,
  jobController,
  cronJobController,
  horizontalPodAutoscalerController,
  endpointSliceController,
  endpointsController,
  endpointSliceMirroringController,
  serviceCidrController,
  disruptionController,
  nodeIpamController,
  // A node that may be used has its time to live.
  ttlController,
  nodeLifecycleController,
  taintEvictionController,
  podGcController,
  ephemeralVolumeController,
  persistentVolumeBinderController,
  persistentVolumeExpanderController,
  persistentVolumeClaimProtectionController,
  persistentVolumeProtectionController,
  volumeAttributesClassProtectionController,
  ttlAfterFinishedController,
  tokenCleanerController,
  bootstrapSignerController,
  clusterRoleAggregationController,
  certificateSigner,
  certificateApprover,
  certificateCleaner,
  podCertificateRequestCleaner,
  clusterTrustBundlePublisher,
  validatingAdmissionPolicyStatusController,
  storageVersionMigratorController,
];
