import type { ApiResponse } from "#apiserver/endpoints/response.ts";
import { methodNotAllowed, pageNotFound } from "#apiserver/non-resource/answers.ts";
import type { NonResourceRoute } from "#apiserver/non-resource/route.ts";
import { ASSET_TYPES, SwaggerAssets } from "./assets.ts";
import { PAGE_CSS, PAGE_HTML, PAGE_SCRIPT } from "./page.ts";

const ROOT = "/swagger-ui";

const PAGES: Readonly<Record<string, { readonly type: string; readonly body: string }>> = {
  "": { type: "text/html; charset=utf-8", body: PAGE_HTML },
  "index.html": { type: "text/html; charset=utf-8", body: PAGE_HTML },
  "page.css": { type: "text/css; charset=utf-8", body: PAGE_CSS },
  "page.js": { type: "text/javascript; charset=utf-8", body: PAGE_SCRIPT },
};

/**
 * Nothing comes from elsewhere, nothing goes elsewhere, and no script runs that is not a file of the server. Swagger UI's style
 * sheet has its pictures in `data:` URLs, and its elements set styles of their own.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

const HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": POLICY,
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  // Who may see the page may not be the next who asks.
  "cache-control": "private, no-cache",
};

/** The page at `/swagger-ui/` (upstream had it until 1.13). Who asks is authenticated and authorized as for any other path. */
export function swaggerUiRoutes(): ReadonlyMap<string, NonResourceRoute> {
  const assets = new SwaggerAssets();
  return new Map<string, NonResourceRoute>([
    [
      ROOT,
      ({ method, path }) => {
        if (method !== "GET" && method !== "HEAD") return methodNotAllowed();
        if (path === ROOT) return { status: 301, headers: { location: `${ROOT}/` }, body: "" };
        return file(assets, path.slice(ROOT.length + 1));
      },
    ],
  ]);
}

async function file(assets: SwaggerAssets, name: string): Promise<ApiResponse> {
  const page = Object.hasOwn(PAGES, name) ? PAGES[name] : undefined;
  if (page !== undefined) return { status: 200, headers: { ...HEADERS, "content-type": page.type }, body: page.body };
  const type = Object.hasOwn(ASSET_TYPES, name) ? ASSET_TYPES[name] : undefined;
  if (type === undefined) return pageNotFound();
  return { status: 200, headers: { ...HEADERS, "content-type": type }, body: await assets.read(name) };
}
