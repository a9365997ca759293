import { expect, test } from "vitest";
import type { Exchange } from "../server/exchange.ts";
import { type AnonymousAccess, Authenticator } from "./authenticator.ts";
import { REQUEST_HEADERS } from "./request-header.ts";

interface Given {
  readonly peer?: Exchange["peer"];
  readonly headers?: Record<string, string[]>;
  readonly anonymous?: AnonymousAccess;
  readonly path?: string;
}

async function told({ peer, headers = {}, anonymous = { enabled: true }, path = "/api" }: Given): Promise<unknown> {
  const authenticator = new Authenticator({
    tokens: {
      authenticate: async (token) =>
        token === "good"
          ? { user: { name: "by-token", uid: "", groups: [], extra: {} }, audiences: [] }
          : { user: undefined, error: "bad" },
    },
    requestHeaders: REQUEST_HEADERS,
    anonymous,
  });
  const exchange = {
    peer,
    headers: Object.fromEntries(Object.entries(headers).map(([name, lines]) => [name, lines.join(", ")])),
    headerLines: (name: string) => headers[name] ?? [],
  } as unknown as Exchange;
  try {
    const { name, groups, extra } = await authenticator.authenticate(exchange, path);
    return [name, ...groups, ...Object.entries(extra).map(([key, values]) => `${key}=${values.join("|")}`)].join(" ");
  } catch (error) {
    return (error as { status: { code: number } }).status.code;
  }
}

const jane = { name: "jane", uid: "", groups: [], extra: {} };
const remote = {
  "x-remote-user": ["joe"],
  "x-remote-group": ["a, b", "c"],
  "x-remote-extra-example.com%2fkey": ["1", "2"],
};
const bearer = (token: string): Record<string, string[]> => ({ authorization: [`Bearer ${token}`] });
const protocol = (token: string): Record<string, string[]> => ({
  upgrade: ["websocket"],
  "sec-websocket-protocol": [
    `v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.${Buffer.from(token).toString("base64url")}`,
  ],
});

test.each<[string, Given, unknown]>([
  ["nothing is anonymous", {}, "system:anonymous system:unauthenticated"],
  ["unless that is off", { anonymous: { enabled: false } }, 401],
  [
    "a path that is open",
    { anonymous: { enabled: true, paths: ["/livez"] }, path: "/livez" },
    "system:anonymous system:unauthenticated",
  ],
  ["a path below it is not", { anonymous: { enabled: true, paths: ["/livez"] }, path: "/livez/ping" }, 401],
  ["a certificate", { peer: { user: jane }, headers: bearer("good") }, "jane"],
  ["a certificate of nobody is not anonymous", { peer: {} }, 401],
  ["but a token helps", { peer: {}, headers: bearer("good") }, "by-token"],
  ["a bad token is not anonymous", { headers: bearer("bad") }, 401],
  ["a token of a WebSocket", { headers: protocol("good") }, "by-token"],
  ["another scheme is no token", { headers: { authorization: ["Basic Zm9v"] } }, "system:anonymous system:unauthenticated"],
  ["what a proxy says", { peer: { isProxy: true }, headers: remote }, "joe a, b c system:authenticated example.com/key=1|2"],
  ["a proxy that says nothing", { peer: { isProxy: true } }, 401],
  ["what anybody else says counts for nothing", { peer: { user: jane }, headers: remote }, "jane"],
])("%s", async (_name, given, want) => {
  expect(await told(given)).toBe(want);
});

test("the same header on the same connection is not looked at again, as long as its token holds", async () => {
  let holds = true;
  const asked: string[] = [];
  const authenticator = new Authenticator({
    tokens: {
      authenticate: (token) => {
        asked.push(token);
        if (!holds) return { user: undefined, error: "bad" };
        return { user: { ...jane, name: token }, audiences: [], holds: () => holds };
      },
    },
    requestHeaders: REQUEST_HEADERS,
    anonymous: { enabled: false },
  });
  const on = (connection: object, token: string): Exchange =>
    ({ connection, headers: { authorization: `Bearer ${token}` }, headerLines: () => [] }) as unknown as Exchange;
  const [one, two] = [{}, {}];
  const names: string[] = [];
  for (const exchange of [on(one, "a"), on(one, "a"), on(two, "a"), on(one, "b"), on(one, "a")]) {
    names.push((await authenticator.authenticate(exchange, "/api")).name);
  }
  expect(names).toEqual(["a", "a", "a", "b", "a"]);
  expect(asked).toEqual(["a", "a", "b", "a"]);
  holds = false;
  expect(() => authenticator.authenticate(on(one, "a"), "/api")).toThrow("Unauthorized");
});
