import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { asker } from "../support/ask.ts";
import { startWatch, type Watching } from "../support/watch.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const labelled = (...values: string[]): string =>
  `${MAPS}?watch=true&labelSelector=${encodeURIComponent(`watch in (${values.join(",")})`)}`;

describe("watches", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  const open: Watching[] = [];
  const watch = async (path: string, headers?: Readonly<Record<string, string>>): Promise<Watching> => {
    const watching = await startWatch(cluster, path, headers);
    open.push(watching);
    return watching;
  };
  const create = (name: string, label: string) => ask("POST", MAPS, { metadata: { name, labels: { watch: label } } });
  const change = (name: string, n: number) => ask("PATCH", `${MAPS}/${name}`, { data: { mutation: `${n}` } });
  const relabel = (name: string, label: string) => ask("PATCH", `${MAPS}/${name}`, { metadata: { labels: { watch: label } } });
  const remove = (name: string) => ask("DELETE", `${MAPS}/${name}`);

  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0 });
    ask = asker(cluster);
  });
  afterAll(async () => {
    for (const watching of open) watching[Symbol.dispose]();
    await cluster?.stop();
  });

  test("tell each who asked, and nobody else, what was added, changed and removed", async () => {
    const [a, b, either] = await Promise.all([watch(labelled("a")), watch(labelled("b")), watch(labelled("a", "b"))]);
    await create("map-a", "a");
    await change("map-a", 1);
    await change("map-a", 2);
    await remove("map-a");
    await create("map-b", "b");
    await remove("map-b");
    const aEvents = ["ADDED map-a", "MODIFIED map-a", "MODIFIED map-a", "DELETED map-a"];
    const bEvents = ["ADDED map-b", "DELETED map-b"];
    await vi.waitFor(() => expect(either.seen).toEqual([...aEvents, ...bEvents]), { timeout: 20_000 });
    expect(a.seen).toEqual(aEvents);
    expect(b.seen).toEqual(bEvents);
    expect(a.events.map(({ object }) => object.data?.mutation)).toEqual([undefined, "1", "2", "2"]);
  });

  test("begin at a version that was given, and go on where another ended", async () => {
    await create("resumed", "from");
    const first = await change("resumed", 1);
    await change("resumed", 2);
    await remove("resumed");
    const from = (version: string): string => `${labelled("from")}&resourceVersion=${version}`;
    const later = await watch(from(first.body.metadata.resourceVersion));
    await vi.waitFor(() => expect(later.seen).toEqual(["MODIFIED resumed", "DELETED resumed"]), { timeout: 20_000 });
    const again = await watch(from(later.events[0]?.object.metadata.resourceVersion));
    await vi.waitFor(() => expect(again.seen).toEqual(["DELETED resumed"]), { timeout: 20_000 });
  });

  test("see an object go that is not selected any more, and come again when it is", async () => {
    const watching = await watch(labelled("chosen"));
    await create("choice", "chosen");
    await change("choice", 1);
    await relabel("choice", "other");
    await change("choice", 2);
    await relabel("choice", "chosen");
    await change("choice", 3);
    await remove("choice");
    const all = ["ADDED choice", "MODIFIED choice", "DELETED choice", "ADDED choice", "MODIFIED choice", "DELETED choice"];
    await vi.waitFor(() => expect(watching.seen).toEqual(all), { timeout: 20_000 });
    // What has left the selection is shown as it was while it was in it, with the version of the change.
    expect(watching.events[2]?.object).toMatchObject({ metadata: { labels: { watch: "chosen" } }, data: { mutation: "1" } });
  });

  test("that run at once, from whatever version, see one order", async () => {
    const start = (await ask("GET", MAPS)).body.metadata.resourceVersion as string;
    const versions: string[] = [start];
    const writing = (async () => {
      for (let i = 0; i < 60; i++) {
        const name = `order-${i % 5}`;
        const answer =
          i % 3 === 2 ? await remove(name) : (await create(name, "order")).status === 201 ? undefined : await change(name, i);
        const version = answer?.body.metadata?.resourceVersion;
        if (version !== undefined) versions.push(version);
      }
    })();
    const watchers = await Promise.all(Array.from({ length: 10 }, () => watch(`${labelled("order")}&resourceVersion=${start}`)));
    await writing;
    const version = ({ object }: Watching["events"][number]): string => object.metadata.resourceVersion;
    const [first] = watchers as [Watching];
    const last = (await create("order-last", "order")).body.metadata.resourceVersion;
    await vi.waitFor(
      () => {
        for (const watcher of watchers) expect(watcher.events.map(version).at(-1)).toBe(last);
      },
      { timeout: 20_000 },
    );
    for (const watcher of watchers) expect(watcher.events.map(version)).toEqual(first.events.map(version));
    const middle = first.events.map(version)[10] as string;
    const late = await watch(`${labelled("order")}&resourceVersion=${middle}`);
    await vi.waitFor(() => expect(late.events.map(version)).toEqual(first.events.map(version).slice(11)), { timeout: 20_000 });
  });

  test.each([
    ["JSON", undefined, (object: { metadata: { name: string } }) => object.metadata.name],
    [
      "tables",
      "application/json;as=Table;v=v1;g=meta.k8s.io",
      (object: { rows: [{ cells: [string] }] }) => object.rows[0]?.cells[0],
    ],
    [
      "metadata",
      "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io",
      (object: { metadata: { name: string } }) => object.metadata.name,
    ],
  ])("stream a list first where that is asked for, as %s", async (_, accept, nameOf) => {
    const secrets = "/api/v1/namespaces/default/secrets";
    for (let i = 1; i <= 5; i++) await ask("POST", secrets, { metadata: { name: `secret-${i}` } });
    const query = "allowWatchBookmarks=true&resourceVersionMatch=NotOlderThan&sendInitialEvents=true&watch=true";
    const watching = await watch(`${secrets}?${query}`, accept === undefined ? {} : { accept });
    await vi.waitFor(() => expect(watching.events.map(({ type }) => type)).toEqual([...Array(5).fill("ADDED"), "BOOKMARK"]), {
      timeout: 20_000,
    });
    const named = watching.events.slice(0, 5).map(({ object }) => nameOf(object));
    expect(named.sort()).toEqual([1, 2, 3, 4, 5].map((i) => `secret-${i}`));
    const bookmark = watching.events[5]?.object;
    const { metadata } = bookmark.rows?.[0]?.object ?? bookmark;
    expect(metadata.annotations).toEqual({ "k8s.io/initial-events-end": "true" });
    const exact = await ask("GET", `${secrets}?resourceVersion=${metadata.resourceVersion}&resourceVersionMatch=Exact`);
    expect(exact.body.items).toHaveLength(5);
    await ask("PATCH", `${secrets}/secret-1`, { stringData: { foo: "bar" } });
    await vi.waitFor(() => expect(watching.events.at(-1)?.type).toBe("MODIFIED"), { timeout: 20_000 });
    for (let i = 1; i <= 5; i++) await ask("DELETE", `${secrets}/secret-${i}`);
  });
});
