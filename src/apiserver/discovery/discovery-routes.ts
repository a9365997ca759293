import { createHash } from "node:crypto";
import { notAcceptable } from "#apimachinery/api-errors/errors.ts";
import { checkRouteAccept, negotiate } from "../endpoints/handlers/negotiation.ts";
import { formatYaml } from "../endpoints/handlers/yaml.ts";
import type { ApiResponse } from "../endpoints/response.ts";
import { methodNotAllowed } from "../non-resource/answers.ts";
import type { NonResourceRequest, NonResourceRoute } from "../non-resource/route.ts";
import {
  aggregatedDocument,
  groupDocument,
  groupListDocument,
  legacyVersionsDocument,
  resourceListDocument,
} from "./documents.ts";
import type { ServedGroup } from "./served-groups.ts";

const AGGREGATED_TYPE = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/**
 * The routes of discovery. `/api` and the versions come from upstream's router, which allows only GET; `/apis` and the
 * groups from its aggregator, which answers every method.
 */
export function discoveryRoutes(
  groups: readonly ServedGroup[],
  serverAddress: () => string,
): ReadonlyMap<string, NonResourceRoute> {
  const routes = new Map<string, NonResourceRoute>();
  const legacy = groups.find((group) => group.name === "");
  const named = groups.filter((group) => group.name !== "");
  const aggregatedLegacy = new Document(() => aggregatedDocument(legacy === undefined ? [] : [legacy]), AGGREGATED_TYPE);
  const aggregated = new Document(() => aggregatedDocument(named), AGGREGATED_TYPE);
  const versions = new Document(() => legacyVersionsDocument(legacy, serverAddress()));
  const list = new Document(() => groupListDocument(named));
  routes.set(
    "/api",
    routed((request) => (wantsAggregated(request.accept) ? aggregatedLegacy : versions).answer(request)),
  );
  routes.set("/apis", (request) => (wantsAggregated(request.accept) ? aggregated : list).answer(request));
  for (const group of groups) {
    const root = group.name === "" ? "/api" : `/apis/${group.name}`;
    if (group.name !== "") {
      const document = new Document(() => groupDocument(group));
      routes.set(root, (request) => document.answer(request));
    }
    for (const version of group.versions) {
      const document = new Document(() => resourceListDocument(group.name, version));
      routes.set(
        `${root}/${version.version}`,
        routed((request) => document.answer(request)),
      );
    }
  }
  for (const [path, route] of [...routes]) routes.set(`${path}/`, route);
  return routes;
}

function routed(route: NonResourceRoute): NonResourceRoute {
  return (request) => {
    if (request.method !== "GET") return methodNotAllowed();
    if (!wantsAggregated(request.accept)) checkRouteAccept(request.accept, false);
    return route(request);
  };
}

/** The first clause of Accept that discovery can answer decides. */
function wantsAggregated(accept: string): boolean {
  for (const clause of accept.split(",")) {
    const [type = "", ...params] = clause.split(";").map((part) => part.trim());
    const wanted = new Map(params.map((param) => param.split("=") as [string, string]));
    const isJson = type === "application/json" || type === "*/*" || type === "application/*";
    if (!isJson) {
      if (type === "application/yaml") return false;
      continue;
    }
    if (!wanted.has("as")) return false;
    if (wanted.get("as") === "APIGroupDiscoveryList" && wanted.get("g") === "apidiscovery.k8s.io" && wanted.get("v") === "v2")
      return true;
  }
  return false;
}

/** A document that is made when it is first asked for, and kept as text. */
class Document {
  readonly #make: () => object;
  readonly #aggregatedType: string | undefined;
  #text: string | undefined;
  #etag = "";

  constructor(make: () => object, aggregatedType?: string) {
    this.#make = make;
    this.#aggregatedType = aggregatedType;
  }

  answer(request: NonResourceRequest): ApiResponse {
    this.#text ??= JSON.stringify(this.#make());
    if (this.#aggregatedType !== undefined) return this.#aggregated(request, this.#text, this.#aggregatedType);
    const { format, transform } = negotiate(request.accept);
    if (transform !== undefined) {
      const accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
      throw notAcceptable(`only the following media types are accepted: ${accepted}`);
    }
    if (format === "yaml") {
      return { status: 200, headers: { "content-type": "application/yaml" }, body: formatYaml(JSON.parse(this.#text)) };
    }
    return { status: 200, headers: { "content-type": "application/json" }, body: `${this.#text}\n` };
  }

  #aggregated(request: NonResourceRequest, text: string, contentType: string): ApiResponse {
    if (this.#etag === "") this.#etag = `"${createHash("sha512").update(text).digest("hex").toUpperCase()}"`;
    const headers = { etag: this.#etag, vary: "Accept" };
    const known = request.headers["if-none-match"];
    if (known === this.#etag) return { status: 304, headers, body: "" };
    return { status: 200, headers: { ...headers, "content-type": contentType }, body: `${text}\n` };
  }
}
