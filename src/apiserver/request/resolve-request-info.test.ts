import { expect, test } from "vitest";
import { resolveRequestInfo, UnresolvedPathError } from "./resolve-request-info.ts";

test.each([
  ["GET /api/v1/namespaces/a/pods", "list   v1 a pods"],
  ["GET /api/v1/namespaces/a/pods?watch=1", "watch   v1 a pods"],
  ["GET /api/v1/namespaces/a/pods?watch=false", "list   v1 a pods"],
  ["GET /api/v1/namespaces/a/pods?fieldSelector=metadata.name%3Dx", "list   v1 a pods x"],
  ["GET /api/v1/namespaces/a", "get   v1 a namespaces a"],
  ["PUT /api/v1/namespaces/a/finalize", "update   v1 a namespaces a finalize"],
  ["DELETE /api/v1/pods", "deletecollection   v1  pods"],
  ["HEAD /api/v1/nodes/n", "get   v1  nodes n"],
  ["GET /api/v1/watch/namespaces/a/pods", "watch   v1 a pods"],
  ["POST /apis/apps/v1/namespaces/a/deployments/d/scale", "create  apps v1 a deployments d scale"],
  ["GET /apis/apps/v1", "/get"],
  ["GET /api/v1/", "/get"],
  ["POST /healthz", "/post"],
  ["constructor /api/v1/nodes", "   v1  nodes"],
])("%s", (request, want) => {
  const [method = "", url = ""] = request.split(" ");
  const [path = "", query] = url.split("?");
  const info = resolveRequestInfo(method, path, query === undefined ? undefined : new URLSearchParams(query));
  const got = info.isResourceRequest
    ? `${info.verb}  ${info.apiGroup} ${info.apiVersion} ${info.namespace} ${info.resource} ${info.name} ${info.subresource}`.trimEnd()
    : `/${info.verb}`;
  expect(got).toBe(want);
});

test.each(["/api/v1/watch", "/apis/apps/v1/proxy/"])("%s names nothing", (path) => {
  expect(() => resolveRequestInfo("GET", path, undefined)).toThrow(UnresolvedPathError);
});
