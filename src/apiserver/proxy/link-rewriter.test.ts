import { expect, test } from "vitest";
import { rewriteHtmlLinks } from "./html-links.ts";
import { rewriteLink } from "./link-rewriter.ts";

const context = {
  backendHost: "10.0.0.5:80",
  requestHost: "localhost:8001",
  pathPrepend: "/api/v1/namespaces/default/services/web/proxy",
};
const PREFIX = context.pathPrepend;

test.each([
  ["/foo", `${PREFIX}/foo`],
  ["/", `${PREFIX}/`],
  ["/foo/?q=1#f", `${PREFIX}/foo/?q=1#f`],
  ["foo/bar", "foo/bar"],
  ["?q=1", "?q=1"],
  ["#top", "#top"],
  ["http://10.0.0.5:80/x", `${PREFIX}/x`],
  ["//10.0.0.5:80/x", `${PREFIX}/x`],
  ["http://localhost:8001/x", `http://localhost:8001${PREFIX}/x`],
  ["https://example.com/x", "https://example.com/x"],
  ["//example.com/x", "//example.com/x"],
  [`${PREFIX}/already`, `${PREFIX}/already`],
  ["mailto:a@b.c", "mailto:a@b.c"],
  ["javascript:void(0)", "javascript:void(0)"],
  ["data:image/png;base64,AAAA", "data:image/png;base64,AAAA"],
  ["/a%20b", `${PREFIX}/a%20b`],
  ["/a/../b", `${PREFIX}/b`],
  ["/%zz", undefined],
  ["a:b:c/d", "a:b:c/d"],
  ["1a:b", undefined],
])("%s becomes %s", (link, want) => {
  expect(rewriteLink(link, context)).toBe(want);
});

const mark = (link: string): string | undefined => (link.startsWith("/") ? `/p${link}` : undefined);

test.each([
  [`<a href="/x">t</a>`, `<a href="/p/x">t</a>`],
  ["<A HREF=/x class=b>t</A>", `<a href="/p/x" class="b">t</A>`],
  [`<img src='/x' alt="a&amp;b">`, `<img src="/p/x" alt="a&amp;b">`],
  [`<img src="/x"/>`, `<img src="/p/x"/>`],
  [`<a href="/x?a=1&amp;b=2&c">`, `<a href="/p/x?a=1&amp;b=2&amp;c">`],
  [`<p title="/x">`, `<p title="/x">`],
  [`<!-- <a href="/x"> --><a href="/y">`, `<!-- <a href="/x"> --><a href="/p/y">`],
  [`<script>var a = '<a href="/x">';</script><a href="/y">`, `<script>var a = '<a href="/x">';</script><a href="/p/y">`],
  [`<!DOCTYPE html><html><head><link href="/s.css"></head>`, `<!DOCTYPE html><html><head><link href="/p/s.css"></head>`],
  ["a < b <", "a < b <"],
  [`<a href="/unfinished`, `<a href="/unfinished`],
  [`<a href="rel" data-x="&eacute;">`, `<a href="rel" data-x="&eacute;">`],
  ["<style>a { b: url(/x) }</STYLE ><base href=/y>", `<style>a { b: url(/x) }</STYLE ><base href="/p/y">`],
])("%s", (page, want) => {
  expect(rewriteHtmlLinks(page, mark)).toBe(want);
});

test("a page of nothing but open tags takes no time", () => {
  const page = "<a <script <textarea '".repeat(20_000);
  expect(rewriteHtmlLinks(page, mark).length).toBeGreaterThan(0);
});
