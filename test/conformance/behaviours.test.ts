import { readFileSync } from "node:fs";
import { load } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { type Answered, asker } from "../support/ask.ts";
import {
  type Behaviour,
  brokenReference,
  contentTypes,
  differences,
  fill,
  LINES,
  readBehaviours,
  type Step,
  valueAt,
} from "../support/behaviours.ts";
import { hasRecorded, readCases } from "../support/recorded.ts";

/** How long to wait before a step asks again, in milliseconds. */
const AGAIN_MS = 50;

const behaviours = readBehaviours();

describe("the table of behaviours", () => {
  test("has each line of the checklist's sections that it is about", () => {
    expect([...new Set(behaviours.map(({ line }) => line))]).toEqual(LINES);
  });

  test("leads to tests that are there", () => {
    const areas = hasRecorded ? new Set(readCases().keys()) : undefined;
    expect(behaviours.flatMap(({ tests = [] }) => tests.flatMap((reference) => brokenReference(reference, areas) ?? []))).toEqual(
      [],
    );
  });

  test("says of every line what shows it, or why it is not there", () => {
    const list = load(readFileSync(new URL("unsupported.yaml", import.meta.url), "utf8")) as readonly { what: string }[];
    const known = (text: string): boolean => list.some(({ what }) => what.startsWith(text));
    const bare = behaviours.filter(({ steps, tests, unsupported }) => !steps && !tests && !(unsupported && known(unsupported)));
    expect(bare.map(({ line, what }) => `${line} ${what}`)).toEqual([]);
  });
});

/**
 * `BEHAVIOURS_SERVER`, with `BEHAVIOURS_CA`, `BEHAVIOURS_CERT` and `BEHAVIOURS_KEY` as files of PEM, asks another API
 * server, such as upstream's, the same.
 */
async function startTarget(): Promise<Pick<Cluster, "url" | "credentials" | "stop">> {
  const { BEHAVIOURS_SERVER: url, BEHAVIOURS_CA: ca = "", BEHAVIOURS_CERT: cert = "", BEHAVIOURS_KEY: key = "" } = process.env;
  if (url === undefined) return startCluster({ nodes: 2 });
  const read = (file: string): string => readFileSync(file, "utf8");
  return { url, credentials: { ca: read(ca), cert: read(cert), key: read(key) }, stop: async () => {} };
}

describe("requests and answers", () => {
  let target: Awaited<ReturnType<typeof startTarget>>;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    target = await startTarget();
    ask = asker(target);
  });
  afterAll(async () => {
    await target?.stop();
  });

  const rows = behaviours.filter(
    (behaviour): behaviour is Behaviour & { steps: readonly Step[] } => behaviour.steps !== undefined,
  );

  test.each(rows.map((row, index) => ({ ...row, index })))("$line: $what", { timeout: 60_000 }, async ({ steps, index }) => {
    const id = `b${index}-${Date.now().toString(36)}`;
    const words = new Map([
      ["id", id],
      ["ns", id],
      ["quarterMegabyte", "a".repeat(262_145)],
      ["fourMegabytes", "a".repeat(4_194_304)],
    ]);
    const ownNamespace = JSON.stringify(steps).includes("{ns}");
    if (ownNamespace) await makeNamespace(id);
    for (const step of steps) await perform(fill(step, words), words);
    if (ownNamespace) await ask("DELETE", `/api/v1/namespaces/${id}`);
  });

  async function makeNamespace(name: string): Promise<void> {
    expect((await ask("POST", "/api/v1/namespaces", { metadata: { name } })).status).toBe(201);
    const account = { do: `GET /api/v1/namespaces/${name}/serviceaccounts/default`, status: 200, within: 10 };
    await perform(account, new Map());
  }

  async function perform(step: Step, words: Map<string, string>): Promise<void> {
    const until = Date.now() + (step.within ?? 0) * 1000;
    for (;;) {
      const answered = await send(step);
      const wrong = judge(step, answered);
      if (wrong.length > 0 && Date.now() < until) {
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
        continue;
      }
      expect(wrong.join("\n"), `${step.do}: ${answered.text.slice(0, 1000)}`).toBe("");
      for (const [word, path] of Object.entries(step.keep ?? {})) words.set(word, String(valueAt(answered.body, path)));
      return;
    }
  }

  function send(step: Step): Promise<Answered> {
    const [method = "", path = ""] = step.do.split(" ");
    const who = step.as === undefined ? {} : { "impersonate-user": step.as };
    const groups = step.groups === undefined ? {} : { "impersonate-group": step.groups[0] ?? "" };
    const known = step.type ?? (method === "PATCH" ? "merge" : "json");
    const type = step.send === undefined ? {} : { "content-type": contentTypes[known] };
    return ask(method, path, step.send, { ...type, ...who, ...groups, ...step.headers });
  }
});

function judge(step: Step, { status, body, headers, text }: Answered): string[] {
  const statuses = typeof step.status === "number" ? [step.status] : step.status;
  return [
    ...(statuses.includes(status) ? [] : [`status: want ${statuses.join(" or ")}, got ${status}`]),
    ...(step.answer === undefined ? [] : differences(step.answer, body)),
    ...(step.told === undefined ? [] : differences(step.told, headers, "headers")),
    ...(step.text === undefined ? [] : differences(step.text, text, "text")),
    ...(step.events === undefined ? [] : differences(step.events, eventsOf(text), "events")),
  ];
}

function eventsOf(text: string): unknown[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}
