// The objects that the workloads create.

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
          image: "registry.example.com/team/app:1.2.3",
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
