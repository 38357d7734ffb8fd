/** Logs are JSON, one object per line, without personal data: route patterns instead of URLs, and no credentials. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** Writes one line. `event` is in kebab-case. `fields` must not identify a person; a caller that does so says why. */
export function log(event: string, fields: LogFields = {}): void {
  console.log(JSON.stringify({ event, ...fields }));
}

/**
 * The safe parts of an unexpected error: its class, its code, and where it was thrown. Its message is omitted: Postgres
 * and Zod quote values in theirs.
 */
export function errorFields(error: unknown): { error: string; code?: string; at?: string } {
  if (!(error instanceof Error)) return { error: typeof error };
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  const at = placeOf(error);
  return { error: cause.name, ...(code === undefined ? {} : { code }), ...(at === undefined ? {} : { at }) };
}

/** `at <function> (<file>:<line>:<column>)`, without anything that could be a value. */
const FRAME = /^at (?:[\w$.<># ]{1,100} )?\(?[^\s(),]{1,200}:\d+:\d+\)?$/;

/** The first frame of the stack. The stack begins with the message, which may contain lines that look like frames. */
function placeOf({ stack, message }: Error): string | undefined {
  const start = stack?.indexOf(message) ?? -1;
  if (stack === undefined || start < 0) return undefined;
  const lines = stack.slice(start + message.length).split('\n');
  return lines.map((line) => line.trim()).find((line) => FRAME.test(line));
}
