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
});

test("a template's hash is upstream's, letter by letter", () => {
  const container = {
    image: "nginx:1.27",
    imagePullPolicy: "IfNotPresent",
    name: "app",
    resources: {},
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
  };
  const template = {
    metadata: { labels: { app: "web" } },
    spec: {
      containers: [container],
      dnsPolicy: "ClusterFirst",
      restartPolicy: "Always",
      schedulerName: "default-scheduler",
      securityContext: {},
      terminationGracePeriodSeconds: 30,
    },
  };
  expect(templateHash(template, undefined)).toBe("789dc4db69");
  expect(templateHash(template, 1)).not.toBe("789dc4db69");
});
