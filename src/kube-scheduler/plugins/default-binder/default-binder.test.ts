import { expect, test } from "vitest";
import type { Client } from "#client/client.ts";
import { testPod } from "../../framework/test-objects.ts";
import { defaultBinder } from "./default-binder.ts";

function binderWith(create: (...args: unknown[]) => Promise<unknown>) {
  return defaultBinder({ client: { create } as unknown as Client });
}

test("binds through the subresource, to this very pod", async () => {
  const calls: unknown[] = [];
  const status = await binderWith(async (...args) => calls.push(args)).bind(testPod("p"), "a");
  expect(status.code).toBe("Success");
  expect(calls).toEqual([
    [
      { group: "", version: "v1", resource: "pods" },
      "ns",
      {
        apiVersion: "v1",
        kind: "Binding",
        metadata: { name: "p", namespace: "ns", uid: "p" },
        target: { kind: "Node", name: "a" },
      },
      { name: "p", subresource: "binding" },
    ],
  ]);
});

test("a refusal is an error with the server's text", async () => {
  const binder = binderWith(() => Promise.reject(new Error('pod p is already assigned to node "b"')));
  expect(await binder.bind(testPod("p"), "a")).toEqual({ code: "Error", reasons: ['pod p is already assigned to node "b"'] });
});
