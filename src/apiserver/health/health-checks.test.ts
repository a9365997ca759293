import { expect, test } from "vitest";
import { HealthEndpoint } from "./health-checks.ts";

const fail = () => {
  throw new Error("no route to it");
};
const endpoint = new HealthEndpoint("readyz", [
  { name: "ping", check: () => {} },
  { name: "etcd", check: fail },
]);

test.each([
  ["a failing check fails all", "/readyz", 500, "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"],
  ["unless it is left out", "/readyz?exclude=etcd", 200, "ok"],
  ["which is told when asked", "/readyz?exclude=etcd&verbose", 200, "[+]ping ok\n[+]etcd excluded: ok\nreadyz check passed\n"],
  ["one check by its path", "/readyz/ping", 200, "ok"],
  ["one that fails tells why", "/readyz/etcd", 500, "internal server error: no route to it\n"],
  ["no such check", "/readyz/nope", 404, "404 page not found\n"],
  ["nor the path with a slash", "/readyz/", 404, "404 page not found\n"],
])("%s", async (_name, url, status, body) => {
  const [path = "", query = ""] = url.split("?");
  const user = { name: "u", uid: "", groups: [], extra: {} };
  const answer = await endpoint.answer({ method: "GET", path, query: new URLSearchParams(query), headers: {}, accept: "", user });
  expect({ status: answer.status, body: answer.body }).toEqual({ status, body });
});
