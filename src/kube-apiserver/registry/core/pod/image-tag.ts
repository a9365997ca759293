/** The pull policy that an image name asks for when none is given: `:latest`, or no tag and no digest, is pulled always. */
export function defaultPullPolicy(image: string): "Always" | "IfNotPresent" {
  return imageTag(image) === "latest" ? "Always" : "IfNotPresent";
}

/** Longest image name, with its registry, without tag and digest. */
const NAME_CHARACTERS_MAX = 255;
/** What has more characters than a name, a tag and the longest digest together is not looked at. */
const IMAGE_CHARACTERS_MAX = 1024;

function normalizedLength(image: string): number {
  const name = withoutTag(image.split("@", 1)[0] ?? "");
  const first = name.split("/", 1)[0] ?? "";
  const hasRegistry = name.includes("/") && (/[.:]/.test(first) || first === "localhost");
  if (hasRegistry) return name.length;
  return name.length + (name.includes("/") ? "docker.io/" : "docker.io/library/").length;
}

/** A colon before the last slash is that of a registry's port. */
function withoutTag(name: string): string {
  const at = name.indexOf(":", name.lastIndexOf("/") + 1);
  return at < 0 ? name : name.slice(0, at);
}

/** The tag of an image name; `latest` when there is neither tag nor digest, empty when the name cannot be read. */
function imageTag(image: string): string {
  if (image.length > IMAGE_CHARACTERS_MAX) return "";
  const match =
    /^(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?\/|\[[a-fA-F0-9:]+\](?::[0-9]+)?\/)?[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*(?::([\w][\w.-]{0,127}))?(@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/.exec(
      image,
    );
  if (!match || normalizedLength(image) > NAME_CHARACTERS_MAX) return "";
  if (match[1] !== undefined) return match[1];
  return match[2] === undefined ? "latest" : "";
}
