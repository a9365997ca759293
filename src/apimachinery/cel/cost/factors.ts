/** What things cost, in cel-go's units; its `common/cost.go`. */
export const IDENT_COST = 1;
export const LIST_COST = 10;
export const MAP_COST = 30;
export const STRUCT_COST = 40;
/** Of going through a string once, per character. */
export const STRING_FACTOR = 0.1;
/** Of a regular expression, per character of it. */
export const REGEX_FACTOR = 0.25;
/** Of asking the authorizer: two questions fit into an expression's limit. */
export const AUTHORIZATION_CHECK_COST = 350_000;
