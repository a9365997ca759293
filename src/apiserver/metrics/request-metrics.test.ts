import { expect, test } from "vitest";
import type { RequestInfo } from "../request/request-info.ts";
import { RequestMetrics } from "./request-metrics.ts";

function list(apiGroup: string, resource: string): RequestInfo {
  return {
    isResourceRequest: true,
    path: `/apis/${apiGroup}/v1/${resource}`,
    verb: "list",
    apiPrefix: "apis",
    apiGroup,
    apiVersion: "v1",
    namespace: "",
    resource,
    subresource: "",
    name: "",
    parts: [resource],
  };
}

async function counted(metrics: RequestMetrics): Promise<string[]> {
  const lines = (await metrics.text()).matchAll(
    /^apiserver_request_total\{code="(\d+)".*?group="([^"]*)".*?resource="([^"]*)".*\} (\d+)$/gm,
  );
  return [...lines].map(([, code, group, resource, count]) => `${resource}.${group} ${code} ${count}`);
}

const metrics = (): RequestMetrics => new RequestMetrics(() => ({ mutating: 0, readOnly: 0 }));

test("what was counted of a resource goes with its definition, and late answers with it", async () => {
  const all = metrics();
  for (const resource of ["widgets", "gadgets"]) all.record(list("example.com", resource), 200, 1);
  all.record(list("other.com", "widgets"), 200, 1);
  all.forget("example.com", "widgets");
  all.record(list("example.com", "widgets"), 200, 1);
  expect(await counted(all)).toEqual(["gadgets.example.com 200 1", "widgets.other.com 200 1"]);
});

test("a resource that is served once more is counted from the beginning", async () => {
  const all = metrics();
  all.record(list("example.com", "widgets"), 200, 1);
  all.forget("example.com", "widgets");
  all.expect("example.com", "widgets");
  all.record(list("example.com", "widgets"), 200, 1);
  all.record(list("example.com", "widgets"), 500, 1);
  expect(await counted(all)).toEqual(["widgets.example.com 200 1", "widgets.example.com 500 1"]);
});

test("definitions that come and go leave room for those that come", async () => {
  const all = metrics();
  for (let i = 0; i < 12_000; i++) {
    all.expect("example.com", `kind-${i}`);
    all.record(list("example.com", `kind-${i}`), 200, 1);
    if (i < 11_999) all.forget("example.com", `kind-${i}`);
  }
  expect(await counted(all)).toEqual(["kind-11999.example.com 200 1"]);
});

test("names that may be made up are counted up to a limit", async () => {
  const all = metrics();
  for (let i = 0; i < 500; i++) all.record(list("example.com", `made-up-${i}`), 404, 1);
  expect(await counted(all)).toHaveLength(100);
});
