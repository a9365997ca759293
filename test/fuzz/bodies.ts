import { factsFiles } from "#api/generated/facts.ts";
import { isRegistered, schemaFor } from "#apimachinery/schema/registry.ts";
import type { StructSchema } from "#apimachinery/schema/type-schema.ts";

/** A kind that bodies may be of. */
export interface KnownKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly schema: StructSchema;
}

/** Every kind of the facts that has a message in protobuf. */
export const KINDS: readonly KnownKind[] = factsFiles.flatMap(({ group, version, types }) =>
  Object.keys(JSON.parse(types) as object).flatMap((kind) => {
    const schema = isRegistered(group, version, kind) ? schemaFor(group, version, kind) : undefined;
    const isMessage = schema !== undefined && [...schema.fields.values()].some(({ protobufPath }) => protobufPath.at(-1) !== 0);
    return isMessage ? [{ group, version, kind, schema }] : [];
  }),
);

/** Objects that have most of the things that decoders look at. */
export const OBJECTS: readonly object[] = [
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name: "a",
      namespace: "d",
      labels: { a: "b" },
      creationTimestamp: "2026-01-01T00:00:00Z",
      managedFields: [
        { manager: "m", operation: "Apply", apiVersion: "v1", fieldsType: "FieldsV1", fieldsV1: { "f:spec": { "f:x": {} } } },
      ],
    },
    spec: {
      containers: [
        {
          name: "c",
          ports: [{ containerPort: 80, protocol: "TCP" }],
          resources: { limits: { cpu: "100m", memory: "1Gi" } },
          livenessProbe: { httpGet: { port: "http", path: "/" } },
        },
      ],
      tolerations: [{ key: "k", tolerationSeconds: 3 }],
    },
  },
  {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "a" },
    spec: {
      replicas: 2,
      strategy: { rollingUpdate: { maxSurge: "25%", maxUnavailable: 1 } },
      selector: { matchLabels: { a: "b" } },
    },
  },
  {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "a.b" },
    spec: {
      group: "b",
      names: { plural: "a", kind: "A" },
      scope: "Cluster",
      versions: [
        {
          name: "v1",
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: "object", additionalProperties: true, default: { a: [1, null] }, items: [{}] } },
        },
      ],
    },
  },
  { apiVersion: "v1", kind: "Secret", metadata: { name: "a" }, data: { x: "AAEC" }, stringData: { y: "z" } },
  {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: { name: "a" },
    spec: { renewTime: "2026-01-01T00:00:00.000001Z", leaseDurationSeconds: 15 },
  },
];
