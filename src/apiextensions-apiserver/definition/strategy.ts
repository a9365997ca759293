import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import { loadKubernetesCel } from "#apimachinery/cel/kubernetes-environment.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { Strategy } from "#apiserver/registry/resource.ts";
import { loadedPatterns, loadPatterns } from "../validation/patterns.ts";
import { withCondition } from "./conditions.ts";
import { formatWarnings } from "./format-warnings.ts";
import { validateDefinition, validateDefinitionName, validateDefinitionUpdate } from "./validation/definition.ts";

/** Keeps a definition until its custom resources are gone. */
export const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

/** How CustomResourceDefinitions are written; upstream's `customresourcedefinition.strategy` and its REST storage's Delete. */
export const customResourceDefinitionStrategy: Strategy<CustomResourceDefinition> = {
  allowUnconditionalUpdate: false,
  // Its own finalizer is neither standard nor qualified.
  anyFinalizers: true,
  setDefaults,
  load: async () => void (await Promise.all([loadPatterns(), loadKubernetesCel()])),
  validateNameOf: validateDefinitionName,
  validate: (object) => validateDefinition(object, loadedPatterns()),
  validateUpdate: (object, old) => validateDefinitionUpdate(object, old, loadedPatterns()),
  warningsOnCreate: (object) => formatWarnings(object),
  warningsOnUpdate: formatWarnings,
  prepareForCreate(object) {
    const storage = storageVersion(object);
    object.status = {
      conditions: null as never,
      acceptedNames: { plural: "", kind: "" },
      storedVersions: storage === undefined ? (null as never) : [storage],
    };
  },
  prepareForUpdate(object) {
    const storage = storageVersion(object);
    const stored = object.status?.storedVersions ?? [];
    if (storage !== undefined && !stored.includes(storage)) {
      object.status = { ...object.status, storedVersions: [...stored, storage] };
    }
  },
  generationChanges: (object, old) => !semanticEqual(object.spec, old.spec),
  returnDeletedObject: true,
  finalization: {
    pending: ({ metadata }) => metadata.deletionTimestamp === undefined || (metadata.finalizers ?? []).length > 0,
    begin(object) {
      const { finalizers = [] } = object.metadata;
      if (!finalizers.includes(CLEANUP_FINALIZER)) object.metadata.finalizers = [...finalizers, CLEANUP_FINALIZER];
      const status = withCondition(object.status ?? {}, TERMINATING, object.metadata.deletionTimestamp ?? "");
      object.status = status as Draft<typeof status>;
    },
  },
};

const TERMINATING = {
  type: "Terminating",
  status: "True",
  reason: "InstanceDeletionPending",
  message: "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon",
};

function storageVersion(object: Draft<CustomResourceDefinition>): string | undefined {
  return object.spec?.versions?.find((version) => version.storage)?.name;
}

function setDefaults(object: Draft<CustomResourceDefinition>): void {
  const { spec } = object;
  const storage = storageVersion(object);
  if (storage !== undefined && (object.status?.storedVersions ?? []).length === 0) {
    object.status = { ...object.status, storedVersions: [storage] };
  }
  if (!spec) return;
  spec.conversion ??= { strategy: "None" };
  const names = spec.names as Draft<CustomResourceDefinition["spec"]["names"]> | undefined;
  if (names === undefined) return;
  if (!names.singular) names.singular = (names.kind ?? "").toLowerCase();
  if (!names.listKind && names.kind) names.listKind = `${names.kind}List`;
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined && service.port === undefined) service.port = 443;
}
