import { describe, expect, test } from "vitest";
import type { Pod, ServiceAccount } from "#api/generated/core/v1.ts";
import { forbiddenOfMirrorPod } from "./mirror-pod.ts";
import { enforcesMountableSecrets, unlistedSecret, unlistedSecretOfEphemeral } from "./mountable-secrets.ts";

const account = { metadata: { name: "sa" }, secrets: [{ name: "mine" }], imagePullSecrets: [{ name: "pull" }] } as ServiceAccount;
const pod = (spec: object): Pod => ({ metadata: { name: "p" }, spec: { containers: [{ name: "c" }], ...spec } }) as Pod;
const key = (name: string): object => ({ name: "c", env: [{ name: "V", valueFrom: { secretKeyRef: { name, key: "k" } } }] });
const whole = (name: string): object => ({ name: "c", envFrom: [{ secretRef: { name } }] });

describe("a new pod", () => {
  test.each([
    {
      name: "uses what is listed",
      spec: {
        containers: [key("mine"), whole("mine")],
        volumes: [{ secret: { secretName: "mine" } }],
        imagePullSecrets: [{ name: "pull" }],
      },
      want: undefined,
    },
    {
      name: "mounts another",
      spec: { volumes: [{ name: "v", secret: { secretName: "x" } }] },
      want: 'volume with secret.secretName="x" is not allowed because service account sa does not reference that secret',
    },
    {
      name: "reads a key of another",
      spec: { containers: [key("x")] },
      want: 'container c with envVar V referencing secret.secretName="x" is not allowed because service account sa does not reference that secret',
    },
    {
      name: "reads all keys of another",
      spec: { containers: [whole("x")] },
      want: 'container c with envFrom referencing secret.secretName="x" is not allowed because service account sa does not reference that secret',
    },
    {
      name: "reads it before it starts",
      spec: { initContainers: [whole("x")] },
      want: 'init container c with envFrom referencing secret.secretName="x" is not allowed because service account sa does not reference that secret',
    },
    {
      name: "pulls with another",
      spec: { imagePullSecrets: [{ name: "pull" }, { name: "x" }] },
      want: 'imagePullSecrets[1].name="x" is not allowed because service account sa does not reference that imagePullSecret',
    },
  ])("$name", ({ spec, want }) => expect(unlistedSecret(pod(spec), account)).toBe(want));
});

test.each([
  [key("mine"), undefined],
  [
    key("x"),
    'ephemeral container c with envVar V referencing secret.secretName="x" is not allowed because service account sa does not reference that secret',
  ],
  [
    whole("x"),
    'ephemeral container c with envFrom referencing secret.secretName="x" is not allowed because service account sa does not reference that secret',
  ],
])("a container for a running pod: %j", (container, want) => {
  expect(unlistedSecretOfEphemeral(pod({ ephemeralContainers: [container] }), account)).toBe(want);
});

test.each([
  ["true", true],
  ["T", true],
  ["yes", false],
  ["", false],
])("the annotation %j", (value, want) => {
  expect(
    enforcesMountableSecrets({
      metadata: { annotations: { "kubernetes.io/enforce-mountable-secrets": value } },
    } as ServiceAccount),
  ).toBe(want);
});

describe("a mirror pod", () => {
  test.each([
    { spec: {}, want: undefined },
    { spec: { serviceAccountName: "default" }, want: "a mirror pod may not reference service accounts" },
    { spec: { imagePullSecrets: [{ name: "x" }] }, want: "a mirror pod may not reference secrets" },
    { spec: { volumes: [{ csi: { nodePublishSecretRef: { name: "x" } } }] }, want: "a mirror pod may not reference secrets" },
    { spec: { containers: [whole("x")] }, want: "a mirror pod may not reference secrets" },
    { spec: { volumes: [{ configMap: { name: "x" } }] }, want: "a mirror pod may not reference configmaps" },
    {
      spec: { volumes: [{ persistentVolumeClaim: { claimName: "x" } }] },
      want: "a mirror pod may not reference persistentvolumeclaims",
    },
    {
      spec: { volumes: [{ projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }] },
      want: "a mirror pod may not use ServiceAccountToken volume projections",
    },
  ])("$spec", ({ spec, want }) => expect(forbiddenOfMirrorPod(pod(spec))).toBe(want));
});
