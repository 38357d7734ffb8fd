/** What a check found, and how it is shown. */
export interface Finding {
  readonly claim: string;
  readonly holds: boolean;
  readonly detail: string;
}

export const finding = (claim: string, holds: boolean, detail: string): Finding => ({ claim, holds, detail });

/** One line a finding. */
export function findingLine({ claim, holds, detail }: Finding): string {
  return `  ${holds ? 'ok    ' : 'FAILED'}  ${claim.padEnd(60)}  ${detail}`;
}
