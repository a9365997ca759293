/** A name of an image, taken apart. */
export interface ImageName {
  /** With its registry: `docker.io/library/busybox`. */
  readonly repository: string;
  /** `latest` where neither tag nor digest is given; empty for a digest alone. */
  readonly tag: string;
  readonly digest: string;
}

const DEFAULT_REGISTRY = "docker.io";
const LEGACY_REGISTRY = "index.docker.io";
const OFFICIAL = "library";
const DEFAULT_TAG = "latest";
const NAME_LENGTH_MAX = 255;

const DOMAIN_PART = "(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])";
const DOMAIN = `(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`;
const PATH_PART = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*";
const NAME = `(?:${DOMAIN}/)?${PATH_PART}(?:/${PATH_PART})*`;
const DIGEST = "[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}";
const REFERENCE = new RegExp(`^(${NAME})(?::([\\w][\\w.-]{0,127}))?(?:@(${DIGEST}))?$`);
const IDENTIFIER = /^[a-f0-9]{64}$/;

/** Takes a name apart (upstream's `parsers.ParseImageName`); throws what is wrong with it, in upstream's words. */
export function parseImageName(image: string): ImageName {
  const problem = (why: string): Error => new Error(`couldn't parse image name ${JSON.stringify(image)}: ${why}`);
  if (IDENTIFIER.test(image)) {
    throw problem(`invalid repository name (${image}), cannot specify 64-byte hexadecimal strings`);
  }
  const [domain, rest] = splitDomain(image);
  const remote = rest.split("@")[0]?.split(":")[0] ?? "";
  if (remote !== remote.toLowerCase()) throw problem(`invalid reference format: repository name (${remote}) must be lowercase`);
  const found = REFERENCE.exec(`${domain}/${rest}`);
  if (found === null) throw problem("invalid reference format");
  const [, repository = "", tag = "", digest = ""] = found;
  if (repository.length > NAME_LENGTH_MAX) {
    throw problem(`repository name must not be more than ${NAME_LENGTH_MAX} characters`);
  }
  return { repository, tag: tag === "" && digest === "" ? DEFAULT_TAG : tag, digest };
}

/** With `:latest` where neither tag nor digest is given; short names stay short, which runtimes complete themselves. */
export function withDefaultTag(image: string): string {
  const { tag, digest } = parseImageName(image);
  return digest === "" && tag !== "" && !image.endsWith(`:${tag}`) ? `${image}:${tag}` : image;
}

/** The first part is a registry when it looks like a host; else the image is Docker's, and without any path one of its own. */
function splitDomain(image: string): readonly [string, string] {
  const slash = image.indexOf("/");
  const first = slash < 0 ? "" : image.slice(0, slash);
  const isHost = first !== "" && (/[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase());
  const domain = isHost ? first : DEFAULT_REGISTRY;
  const rest = isHost ? image.slice(slash + 1) : image;
  if (domain !== DEFAULT_REGISTRY && domain !== LEGACY_REGISTRY) return [domain, rest];
  return [DEFAULT_REGISTRY, rest.includes("/") ? rest : `${OFFICIAL}/${rest}`];
}
