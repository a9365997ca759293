import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { realClock } from "#base/clock.ts";
import { type Cluster, startCluster } from "#envtest/envtest.ts";
import { createAuthority } from "#pki/certificate.ts";
import { asker } from "../support/ask.ts";
import { certificateRequest } from "../support/certificate-request.ts";

const GROUP = "/apis/certificates.k8s.io/v1beta1";
const BUNDLES = `${GROUP}/clustertrustbundles`;
const REQUESTS = `${GROUP}/namespaces/default/podcertificaterequests`;

describe("kinds of certificates.k8s.io/v1beta1", () => {
  let cluster: Cluster;
  let ask: ReturnType<typeof asker>;
  beforeAll(async () => {
    cluster = await startCluster({ nodes: 0, runtimeConfig: ["certificates.k8s.io/v1beta1=true"] });
    ask = asker(cluster);
  });
  afterAll(() => cluster?.stop());

  test("trust bundles are named after their signer, found by it, and hold authorities only", async () => {
    const [one, two] = ["one", "two"].map((name) => createAuthority(name, realClock.now()).cert);
    const bundle = (name: string, trustBundle: string | undefined, signerName?: string): object => ({
      metadata: { name },
      spec: { trustBundle, ...(signerName === undefined ? {} : { signerName }) },
    });
    expect((await ask("POST", BUNDLES, bundle("plain", one))).status).toBe(201);
    expect((await ask("POST", BUNDLES, bundle("example.com:s:v1", one, "example.com/s"))).status).toBe(201);
    const refused = await ask("POST", BUNDLES, bundle("v1", one, "example.com/s"));
    expect([refused.status, refused.body.message]).toEqual([
      422,
      expect.stringContaining("must be named with prefix example.com:s:"),
    ]);
    expect((await ask("POST", BUNDLES, bundle("none", "hello"))).body.message).toContain("at least one trust anchor");
    const found = await ask("GET", `${BUNDLES}?fieldSelector=spec.signerName%3Dexample.com%2Fs`);
    expect(found.body.items.map(({ metadata }: { metadata: { name: string } }) => metadata.name)).toEqual(["example.com:s:v1"]);
    const changed = await ask("PATCH", `${BUNDLES}/plain`, { spec: { trustBundle: two } });
    expect(changed.body.spec.trustBundle).toBe(two);
    expect((await ask("PATCH", `${BUNDLES}/example.com:s:v1`, { spec: { signerName: "example.com/t" } })).status).toBe(422);
  });

  test("pods' requests are held to their key, cannot be changed, and end once", async () => {
    const pem = Buffer.from(certificateRequest({ commonName: "ignored" }).request, "base64").toString();
    const body = {
      metadata: { name: "r" },
      spec: {
        signerName: "example.com/s",
        podName: "p",
        podUID: "1",
        serviceAccountName: "default",
        serviceAccountUID: "2",
        nodeName: "n",
        nodeUID: "3",
        stubPKCS10Request: pem.replaceAll(/-----[^-]+-----|\s/g, ""),
      },
    };
    const made = await ask("POST", REQUESTS, body);
    expect([made.status, made.body.message, made.body.spec?.maxExpirationSeconds]).toEqual([201, undefined, 86_400]);
    expect((await ask("PATCH", `${REQUESTS}/r`, { spec: { podName: "q" } })).status).toBe(422);
    const outcome = (type: string): object => ({
      status: { conditions: [{ type, status: "True", reason: "R", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }] },
    });
    expect((await ask("PATCH", `${REQUESTS}/r/status`, outcome("Denied"))).status).toBe(200);
    const again = await ask("PATCH", `${REQUESTS}/r/status`, outcome("Failed"));
    expect(again.body.message).toContain("immutable after PodCertificateRequest is issued, denied, or failed");
    const found = await ask("GET", `${REQUESTS}?fieldSelector=spec.nodeName%3Dn`);
    expect(found.body.items.length).toBe(1);
  });
});
