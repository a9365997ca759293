// The objects that the workloads create.

import { field, inEnvelope, mapField } from "./protobuf.mjs";

const IMAGE = "registry.example.com/team/app:1.2.3";

/** A Pod that is about 2.1 KB once stored, close to what a Deployment makes. */
export function pod(name, extra = {}) {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", labels: { app: "bench" } },
    spec: {
      containers: [
        {
          name: "main",
          image: IMAGE,
          env: [{ name: "LOG_LEVEL", value: "info" }],
          resources: { requests: { cpu: "10m", memory: "16Mi" } },
        },
      ],
      ...extra,
    },
  });
}

/** A small ConfigMap. */
export function configMap(name, labels = {}) {
  return JSON.stringify({ metadata: { name, labels }, data: { key: "value" } });
}

/** The same Pod as {@link pod} makes with that scheduler, as protobuf. */
export function podMessage(name, schedulerName) {
  const metadata = [field(1, name), field(3, "default"), mapField(11, "app", "bench")];
  const quantity = (text) => field(1, text);
  const requests = [mapField(2, "cpu", quantity("10m")), mapField(2, "memory", quantity("16Mi"))];
  const env = [field(1, "LOG_LEVEL"), field(2, "info")];
  const container = [field(1, "main"), field(2, IMAGE), field(7, env), field(8, requests)];
  const spec = [field(2, container), field(19, schedulerName)];
  return inEnvelope("v1", "Pod", Buffer.concat([field(1, metadata), field(2, spec)]));
}
