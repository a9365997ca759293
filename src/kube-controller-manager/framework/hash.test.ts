import { expect, test } from "vitest";
import { seededRandom } from "#base/random.ts";
import { canonicalJson, revisionHash, sameJson, templateHash } from "./hash.ts";

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

test.each([1, 2])("what is the same as canonical JSON is found to be so without writing it (seed %i)", (seed) => {
  const random = seededRandom(seed);
  const any = (depth: number): unknown => {
    const kind = random.int(depth > 0 ? 8 : 6);
    if (kind < 6) return [undefined, null, "a", 1, false, "toString"][kind];
    const items = Array.from({ length: random.int(3) }, () => any(depth - 1));
    if (kind === 6) return items;
    return Object.fromEntries(items.map((item) => [["a", "b", "toString"][random.int(3)], item]));
  };
  const found = { same: 0, different: 0 };
  for (let i = 0; i < 5000; i++) {
    const [a, b] = [any(2), any(2)];
    const same = canonicalJson(a) === canonicalJson(b);
    expect(sameJson(a, b), `${canonicalJson(a)} and ${canonicalJson(b)}`).toBe(same);
    found[same ? "same" : "different"]++;
  }
  expect(Math.min(found.same, found.different)).toBeGreaterThan(300);
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
