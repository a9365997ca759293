import { createPrivateKey } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { Pod } from "#api/generated/core/v1.ts";
import { notFound } from "#apimachinery/api-errors/errors.ts";
import { ManualClock } from "#base/manual-clock.ts";
import { parseCertificateRequest } from "#component-helpers/certificates/certificate-request.ts";
import { trustAnchors } from "../volumes/trust-anchors.ts";
import { PodCertificates } from "./pod-certificates.ts";
import { generatePodKey, stubRequest } from "./pod-key.ts";

// biome-ignore lint/suspicious/noExplicitAny: objects of the API, in parts.
type Any = any;

const pem = (text: string): string =>
  `-----BEGIN CERTIFICATE-----\n${Buffer.from(text).toString("base64")}\n-----END CERTIFICATE-----\n`;

describe("keys of pods", () => {
  test.each([
    { keyType: "ED25519", type: "ed25519", details: {} },
    { keyType: "ECDSAP256", type: "ec", details: { namedCurve: "prime256v1" } },
    { keyType: "ECDSAP384", type: "ec", details: { namedCurve: "secp384r1" } },
    { keyType: "ECDSAP521", type: "ec", details: { namedCurve: "secp521r1" } },
    { keyType: "RSA3072", type: "rsa", details: { modulusLength: 3072 } },
  ])("$keyType, and a request that it signed", async ({ keyType, type, details }) => {
    const key = await generatePodKey(keyType);
    expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(createPrivateKey(key)).toMatchObject({ asymmetricKeyType: type, asymmetricKeyDetails: details });
    const request = parseCertificateRequest(
      `-----BEGIN CERTIFICATE REQUEST-----\n${stubRequest(key)}\n-----END CERTIFICATE REQUEST-----\n`,
    );
    expect(request?.verifySignature()).toBe(true);
    expect(request?.commonName).toBe("");
  });

  test("another kind", async () => {
    await expect(generatePodKey("DSA")).rejects.toThrow('unknown key type "DSA"');
  });
});

describe("certificates of pods", () => {
  const pod = {
    metadata: { name: "web", namespace: "shop", uid: "u-1" },
    spec: { serviceAccountName: "web", nodeName: "n" },
  } as Any as Pod;
  const source = { signerName: "example.com/own", keyType: "ED25519", maxExpirationSeconds: 3600, userAnnotations: { a: "b" } };
  const HOUR = 3_600_000;

  function setUp() {
    const clock = new ManualClock(Date.parse("2026-01-01T00:00:00Z"));
    const events: string[] = [];
    const requests: Any[] = [];
    const client = {
      create: async (_: Any, __: string, object: Any) => {
        requests.push({ ...object, metadata: { ...object.metadata, name: `req-${requests.length}` } });
        return requests.at(-1);
      },
      get: async ({ resource }: Any, __: string, name: string) => {
        if (resource === "serviceaccounts") return { metadata: { uid: "sa-1" } };
        const found = requests.find(({ metadata }) => metadata.name === name);
        if (found === undefined || found.deleted)
          throw notFound({ group: "certificates.k8s.io", resource: "podcertificaterequests" }, name);
        return found;
      },
    } as Any;
    const recorder = {
      event: (_: Any, __: string, reason: string, message: string) => events.push(`${reason}: ${message}`),
      flush: async () => {},
    } as Any;
    const random = { float: () => 0 } as Any;
    const node = () => ({ metadata: { uid: "n-1" } }) as Any;
    const certificates = new PodCertificates({ client, recorder, clock, random, node });
    const decide = (type: string, more: object = {}): void => {
      requests.at(-1).status = { conditions: [{ type, status: "True", reason: "Because", message: "so" }], ...more };
    };
    const issue = (name: string): void => {
      const time = (ms: number): string => new Date(clock.now() + ms).toISOString();
      decide("Issued", { certificateChain: `junk\n${pem(name)}junk`, beginRefreshAt: time(HOUR / 2), notAfter: time(HOUR) });
    };
    return { clock, events, requests, issue, decide, get: () => certificates.get(pod, "v", 0, source), certificates };
  }

  test("one is asked for, awaited, and given with its key", async () => {
    const { requests, issue, get } = setUp();
    await expect(get()).rejects.toThrow("credential bundle is not issued yet");
    await expect(get()).rejects.toThrow("credential bundle is not issued yet");
    expect(requests).toHaveLength(1);
    expect(requests[0]).toMatchObject({
      metadata: { generateName: "req-", ownerReferences: [{ kind: "Pod", uid: "u-1" }] },
      spec: {
        signerName: "example.com/own",
        podUID: "u-1",
        serviceAccountUID: "sa-1",
        nodeUID: "n-1",
        maxExpirationSeconds: 3600,
        unverifiedUserAnnotations: { a: "b" },
      },
    });
    issue("first");
    const { key, certificates } = await get();
    expect(certificates).toBe(pem("first"));
    expect(stubRequest(key)).toBe(requests[0].spec.stubPKCS10Request);
  });

  test("it is renewed in time, and the old one does until the new one is there", async () => {
    const { clock, requests, issue, get } = setUp();
    await get().catch(() => {});
    issue("first");
    const first = await get();
    clock.advance(HOUR / 2 - 1);
    await get();
    expect(requests).toHaveLength(1);
    clock.advance(1);
    expect(await get()).toEqual(first);
    expect(requests).toHaveLength(2);
    issue("second");
    expect((await get()).certificates).toBe(pem("second"));
  });

  test.each([
    { type: "Denied", want: 'PodCertificateRequest was permanently denied: reason="Because" message="so"' },
    { type: "Failed", want: 'PodCertificateRequest was permanently failed: reason="Because" message="so"' },
  ])("$type is for good", async ({ type, want }) => {
    const { decide, events, requests, get } = setUp();
    await get().catch(() => {});
    decide(type);
    await expect(get()).rejects.toThrow(want);
    await expect(get()).rejects.toThrow(want);
    expect(events).toEqual([`${type}: Because`]);
    expect(requests).toHaveLength(1);
  });

  test("a request that somebody removed is made again after a while", async () => {
    const { clock, requests, get } = setUp();
    await get().catch(() => {});
    requests[0].deleted = true;
    await get().catch(() => {});
    clock.advance(600_001);
    await get().catch(() => {});
    await get().catch(() => {});
    expect(requests).toHaveLength(2);
  });

  test("what is late or over is told once", async () => {
    const { clock, events, issue, get } = setUp();
    await get().catch(() => {});
    issue("first");
    await get();
    clock.advance(2 * HOUR);
    await get();
    await get();
    expect(events).toEqual([
      "CertificateOverdueForRefresh: PodCertificate refresh overdue",
      "CertificateExpired: PodCertificate expired",
    ]);
  });
});

describe("certificates of ClusterTrustBundles", () => {
  const bundle = (name: string, trustBundle: string, signerName?: string, labels: Any = {}): Any => ({
    metadata: { name, labels },
    spec: { trustBundle, signerName },
  });
  const bundles = [
    bundle("one", pem("A") + pem("B")),
    bundle("x:y:two", `note\n${pem("B")}\n${pem("C")}`, "x/y", { live: "yes" }),
    bundle("x:y:three", pem("D"), "x/y", { live: "no" }),
    ...Array.from({ length: 150 }, (_, i) => bundle(`m:n:${i}`, pem(`M${i}`), "m/n", {})),
  ];
  const names = (text: string): string[] =>
    [...text.matchAll(/-\n([^-]+)\n-/g)].map(([, body = ""]) => Buffer.from(body, "base64").toString()).sort();

  test.each([
    { name: "by name", source: { name: "one" }, want: ["A", "B"] },
    {
      name: "by signer and labels",
      source: { signerName: "x/y", labelSelector: { matchLabels: { live: "yes" } } },
      want: ["B", "C"],
    },
    { name: "of a signer all", source: { signerName: "x/y", labelSelector: {} }, want: ["B", "C", "D"] },
    { name: "none without a selector, when that is fine", source: { signerName: "x/y", optional: true }, want: [] },
    { name: "none by a name, when that is fine", source: { name: "none", optional: true }, want: [] },
  ])("$name", ({ source, want }) => {
    expect(names(trustAnchors({ path: "p", ...source }, bundles, "salt"))).toEqual(want);
  });

  test("more than a hundred, in an order that is nobody's", () => {
    const source = { path: "p", signerName: "m/n", labelSelector: {} };
    const [one, same, other] = ["s", "s", "t"].map((salt) => trustAnchors(source, bundles, salt)) as [string, string, string];
    expect(names(one)).toHaveLength(150);
    expect(one).toBe(same);
    expect(one).not.toBe(other);
    expect(names(one)).toEqual(names(other));
  });

  test.each([
    {
      source: { name: "none" },
      want: 'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "none" not found',
    },
    { source: { signerName: "x/y" }, want: "combination of signerName and labelSelector matched zero ClusterTrustBundles" },
  ])("$want", ({ source, want }) => {
    expect(() => trustAnchors({ path: "p", ...source }, bundles, "salt")).toThrow(want);
  });
});
