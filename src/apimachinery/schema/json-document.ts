import { isTextTooDeep } from "./depth.ts";
import { parseExactJson } from "./exact-json.ts";
import { hasRepeatedMembers } from "./json-scan.ts";
import { type ParsedYaml, parseYaml } from "./yaml.ts";

/**
 * What YAML reads otherwise than JSON, or refuses: tabs between tokens, characters that do not print, escapes of half a
 * character, merge keys.
 */
const YAML_DIFFERS = /[\t\u007f-\u009f\ud800-\udfff\ufeff\ufffe\uffff]|\\u|"<<"/;

/**
 * A YAML document as {@link parseYaml} reads it, many times faster where it is plain JSON: that is what clients send for most
 * of what they call YAML. Whatever is unusual about the text is left to the YAML parser.
 */
export function parseYamlOrJson(text: string): ParsedYaml {
  if (!text.startsWith("{") || YAML_DIFFERS.test(text) || isTextTooDeep(text)) return parseYaml(text);
  let value: unknown;
  try {
    value = parseExactJson(text);
  } catch {
    return parseYaml(text);
  }
  return hasRepeatedMembers(text, value) ? parseYaml(text) : { value, duplicates: [] };
}
