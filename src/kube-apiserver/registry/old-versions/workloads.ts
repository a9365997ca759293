import type { ApiObject, Draft, ObjectMeta } from "#apimachinery/meta/api-object.ts";

/** Stands for no limit at all. */
const MAX_INT32 = 2_147_483_647;
/** Where the stored version keeps what were fields of the spec. */
const ROLLBACK_TO = "deprecated.deployment.rollback.to";
const TEMPLATE_GENERATION = "deprecated.daemonset.template.generation";

/** As far as old versions of workloads differ from today's. */
interface OldWorkload {
  metadata: Draft<ObjectMeta>;
  spec?: {
    selector?: object;
    template?: { metadata?: { labels?: Record<string, string> } };
    strategy?: { type?: string; rollingUpdate?: { maxUnavailable?: number | string; maxSurge?: number | string } };
    updateStrategy?: { type?: string };
    revisionHistoryLimit?: number;
    progressDeadlineSeconds?: number;
    rollbackTo?: { revision?: number };
    templateGeneration?: number;
  };
}

type SetDefaults = (object: ApiObject, today: (object: ApiObject) => void) => void;

/** The labels of the template are the selector, and the object's labels, where those are left out. */
export const selectorDefaults: SetDefaults = (object, today) => {
  const { metadata, spec } = object as unknown as OldWorkload;
  const labels = spec?.template?.metadata?.labels;
  if (spec !== undefined && labels !== undefined) {
    spec.selector ??= { matchLabels: { ...labels } };
    if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
  }
  today(object);
};

/** `extensions/v1beta1`: one pod more, one less, and no limits. */
export const extensionsDeploymentDefaults: SetDefaults = (object, today) => {
  const workload = object as unknown as OldWorkload;
  workload.spec ??= {};
  const { spec } = workload;
  spec.strategy ??= {};
  spec.strategy.type ||= "RollingUpdate";
  if (spec.strategy.type === "RollingUpdate") {
    spec.strategy.rollingUpdate ??= {};
    spec.strategy.rollingUpdate.maxUnavailable ??= 1;
    spec.strategy.rollingUpdate.maxSurge ??= 1;
  }
  spec.revisionHistoryLimit ??= MAX_INT32;
  spec.progressDeadlineSeconds ??= MAX_INT32;
  selectorDefaults(object, today);
};

/** `apps/v1beta1`: two old ReplicaSets are kept. */
export const v1beta1DeploymentDefaults: SetDefaults = (object, today) => {
  const workload = object as unknown as OldWorkload;
  workload.spec ??= {};
  workload.spec.revisionHistoryLimit ??= 2;
  selectorDefaults(object, today);
};

/** `apps/v1beta1`: pods are replaced when they are deleted. */
export const v1beta1StatefulSetDefaults: SetDefaults = (object, today) => {
  updateOnDelete(object);
  selectorDefaults(object, today);
};

/** `extensions/v1beta1`: pods are replaced when they are deleted. */
export const extensionsDaemonSetDefaults: SetDefaults = (object, today) => {
  updateOnDelete(object);
  const { annotations } = object.metadata;
  selectorDefaults(object, today);
  // Today's version counts templates in an annotation, this one in a field.
  if (annotations === undefined) delete object.metadata.annotations;
  else object.metadata.annotations = annotations;
};

function updateOnDelete(object: ApiObject): void {
  const workload = object as unknown as OldWorkload;
  workload.spec ??= {};
  workload.spec.updateStrategy ??= {};
  workload.spec.updateStrategy.type ||= "OnDelete";
}

/** A field of the spec in old versions, which is an annotation in today's. */
interface MovedField {
  readonly annotation: string;
  /** Takes the field away, and gives the annotation's text for it. */
  readonly take: (spec: NonNullable<OldWorkload["spec"]>) => string | undefined;
  readonly put: (spec: NonNullable<OldWorkload["spec"]>, text: string) => void;
}

const rollbackTo: MovedField = {
  annotation: ROLLBACK_TO,
  take: (spec) => {
    const { rollbackTo } = spec;
    delete spec.rollbackTo;
    return rollbackTo && String(rollbackTo.revision ?? 0);
  },
  put: (spec, text) => {
    if (/^-?\d+$/.test(text)) spec.rollbackTo = { revision: Number(text) };
  },
};

const templateGeneration: MovedField = {
  annotation: TEMPLATE_GENERATION,
  take: (spec) => {
    const { templateGeneration = 0 } = spec;
    delete spec.templateGeneration;
    return String(templateGeneration);
  },
  put: (spec, text) => {
    if (/^-?\d+$/.test(text) && Number(text) !== 0) spec.templateGeneration = Number(text);
  },
};

function converters(field: MovedField): { toStorage: (o: ApiObject) => ApiObject; fromStorage: (o: ApiObject) => ApiObject } {
  return {
    toStorage: (object) => {
      const { spec } = object as unknown as OldWorkload;
      const text = spec && field.take(spec);
      if (text !== undefined) object.metadata.annotations = { ...object.metadata.annotations, [field.annotation]: text };
      return object;
    },
    fromStorage: (object) => {
      const { [field.annotation]: text, ...annotations } = object.metadata.annotations ?? {};
      const { spec } = object as unknown as OldWorkload;
      if (text === undefined || spec === undefined) return object;
      field.put(spec, text);
      if (Object.keys(annotations).length > 0) object.metadata.annotations = annotations;
      else delete object.metadata.annotations;
      return object;
    },
  };
}

/** Deployments of versions that have `spec.rollbackTo`. */
export const rollbackConverters: ReturnType<typeof converters> = converters(rollbackTo);

/** DaemonSets of versions that have `spec.templateGeneration`. */
export const generationConverters: ReturnType<typeof converters> = converters(templateGeneration);
