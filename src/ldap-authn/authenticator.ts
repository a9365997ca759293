import type { Directory } from "./directory.ts";
import type { DirectoryUser } from "./directory-options.ts";
import type { LoginTokens } from "./login-tokens.ts";

/** What a token may be. */
export type TokenKind = "signed" | "password" | "attribute";

/** Every kind of token, in the order in which they are tried. */
export const TOKEN_KINDS: readonly TokenKind[] = ["signed", "attribute", "password"];

/** Longest token: a signed one has some 300 characters. */
const TOKEN_LENGTH_MAX = 4096;

/** Options of {@link Authenticator}. */
export interface AuthenticatorOptions {
  readonly kinds: readonly TokenKind[];
  readonly usernamePrefix: string;
  readonly groupsPrefix: string;
}

/** Says of tokens and passwords whose they are. Throws `DirectoryUnavailable` when the directory cannot be asked. */
export class Authenticator {
  readonly #options: AuthenticatorOptions;
  readonly #directory: Pick<Directory, "checkPassword" | "find" | "findByToken">;
  readonly #tokens: LoginTokens;

  constructor(
    options: AuthenticatorOptions,
    modules: { readonly directory: Pick<Directory, "checkPassword" | "find" | "findByToken">; readonly tokens: LoginTokens },
  ) {
    this.#options = options;
    this.#directory = modules.directory;
    this.#tokens = modules.tokens;
  }

  /** A token for who has this name and password; undefined when nobody has. */
  async logIn(name: string, password: string): Promise<string | undefined> {
    if (!this.#options.kinds.includes("signed")) return undefined;
    const user = await this.#directory.checkPassword(name, password);
    return user === undefined || this.#asKubernetesUser(user) === undefined ? undefined : this.#tokens.issue(user);
  }

  /** Whose token it is, as Kubernetes shall see them; undefined when it is nobody's. */
  async review(token: string): Promise<DirectoryUser | undefined> {
    if (token === "" || token.length > TOKEN_LENGTH_MAX) return undefined;
    for (const kind of TOKEN_KINDS) {
      if (!this.#options.kinds.includes(kind)) continue;
      const user = await this.#ownerOf(token, kind);
      if (user !== undefined) return this.#asKubernetesUser(user);
    }
    return undefined;
  }

  async #ownerOf(token: string, kind: TokenKind): Promise<DirectoryUser | undefined> {
    switch (kind) {
      case "signed": {
        const owner = this.#tokens.read(token);
        if (owner === undefined) return undefined;
        const user = await this.#directory.find(owner.name);
        // Somebody else may have got the name since.
        return user?.uid === owner.uid ? user : undefined;
      }
      case "attribute":
        return this.#directory.findByToken(token);
      case "password": {
        const pair = readPair(token);
        return pair && this.#directory.checkPassword(pair.name, pair.password);
      }
    }
  }

  /** The names that begin with `system:` are Kubernetes' own to give: a directory's administrators are not a cluster's. */
  #asKubernetesUser({ name, uid, groups, extra }: DirectoryUser): DirectoryUser | undefined {
    const { usernamePrefix, groupsPrefix } = this.#options;
    const fullName = usernamePrefix + name;
    if (isReserved(fullName)) return undefined;
    const fullGroups = groups.map((group) => groupsPrefix + group).filter((group) => !isReserved(group));
    return { name: fullName, uid, groups: fullGroups, extra };
  }
}

function isReserved(name: string): boolean {
  return name.startsWith("system:");
}

/** `name:password` in base64 or base64url, as in HTTP's basic authentication (RFC 7617); undefined when it is none. */
export function readPair(encoded: string): { readonly name: string; readonly password: string } | undefined {
  if (!/^[A-Za-z0-9+/_-]+={0,2}$/.test(encoded)) return undefined;
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(Buffer.from(encoded, "base64"));
  } catch {
    return undefined;
  }
  const colon = text.indexOf(":");
  if (colon < 1 || colon === text.length - 1 || text.includes("\0")) return undefined;
  return { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
