import { StatusError } from "#apimachinery/api-errors/status.ts";
import { requestedImpersonation } from "#apiserver/authentication/impersonation.ts";
import { unescapePath } from "#apiserver/authentication/request-header.ts";
import { parseDeleteOptions } from "#apiserver/endpoints/handlers/delete-options.ts";
import { parseListOptions } from "#apiserver/endpoints/handlers/list-options.ts";
import {
  checkRouteAccept,
  negotiate,
  negotiateAggregated,
  negotiateWatch,
  statusFormat,
} from "#apiserver/endpoints/handlers/negotiation.ts";
import { parseWriteOptions } from "#apiserver/endpoints/handlers/write-options.ts";
import { resolveRequestInfo, UnresolvedPathError } from "#apiserver/request/resolve-request-info.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "", "constructor"];

/** What stands in a request's first line and headers: paths, queries, Accept, names of headers. */
export const target: FuzzTarget = {
  seeds: [
    "/api/v1/namespaces/a/pods?watch=1&labelSelector=a%3Db&fieldSelector=metadata.name%3Dx&resourceVersion=5&timeoutSeconds=3",
    "/apis/apps/v1/namespaces/a/deployments/d/scale?dryRun=All&fieldManager=m&force=true&fieldValidation=Strict",
    "//api/v1/watch/namespaces//pods/..%2f..?limit=500&continue=abc&resourceVersionMatch=Exact&sendInitialEvents=true",
    "/api/v1/proxy/nodes/n/logs?gracePeriodSeconds=0&propagationPolicy=Foreground&orphanDependents=true&preconditions=x",
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/vnd.kubernetes.protobuf;q=0.5,*/*;q=x, application/yaml;pretty=1",
    "/%zz/__proto__/constructor?__proto__=1&a&&=&%=%zz",
  ],
  run: (bytes) => {
    const text = bytes.toString("latin1");
    const mark = text.indexOf("?");
    const path = unescapePath(mark < 0 ? text : text.slice(0, mark));
    const query = new URLSearchParams(mark < 0 ? text : text.slice(mark + 1));
    for (const method of METHODS) {
      const info = refusing([UnresolvedPathError], () => resolveRequestInfo(method, path, query));
      const texts = info === undefined ? [] : [info.verb, info.resource, info.name, info.namespace, info.subresource];
      check(
        texts.every((text) => typeof text === "string"),
        "is told in something else than texts",
      );
    }
    for (const watch of [true, false]) refusing([StatusError], () => parseListOptions(query, watch));
    for (const kind of ["CreateOptions", "UpdateOptions", "PatchOptions"] as const) {
      refusing([StatusError], () => parseWriteOptions(query, kind, text, kind === "PatchOptions"));
    }
    refusing([StatusError], () => parseDeleteOptions(bytes, "application/json", query));
    refusing([StatusError], () => parseDeleteOptions(Buffer.alloc(0), text, query));
    statusFormat(text);
    negotiateAggregated(text);
    for (const negotiation of [negotiate, negotiateWatch]) refusing([StatusError], () => negotiation(text));
    refusing([StatusError], () => checkRouteAccept(text, true));
    const headers = { "impersonate-user": text, [`impersonate-extra-${text}`.toLowerCase()]: "x", "impersonate-group": "g" };
    const headerLines = (name: string): readonly string[] => [(headers as Record<string, string>)[name] ?? ""];
    refusing([StatusError], () => requestedImpersonation({ headers, headerLines }));
  },
};
