import { indentedJsonAnswer, methodNotAllowed, pageNotFound, resourceNotFound } from "./answers.ts";
import type { NonResourceRoute } from "./route.ts";

/** What a server offers beside resources. Paths without a trailing slash. */
export interface RouterOptions {
  /** Paths that allow only GET, with or without a trailing slash. Paths below them are answered 404 as JSON. */
  readonly getOnly: ReadonlyMap<string, NonResourceRoute>;
  /** Paths that answer every method, exactly as they are written. */
  readonly exact: ReadonlyMap<string, NonResourceRoute>;
  /** As `exact`, for what comes and goes: the documents of discovery. */
  readonly discovery: () => ReadonlyMap<string, NonResourceRoute>;
  /** Paths that answer for everything below them, too. */
  readonly below: ReadonlyMap<string, NonResourceRoute>;
  /** As `exact`, and not listed at `/`. */
  readonly unlisted: ReadonlyMap<string, NonResourceRoute>;
  readonly servesGroup: (group: string) => boolean;
}

/** Finds the route of a path. Upstream's router answers unknown paths within what it serves as JSON, Go's mux all others as text. */
export function nonResourceRouter(options: RouterOptions): NonResourceRoute {
  const { getOnly, exact, discovery, below, unlisted, servesGroup } = options;
  const index = indexRoute(() => [...getOnly.keys(), ...exact.keys(), ...discovery().keys(), ...below.keys()]);
  return (request) => {
    const { path } = request;
    const route = exact.get(path) ?? discovery().get(path) ?? unlisted.get(path);
    if (route !== undefined) return route(request);
    if (path === "/" || path === "/index.html") return index(request);
    for (const [root, routed] of getOnly) {
      if (path !== root && !path.startsWith(`${root}/`)) continue;
      if (path.length > root.length + 1) return resourceNotFound();
      return request.method === "GET" ? routed(request) : methodNotAllowed();
    }
    for (const [root, routed] of below) {
      if (path === root || path.startsWith(root.endsWith("/") ? root : `${root}/`)) return routed(request);
    }
    const [, prefix, group = ""] = path.split("/");
    if (prefix === "api" || (prefix === "apis" && group !== "" && servesGroup(group))) return resourceNotFound();
    return pageNotFound();
  };
}

function indexRoute(paths: () => readonly string[]): NonResourceRoute {
  return () => indentedJsonAnswer({ paths: [...new Set(paths().filter((path) => !path.endsWith("/")))].sort() });
}
