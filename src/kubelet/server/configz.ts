import { withDefaults } from "../configuration/defaults.ts";
import { sendJson } from "./answer.ts";
import type { KubeletRoute } from "./routes.ts";

/** `/configz`: what the kubelet goes by, as `kubelet.config.k8s.io/v1beta1` writes it. */
export const configz: KubeletRoute = {
  path: "/configz",
  methods: ["GET", "HEAD"],
  serve: async ({ host, response }) => sendJson(response, { kubeletconfig: shown(host.configuration ?? withDefaults({})) }),
};

/** Headers of the request for manifests may carry a password. */
function shown<T extends { readonly staticPodURLHeader?: Readonly<Record<string, readonly string[]>> }>(configuration: T): T {
  const { staticPodURLHeader } = configuration;
  if (staticPodURLHeader === undefined) return configuration;
  const masked = Object.fromEntries(Object.keys(staticPodURLHeader).map((name) => [name, ["<masked>"]]));
  return { ...configuration, staticPodURLHeader: masked };
}
