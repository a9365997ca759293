import { sendJson } from "./answer.ts";
import type { KubeletRoute } from "./routes.ts";

/** What the node agent goes by, of `kubelet.config.k8s.io/v1beta1`; upstream's defaults where nothing else is said. */
const CONFIGURATION = {
  enableServer: true,
  port: 10250,
  readOnlyPort: 0,
  authentication: { x509: {}, webhook: { enabled: true, cacheTTL: "2m0s" }, anonymous: { enabled: false } },
  authorization: { mode: "Webhook", webhook: { cacheAuthorizedTTL: "5m0s", cacheUnauthorizedTTL: "30s" } },
  streamingConnectionIdleTimeout: "4h0m0s",
  nodeStatusReportFrequency: "5m0s",
  nodeLeaseDurationSeconds: 40,
  maxPods: 110,
  podPidsLimit: -1,
  enableDebuggingHandlers: true,
  enableSystemLogHandler: true,
  podLogsDir: "/var/log/pods",
};

/** `/configz`. */
export const configz: KubeletRoute = {
  path: "/configz",
  methods: ["GET", "HEAD"],
  serve: async ({ response }) => sendJson(response, { kubeletconfig: CONFIGURATION }),
};
