import { expect, test } from "vitest";
import { answerHeaders, backendHeaders, isUpgradeRequest } from "./backend-headers.ts";

const TOKEN = "base64url.bearer.authorization.k8s.io.c2VjcmV0";

test("credentials and headers of one hop stay here", () => {
  const headers = {
    host: "api:6443",
    authorization: "Bearer secret",
    "impersonate-user": "root",
    "impersonate-extra-scopes": "x",
    "x-remote-user": "root",
    "x-remote-extra-a": "b",
    connection: "close, X-Hop",
    "x-hop": "1",
    "keep-alive": "5",
    te: "trailers, deflate",
    "proxy-authorization": "secret",
    "transfer-encoding": "chunked",
    cookie: "a=b",
    "x-many": ["1", "2"],
  };
  expect(backendHeaders({ headers, connection: undefined }, false)).toEqual({
    Host: "api:6443",
    Cookie: "a=b",
    "X-Many": ["1", "2"],
    Te: "trailers",
  });
});

test("with another protocol the wish goes along, without the token", () => {
  const headers = { connection: "Upgrade", upgrade: "websocket", "sec-websocket-protocol": `v4.channel.k8s.io, ${TOKEN}` };
  expect(backendHeaders({ headers, connection: undefined }, true)).toEqual({
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-Websocket-Protocol": "v4.channel.k8s.io",
  });
  expect(backendHeaders({ headers: { ...headers, "sec-websocket-protocol": TOKEN }, connection: undefined }, true)).toEqual({
    Connection: "Upgrade",
    Upgrade: "websocket",
  });
});

test("HTTP/2 says its host elsewhere", () => {
  const headers = { ":authority": "api:6443", ":method": "GET", ":path": "/" };
  expect(backendHeaders({ headers, connection: undefined }, false)).toEqual({ Host: "api:6443" });
});

test("an answer's lines stay lines", () => {
  const raw = ["Set-Cookie", "a=1", "Set-Cookie", "b=2", "Content-Type", "text/plain", "Content-Type", "text/html"];
  const hop = ["Connection", "X-Gone", "X-Gone", "1", "Keep-Alive", "5", "Access-Control-Allow-Origin", "*"];
  expect(answerHeaders([...raw, ...hop])).toEqual({ "set-cookie": ["a=1", "b=2"], "content-type": ["text/plain"] });
});

test.each([
  [{ connection: "Upgrade" }, true],
  [{ connection: "keep-alive, upgrade" }, true],
  [{ connection: "close" }, false],
  [{}, false],
])("%o", (headers, want) => {
  expect(isUpgradeRequest(headers)).toBe(want);
});
