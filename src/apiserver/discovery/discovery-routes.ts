import { createHash } from "node:crypto";
import { notAcceptable } from "#apimachinery/api-errors/errors.ts";
import {
  type AnswerFormat,
  CONTENT_TYPES,
  checkRouteAccept,
  negotiate,
  negotiateAggregated,
} from "../endpoints/handlers/negotiation.ts";
import { formatYaml } from "../endpoints/handlers/yaml.ts";
import type { ApiResponse } from "../endpoints/response.ts";
import { methodNotAllowed } from "../non-resource/answers.ts";
import type { NonResourceRequest, NonResourceRoute } from "../non-resource/route.ts";
import { protobufValue } from "../protobuf-value.ts";
import {
  aggregatedDocument,
  groupDocument,
  groupListDocument,
  legacyVersionsDocument,
  resourceListDocument,
} from "./documents.ts";
import type { ServedGroup } from "./served-groups.ts";

const AGGREGATED_PARAMETERS = ";g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

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
  const aggregatedLegacy = new Document(() => aggregatedDocument(legacy === undefined ? [] : [legacy]));
  const aggregated = new Document(() => aggregatedDocument(named));
  const versions = new Document(() => legacyVersionsDocument(legacy, serverAddress()));
  const list = new Document(() => groupListDocument(named));
  routes.set(
    "/api",
    routed((request) => aggregatedLegacy.aggregated(request) ?? versions.answer(request)),
  );
  routes.set("/apis", (request) => aggregated.aggregated(request) ?? list.answer(request));
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
    if (negotiateAggregated(request.accept) === undefined) checkRouteAccept(request.accept, false);
    return route(request);
  };
}

/** A document that is made when it is first asked for, and kept in each form that was asked for. */
class Document {
  readonly #make: () => object;
  readonly #bodies = new Map<AnswerFormat, string | Uint8Array>();
  #etag = "";

  constructor(make: () => object) {
    this.#make = make;
  }

  answer(request: NonResourceRequest): ApiResponse {
    const { format, transform } = negotiate(request.accept);
    if (transform !== undefined) {
      const accepted = Object.values(CONTENT_TYPES).join(", ");
      throw notAcceptable(`only the following media types are accepted: ${accepted}`);
    }
    return this.#written(format, { "content-type": CONTENT_TYPES[format] });
  }

  /** The answer to those who ask for aggregated discovery. */
  aggregated(request: NonResourceRequest): ApiResponse | undefined {
    const format = negotiateAggregated(request.accept);
    if (format === undefined) return undefined;
    if (this.#etag === "") {
      this.#etag = `"${createHash("sha512").update(JSON.stringify(this.#make())).digest("hex").toUpperCase()}"`;
    }
    const headers = { etag: this.#etag, vary: "Accept" };
    if (request.headers["if-none-match"] === this.#etag) return { status: 304, headers, body: "" };
    const contentType = `${CONTENT_TYPES[format]}${AGGREGATED_PARAMETERS}`;
    return this.#written(format, { ...headers, "content-type": contentType });
  }

  #written(format: AnswerFormat, headers: Record<string, string>): ApiResponse {
    return { status: 200, headers, body: this.#body(format), indentable: format === "json" };
  }

  #body(format: AnswerFormat): string | Uint8Array {
    let body = this.#bodies.get(format);
    if (body === undefined) {
      body = encodeDocument(this.#make(), format);
      this.#bodies.set(format, body);
    }
    return body;
  }
}

function encodeDocument(document: object, format: AnswerFormat): string | Uint8Array {
  if (format === "protobuf") return protobufValue(document);
  return format === "yaml" ? formatYaml(document) : `${JSON.stringify(document)}\n`;
}
