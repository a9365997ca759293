/** What decides. */
export const AUTHORIZATION_MODES = ["ABAC", "AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"] as const;

/** One of upstream's `--authorization-mode`s. */
export type AuthorizationMode = (typeof AUTHORIZATION_MODES)[number];
