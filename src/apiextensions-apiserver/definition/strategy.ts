import type { CustomResourceDefinition } from "#api/generated/apiextensions/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import type { Strategy } from "#apiserver/registry/resource.ts";
import { withCondition } from "./conditions.ts";

/** Keeps a definition until its custom resources are gone. */
export const CLEANUP_FINALIZER = "customresourcecleanup.apiextensions.k8s.io";

/** How CustomResourceDefinitions are written; upstream's `customresourcedefinition.strategy` and its REST storage's Delete. */
export const customResourceDefinitionStrategy: Strategy<CustomResourceDefinition> = {
  allowUnconditionalUpdate: false,
  // Its own finalizer is neither standard nor qualified.
  anyFinalizers: true,
  setDefaults,
  prepareForCreate(object) {
    const storage = object.spec?.versions?.find((version) => version.storage)?.name;
    object.status = {
      conditions: null as never,
      acceptedNames: { plural: "", kind: "" },
      storedVersions: storage === undefined ? [] : [storage],
    };
  },
  prepareForUpdate(object) {
    const storage = object.spec?.versions?.find((version) => version.storage)?.name;
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

function setDefaults(object: Draft<CustomResourceDefinition>): void {
  const { spec } = object;
  if (!spec) return;
  spec.conversion ??= { strategy: "None" };
  const { names } = spec;
  if (names === undefined) return;
  if (!names.singular) names.singular = (names.kind ?? "").toLowerCase();
  if (!names.listKind && names.kind) names.listKind = `${names.kind}List`;
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined && service.port === undefined) service.port = 443;
}
