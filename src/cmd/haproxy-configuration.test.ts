import { describe, expect, test } from "vitest";
import { balancedServers, haproxyConfiguration } from "./haproxy-configuration.ts";

describe("servers behind the balancer", () => {
  test.each([
    [["10.0.0.1"], [{ name: "apiserver-1", host: "10.0.0.1", port: 6443 }]],
    [
      ["a=10.0.0.1:6444", "master-2.example"],
      [
        { name: "a", host: "10.0.0.1", port: 6444 },
        { name: "apiserver-2", host: "master-2.example", port: 6443 },
      ],
    ],
    [["[2001:db8::1]:443"], [{ name: "apiserver-1", host: "2001:db8::1", port: 443 }]],
  ])("%j", (texts, want) => {
    expect(balancedServers(texts)).toEqual(want);
  });

  test.each([
    [[], "must be given"],
    [["10.0.0.1:70000"], "takes [NAME=]HOST[:PORT]"],
    [["https://10.0.0.1"], "takes [NAME=]HOST[:PORT]"],
    [["a b=10.0.0.1"], "takes [NAME=]HOST[:PORT]"],
    [["[x::1]"], "takes [NAME=]HOST[:PORT]"],
    [["a=h1", "a=h2"], 'two of the name "a"'],
  ])("%j is refused", (texts, why) => {
    expect(() => balancedServers(texts)).toThrow(why);
  });
});

describe("the configuration", () => {
  const servers = balancedServers(["10.0.0.1", "b=[2001:db8::1]:443"]);

  test("names each server, checked by TLS", () => {
    const text = haproxyConfiguration({ bind: "*:6443", servers, caFile: "", maxConnections: 100 });
    expect(text).toContain("\n    server apiserver-1 10.0.0.1:6443 check check-ssl verify none\n");
    expect(text).toContain("\n    server b [2001:db8::1]:443 check check-ssl verify none\n");
    expect(text).toContain("\n    bind *:6443\n");
    expect(text).toContain("\n    maxconn 100\n");
  });

  test("leaves a server that is to stop the connections that it has", () => {
    const text = haproxyConfiguration({ bind: "*:6443", servers, caFile: "", maxConnections: 0 });
    const asked = [...text.matchAll(/http-check (?:send meth GET uri (\S+)|expect (.*))/g)].map(([, path, want]) => path ?? want);
    expect(asked).toEqual(["/readyz?exclude=shutdown", "status 200", "/readyz", "error-status L7OKC status 200"]);
  });

  test("believes no certificate but those of the file", () => {
    const text = haproxyConfiguration({ bind: "*:6443", servers, caFile: "/etc/kubernetes/pki/ca.crt", maxConnections: 100 });
    expect(text).toContain('check-ssl verify required ca-file "/etc/kubernetes/pki/ca.crt"\n');
  });

  test("refuses a file's name that would say something else", () => {
    const options = { bind: "*:6443", servers, caFile: 'x"\nuser root', maxConnections: 100 };
    expect(() => haproxyConfiguration(options)).toThrow("cannot be told");
  });
});
