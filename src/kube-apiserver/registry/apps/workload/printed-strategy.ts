/** A strategy as upstream prints it in messages: by the names of Go's fields. */
export function printedStrategy(strategy: {
  readonly type?: string;
  readonly rollingUpdate?: { readonly maxUnavailable?: number | string; readonly maxSurge?: number | string };
}): object {
  const { type = "", rollingUpdate } = strategy;
  if (!rollingUpdate) return { Type: type, RollingUpdate: null };
  const { maxUnavailable = 0, maxSurge = 0 } = rollingUpdate;
  return { Type: type, RollingUpdate: { MaxUnavailable: maxUnavailable, MaxSurge: maxSurge } };
}
