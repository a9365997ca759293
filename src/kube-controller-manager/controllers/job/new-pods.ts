import type { Job } from "#api/generated/batch/v1.ts";
import type { Container, Pod } from "#api/generated/core/v1.ts";
import { controllerReference } from "#component-helpers/pod/owner.ts";
import { podFromTemplate } from "../../framework/pod-template.ts";
import {
  COMPLETION_INDEX,
  failureCount,
  INDEX_FAILURES,
  INDEX_IGNORED_FAILURES,
  isIndexed,
  TRACKING_FINALIZER,
} from "./job-pods.ts";
import { judgeFailure } from "./pod-failure-policy.ts";

const INDEX_VARIABLE = "JOB_COMPLETION_INDEX";
/** Longest prefix of a generated name that leaves room for the suffix in a DNS label. */
const GENERATE_NAME_MAX = 58;

/** A pod of the Job; `index` for Indexed Jobs, `replaces` the failed pod of that index. */
export function newJobPod(job: Job, index: number | undefined, replaces: Pod | undefined): Pod {
  const { namespace = "", name = "" } = job.metadata;
  const pod = podFromTemplate(job.spec.template, namespace, name, controllerReference("batch/v1", "Job", job));
  const finalizers = pod.metadata.finalizers ?? [];
  const metadata = {
    ...pod.metadata,
    finalizers: finalizers.includes(TRACKING_FINALIZER) ? finalizers : [...finalizers, TRACKING_FINALIZER],
  };
  if (index === undefined || !isIndexed(job)) return { ...pod, metadata };
  const { containers, initContainers } = pod.spec;
  return {
    ...pod,
    metadata: {
      ...metadata,
      generateName: indexedPrefix(name, index),
      labels: { ...metadata.labels, [COMPLETION_INDEX]: `${index}` },
      annotations: { ...metadata.annotations, [COMPLETION_INDEX]: `${index}`, ...failureCounts(job, replaces) },
    },
    spec: {
      ...pod.spec,
      hostname: `${name}-${index}`,
      containers: containers?.map(withIndexVariable) ?? [],
      ...(initContainers === undefined ? {} : { initContainers: initContainers.map(withIndexVariable) }),
    },
  };
}

function indexedPrefix(jobName: string, index: number): string {
  const suffix = `-${index}-`;
  return `${jobName.slice(0, Math.max(0, GENERATE_NAME_MAX - suffix.length))}${suffix}`;
}

function failureCounts(job: Job, replaces: Pod | undefined): Record<string, string> {
  if (job.spec.backoffLimitPerIndex === undefined) return {};
  if (replaces === undefined) return { [INDEX_FAILURES]: "0" };
  const { counts } = judgeFailure(job.spec.podFailurePolicy, replaces);
  const failures = failureCount(replaces, INDEX_FAILURES) + (counts ? 1 : 0);
  const ignored = failureCount(replaces, INDEX_IGNORED_FAILURES) + (counts ? 0 : 1);
  return { [INDEX_FAILURES]: `${failures}`, ...(ignored > 0 ? { [INDEX_IGNORED_FAILURES]: `${ignored}` } : {}) };
}

function withIndexVariable(container: Container): Container {
  const env = container.env ?? [];
  if (env.some(({ name }) => name === INDEX_VARIABLE)) return container;
  const fieldPath = `metadata.labels['${COMPLETION_INDEX}']`;
  return { ...container, env: [...env, { name: INDEX_VARIABLE, valueFrom: { fieldRef: { fieldPath } } }] };
}
