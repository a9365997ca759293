import { discoveryRoutes } from "#apiserver/discovery/discovery-routes.ts";
import type { ServedGroup } from "#apiserver/discovery/served-groups.ts";
import { HealthEndpoint } from "#apiserver/health/health-checks.ts";
import { indentedJsonAnswer } from "#apiserver/non-resource/answers.ts";
import type { NonResourceRoute } from "#apiserver/non-resource/route.ts";
import { nonResourceRouter } from "#apiserver/non-resource/router.ts";
import type { ResourceSet } from "#apiserver/registry/resource-set.ts";
import { HealthSlis } from "#component-base/health-slis.ts";
import { kubernetesVersion } from "#component-base/version.ts";
import { type HealthSources, liveChecks, readyChecks } from "./health-checks.ts";
import { jsonWebKeySet, openIdConfiguration, type TokenIssuer } from "./issuer-discovery.ts";
import { type LoadDocuments, type OtherDocuments, openApiRoutes } from "./openapi-routes.ts";

export interface NonResourceModules {
  /** What OpenAPI publishes as long as the server runs. */
  readonly openApiResources: ResourceSet;
  readonly documents: LoadDocuments;
  readonly otherDocuments: OtherDocuments;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Everything served now; another list when that changes. */
  readonly groups: () => readonly ServedGroup[];
  readonly health: HealthSources;
  readonly metrics: () => Promise<string>;
  readonly tokenIssuer: TokenIssuer;
  /** Paths for those who look into the server. */
  readonly debug: ReadonlyMap<string, NonResourceRoute>;
  /** Further paths, which answer for everything below them. */
  readonly pages: ReadonlyMap<string, NonResourceRoute>;
  /** `HOST:PORT` that the server is reached by. */
  readonly serverAddress: () => string;
}

const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores";

/** Everything that the API server answers beside resources. */
export function nonResourceRoutes(modules: NonResourceModules): NonResourceRoute {
  const { openApiResources, groups, debug, pages, health, metrics, tokenIssuer, serverAddress } = modules;
  const live = liveChecks(health);
  const slis = new HealthSlis();
  const textRoute = (text: () => Promise<string> | string): NonResourceRoute => {
    return async () => ({ status: 200, headers: { "content-type": METRICS_TYPE }, body: await text() });
  };
  const endpoint = (name: "healthz" | "livez" | "readyz", checks = live): [string, NonResourceRoute] => {
    const answering = new HealthEndpoint(name, checks, slis);
    return [`/${name}`, (request) => answering.answer(request)];
  };
  // What custom resources define is answered in another way.
  const builtIn = new Set<string>();
  for (const { group, storageVersionServed, otherVersions = [] } of openApiResources.stored) {
    if (storageVersionServed !== false) builtIn.add(group);
    for (const other of otherVersions) builtIn.add(other.group ?? group);
  }
  for (const { group } of openApiResources.virtual) builtIn.add(group);
  const discovery = new WeakMap<readonly ServedGroup[], ReadonlyMap<string, NonResourceRoute>>();
  return nonResourceRouter({
    servesGroup: (group) => builtIn.has(group),
    getOnly: new Map<string, NonResourceRoute>([
      ["/version", () => indentedJsonAnswer(kubernetesVersion)],
      ["/.well-known/openid-configuration", openIdConfiguration(tokenIssuer, () => `https://${serverAddress()}/openid/v1/jwks`)],
      ["/openid/v1/jwks", jsonWebKeySet(tokenIssuer)],
    ]),
    exact: new Map([
      ["/metrics", textRoute(metrics)],
      ["/metrics/slis", textRoute(() => slis.text())],
    ]),
    discovery: () => {
      const served = groups();
      let routes = discovery.get(served);
      if (routes === undefined) {
        routes = discoveryRoutes(served, serverAddress);
        discovery.set(served, routes);
      }
      return routes;
    },
    unlisted: debug,
    below: new Map([
      endpoint("healthz"),
      endpoint("livez"),
      endpoint("readyz", readyChecks(health)),
      ...openApiRoutes(modules.documents, modules.otherDocuments, modules.now),
      ...pages,
    ]),
  });
}
