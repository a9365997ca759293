import { AndFilter, type Client, type Entry, EqualityFilter, type Filter, FilterParser, OrFilter, ResultCodeError } from "ldapts";
import type { Clock } from "#base/clock.ts";
import { connect } from "./connect.ts";
import { type DirectoryOptions, DirectoryUnavailable, type DirectoryUser } from "./directory-options.ts";
import { attributeValues, firstNameOf } from "./entry.ts";

/** Connections that wait for the next password to check. */
const IDLE_CONNECTIONS_MAX = 4;
/** Groups of one person; who has more is refused rather than let in with some of them. */
const GROUPS_MAX = 1000;
/** Result codes that say of a password that it does not let anybody in (RFC 4511 appendix A). */
const REFUSALS: ReadonlySet<number> = new Set([19, 32, 34, 48, 49, 50, 53]);

/**
 * The people of a directory. One connection looks them up, as the searcher; passwords are checked by binding on others, which
 * are kept as well. Every method throws {@link DirectoryUnavailable} when the directory cannot be asked.
 */
export class Directory {
  readonly #options: DirectoryOptions;
  readonly #clock: Clock;
  readonly #userFilter: Filter;
  readonly #groupFilter: Filter;
  readonly #idle: Client[] = [];
  #searcher: Promise<Client> | undefined;
  #isClosed = false;

  /** Throws for a filter that cannot be read. */
  constructor(options: DirectoryOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#userFilter = FilterParser.parseString(options.userFilter);
    this.#groupFilter = FilterParser.parseString(options.groupFilter);
  }

  /** The person with this name and password; undefined when there is none. */
  async checkPassword(name: string, password: string): Promise<DirectoryUser | undefined> {
    // A bind without a password is an anonymous one, and succeeds (RFC 4513 §5.1.2).
    if (name === "" || password === "") return undefined;
    const entry = await this.#findEntry(this.#options.userAttribute, name);
    if (entry === undefined || !(await this.#bindsAs(entry.dn, password))) return undefined;
    return this.#userOf(entry);
  }

  /** The person with this name; undefined when there is none. */
  async find(name: string): Promise<DirectoryUser | undefined> {
    const entry = await this.#findEntry(this.#options.userAttribute, name);
    return entry === undefined ? undefined : this.#userOf(entry);
  }

  /** The person whose entry holds this token; undefined when there is none, or several. */
  async findByToken(token: string): Promise<DirectoryUser | undefined> {
    const { tokenAttribute } = this.#options;
    if (tokenAttribute === "" || token === "") return undefined;
    const entry = await this.#findEntry(tokenAttribute, token);
    // The directory may compare without regard to case; a secret is compared byte by byte.
    if (entry === undefined || !attributeValues(entry, tokenAttribute).includes(token)) return undefined;
    return this.#userOf(entry);
  }

  /** Throws when the directory cannot be asked. */
  async probe(): Promise<void> {
    await this.#asSearcher((client) => client.search(this.#options.userBase, { scope: "base", attributes: ["1.1"] }));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const searcher = await this.#searcher?.catch(() => undefined);
    await Promise.all([searcher, ...this.#idle.splice(0)].map((client) => client?.unbind().catch(() => {})));
  }

  async #findEntry(attribute: string, value: string): Promise<Entry | undefined> {
    const { userBase, userAttribute, uidAttribute, extraAttributes, memberOfAttribute, tokenAttribute } = this.#options;
    const attributes = [userAttribute, uidAttribute, memberOfAttribute, tokenAttribute, ...extraAttributes].filter(
      (a) => a !== "",
    );
    // Values travel beside the filter's structure, never within its text: nothing in a name can change what is asked.
    const filter = new AndFilter({ filters: [this.#userFilter, new EqualityFilter({ attribute, value })] });
    const entries = await this.#search(userBase, filter, attributes, 2);
    return entries.length === 1 ? entries[0] : undefined;
  }

  async #userOf(entry: Entry): Promise<DirectoryUser | undefined> {
    const { userAttribute, uidAttribute, extraAttributes } = this.#options;
    // The directory's spelling: what was typed may differ from it in case, and RBAC tells these apart.
    const [name, ...others] = attributeValues(entry, userAttribute);
    if (name === undefined || others.length > 0) return undefined;
    const extra = extraAttributes.map((attribute) => [attribute.toLowerCase(), attributeValues(entry, attribute)] as const);
    return {
      name,
      uid: uidAttribute === "" ? "" : (attributeValues(entry, uidAttribute)[0] ?? ""),
      groups: await this.#groupsOf(entry, name),
      extra: Object.fromEntries(extra.filter(([, values]) => values.length > 0)),
    };
  }

  async #groupsOf(entry: Entry, name: string): Promise<string[]> {
    const { memberOfAttribute, groupBase, groupAttribute, memberAttributes, memberValue } = this.#options;
    const groups = new Set<string>();
    if (memberOfAttribute !== "") {
      for (const dn of attributeValues(entry, memberOfAttribute)) groups.add(firstNameOf(dn));
    }
    if (groupBase !== "") {
      const value = memberValue === "dn" ? entry.dn : name;
      const members = memberAttributes.map((attribute) => new EqualityFilter({ attribute, value }));
      const filter = new AndFilter({ filters: [this.#groupFilter, new OrFilter({ filters: members })] });
      const found = await this.#search(groupBase, filter, [groupAttribute], GROUPS_MAX + 1);
      for (const group of found) for (const groupName of attributeValues(group, groupAttribute)) groups.add(groupName);
    }
    groups.delete("");
    if (groups.size > GROUPS_MAX) throw new DirectoryUnavailable(`${entry.dn} is in more than ${GROUPS_MAX} groups`);
    return [...groups].sort();
  }

  async #search(base: string, filter: Filter, attributes: string[], sizeLimit: number): Promise<Entry[]> {
    const timeLimit = Math.ceil(this.#options.timeoutMs / 1000);
    const search = { scope: "sub" as const, filter, attributes, sizeLimit, timeLimit };
    return (await this.#asSearcher((client) => client.search(base, search))).searchEntries;
  }

  /** A connection that ended since it was last used is replaced once, which shows at once. Nobody waits twice for a silent one. */
  async #asSearcher<T>(task: (client: Client) => Promise<T>): Promise<T> {
    const began = this.#clock.elapsed();
    for (let attempt = 1; ; attempt++) {
      const isNew = this.#searcher === undefined;
      this.#searcher ??= this.#openSearcher();
      const mine = this.#searcher;
      try {
        return await task(await mine);
      } catch (error) {
        // An answer, though not the wanted one: the connection is well.
        const isAnswer = error instanceof ResultCodeError && error.code !== 51 && error.code !== 52;
        if (!isAnswer && this.#searcher === mine) {
          this.#searcher = undefined;
          await mine.then((client) => client.unbind()).catch(() => {});
        }
        if (isNew || isAnswer || attempt > 1 || this.#isLate(began)) throw unavailable("the directory cannot be searched", error);
      }
    }
  }

  async #openSearcher(): Promise<Client> {
    const client = await this.#open();
    const { searcher } = this.#options;
    if (searcher === undefined) return client;
    try {
      await client.bind(searcher.dn, await searcher.password());
      return client;
    } catch (error) {
      await client.unbind().catch(() => {});
      throw new DirectoryUnavailable(`the directory does not let ${searcher.dn} in: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  async #bindsAs(dn: string, password: string): Promise<boolean> {
    const began = this.#clock.elapsed();
    for (;;) {
      const kept = this.#idle.pop();
      const client = kept ?? (await this.#open());
      try {
        await client.bind(dn, password);
        this.#keep(client);
        return true;
      } catch (error) {
        if (error instanceof ResultCodeError && REFUSALS.has(error.code)) {
          this.#keep(client);
          return false;
        }
        await client.unbind().catch(() => {});
        // One that was kept may have ended meanwhile: there are few, and then comes a new one.
        if (kept === undefined || this.#isLate(began)) throw unavailable("a password cannot be checked", error);
      }
    }
  }

  #isLate(began: number): boolean {
    return this.#clock.elapsed() - began >= this.#options.timeoutMs;
  }

  #keep(client: Client): void {
    if (this.#isClosed || this.#idle.length >= IDLE_CONNECTIONS_MAX) void client.unbind().catch(() => {});
    else this.#idle.push(client);
  }

  #open(): Promise<Client> {
    if (this.#isClosed) return Promise.reject(new DirectoryUnavailable("the program stops"));
    return connect(this.#options, this.#clock);
  }
}

function unavailable(what: string, error: unknown): DirectoryUnavailable {
  return error instanceof DirectoryUnavailable
    ? error
    : new DirectoryUnavailable(`${what}: ${(error as Error).message}`, { cause: error });
}
