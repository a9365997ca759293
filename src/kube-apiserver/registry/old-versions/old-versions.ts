import type { ResourceDefinition } from "#apiserver/registry/resource.ts";
import { fromCoreEvent, toCoreEvent } from "../core/event/conversion.ts";
import { newEventFields } from "../core/event/selectable-fields.ts";
import { fromOldBudget, toOldBudget } from "./budgets.ts";
import { fromOldDefinition, oldDefinitionDefaults, toOldDefinition } from "./definitions.ts";
import { fromOldSlice, toOldSlice } from "./endpoint-topology.ts";
import { fromOldIngress, oldIngressDefaults, toOldIngress } from "./ingress.ts";
import type { OldVersion } from "./old-version.ts";
import { assuredDefaults, fromAssured, fromNominal, nominalDefaults, toAssured, toNominal } from "./priority-levels.ts";
import { rollbackSubresource } from "./rollback.ts";
import { fromOldRuntimeClass, toOldRuntimeClass } from "./runtime-classes.ts";
import { oldScale } from "./scale.ts";
import { fromOldBinding, oldBindingDefaults, toOldBinding } from "./subjects.ts";
import {
  extensionsDaemonSetDefaults,
  extensionsDeploymentDefaults,
  generationConverters,
  rollbackConverters,
  selectorDefaults,
  v1beta1DeploymentDefaults,
  v1beta1StatefulSetDefaults,
} from "./workloads.ts";

const EXTENSIONS = { group: "extensions", version: "v1beta1" };
const APPS_V1BETA1 = { group: "apps", version: "v1beta1" };
const APPS_V1BETA2 = { group: "apps", version: "v1beta2" };
const V1BETA1 = { version: "v1beta1" };
const ORPHANS = { defaultPropagation: "Orphan" } as const;

const scaleIn =
  ({ group, version }: typeof EXTENSIONS): NonNullable<OldVersion["subresources"]> =>
  (definition) => ({ scale: oldScale(definition, group, version) });

const scaleAndRollbackIn =
  ({ group, version }: typeof EXTENSIONS): NonNullable<OldVersion["subresources"]> =>
  (definition) => ({
    scale: oldScale(definition, group, version),
    rollback: rollbackSubresource(group, version),
  });

const INGRESSES = { setDefaults: oldIngressDefaults, toStorage: fromOldIngress, fromStorage: toOldIngress };
const ALPHA_BINDINGS: OldVersion = {
  version: "v1alpha1",
  setDefaults: oldBindingDefaults,
  toStorage: fromOldBinding,
  fromStorage: toOldBinding,
};
const ASSURED = { setDefaults: assuredDefaults, toStorage: fromAssured, fromStorage: toAssured };

/** By the group that stores a resource and its name: the versions that v1.36 knows and does not serve. */
const OLD_VERSIONS: Readonly<Record<string, readonly OldVersion[]>> = {
  "apps/controllerrevisions": [APPS_V1BETA2, APPS_V1BETA1],
  "apps/daemonsets": [
    { ...APPS_V1BETA2, ...ORPHANS },
    { ...EXTENSIONS, ...ORPHANS, ...generationConverters, setDefaults: extensionsDaemonSetDefaults },
  ],
  "apps/deployments": [
    { ...APPS_V1BETA2, ...ORPHANS, subresources: scaleIn(APPS_V1BETA2) },
    {
      ...APPS_V1BETA1,
      ...ORPHANS,
      ...rollbackConverters,
      setDefaults: v1beta1DeploymentDefaults,
      subresources: scaleAndRollbackIn(APPS_V1BETA1),
    },
    {
      ...EXTENSIONS,
      ...ORPHANS,
      ...rollbackConverters,
      setDefaults: extensionsDeploymentDefaults,
      subresources: scaleAndRollbackIn(EXTENSIONS),
    },
  ],
  "apps/replicasets": [
    { ...APPS_V1BETA2, ...ORPHANS, subresources: scaleIn(APPS_V1BETA2) },
    { ...EXTENSIONS, ...ORPHANS, setDefaults: selectorDefaults, subresources: scaleIn(EXTENSIONS) },
  ],
  "apps/statefulsets": [
    { ...APPS_V1BETA2, ...ORPHANS, subresources: scaleIn(APPS_V1BETA2) },
    {
      ...APPS_V1BETA1,
      ...ORPHANS,
      setDefaults: v1beta1StatefulSetDefaults,
      subresources: scaleIn(APPS_V1BETA1),
    },
  ],
  "apiextensions.k8s.io/customresourcedefinitions": [
    {
      version: "v1beta1",
      setDefaults: oldDefinitionDefaults,
      toStorage: fromOldDefinition,
      fromStorage: toOldDefinition,
    },
  ],
  "batch/cronjobs": [{ ...V1BETA1, ...ORPHANS }],
  "discovery.k8s.io/endpointslices": [{ ...V1BETA1, toStorage: fromOldSlice, fromStorage: toOldSlice }],
  "/events": [
    {
      group: "events.k8s.io",
      version: "v1beta1",
      selectableFields: newEventFields,
      toStorage: toCoreEvent,
      fromStorage: fromCoreEvent,
    },
  ],
  "flowcontrol.apiserver.k8s.io/flowschemas": [{ version: "v1beta3" }, { version: "v1beta2" }, V1BETA1],
  "flowcontrol.apiserver.k8s.io/prioritylevelconfigurations": [
    { version: "v1beta3", setDefaults: nominalDefaults, toStorage: fromNominal, fromStorage: toNominal },
    { version: "v1beta2", ...ASSURED },
    { version: "v1beta1", ...ASSURED },
  ],
  "networking.k8s.io/ingressclasses": [V1BETA1],
  "networking.k8s.io/ingresses": [
    { version: "v1beta1", ...INGRESSES },
    { ...EXTENSIONS, ...INGRESSES },
  ],
  "networking.k8s.io/networkpolicies": [EXTENSIONS],
  "node.k8s.io/runtimeclasses": [
    V1BETA1,
    { version: "v1alpha1", toStorage: fromOldRuntimeClass, fromStorage: toOldRuntimeClass },
  ],
  "policy/poddisruptionbudgets": [{ version: "v1beta1", toStorage: fromOldBudget, fromStorage: toOldBudget }],
  "rbac.authorization.k8s.io/clusterrolebindings": [V1BETA1, ALPHA_BINDINGS],
  "rbac.authorization.k8s.io/clusterroles": [V1BETA1, { version: "v1alpha1" }],
  "rbac.authorization.k8s.io/rolebindings": [V1BETA1, ALPHA_BINDINGS],
  "rbac.authorization.k8s.io/roles": [V1BETA1, { version: "v1alpha1" }],
  "scheduling.k8s.io/priorityclasses": [V1BETA1],
  "coordination.k8s.io/leases": [V1BETA1],
  "certificates.k8s.io/certificatesigningrequests": [V1BETA1],
  "apiregistration.k8s.io/apiservices": [V1BETA1],
  "admissionregistration.k8s.io/validatingadmissionpolicies": [V1BETA1, { version: "v1alpha1" }],
  "admissionregistration.k8s.io/validatingadmissionpolicybindings": [V1BETA1, { version: "v1alpha1" }],
  "admissionregistration.k8s.io/validatingwebhookconfigurations": [V1BETA1],
  "admissionregistration.k8s.io/mutatingwebhookconfigurations": [V1BETA1],
  "storage.k8s.io/csidrivers": [V1BETA1],
  "storage.k8s.io/csinodes": [V1BETA1],
  "storage.k8s.io/csistoragecapacities": [V1BETA1, { version: "v1alpha1" }],
  "storage.k8s.io/storageclasses": [V1BETA1],
  "storage.k8s.io/volumeattachments": [V1BETA1, { version: "v1alpha1" }],
  "storage.k8s.io/volumeattributesclasses": [{ version: "v1alpha1" }],
};

/** The old versions of a resource, newest first. */
export function oldVersionsOf({ group, plural }: ResourceDefinition): readonly OldVersion[] {
  return OLD_VERSIONS[`${group}/${plural}`] ?? [];
}
