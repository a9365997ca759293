import { describe, expect, test } from "vitest";
import { DEFAULT_SERVING } from "#apiserver/server/serving-options.ts";
import { parseFlags } from "#component-base/flags.ts";
import { servingFlags, servingOptions } from "./serving-flags.ts";

const read = (...args: string[]): unknown => servingOptions(parseFlags(servingFlags, args));

describe("flags of serving", () => {
  test("default to what the server does by itself", () => {
    expect(read()).toEqual(DEFAULT_SERVING);
  });

  test.each<[string, object]>([
    ["--tls-min-version=VersionTLS13", { tlsMinVersion: "TLSv1.3" }],
    [
      "--tls-cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256",
      {
        tlsCiphers: "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-RSA-AES128-GCM-SHA256",
      },
    ],
    ["--http2-max-streams-per-connection=0", { streamsPerConnectionMax: 250 }],
    ["--max-requests-inflight=3", { seats: 203 }],
    ["--request-timeout=5s", { requestTimeoutMs: 5000 }],
    ["--goaway-chance=.001", { goawayChance: 0.001 }],
    [
      "--strict-transport-security-directives=max-age=31536000,includeSubDomains",
      { strictTransportSecurity: "max-age=31536000; includeSubDomains" },
    ],
  ])("%s", (flag, want) => {
    expect(read(flag)).toMatchObject(want);
  });

  test.each([
    "--tls-min-version=VersionTLS10",
    "--tls-cipher-suites=TLS_RSA_WITH_RC4_128_SHA",
    "--goaway-chance=0.5",
    "--goaway-chance=often",
    "--request-timeout=-1s",
    "--strict-transport-security-directives=max-age",
  ])("%s is refused", (flag) => {
    expect(() => read(flag)).toThrow(flag.slice(0, flag.indexOf("=")));
  });

  test("nothing at once is no limit but a server that does nothing", () => {
    expect(() => read("--max-requests-inflight=0", "--max-mutating-requests-inflight=0")).toThrow("let nothing be worked on");
  });
});
