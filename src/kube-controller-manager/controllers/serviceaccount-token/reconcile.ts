import type { Secret, ServiceAccount } from "#api/generated/core/v1.ts";

export const TOKEN_SECRET_TYPE = "kubernetes.io/service-account-token";
const NAME_ANNOTATION = "kubernetes.io/service-account.name";
const UID_ANNOTATION = "kubernetes.io/service-account.uid";

/** What the decision depends on. */
export interface Observed {
  readonly secret: Secret;
  /** The account that the Secret names, as far as it is known. */
  readonly account: ServiceAccount | undefined;
  /** PEM; the Secret carries no authority when it is absent. */
  readonly rootCa: string | undefined;
}

export type Action =
  /** Unless the server knows the account. */
  | { readonly type: "delete"; readonly secret: Secret }
  /** `needsToken`: the token is to be put in too. */
  | { readonly type: "fill"; readonly secret: Secret; readonly account: ServiceAccount; readonly needsToken: boolean };

/** The name of the account that a token Secret is for; undefined for other Secrets. */
export function accountNameOf({ type, metadata }: Secret): string | undefined {
  return type === TOKEN_SECRET_TYPE ? metadata.annotations?.[NAME_ANNOTATION] || undefined : undefined;
}

/** Whether the Secret is for just this account, not for another one of the same name. */
export function isFor({ metadata }: Secret, account: ServiceAccount | undefined): account is ServiceAccount {
  const uid = metadata.annotations?.[UID_ANNOTATION] ?? "";
  return account !== undefined && (uid === "" || uid === account.metadata.uid);
}

/** Fills token Secrets, and removes those whose account is gone. Upstream's `TokensController`. */
export function reconcile({ secret, account, rootCa }: Observed): readonly Action[] {
  if (accountNameOf(secret) === undefined || secret.metadata.deletionTimestamp !== undefined) return [];
  if (!isFor(secret, account)) return [{ type: "delete", secret }];
  const { data = {}, metadata } = secret;
  const ca = rootCa === undefined ? undefined : base64(rootCa);
  const needsToken = !data.token;
  const isRight = !needsToken && Boolean(data.namespace) && (ca === undefined || data["ca.crt"] === ca);
  if (isRight) return [];
  const { name = "", uid = "" } = account.metadata;
  const filled: Secret = {
    ...secret,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [NAME_ANNOTATION]: name, [UID_ANNOTATION]: uid } },
    data: {
      ...data,
      ...(ca === undefined ? {} : { "ca.crt": ca }),
      ...(data.namespace ? {} : { namespace: base64(metadata.namespace ?? "") }),
    },
  };
  return [{ type: "fill", secret: filled, account, needsToken }];
}

/** As the bytes of a Secret stand in JSON. */
export function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
