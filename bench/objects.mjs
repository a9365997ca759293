// The objects that the workloads create, in every encoding.

import { field, fieldsOf, inEnvelope, mapField, outOfEnvelope } from "./protobuf.mjs";

const IMAGE = "registry.example.com/team/app:1.2.3";
/** No scheduler has this name, so that nobody but the API server has to do with a Pod. */
const NOBODY = "nobody";

/** A Pod that is about 2.1 KB once stored, close to what a Deployment makes. */
export function pod(name, { namespace = "default", labels = {}, image = IMAGE, ...spec } = {}) {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, labels: { app: "bench", ...labels } },
    spec: {
      containers: [
        {
          name: "main",
          image,
          env: [{ name: "LOG_LEVEL", value: "info" }],
          resources: { requests: { cpu: "10m", memory: "16Mi" } },
        },
      ],
      ...spec,
    },
  };
}

/** A small ConfigMap. */
export function configMap(name, labels = {}, value = "value") {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels }, data: { key: value } };
}

function podMessage(name) {
  const metadata = [field(1, name), mapField(11, "app", "bench")];
  const quantity = (text) => field(1, text);
  const requests = [mapField(2, "cpu", quantity("10m")), mapField(2, "memory", quantity("16Mi"))];
  const env = [field(1, "LOG_LEVEL"), field(2, "info")];
  const container = [field(1, "main"), field(2, IMAGE), field(7, env), field(8, requests)];
  return Buffer.concat([field(1, metadata), field(2, [field(2, container), field(19, NOBODY)])]);
}

function configMapMessage(name) {
  return Buffer.concat([field(1, [field(1, name)]), mapField(2, "key", "value")]);
}

/** Of `metadata`, as protobuf numbers them. */
const RESOURCE_VERSION = 6;
const LABELS = 11;

/** What was read, with another label and without the revision that it must still have. */
function relabelledMessage(message, label) {
  const changed = fieldsOf(message).map(({ number, value, whole }) => {
    if (number !== 1) return whole;
    const kept = fieldsOf(value).filter((one) => one.number !== RESOURCE_VERSION && !isLabel(one, "round"));
    return field(1, [...kept.map((one) => one.whole), mapField(LABELS, "round", label)]);
  });
  return Buffer.concat(changed);
}

function isLabel({ number, value }, name) {
  return number === LABELS && fieldsOf(value)[0]?.value?.toString() === name;
}

/** Kinds of objects: where they are, and what is sent of them. `changed` is an object as it was read, with another label. */
export const KINDS = {
  configMap: {
    plural: "configmaps",
    kind: "ConfigMap",
    object: (name, labels) => configMap(name, labels),
    message: (name) => configMapMessage(name),
    change: (value) => ({ data: { key: value } }),
    jsonPatch: (value) => [{ op: "replace", path: "/data/key", value }],
  },
  pod: {
    plural: "pods",
    kind: "Pod",
    object: (name, labels) => {
      const { namespace: _, ...metadata } = pod(name, { labels }).metadata;
      return { ...pod(name, { schedulerName: NOBODY }), metadata };
    },
    message: (name) => podMessage(name),
    // A merge patch would replace the list of containers: it changes a label instead.
    change: (value) => ({ spec: { containers: [{ name: "main", image: `app:${value}` }] } }),
    mergeChange: (value) => ({ metadata: { labels: { round: value } } }),
    jsonPatch: (value) => [{ op: "replace", path: "/spec/containers/0/image", value: `app:${value}` }],
  },
};

export const JSON_TYPE = "application/json";
export const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";

/** How each encoding writes an object, and an object that was read with another label. */
export const ENCODINGS = {
  json: {
    type: JSON_TYPE,
    create: (kind, name, labels) => JSON.stringify(kind.object(name, labels)),
    changed(_, stored, label) {
      const object = JSON.parse(stored);
      delete object.metadata.resourceVersion;
      object.metadata.labels = { ...object.metadata.labels, round: label };
      return JSON.stringify(object);
    },
  },
  protobuf: {
    type: PROTOBUF_TYPE,
    create: (kind, name) => inEnvelope("v1", kind.kind, kind.message(name)),
    changed: (kind, stored, label) => inEnvelope("v1", kind.kind, relabelledMessage(outOfEnvelope(stored), label)),
  },
};
