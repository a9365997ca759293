import type { FlowSchema, PriorityLevelConfiguration } from "#api/generated/flowcontrol/v1.ts";
import type { Clock, Timer } from "#base/clock.ts";
import { type NextTurn, nextTurn } from "#base/turn.ts";
import type { RequestInfo, UserInfo } from "../request/request-info.ts";
import { compareFlowSchemas, type SchemaMatcher, schemaMatcher } from "./flow-schema-match.ts";
import { type PriorityLevel, PriorityLevels } from "./priority-levels.ts";
import type { Refusal, Ticket } from "./queue-set.ts";
import { estimateSeats, type ResourceSize } from "./work-estimate.ts";

/** Seats of the server: upstream's `--max-requests-inflight` and `--max-mutating-requests-inflight` together. */
export const SERVER_SEATS: number = 400 + 200;
/** How often levels borrow and lend seats, in milliseconds. */
const ADJUST_PERIOD_MS = 10_000;
/** Part of a request's time that it may spend waiting. */
const WAITING_PART = 4;
/** Longest wait, in milliseconds. */
const WAIT_MS_MAX = 60_000;

/** The configuration as it is now. */
export interface FlowControlSource {
  /** Another value after every change. */
  readonly version: () => unknown;
  readonly flowSchemas: () => readonly FlowSchema[];
  readonly priorityLevels: () => readonly PriorityLevelConfiguration[];
  readonly sizeOf: (info: RequestInfo) => ResourceSize | undefined;
}

interface Schema {
  readonly name: string;
  readonly uid: string;
  readonly matcher: SchemaMatcher;
  readonly level: PriorityLevel;
  readonly by: "ByUser" | "ByNamespace" | undefined;
}

/** A request's place: which schema and level it belongs to, and the right to run where it got one. */
export interface Place {
  readonly schema: string;
  readonly schemaUid: string;
  readonly level: string;
  readonly levelUid: string;
  readonly ticket: Ticket | undefined;
  /** Where there is no ticket. */
  readonly refusal: Refusal | undefined;
  /** Seconds after which a refused client may come again. */
  readonly retryAfter: number;
}

/** A request as it comes. */
export interface FlowRequest {
  readonly user: UserInfo;
  readonly info: RequestInfo;
  readonly query: URLSearchParams;
  /** How long the request may take in all, in milliseconds. */
  readonly timeoutMs: number;
  /** Called when the client goes away. */
  readonly onClose: (callback: () => void) => void;
}

/** What is used until there are objects. */
const IMAGINED: readonly FlowSchema[] = [
  {
    metadata: { name: "exempt" },
    spec: { matchingPrecedence: 1, priorityLevelConfiguration: { name: "exempt" }, rules: [everything("system:masters")] },
  },
  {
    metadata: { name: "catch-all" },
    spec: {
      matchingPrecedence: 10_000,
      priorityLevelConfiguration: { name: "catch-all" },
      distinguisherMethod: { type: "ByUser" },
      rules: [everything("*")],
    },
  },
];

function everything(group: string): NonNullable<NonNullable<FlowSchema["spec"]>["rules"]>[number] {
  return {
    subjects: [{ kind: "Group", group: { name: group } }],
    resourceRules: [{ verbs: ["*"], apiGroups: ["*"], resources: ["*"], clusterScope: true, namespaces: ["*"] }],
    nonResourceRules: [{ verbs: ["*"], nonResourceURLs: ["*"] }],
  };
}

/** API priority and fairness (KEP-1040): who may be served when more ask than can be. */
export class FlowControl {
  readonly levels: PriorityLevels;
  readonly #clock: Clock;
  readonly #source: FlowControlSource;
  #version: unknown;
  #schemas: readonly Schema[] = [];
  /** The schemas that concern a user: few of all, and a connection's user stays the same object. */
  #byUser = new WeakMap<UserInfo, readonly Schema[]>();
  readonly #timer: Timer;

  constructor(clock: Clock, source: FlowControlSource, seats: number = SERVER_SEATS, turn: NextTurn = nextTurn) {
    this.#clock = clock;
    this.#source = source;
    this.levels = new PriorityLevels(clock, seats, turn);
    this.#timer = clock.setInterval(() => this.levels.adjust(), ADJUST_PERIOD_MS, { unref: true });
  }

  stop(): void {
    this.#timer.clear();
  }

  /** Finds a request its place, at once where there is room. The place's ticket is to be released when the request is done. */
  admit(request: FlowRequest): Place | Promise<Place> {
    const { user, info, query, timeoutMs, onClose } = request;
    const schema = this.#schemaOf(user, info);
    const { level } = schema;
    const seats = level.exempt ? 1 : estimateSeats(info, query, level.maxSeats, this.#source.sizeOf);
    const distinguisher = schema.by === undefined ? "" : schema.by === "ByUser" ? user.name : info.namespace;
    const waitMs = Math.min(timeoutMs / WAITING_PART, WAIT_MS_MAX);
    const started = level.queues.start({ schema: schema.name, distinguisher, user, info, seats }, waitMs, onClose);
    if (started instanceof Promise) return started.then((result) => this.#place(schema, result));
    return this.#place(schema, started);
  }

  #place({ name, uid, level }: Schema, result: Ticket | Refusal): Place {
    const refused = typeof result === "string";
    const retryAfter = level.retryAfter.seconds;
    if (refused) level.retryAfter.recordRefusal(this.#clock.elapsed());
    return {
      schema: name,
      schemaUid: uid,
      level: level.name,
      levelUid: level.uid,
      ticket: refused ? undefined : result,
      refusal: refused ? result : undefined,
      retryAfter,
    };
  }

  #schemaOf(user: UserInfo, info: RequestInfo): Schema {
    const version = this.#source.version();
    if (version !== this.#version) {
      this.#digest();
      this.#version = version;
    }
    let concerned = this.#byUser.get(user);
    if (concerned === undefined) {
      concerned = this.#schemas.filter(({ matcher }) => matcher.concerns(user));
      this.#byUser.set(user, concerned);
    }
    for (const schema of concerned) if (schema.matcher.matches(user, info)) return schema;
    // The last one is always catch-all, or one that comes after it.
    return this.#schemas.find(({ name }) => name === "catch-all") ?? (this.#schemas.at(-1) as Schema);
  }

  #digest(): void {
    this.levels.digest(this.#source.priorityLevels());
    const given = this.#source.flowSchemas();
    const imagined = IMAGINED.filter(({ metadata }) => !given.some((each) => each.metadata.name === metadata.name));
    this.#schemas = [...given, ...imagined].sort(compareFlowSchemas).flatMap((schema) => {
      const level = this.levels.get(schema.spec?.priorityLevelConfiguration.name ?? "");
      if (level === undefined || level.quiescing) return [];
      const by = schema.spec?.distinguisherMethod?.type as Schema["by"];
      const { name = "", uid = "" } = schema.metadata;
      return [{ name, uid, matcher: schemaMatcher(schema), level, by }];
    });
    this.#byUser = new WeakMap();
  }
}
