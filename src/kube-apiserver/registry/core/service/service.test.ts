import { expect, test } from "vitest";
import { services } from "./service.ts";

test("a deleted Service takes the Endpoints of its name along", () => {
  const deleted: unknown[] = [];
  const of = (group: string, plural: string): object => ({
    delete: (namespace: string, name: string) => {
      deleted.push([group, plural, namespace, name]);
      return Promise.reject(new Error("not found"));
    },
  });
  const modules = { serviceRanges: ["10.0.0.0/24"], serviceNodePortRange: "30000-32767", stores: { of } };
  const { strategy } = services(modules as never);
  strategy?.afterDelete?.({ metadata: { namespace: "a", name: "web" }, spec: { type: "ExternalName" } });
  expect(deleted).toEqual([["", "endpoints", "a", "web"]]);
});
