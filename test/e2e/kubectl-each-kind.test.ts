import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { loadAll } from "js-yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { hasKubectl, Kubectl } from "../support/kubectl.ts";

/** What is asked and answered, and never stored. */
const NOT_STORED = /review$|^Binding$/i;

/** kubectl up to 1.33 asks for the beta of these when it describes one, which is served only where somebody asks for it. */
const DESCRIBED_AS_BETA = /^kind: (IPAddress|ServiceCIDR|VolumeAttributesClass)$/m;

interface Document {
  readonly apiVersion: string;
  readonly kind: string;
}

const subject = ["-subj", "/CN=each"];
const openssl = ["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", ...subject];
const manifest = readFileSync(new URL("testdata/each-kind.yaml", import.meta.url), "utf8");

describe.skipIf(!hasKubectl)("kubectl and an object of each kind (needs kubectl and openssl)", () => {
  let cluster: Cluster;
  let kubectl: Kubectl;
  let objects: string;
  let count: number;
  beforeAll(async () => {
    const request = execFileSync("openssl", openssl, { stdio: ["ignore", "pipe", "ignore"] });
    objects = manifest.replace("REQUEST", request.toString("base64"));
    count = loadAll(objects).length;
    cluster = await startCluster({ nodes: 1 });
    kubectl = new Kubectl(cluster.kubeconfig);
  });
  afterAll(async () => {
    kubectl?.[Symbol.dispose]();
    await cluster?.stop();
  });

  test("the file has every kind that the server stores", async () => {
    const kinds = (loadAll(objects) as Document[]).map(({ apiVersion, kind }) => `${kind} ${apiVersion}`);
    const listed = await kubectl.ok(["api-resources", "--verbs=create", "--no-headers"]);
    const rows = listed.trim().split("\n");
    const stored = rows.flatMap((row) => {
      const [kind = "", , version = ""] = row.trim().split(/\s+/).reverse();
      return NOT_STORED.test(kind) ? [] : [`${kind} ${version}`];
    });
    expect(stored.filter((kind) => !kinds.includes(kind))).toEqual([]);
  });

  test("create, get, diff, apply and delete", async () => {
    const created = (await kubectl.ok(["create", "-f", "-"], objects)).trim().split("\n");
    expect(created.filter((line) => !line.endsWith(" created"))).toEqual([]);
    expect(created).toHaveLength(count);
    const shown = await kubectl.ok(["get", "-f", "-", "-o", "name"], objects);
    expect(shown.trim().split("\n")).toHaveLength(count);
    expect(await kubectl.ok(["get", "-f", "-"], objects)).toMatch(/NAME +/);
    const describable = objects.split("---\n").filter((text) => !DESCRIBED_AS_BETA.test(text));
    await kubectl.ok(["describe", "-f", "-"], describable.join("---\n"));
    const applied = await kubectl.ok(["apply", "--server-side", "--force-conflicts", "-f", "-"], objects);
    expect(applied.trim().split("\n")).toHaveLength(count);
    const same = await kubectl.run(["diff", "--server-side", "--force-conflicts", "-f", "-"], objects);
    expect(same.stdout).toBe("");
    // The namespace stands first and would take what is in it along before kubectl comes to it.
    const backwards = objects.split("---\n").reverse().join("---\n");
    const gone = await kubectl.ok(["delete", "-f", "-", "--timeout=60s"], backwards);
    expect(gone.trim().split("\n").length).toBeGreaterThanOrEqual(count);
  });
});
