import { expect, test } from "vitest";
import type { StatefulSet, StatefulSetSpec } from "#api/generated/apps/v1.ts";
import { validateStatefulSetUpdate } from "./validation.ts";

const LABELS = { app: "a" };
const SPEC: StatefulSetSpec = {
  replicas: 1,
  podManagementPolicy: "OrderedReady",
  updateStrategy: { type: "RollingUpdate" },
  selector: { matchLabels: LABELS },
  template: {
    metadata: { labels: LABELS },
    spec: {
      containers: [{ name: "c", image: "i", imagePullPolicy: "Always", terminationMessagePolicy: "File" }],
      restartPolicy: "Always",
      dnsPolicy: "Default",
      terminationGracePeriodSeconds: 30,
    },
  },
  volumeClaimTemplates: [
    { metadata: { name: "v" }, spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } } },
  ],
};

function set(spec: Partial<StatefulSetSpec>): StatefulSet {
  return { metadata: { name: "a" }, spec: { ...SPEC, ...spec } };
}

test.each<{ name: string; spec: Partial<StatefulSetSpec>; forbidden: boolean }>([
  { name: "replicas may change", spec: { replicas: 3 }, forbidden: false },
  { name: "the history's length may change", spec: { revisionHistoryLimit: 1 }, forbidden: false },
  { name: "the service may not", spec: { serviceName: "other" }, forbidden: true },
  { name: "pod management may not", spec: { podManagementPolicy: "Parallel" }, forbidden: true },
  {
    name: "claims may not, whatever they say",
    spec: { volumeClaimTemplates: [{ metadata: { name: "v" }, spec: {} }] },
    forbidden: true,
  },
  {
    name: "empty labels of a claim are none",
    spec: {
      volumeClaimTemplates: (SPEC.volumeClaimTemplates ?? []).map((claim) => ({ ...claim, metadata: { name: "v", labels: {} } })),
    },
    forbidden: false,
  },
])("$name", ({ spec, forbidden }) => {
  const errors = validateStatefulSetUpdate(set(spec), set({}));
  expect(errors.map(({ field, type }) => `${field} ${type}`)).toEqual(forbidden ? ["spec FieldValueForbidden"] : []);
});
