/** Logs are JSON, one object a line, without personal data: route patterns instead of URLs, never what was presented. */
export type LogFields = Record<string, string | number | boolean | null | undefined>;

/** Writes one line. `event` names what happened in kebab-case; `fields` holds nothing that identifies a person, save where a caller says why. */
export function log(event: string, fields: LogFields = {}): void {
  console.log(JSON.stringify({ event, ...fields }));
}

/**
 * What may be told of an unexpected error: its class and, for errors of our own libraries, their code. The message is left
 * out, since Postgres and Zod quote values in theirs.
 */
export function errorFields(error: unknown): { error: string; code?: string; at?: string } {
  if (!(error instanceof Error)) return { error: typeof error };
  const cause = error.cause instanceof Error ? error.cause : error;
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  const at = error.stack
    ?.split('\n')
    .find((line) => line.trimStart().startsWith('at '))
    ?.trim();
  return { error: cause.name, ...(code === undefined ? {} : { code }), ...(at === undefined ? {} : { at }) };
}
