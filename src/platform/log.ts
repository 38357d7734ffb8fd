/** Logs are JSON, one object a line, without personal data: route patterns instead of URLs, never what was presented. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** Writes one line. `event` names what happened in kebab-case; `fields` holds nothing that identifies a person, save where a caller says why. */
export function log(event: string, fields: LogFields = {}): void {
  console.log(JSON.stringify({ event, ...fields }));
}

/**
 * What may be told of an unexpected error: its class, the code that our own libraries give it, and where it was thrown. The
 * message is left out, since Postgres and Zod quote values in theirs.
 */
export function errorFields(error: unknown): { error: string; code?: string; at?: string } {
  if (!(error instanceof Error)) return { error: typeof error };
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  const at = placeOf(error);
  return { error: cause.name, ...(code === undefined ? {} : { code }), ...(at === undefined ? {} : { at }) };
}

/** `at <function> (<file>:<line>:<column>)` and nothing that could be a value. */
const FRAME = /^at (?:[\w$.<># ]{1,100} )?\(?[^\s(),]{1,200}:\d+:\d+\)?$/;

/** The first frame of the stack. The stack begins with the message, which may hold lines that look like frames. */
function placeOf({ stack, message }: Error): string | undefined {
  const start = stack?.indexOf(message) ?? -1;
  if (stack === undefined || start < 0) return undefined;
  const lines = stack.slice(start + message.length).split('\n');
  return lines.map((line) => line.trim()).find((line) => FRAME.test(line));
}
