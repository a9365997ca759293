import type { Namespace, ServiceAccount } from "#api/generated/core/v1.ts";

export const DEFAULT_SERVICE_ACCOUNT = "default";

/** What the decision depends on. */
export interface Observed {
  readonly namespace: Namespace;
  readonly account: ServiceAccount | undefined;
}

export interface Action {
  readonly type: "create";
  readonly namespace: string;
  readonly account: ServiceAccount;
}

/** A living namespace has a default service account. */
export function reconcile({ namespace, account }: Observed): readonly Action[] {
  if (account !== undefined || namespace.status?.phase === "Terminating") return [];
  const name = namespace.metadata.name ?? "";
  const made: ServiceAccount = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: DEFAULT_SERVICE_ACCOUNT, namespace: name },
  };
  return [{ type: "create", namespace: name, account: made }];
}
