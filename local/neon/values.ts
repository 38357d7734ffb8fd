/**
 * Values on their way between JSON and Postgres' text form, by the rules of Neon's proxy (neondatabase/neon,
 * proxy/src/serverless/json.rs). The driver itself only ever sends text and asks for text; the rest is for curl.
 */

/** Oids of pg_type.dat; they never change. */
const BOOL = 16;
const INT2 = 21;
const INT4 = 23;
const JSON_TYPE = 114;
const FLOAT4 = 700;
const FLOAT8 = 701;
const JSONB = 3802;

/** Oid of an array type to the oid of its elements. */
export type ArrayElements = ReadonlyMap<number, number>;

/** A member of `params` as Postgres reads it: null, text, or for an array the literal `{..}`. */
export function parameterText(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string') return value;
  return Array.isArray(value) ? arrayLiteral(value) : JSON.stringify(value);
}

function arrayLiteral(values: readonly unknown[]): string {
  const members = values.map((value) => {
    if (value === null) return 'NULL';
    if (Array.isArray(value)) return arrayLiteral(value);
    // Quoted as JSON, for so does Neon: right for quotes and backslashes, wrong for a line break (it becomes an `n`).
    return JSON.stringify(typeof value === 'object' ? JSON.stringify(value) : value);
  });
  return `{${members.join(',')}}`;
}

/** A value that Postgres sent, as a piece of JSON: what `Neon-Raw-Text-Output: false` asks for. */
export function jsonOf(text: string, oid: number, elements: ArrayElements): string {
  const element = elements.get(oid);
  if (element !== undefined) return arrayJson(text, element, elements);
  switch (oid) {
    case BOOL:
      return text === 't' ? 'true' : 'false';
    case INT2:
    case INT4:
    case JSON_TYPE:
    case JSONB:
      return text;
    case FLOAT4:
    case FLOAT8:
      return Number.isFinite(Number(text)) ? JSON.stringify(Number(text)) : JSON.stringify(text);
    default:
      return JSON.stringify(text);
  }
}

// One token of an array literal: a brace, a comma, a quoted element or a bare one. Nothing else can stand in one.
const ARRAY_TOKEN = /\s*([{},]|"(?:[^"\\]|\\.)*"|[^{},"\s](?:[^{},"]*[^{},"\s])?)\s*/gsy;

function arrayJson(text: string, element: number, elements: ArrayElements): string {
  // Bounds as in `[2:3]={1,2}` have no counterpart in JSON.
  const literal = text.startsWith('[') ? text.slice(text.indexOf('=') + 1) : text;
  let json = '';
  for (const [, token = ''] of literal.matchAll(ARRAY_TOKEN)) {
    if (token === '{') json += '[';
    else if (token === '}') json += ']';
    else if (token === ',') json += ',';
    else if (token === 'NULL') json += 'null';
    else if (token.startsWith('"')) json += jsonOf(token.slice(1, -1).replace(/\\(.)/gs, '$1'), element, elements);
    else json += jsonOf(token, element, elements);
  }
  return json;
}
