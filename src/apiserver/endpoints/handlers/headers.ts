import type { ResourceRequest } from "../response.ts";

/** A request header as one text; empty when it is absent. */
export function header(request: Pick<ResourceRequest, "headers">, name: string): string {
  const value = request.headers[name];
  if (value === undefined) return "";
  return typeof value === "string" ? value : value.join(", ");
}
