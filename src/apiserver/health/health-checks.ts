import type { HealthSlis } from "#component-base/health-slis.ts";
import type { ApiResponse } from "../endpoints/response.ts";
import { pageNotFound, plainText } from "../non-resource/answers.ts";
import type { NonResourceRequest } from "../non-resource/route.ts";

/** A named condition; `check` throws or rejects with the reason when it does not hold. */
export interface HealthCheck {
  readonly name: string;
  readonly check: () => void | Promise<void>;
}

/**
 * `/healthz`, `/livez` or `/readyz` with a path for each check, after upstream's `healthz` package: `?verbose` lists
 * them, `?exclude=NAME` leaves some out. Failures list all checks in any case, without their reasons.
 */
export class HealthEndpoint {
  readonly #name: string;
  readonly #checks: readonly HealthCheck[];
  readonly #slis: HealthSlis | undefined;

  /** `slis` are told of each outcome when the endpoint itself is asked. */
  constructor(name: "healthz" | "livez" | "readyz", checks: readonly HealthCheck[], slis?: HealthSlis) {
    this.#slis = slis;
    this.#name = name;
    this.#checks = checks;
  }

  /** Answers the endpoint itself, and each check below it. */
  async answer(request: NonResourceRequest): Promise<ApiResponse> {
    const below = request.path.slice(this.#name.length + 1);
    if (below === "") return this.#all(request.query);
    const check = this.#checks.find(({ name }) => `/${name}` === below);
    if (check === undefined) return pageNotFound();
    const failure = await failureOf(check);
    return failure === undefined
      ? plainText(200, "ok", NO_SNIFF)
      : plainText(500, `internal server error: ${failure}\n`, NO_SNIFF);
  }

  async #all(query: URLSearchParams): Promise<ApiResponse> {
    const excluded = new Set(query.getAll("exclude"));
    const failures = await Promise.all(this.#checks.map((check) => (excluded.has(check.name) ? undefined : failureOf(check))));
    for (const [i, { name }] of this.#checks.entries()) {
      if (!excluded.has(name)) this.#slis?.observe(name, this.#name, failures[i] === undefined);
    }
    const failed = failures.some((failure) => failure !== undefined);
    if (!failed && !query.has("verbose")) return plainText(200, "ok", NO_SNIFF);
    let text = "";
    for (const [i, { name }] of this.#checks.entries()) {
      if (excluded.delete(name)) text += `[+]${name} excluded: ok\n`;
      else text += failures[i] === undefined ? `[+]${name} ok\n` : `[-]${name} failed: reason withheld\n`;
    }
    if (excluded.size > 0) {
      const names = [...excluded].map((name) => JSON.stringify(name)).join(", ");
      text += `warn: some health checks cannot be excluded: no matches for ${names}\n`;
    }
    return failed
      ? plainText(500, `${text}${this.#name} check failed\n`, NO_SNIFF)
      : plainText(200, `${text}${this.#name} check passed\n`, NO_SNIFF);
  }
}

const NO_SNIFF = { "x-content-type-options": "nosniff" };

async function failureOf({ check }: HealthCheck): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
