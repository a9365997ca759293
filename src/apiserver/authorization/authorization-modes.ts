/** What decides. ABAC is not among them. */
export const AUTHORIZATION_MODES = ["AlwaysAllow", "AlwaysDeny", "Node", "RBAC", "Webhook"] as const;

/** One of upstream's `--authorization-mode`s. */
export type AuthorizationMode = (typeof AUTHORIZATION_MODES)[number];
