import { expect, test } from "vitest";
import { networkErrorText } from "./network-error.ts";

const failure = (more: object): Error => Object.assign(new Error("node's words"), more);

test.each([
  {
    name: "nobody listens",
    error: failure({ code: "ECONNREFUSED", syscall: "connect", address: "127.0.0.1", port: 9 }),
    want: "dial tcp 127.0.0.1:9: connect: connection refused",
  },
  {
    name: "nobody listens on any address of a name",
    error: new AggregateError([failure({ code: "ECONNREFUSED", syscall: "connect", address: "::1", port: 9 })]),
    want: "dial tcp [::1]:9: connect: connection refused",
  },
  {
    name: "no such name",
    error: failure({ code: "ENOTFOUND", syscall: "getaddrinfo", hostname: "x.invalid" }),
    want: "dial tcp: lookup x.invalid: no such host",
  },
  { name: "the connection ends", error: failure({ code: "ECONNRESET" }), want: "EOF" },
  {
    name: "an unknown authority",
    error: failure({ code: "SELF_SIGNED_CERT_IN_CHAIN" }),
    want: "tls: failed to verify certificate: x509: certificate signed by unknown authority",
  },
  {
    name: "a certificate that has ended",
    error: failure({ code: "CERT_HAS_EXPIRED" }),
    want: "tls: failed to verify certificate: x509: certificate has expired or is not yet valid",
  },
  {
    name: "a certificate for other names",
    error: failure({ code: "ERR_TLS_CERT_ALTNAME_INVALID", host: "a.b.svc", cert: { subjectaltname: "DNS:c, DNS:d" } }),
    want: "tls: failed to verify certificate: x509: certificate is valid for c, d, not a.b.svc",
  },
  {
    name: "a certificate without addresses",
    error: failure({ code: "ERR_TLS_CERT_ALTNAME_INVALID", host: "10.0.0.1", cert: { subjectaltname: "DNS:c" } }),
    want: "tls: failed to verify certificate: x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs",
  },
  {
    name: "a certificate without any names",
    error: failure({ code: "ERR_TLS_CERT_ALTNAME_INVALID", host: "a.b.svc", cert: {} }),
    want: "tls: failed to verify certificate: x509: certificate is not valid for any names, but wanted to match a.b.svc",
  },
  { name: "no TLS", error: failure({ code: "EPROTO" }), want: "http: server gave HTTP response to HTTPS client" },
  { name: "something else", error: failure({}), want: "node's words" },
])("$name", ({ error, want }) => {
  expect(networkErrorText(error)).toBe(want);
});
