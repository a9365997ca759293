import type { ApiResponse } from "#apiserver/endpoints/response.ts";
import { plainText } from "#apiserver/non-resource/answers.ts";
import type { NonResourceRoute } from "#apiserver/non-resource/route.ts";
import { openApiV2Document, openApiV3Document, openApiV3Index } from "#apiserver/openapi/documents.ts";
import type { ResourceSet } from "#apiserver/registry/resource-set.ts";

const NOTHING: ApiResponse = { status: 404, headers: {}, body: "" };
const NOT_ACCEPTABLE: ApiResponse = { status: 406, headers: {}, body: "" };

/** `/openapi/v2`, `/openapi/v3` and the documents below it. They are made when they are first asked for. */
export function openApiRoutes(resources: ResourceSet): ReadonlyMap<string, NonResourceRoute> {
  const v3 = "/openapi/v3";
  return new Map<string, NonResourceRoute>([
    ["/openapi/v2", ({ accept }) => (acceptsJson(accept) ? json(openApiV2Document(resources)) : NOT_ACCEPTABLE)],
    [v3, () => plainText(200, openApiV3Index(resources))],
    [
      `${v3}/`,
      ({ accept, path }) => {
        const document = openApiV3Document(resources, path.slice(v3.length + 1));
        if (document === undefined) return NOTHING;
        return acceptsJson(accept) ? json(document) : NOT_ACCEPTABLE;
      },
    ],
  ]);
}

function json(body: string): ApiResponse {
  return { status: 200, headers: { "content-type": "application/json", vary: "Accept" }, body };
}

function acceptsJson(accept: string): boolean {
  if (accept === "") return true;
  return accept.split(",").some((clause) => {
    const type = (clause.split(";")[0] ?? "").trim();
    return type === "*/*" || type === "application/*" || type === "application/json";
  });
}
