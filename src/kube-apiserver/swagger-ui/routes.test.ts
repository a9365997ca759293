import { expect, test } from "vitest";
import type { NonResourceRequest } from "#apiserver/non-resource/route.ts";
import { swaggerUiRoutes } from "./routes.ts";

const route = swaggerUiRoutes().get("/swagger-ui");

function request(path: string, method = "GET"): NonResourceRequest {
  const user = { name: "somebody", uid: "", groups: [], extra: {} };
  return { method, path, query: new URLSearchParams(), headers: {}, accept: "", user };
}

test.each([
  ["/swagger-ui/", "text/html; charset=utf-8"],
  ["/swagger-ui/index.html", "text/html; charset=utf-8"],
  ["/swagger-ui/page.js", "text/javascript; charset=utf-8"],
  ["/swagger-ui/page.css", "text/css; charset=utf-8"],
  ["/swagger-ui/swagger-ui.css", "text/css; charset=utf-8"],
  ["/swagger-ui/swagger-ui-bundle.js", "text/javascript; charset=utf-8"],
  ["/swagger-ui/LICENSE", "text/plain; charset=utf-8"],
])("%s comes with its type and the policy", async (path, type) => {
  const answer = await route?.(request(path));
  expect(answer).toMatchObject({ status: 200, headers: { "content-type": type, "x-content-type-options": "nosniff" } });
  expect(answer?.headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self';/);
});

test.each([
  ["/swagger-ui", 301],
  ["/swagger-ui/../package.json", 404],
  ["/swagger-ui/swagger-ui-bundle.js.map", 404],
  ["/swagger-ui/constructor", 404],
  ["/swagger-ui/__proto__", 404],
])("%s is answered %d", async (path, status) => {
  expect(await route?.(request(path))).toMatchObject({ status });
});

test("nothing can be written", async () => {
  expect(await route?.(request("/swagger-ui/", "POST"))).toMatchObject({ status: 405 });
});

test("the page takes nothing from elsewhere, and has no scripts or styles in its text", async () => {
  const page = String((await route?.(request("/swagger-ui/")))?.body);
  expect(page).not.toMatch(/https?:|<script>|<style|\son\w+=|style=/);
});
