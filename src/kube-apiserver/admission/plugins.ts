import type { AdmissionPluginFactory } from "#apiserver/admission/admission.ts";
import type { Authorizer } from "#apiserver/authorization/authorizer.ts";
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from "../authorization/certificate-signers.ts";
import { clusterTrustBundleAttest } from "./plugins/cluster-trust-bundle-attest.ts";
import { defaultIngressClass } from "./plugins/default-ingress-class.ts";
import { defaultStorageClass } from "./plugins/default-storage-class.ts";
import { defaultTolerationSeconds } from "./plugins/default-toleration-seconds.ts";
import { limitRanger } from "./plugins/limit-ranger/limit-ranger.ts";
import { namespaceLifecycle } from "./plugins/namespace-lifecycle.ts";
import { nodeRestriction } from "./plugins/node-restriction/node-restriction.ts";
import { persistentVolumeClaimResize } from "./plugins/persistent-volume-claim-resize.ts";
import { podSecurity } from "./plugins/pod-security/pod-security.ts";
import { podTopologyLabels } from "./plugins/pod-topology-labels.ts";
import { priority } from "./plugins/priority.ts";
import { resourceQuota } from "./plugins/resource-quota/resource-quota.ts";
import { runtimeClass } from "./plugins/runtime-class.ts";
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
}

/** All plugins in upstream's order (`AllOrderedPlugins`), whatever the order of flags. The order is part of the behaviour. */
export function admissionPluginTable({ authorizer, webhooks, policies }: AdmissionPluginSources): readonly AdmissionPluginRow[] {
  const on = (name: string, create: AdmissionPluginFactory): AdmissionPluginRow => ({ name, onByDefault: true, create });
  return [
    on("NamespaceLifecycle", namespaceLifecycle),
    on("LimitRanger", limitRanger),
    on("ServiceAccount", serviceAccount),
    // Not so upstream; but the Node authorizer, which is always asked here, is half a fence without it, as kubeadm knows.
    on("NodeRestriction", nodeRestriction(authorizer)),
    on("TaintNodesByCondition", taintNodesByCondition),
    on("PodSecurity", podSecurity),
    on("Priority", priority),
    on("DefaultTolerationSeconds", defaultTolerationSeconds),
    on("DefaultStorageClass", defaultStorageClass),
    on("StorageObjectInUseProtection", storageObjectInUseProtection),
    on("PersistentVolumeClaimResize", persistentVolumeClaimResize),
    on("RuntimeClass", runtimeClass),
    on("CertificateApproval", certificateApproval(authorizer)),
    on("CertificateSigning", certificateSigning(authorizer)),
    on("ClusterTrustBundleAttest", clusterTrustBundleAttest(authorizer)),
    on("CertificateSubjectRestriction", certificateSubjectRestriction),
    on("DefaultIngressClass", defaultIngressClass),
    on("PodTopologyLabels", podTopologyLabels),
    // What others have changed is seen by these alone.
    on("MutatingAdmissionPolicy", policies.mutating),
    on("MutatingAdmissionWebhook", webhooks.mutating),
    on("ValidatingAdmissionPolicy", policies.validating),
    on("ValidatingAdmissionWebhook", webhooks.validating),
    // Nothing is charged for what another refuses.
    on("ResourceQuota", resourceQuota),
  ];
}

/** The plugins that are on without flags. */
export function enabledByDefault(sources: AdmissionPluginSources): readonly AdmissionPluginFactory[] {
  return admissionPluginTable(sources).flatMap(({ onByDefault, create }) => (onByDefault ? [create] : []));
}
