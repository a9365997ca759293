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

/** Which plugins are to run beside, or not to run of, those that run unasked. */
export interface AdmissionPluginChoice {
  readonly enable?: readonly string[];
  readonly disable?: readonly string[];
}

type MakeFactory = (sources: AdmissionPluginSources) => AdmissionPluginFactory;

const on = (name: string, factory: MakeFactory): readonly [string, MakeFactory] => [name, factory];

/** In upstream's order (`AllOrderedPlugins`), which is part of the behaviour. */
const PLUGINS: ReadonlyMap<string, MakeFactory> = new Map([
  on("NamespaceLifecycle", () => namespaceLifecycle),
  on("LimitRanger", () => limitRanger),
  on("ServiceAccount", () => serviceAccount),
  // Not so upstream; but the Node authorizer, which is always asked here, is half a fence without it, as kubeadm knows.
  on("NodeRestriction", ({ authorizer }) => nodeRestriction(authorizer)),
  on("TaintNodesByCondition", () => taintNodesByCondition),
  on("PodSecurity", () => podSecurity),
  on("Priority", () => priority),
  on("DefaultTolerationSeconds", () => defaultTolerationSeconds),
  on("DefaultStorageClass", () => defaultStorageClass),
  on("StorageObjectInUseProtection", () => storageObjectInUseProtection),
  on("PersistentVolumeClaimResize", () => persistentVolumeClaimResize),
  on("RuntimeClass", () => runtimeClass),
  on("CertificateApproval", ({ authorizer }) => certificateApproval(authorizer)),
  on("CertificateSigning", ({ authorizer }) => certificateSigning(authorizer)),
  on("ClusterTrustBundleAttest", ({ authorizer }) => clusterTrustBundleAttest(authorizer)),
  on("CertificateSubjectRestriction", () => certificateSubjectRestriction),
  on("DefaultIngressClass", () => defaultIngressClass),
  on("PodTopologyLabels", () => podTopologyLabels),
  // What others have changed is seen by these alone.
  on("MutatingAdmissionPolicy", ({ policies }) => policies.mutating),
  on("MutatingAdmissionWebhook", ({ webhooks }) => webhooks.mutating),
  on("ValidatingAdmissionPolicy", ({ policies }) => policies.validating),
  on("ValidatingAdmissionWebhook", ({ webhooks }) => webhooks.validating),
  // Nothing is charged for what another refuses.
  on("ResourceQuota", () => resourceQuota),
]);

/** Every plugin that there is. */
export const ADMISSION_PLUGIN_NAMES: readonly string[] = [...PLUGINS.keys()];

/** All plugins in upstream's order (`AllOrderedPlugins`), whatever the order of flags. */
export function admissionPluginTable(sources: AdmissionPluginSources): readonly AdmissionPluginRow[] {
  return [...PLUGINS].map(([name, factory]) => ({ name, onByDefault: true, create: factory(sources) }));
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
