import { expect, test } from "vitest";
import { canonicalJson, revisionHash, templateHash } from "./hash.ts";

test("a revision's hash is upstream's, letter by letter", () => {
  const container = {
    image: "nginx:1",
    imagePullPolicy: "IfNotPresent",
    name: "c",
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
  };
  const spec = {
    containers: [container],
    dnsPolicy: "ClusterFirst",
    restartPolicy: "Always",
    schedulerName: "none",
    securityContext: {},
    terminationGracePeriodSeconds: 30,
  };
  const data = { spec: { template: { $patch: "replace", metadata: { labels: { app: "db" } }, spec } } };
  expect(revisionHash(data, 0)).toBe("fc9ff686b");
  expect(revisionHash(data, 1)).not.toBe("fc9ff686b");
});

test("the order of keys and what is absent do not change a hash", () => {
  expect(canonicalJson({ b: [1, undefined], a: undefined, c: null })).toBe('{"b":[1,null]}');
  expect(templateHash({ a: 1, b: 2 }, undefined)).toBe(templateHash({ b: 2, a: 1, c: undefined }, undefined));
  expect(templateHash({ a: 1 }, undefined)).not.toBe(templateHash({ a: 1 }, 1));
});
