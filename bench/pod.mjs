/** A Pod of about 2.4 KB once stored, as a Deployment would make it. */
export function pod(name, extra = {}) {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace: "default",
      labels: { app: "bench", tier: "web" },
      annotations: { "example.com/checksum": "0123456789abcdef0123456789abcdef" },
    },
    spec: {
      containers: [
        {
          name: "main",
          image: "registry.example.com/team/app:1.2.3",
          ports: [{ name: "http", containerPort: 8080 }],
          env: [
            { name: "LOG_LEVEL", value: "info" },
            { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          ],
          resources: { requests: { cpu: "10m", memory: "16Mi" }, limits: { memory: "64Mi" } },
          readinessProbe: { httpGet: { path: "/ready", port: "http" } },
        },
      ],
      ...extra,
    },
  });
}
