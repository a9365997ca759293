import { expect, test } from "vitest";
import type { DaemonSet, Deployment, ReplicaSet } from "#api/generated/apps/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { deepCopy } from "#apimachinery/meta/deep-copy.ts";
import type { FieldError } from "#apimachinery/validation/field-error.ts";
import type { RequestContext } from "#apiserver/request/request-info.ts";
import { daemonSets } from "./daemon-set/daemon-set.ts";
import { deployments } from "./deployment/deployment.ts";
import { replicaSets } from "./replica-set/replica-set.ts";

const asked = (apiGroup: string, apiVersion: string, resource: string): RequestContext =>
  ({ info: { apiGroup, apiVersion, resource } }) as RequestContext;
const context = asked("apps", "v1", "");
const fields = (errors: readonly FieldError[] | undefined): string[] =>
  (errors ?? []).map(({ field, type }) => `${field} ${type.replace("FieldValue", "")}`);
const base = {
  selector: { matchLabels: { app: "web" } },
  template: { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "nginx" }] } },
};

/** The object with its kind's defaults. */
function made<T extends object>(setDefaults: ((object: Draft<T>) => void) | undefined, spec: object): T {
  const draft = deepCopy({ metadata: { name: "web" }, spec: { ...base, ...spec } });
  setDefaults?.(draft as unknown as Draft<T>);
  return draft as unknown as T;
}
const { strategy: deploymentStrategy } = deployments();
const deployment = (spec: object): Deployment => made(deploymentStrategy.setDefaults, spec);
const { strategy: daemonStrategy } = daemonSets();
const daemonSet = (spec: object): DaemonSet => made(daemonStrategy.setDefaults, spec);
const { strategy: replicaStrategy } = replicaSets();
const replicaSet = (spec: object): ReplicaSet => made(replicaStrategy.setDefaults, spec);

test("a deployment gets its defaults", () => {
  expect(deployment({}).spec).toMatchObject({
    replicas: 1,
    strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
    revisionHistoryLimit: 10,
    progressDeadlineSeconds: 600,
    template: { spec: { restartPolicy: "Always", dnsPolicy: "ClusterFirst" } },
  });
});

const rolling = (maxUnavailable: number | string, maxSurge: number | string): object => ({
  strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable, maxSurge } },
});
test.each<[string, object, string[]]>([
  ["its defaults", {}, []],
  ["less than no pods", { replicas: -1 }, ["spec.replicas Invalid"]],
  ["no selector", { selector: undefined }, ["spec.selector Required", "spec.template.metadata.labels Invalid"]],
  ["an empty selector", { selector: {} }, ["spec.selector Invalid"]],
  ["a selector of others", { selector: { matchLabels: { app: "x" } } }, ["spec.template.metadata.labels Invalid"]],
  ["no way to go on", rolling(0, 0), ["spec.strategy.rollingUpdate.maxUnavailable Invalid"]],
  ["more than all unavailable", rolling("101%", 1), ["spec.strategy.rollingUpdate.maxUnavailable Invalid"]],
  ["a share that is none", rolling("half", 1), ["spec.strategy.rollingUpdate.maxUnavailable Invalid"]],
  [
    "steps of what has none",
    { strategy: { type: "Recreate", rollingUpdate: { maxSurge: 1 } } },
    ["spec.strategy.rollingUpdate Forbidden"],
  ],
  ["an unknown strategy", { strategy: { type: "Canary" } }, ["spec.strategy NotSupported"]],
  ["a deadline before pods can be available", { minReadySeconds: 600 }, ["spec.progressDeadlineSeconds Invalid"]],
  [
    "pods that end",
    { template: { ...base.template, spec: { ...base.template.spec, restartPolicy: "Never" } } },
    ["spec.template.spec.restartPolicy NotSupported"],
  ],
])("a deployment with %s", (_, spec, want) => {
  expect(fields(deploymentStrategy.validate?.(deployment(spec), context))).toEqual(want);
});

test.each<[string, object, string[]]>([
  ["its defaults", {}, []],
  ["an empty selector", { selector: {} }, ["spec.selector Invalid"]],
  ["an unknown strategy", { updateStrategy: { type: "Recreate" } }, ["spec.updateStrategy NotSupported"]],
  [
    "no way to go on",
    { updateStrategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } } },
    ["spec.updateStrategy.rollingUpdate.maxUnavailable Required"],
  ],
])("a daemon set with %s", (_, spec, want) => {
  expect(fields(daemonStrategy.validate?.(daemonSet(spec), context))).toEqual(want);
});

test.each<[string, object, string[]]>([
  ["its defaults", {}, []],
  ["less than no pods", { replicas: -1 }, ["spec.replicas Invalid"]],
  ["a selector of others", { selector: { matchLabels: { app: "x" } } }, ["spec.template.metadata.labels Invalid"]],
])("a replica set with %s", (_, spec, want) => {
  expect(fields(replicaStrategy.validate?.(replicaSet(spec), context))).toEqual(want);
});

test.each([
  ["deployment", deploymentStrategy.validateUpdate?.(deployment({ selector: {} }), deployment({}), context)],
  ["daemon set", daemonStrategy.validateUpdate?.(daemonSet({ selector: {} }), daemonSet({}), context)],
  ["replica set", replicaStrategy.validateUpdate?.(replicaSet({ selector: {} }), replicaSet({}), context)],
])("the selector of a %s stays", (_, errors) => {
  expect(errors?.map(({ message }) => message)).toContainEqual(expect.stringContaining("field is immutable"));
});

test.each([
  { group: "extensions", version: "v1beta1", want: [] },
  { group: "apps", version: "v1beta1", want: [] },
  { group: "apps", version: "v1beta2", want: ["spec.selector"] },
])("the selector of a deployment in $group/$version: $want", ({ group, version, want }) => {
  const selected = (app: string): Deployment => {
    const labels = { app };
    const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i" }] } };
    return deployment({ selector: { matchLabels: labels }, template });
  };
  const errors = deploymentStrategy.validateUpdate?.(selected("new"), selected("a"), asked(group, version, "deployments"));
  expect((errors ?? []).flatMap(({ field, message }) => (message.includes("immutable") ? [field] : []))).toEqual(want);
});

test("a daemon set counts its templates", () => {
  const old = daemonSet({});
  daemonStrategy.prepareForCreate?.(old as Draft<DaemonSet>, context);
  const same = deepCopy(old);
  daemonStrategy.prepareForUpdate?.(same, old, context);
  const other = daemonSet({ template: { ...base.template, spec: { containers: [{ name: "c", image: "other" }] } } });
  daemonStrategy.prepareForUpdate?.(other as Draft<DaemonSet>, old, context);
  const count = ({ metadata }: DaemonSet): unknown => metadata.annotations?.["deprecated.daemonset.template.generation"];
  expect([old, same as DaemonSet, other].map(count)).toEqual(["1", "1", "2"]);
});

test("annotations that were fields are numbers", () => {
  const annotated = <T extends object>(object: T, annotations: object): T => ({
    ...object,
    metadata: { name: "a", annotations },
  });
  const daemons = annotated(daemonSet({}), { "deprecated.daemonset.template.generation": "x" });
  expect(() => daemonStrategy.setDefaults?.(daemons as Draft<DaemonSet>)).toThrow(
    'DaemonSet in version "v1" cannot be handled as a DaemonSet: strconv.ParseInt: parsing "x": invalid syntax',
  );
  const { strategy } = deployments();
  const rollback = (to: string): Draft<Deployment> =>
    annotated(deployment({}), { "deprecated.deployment.rollback.to": to }) as Draft<Deployment>;
  expect(() => strategy.setDefaults?.(rollback("9223372036854775808"))).toThrow(
    'failed to parse annotation[deprecated.deployment.rollback.to]=9223372036854775808 as int64: strconv.ParseInt: parsing "9223372036854775808": value out of range',
  );
  const padded = rollback("+007");
  strategy.setDefaults?.(padded);
  expect(padded.metadata?.annotations).toEqual({ "deprecated.deployment.rollback.to": "7" });
  expect(fields(strategy.validate?.(rollback("-1") as Deployment, context))).toEqual(["spec.rollback.version Invalid"]);
});

test.each<[string, object, object, string[]]>([
  ["counts that fit", { replicas: 2, updatedReplicas: 1, readyReplicas: 1 }, {}, []],
  ["more ready than there are", { replicas: 1, readyReplicas: 2 }, {}, ["status.readyReplicas Invalid"]],
  ["a count below zero", { unavailableReplicas: -1 }, {}, ["status.unavailableReplicas Invalid"]],
  ["collisions taken back", { collisionCount: 1 }, { collisionCount: 2 }, ["status.collisionCount Invalid"]],
])("a deployment's status with %s", (_, status, old, want) => {
  const { status: subresource } = deployments().subresources ?? {};
  const validate = subresource?.type === "status" ? subresource.validateUpdate : undefined;
  const errors = validate?.({ ...deployment({}), status }, { ...deployment({}), status: old }, context);
  expect(fields(errors)).toEqual(want);
});
