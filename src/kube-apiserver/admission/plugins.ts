import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import type { AnsweredReview } from "#apiserver/webhook/review-webhook.ts";
import { assert } from "#base/assert.ts";
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from "../authorization/certificate-signers.ts";
import type { AdmissionConfiguration } from "./admission-configuration.ts";
import { alwaysAdmit, alwaysDeny } from "./plugins/always-admit.ts";
import { alwaysPullImages } from "./plugins/always-pull-images.ts";
import { clusterTrustBundleAttest } from "./plugins/cluster-trust-bundle-attest.ts";
import { defaultIngressClass } from "./plugins/default-ingress-class.ts";
import { defaultStorageClass } from "./plugins/default-storage-class.ts";
import { defaultTolerationSeconds, type TolerationSeconds } from "./plugins/default-toleration-seconds.ts";
import { denyServiceExternalIps } from "./plugins/deny-service-external-ips.ts";
import { eventRateLimit } from "./plugins/event-rate-limit.ts";
import { extendedResourceToleration } from "./plugins/extended-resource-toleration.ts";
import { imagePolicyWebhook } from "./plugins/image-policy-webhook.ts";
import { limitPodHardAntiAffinityTopology } from "./plugins/limit-pod-hard-anti-affinity-topology.ts";
import { limitRanger } from "./plugins/limit-ranger/limit-ranger.ts";
import { namespaceAutoProvision, namespaceExists } from "./plugins/namespace-exists.ts";
import { namespaceLifecycle } from "./plugins/namespace-lifecycle.ts";
import { nodeDeclaredFeatureValidator } from "./plugins/node-declared-feature-validator.ts";
import { nodeRestriction } from "./plugins/node-restriction/node-restriction.ts";
import { ownerReferencesPermissionEnforcement, type ResourcesOfKind } from "./plugins/owner-references-permission-enforcement.ts";
import { persistentVolumeClaimResize } from "./plugins/persistent-volume-claim-resize.ts";
import { podNodeSelector } from "./plugins/pod-node-selector.ts";
import { podResizeValidator } from "./plugins/pod-resize-validator.ts";
import { DEFAULT_POD_SECURITY_CONFIGURATION } from "./plugins/pod-security/configuration.ts";
import { podSecurityWith } from "./plugins/pod-security/pod-security.ts";
import { podTolerationRestriction } from "./plugins/pod-toleration-restriction.ts";
import { podTopologyLabels } from "./plugins/pod-topology-labels.ts";
import { priority } from "./plugins/priority.ts";
import { resourceQuota } from "./plugins/resource-quota/resource-quota.ts";
import { runtimeClass } from "./plugins/runtime-class.ts";
import { securityContextDeny } from "./plugins/security-context-deny.ts";
import { serviceAccount } from "./plugins/service-account/service-account.ts";
import { storageObjectInUseProtection } from "./plugins/storage-object-in-use-protection.ts";
import { taintNodesByCondition } from "./plugins/taint-nodes-by-condition.ts";
import type { PolicyPlugins } from "./policies.ts";
import type { WebhookPlugins } from "./webhooks.ts";

/** An admission plugin as `--enable-admission-plugins` and `--disable-admission-plugins` know it. */
export interface AdmissionPluginRow {
  readonly name: string;
  readonly onByDefault: boolean;
  readonly create: AdmissionPluginFactory;
}

/** What some plugins need beyond what all are given. */
export interface AdmissionPluginSources {
  readonly authorizer: Authorizer;
  readonly webhooks: WebhookPlugins;
  readonly policies: PolicyPlugins;
  readonly resourcesOfKind: ResourcesOfKind;
  /** What `--admission-control-config-file` says. */
  readonly configuration: AdmissionConfiguration;
  /** Of DefaultTolerationSeconds. */
  readonly tolerationSeconds?: TolerationSeconds;
  /** Asks the webhook of ImagePolicyWebhook; absent where the configuration names none. */
  readonly reviewImages?: (review: object) => Promise<AnsweredReview>;
}

/** Which plugins are to run beside, or not to run of, those that run unasked. */
export interface AdmissionPluginChoice {
  readonly enable?: readonly string[];
  readonly disable?: readonly string[];
  /** An AdmissionConfiguration: what some plugins are told. */
  readonly configFile?: string;
  /** What DefaultTolerationSeconds gives pods. */
  readonly tolerationSeconds?: TolerationSeconds;
}

type MakeFactory = (sources: AdmissionPluginSources) => AdmissionPluginFactory;
type Row = readonly [string, { readonly onByDefault: boolean; readonly make: MakeFactory }];

const on = (name: string, make: MakeFactory): Row => [name, { onByDefault: true, make }];
const off = (name: string, make: MakeFactory): Row => [name, { onByDefault: false, make }];

/** In upstream's order (`AllOrderedPlugins`), which is part of the behaviour. */
const PLUGINS: ReadonlyMap<string, Row[1]> = new Map([
  off("AlwaysAdmit", () => alwaysAdmit),
  off("NamespaceAutoProvision", () => namespaceAutoProvision),
  on("NamespaceLifecycle", () => namespaceLifecycle),
  off("NamespaceExists", () => namespaceExists),
  off("SecurityContextDeny", () => securityContextDeny),
  off("LimitPodHardAntiAffinityTopology", () => limitPodHardAntiAffinityTopology),
  on("LimitRanger", () => limitRanger),
  on("ServiceAccount", () => serviceAccount),
  // Not so upstream; but the Node authorizer, which is always asked here, is half a fence without it, as kubeadm knows.
  on("NodeRestriction", ({ authorizer }) => nodeRestriction(authorizer)),
  on("TaintNodesByCondition", () => taintNodesByCondition),
  off("AlwaysPullImages", () => alwaysPullImages),
  off("ImagePolicyWebhook", imagePolicy),
  on("PodSecurity", ({ configuration }) => podSecurityWith(configuration.PodSecurity ?? DEFAULT_POD_SECURITY_CONFIGURATION)),
  off("PodNodeSelector", ({ configuration }) => podNodeSelector(configuration.PodNodeSelector)),
  on("Priority", () => priority),
  on("DefaultTolerationSeconds", ({ tolerationSeconds }) => defaultTolerationSeconds(tolerationSeconds)),
  off("PodTolerationRestriction", ({ configuration }) => podTolerationRestriction(configuration.PodTolerationRestriction)),
  off("EventRateLimit", ({ configuration }) => eventRateLimit(configuration.EventRateLimit)),
  off("ExtendedResourceToleration", () => extendedResourceToleration),
  on("DefaultStorageClass", () => defaultStorageClass),
  on("StorageObjectInUseProtection", () => storageObjectInUseProtection),
  off("OwnerReferencesPermissionEnforcement", ({ authorizer, resourcesOfKind }) =>
    ownerReferencesPermissionEnforcement(authorizer, resourcesOfKind),
  ),
  on("PersistentVolumeClaimResize", () => persistentVolumeClaimResize),
  on("RuntimeClass", () => runtimeClass),
  on("CertificateApproval", ({ authorizer }) => certificateApproval(authorizer)),
  on("CertificateSigning", ({ authorizer }) => certificateSigning(authorizer)),
  on("ClusterTrustBundleAttest", ({ authorizer }) => clusterTrustBundleAttest(authorizer)),
  on("CertificateSubjectRestriction", () => certificateSubjectRestriction),
  on("DefaultIngressClass", () => defaultIngressClass),
  off("DenyServiceExternalIPs", () => denyServiceExternalIps),
  on("PodTopologyLabels", () => podTopologyLabels),
  on("NodeDeclaredFeatureValidator", () => nodeDeclaredFeatureValidator),
  on("PodResizeValidator", () => podResizeValidator),
  // What others have changed is seen by these alone.
  on("MutatingAdmissionPolicy", ({ policies }) => policies.mutating),
  on("MutatingAdmissionWebhook", ({ webhooks }) => webhooks.mutating),
  on("ValidatingAdmissionPolicy", ({ policies }) => policies.validating),
  on("ValidatingAdmissionWebhook", ({ webhooks }) => webhooks.validating),
  // Nothing is charged for what another refuses.
  on("ResourceQuota", ({ configuration }) => resourceQuota(configuration.ResourceQuota)),
  off("AlwaysDeny", () => alwaysDeny),
]);

function imagePolicy({
  configuration: { ImagePolicyWebhook: policy },
  reviewImages,
}: AdmissionPluginSources): AdmissionPluginFactory {
  assert(policy !== undefined && reviewImages !== undefined, "the flags are read only where the plugin is told what to ask");
  return imagePolicyWebhook({ ...policy, post: reviewImages });
}

/** Every plugin that there is. */
export const ADMISSION_PLUGIN_NAMES: readonly string[] = [...PLUGINS.keys()];

/** All plugins in upstream's order (`AllOrderedPlugins`), whatever the order of flags. */
export function admissionPluginTable(sources: AdmissionPluginSources): readonly AdmissionPluginRow[] {
  return [...PLUGINS].map(([name, { onByDefault, make }]) => ({
    name,
    onByDefault,
    create: (modules) => make(sources)(modules),
  }));
}

/** The plugins that run: those that run unasked and those asked for, less those refused. */
export function enabledPlugins(
  sources: AdmissionPluginSources,
  { enable = [], disable = [] }: AdmissionPluginChoice = {},
): readonly AdmissionPluginFactory[] {
  const runs = ({ name, onByDefault }: AdmissionPluginRow): boolean =>
    (onByDefault || enable.includes(name)) && !disable.includes(name);
  return admissionPluginTable(sources).flatMap((row) => (runs(row) ? [row.create] : []));
}
